"""Making, changing and deleting definitions: each alone with its tag, used ones stay, and changes are audited."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.db.models import RestrictedError

from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces import audit

Facts = dict[str, Any]
D = TypeVar("D", bound=models.Model)

GONE = "This {} was deleted in the meantime."
TAKEN = "There is {} with the tag “{}” already. Change it with PATCH, or use PUT to create or update."
BOTH = "Others make and delete this {} at the same time. Try again."
# So many of those that use something are named where it cannot be deleted.
NAMED = 5


def type_stays(row: Any) -> str:
    """Why a type is never changed."""
    return f"A type is never changed: this one's is {row.type}. Make another one."


@contextmanager
def alone_with_its_tag(a_what: str, row: Any) -> Iterator[None]:
    """Made in one step. Raises Conflict where the tag is taken."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise Conflict(TAKEN.format(a_what, row.tag)) from None


@contextmanager
def _unused(refusal: Callable[[], str]) -> Iterator[None]:
    """Deleted in one step. Raises Conflict, with this sentence, while something uses it."""
    try:
        with transaction.atomic():
            yield
    except (RestrictedError, IntegrityError):
        raise Conflict(refusal()) from None


@transaction.atomic
def made_or_changed(rows: Any, its_type: str, *, make: Callable[[], D], change: Callable[[D], D]) -> tuple[D, bool]:
    """Change the one among `rows`, or make it where there is none, as one step. Returns it and whether it was made.

    Raises Invalid where it is there and of another type.
    """
    found = rows.first()
    if found is None:
        return make(), True
    if found.type != its_type:
        raise Invalid(type=type_stays(found))
    return change(found), False


@transaction.atomic
def made_or_updated(rows: Any, what: str, *, make: Callable[[], D], update: Callable[[D], D]) -> tuple[D, bool]:
    """Change the one among `rows`, held from then on, or make it where there is none, as one step.

    Of two at once, the second changes what the first one made. Returns it and whether it was made.
    Raises Conflict where others make and delete it meanwhile.
    """
    held = rows.select_for_update()
    found = held.first()
    if found is None:
        try:
            return make(), True
        except Conflict:  # somebody made it between the two statements
            found = held.first()
    if found is None:
        raise Conflict(BOTH.format(what))
    return update(found), False


@dataclass(frozen=True, slots=True)
class Uses:
    """What uses a definition and keeps it from being deleted: which rows, what one is called, a sentence about it.

    The sentence has {} for their names, which stand in the column `name`. `beside`: what else may use it, told of where
    none of these does.
    """

    rows: Callable[[Any], Any]
    what: str
    sentence: str
    name: str = "tag"
    beside: "Uses | None" = None

    def refusal(self, row: Any) -> str:
        """Why it would not be deleted now: the sentence that names them; empty where nothing stands against it."""
        if names := self._names(row):
            return self._said(names)
        return self.beside.refusal(row) if self.beside else ""

    def refused(self, row: Any) -> str:
        """Why it was not deleted: also where they are gone by now."""
        return self.refusal(row) or self._said(())

    def _names(self, row: Any) -> list[str]:
        return tags_of(self.rows(row), self.name)

    def _said(self, names: Sequence[str]) -> str:
        return self.sentence.format(named(self.what, names))


def delete_unused(row: Any, uses: Uses, facts: Facts, **entry: Any) -> None:
    """Delete it, and say so in the audit log. Raises Conflict, naming them, while something uses it."""
    with _unused(lambda: uses.refused(row)):
        if _deleted(row):
            record(row, facts, dict.fromkeys(facts), **entry)


def _deleted(row: models.Model) -> bool:
    """Of two at once, one did it."""
    count, _ = type(row)._default_manager.filter(pk=row.pk).delete()
    return count > 0


def record(row: Any, before: Facts, after: Facts, **entry: Any) -> None:
    """What changed, if anything did. `entry`: who did it, when, and what it is called."""
    if changes := audit.difference(before, after):
        audit.record(subject=row.tag, application=row.application, changes=changes, **entry)


def tags_of(rows: Any, name: str = "tag") -> list[str]:
    """By what people know these rows: one more than are named."""
    return list(rows.order_by(name).values_list(name, flat=True)[: NAMED + 1])


def named(what: str, tags: Sequence[str]) -> str:
    """`the jobs “a”, “b” and others`; `others` alone where they are gone meanwhile."""
    said = [f"“{tag}”" for tag in tags[:NAMED]]
    said += ["others"] if len(tags) > NAMED or not tags else []
    return f"{what}{'' if len(tags) == 1 else 's'} {' and '.join(filter(None, [', '.join(said[:-1]), said[-1]]))}"
