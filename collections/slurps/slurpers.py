"""Slurpers in Python: an operator's own code, registered by a package that `SLURPERS` names. Never a tenant's."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
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


class DefinitionError(ValueError):
    """A slurper is defined wrongly. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The slurpers of this process by their ids, and sentences about packages that are wrong."""

    by_id: dict[str, PythonSlurper] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, one: PythonSlurper) -> None:
        """Take one. Raises DefinitionError for a second one of the same id: the first stays."""
        first = self.by_id.setdefault(one.id, one)
        if first.slurp is not one.slurp:
            raise DefinitionError(f"Two slurpers have the id {one.id!r}: in {first.package} and in {one.package}.")


REGISTRY = Registry()


def slurper(*, id: str, title: str) -> Callable[[Slurp], Slurp]:  # noqa: A002
    """Register a function as a slurper. Raises DefinitionError for what is none, or for an id that is taken."""
    if not _ID.fullmatch(str(id)):
        raise DefinitionError(f"The id {id!r} of a slurper must be camelCase, of letters and digits.")
    if not str(title).strip():
        raise DefinitionError(f"The slurper {id!r} needs a title.")

    def register(slurp: Slurp) -> Slurp:
        if not _takes_two(slurp):
            raise DefinitionError(f"The slurper {id!r} must be a plain function that takes (ctx, data_map).")
        REGISTRY.add(PythonSlurper(id, title, slurp, slurp.__module__))
        return slurp

    return register


def _takes_two(slurp: Any) -> bool:
    if not callable(slurp) or inspect.iscoroutinefunction(slurp) or inspect.isasyncgenfunction(slurp):
        return False
    try:
        inspect.signature(slurp).bind({}, {})
    except (TypeError, ValueError):
        return False
    return True


def load(packages: Iterable[str]) -> None:
    """Import the packages that define slurpers.

    One that cannot be imported is a problem; one in which nothing is defined is worth a warning.
    """
    for package in packages:
        try:
            import_module(package)
        except DefinitionError as error:
            REGISTRY.problems.append(f"SLURPERS: {package!r}: {error}")
            continue
        except (Exception, SystemExit) as error:
            said = f"{type(error).__name__}: {error}".rstrip(": ")
            REGISTRY.problems.append(f"SLURPERS: {package!r} cannot be imported: {said}")
            continue
        if not any(f"{one.package}.".startswith(f"{package}.") for one in REGISTRY.by_id.values()):
            REGISTRY.warnings.append(f"SLURPERS: {package!r} defines no slurper.")


def slurper_of(id: str) -> PythonSlurper | None:  # noqa: A002
    """The one with this id."""
    return REGISTRY.by_id.get(id)


def all_slurpers() -> list[PythonSlurper]:
    """All that are registered, by their titles."""
    return sorted(REGISTRY.by_id.values(), key=lambda one: (one.title, one.id))
