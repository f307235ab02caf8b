"""What answers a GraphQL query stands on, in every app: who asks, with which rights, and what was looked up already."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

from badgerjobs.web.problems import Invalid
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application

T = TypeVar("T")

# Called as `resolve(source, asker, **arguments)`: what stands around the field, who asks, and the field's arguments.
Resolver = Callable[..., Any]

# How many rows a list has when its `limit` is not given: a number, or a function of who asks and of the arguments.
Size = int | Callable[["Asker", dict[str, Any]], int]

NO_ROLE = "Your role does not allow this: it needs “Editor”."

# So many bytes of long texts are loaded for an answer, and stand in one: a web process holds them while it answers.
MOST_TEXT_BYTES = 32_000_000
TOO_MUCH_TEXT = (
    "The answer would hold more than 32 MB of texts: ask for fewer with `limit`, or name headers and bodies less often "
    "or not at all."
)


@dataclass(slots=True)
class Texts:
    """The long texts of one answer, in bytes: those loaded for it, and those in it, each as often as it stands there.

    Once they are too many (`are_too_many`), no more are loaded or told, and the answer is that refusal alone.
    """

    loaded: int = 0
    told: int = 0
    are_too_many: bool = False

    def load(self, size: int) -> None:
        """So many bytes are loaded, or about to be. Raises Invalid."""
        self.loaded += size
        if self.loaded > MOST_TEXT_BYTES:
            self.refuse()

    def tell(self, text: str | None) -> str | None:
        """The text, for the answer. Raises Invalid, the first time; then it tells nothing."""
        if text is None or self.are_too_many:
            return None
        self.told += size_of(text)
        if self.told > MOST_TEXT_BYTES:
            self.refuse()
        return text

    def refuse(self) -> NoReturn:
        """Raises Invalid."""
        self.are_too_many = True
        raise Invalid(limit=TOO_MUCH_TEXT)


def moment(at: datetime | None) -> str | None:
    """`2026-11-21T22:50:28.412Z`: to the millisecond, as JavaScript writes its dates."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z" if at else None


def size_of(text: str | None) -> int:
    """How many bytes it has, in UTF-8."""
    return len(text.encode(errors="replace")) if text else 0


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
    texts: Texts = field(default_factory=Texts)
    _found: dict[Hashable, Any] = field(default_factory=dict)

    def may(self, scope: str) -> bool:
        """Whether they have this scope."""
        return scope in self.scopes

    def lacking(self, scope: str) -> str:
        """What is said where this scope is missing: a member has a role, and no scopes."""
        return f"This token lacks the scope “{scope}”." if self.token else NO_ROLE

    def once(self, key: Hashable, look: Callable[[], T]) -> T:
        """What was found under this key, looked up the first time only."""
        if key not in self._found:
            self._found[key] = look()
        found: T = self._found[key]
        return found
