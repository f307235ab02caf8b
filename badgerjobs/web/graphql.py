"""What answers a GraphQL query stands on, in every app: who asks, with which rights, and what was looked up already."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application

T = TypeVar("T")

# Called as `resolve(source, asker, **arguments)`: what stands around the field, who asks, and the field's arguments.
Resolver = Callable[..., Any]

# How many rows a list has when its `limit` is not given: a number, or a function of who asks and of the arguments.
Size = int | Callable[["Asker", dict[str, Any]], int]


@dataclass(slots=True)
class Asker:
    """Who asks one query: for which application, by whose name, and what they may.

    `token` is the secret that came with the request, None where a person is signed in. `selected` has every field that
    the query names, as `Type.field`: what nobody asked for need not be loaded.
    """

    application: Application
    by: audit.Actor
    scopes: frozenset[str]
    token: str | None = None
    selected: frozenset[str] = frozenset()
    _found: dict[Hashable, Any] = field(default_factory=dict)

    def may(self, scope: str) -> bool:
        """Whether they have this scope."""
        return scope in self.scopes

    def once(self, key: Hashable, look: Callable[[], T]) -> T:
        """What was found under this key, looked up the first time only."""
        if key not in self._found:
            self._found[key] = look()
        found: T = self._found[key]
        return found
