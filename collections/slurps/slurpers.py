"""Slurpers in Python: an operator's own code, registered by a package that `SLURPERS` names. Never a tenant's."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

_ID = re.compile(r"[a-z][A-Za-z0-9]{0,99}")

Slurp = Callable[[Mapping[str, Any], Mapping[str, list[Any]]], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class PythonSlurper:
    """`slurp(ctx, data_map)` returns or yields rows; `data_map` has the rows of each source by its tag."""

    id: str
    title: str
    slurp: Slurp
    package: str


_registered: dict[str, PythonSlurper] = {}


class DefinitionError(ValueError):
    """A slurper is defined wrongly. The message is a sentence."""


def slurper(*, id: str, title: str) -> Callable[[Slurp], Slurp]:  # noqa: A002
    """Register a function as a slurper. Raises DefinitionError for an id that is none, or that is taken."""
    if not _ID.fullmatch(id):
        raise DefinitionError(f"The id {id!r} of a slurper must be camelCase, of letters and digits.")
    if not title.strip():
        raise DefinitionError(f"The slurper {id!r} needs a title.")

    def register(slurp: Slurp) -> Slurp:
        if id in _registered and _registered[id].slurp is not slurp:
            raise DefinitionError(
                f"Two slurpers have the id {id!r}: in {_registered[id].package} and {slurp.__module__}."
            )
        _registered[id] = PythonSlurper(id, title, slurp, slurp.__module__)
        return slurp

    return register


def load(packages: Iterable[str]) -> None:
    """Import the packages that define slurpers. Raises ImportError and DefinitionError."""
    for package in packages:
        import_module(package)


def slurper_of(id: str) -> PythonSlurper | None:  # noqa: A002
    """The one with this id."""
    return _registered.get(id)


def all_slurpers() -> list[PythonSlurper]:
    """All that are registered, by their titles."""
    return sorted(_registered.values(), key=lambda one: one.title)
