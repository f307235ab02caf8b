"""I5: every accepted call of a hook is there, and was acted upon once, or is found among those that failed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chaos.books import Act, Books, Delivery
from chaos.checks.violation import Violation


@dataclass(frozen=True, slots=True)
class Sent:
    """A call that was answered: its number, the status, and the id that a 202 gave; `at` in Unix seconds."""

    hook: str
    number: int
    status: int
    delivery: str
    at: float


# What an answer may be: accepted, or told to come again by a web process whose servers are away or too busy.
PROPER = {202, 429, 503}


def answers(sent: Sequence[Sent]) -> Iterator[Violation]:
    """A call is accepted, or told to come again; and what is accepted twice has two ids."""
    seen: set[str] = set()
    for one in sent:
        if one.status not in PROPER:
            yield Violation("misled", f"{one.hook} answered call {one.number} with {one.status}.")
        if one.delivery and one.delivery in seen:
            yield Violation("misled", f"{one.hook} gave the id {one.delivery} twice.")
        seen.add(one.delivery)


def accepted(sent: Sequence[Sent], books: Books) -> Iterator[Violation]:
    """What was answered 202 is there, at its hook."""
    rows = {row.id: row for row in books.deliveries}
    for one in sent:
        if one.status != 202:
            continue
        row = rows.get(one.delivery)
        if row is None:
            yield Violation("lost", f"{one.hook}: call {one.number} was accepted as {one.delivery}, and is not there.")
        elif row.hook != one.hook:
            yield Violation("mixed", f"{one.hook}: call {one.number} is {row.id} of {row.hook}.")


def acted_upon(books: Books) -> Iterator[Violation]:
    """Each has a run that is over; what succeeded caused one run, which is there, and what failed none."""
    acts: dict[str, list[Act]] = defaultdict(list)
    for act in books.acts:
        acts[act.delivery].append(act)
    runs = {run.id: run for run in books.runs}
    for delivery in books.deliveries:
        yield from _judged(delivery, acts.get(delivery.id, []), runs)


def _judged(delivery: Delivery, acts: Sequence[Act], runs: Mapping[str, object]) -> Iterator[Violation]:
    said = f"{delivery.hook}: delivery {delivery.id}"
    done = [act for act in acts if act.state == "done"]
    if delivery.standing == "duplicate":
        if acts:
            yield Violation("doubled", f"{said} is a duplicate, and was acted upon.")
        return
    if delivery.standing != "accepted" or delivery.state not in {"succeeded", "failed"}:
        yield Violation("unacted", f"{said} is {delivery.standing}, and its run {delivery.state or 'is not there'}.")
    if delivery.state == "succeeded" and not done:
        yield Violation("unacted", f"{said} succeeded, and nothing was done: {_states(acts)}.")
    if len(done) > 1:
        yield Violation("doubled", f"{said} was acted upon {len(done)} times.")
    if delivery.state == "failed" and done:
        yield Violation("doubled", f"{said} failed, and was acted upon.")
    for act in done:
        if act.caused not in runs:
            yield Violation("lost", f"{said} caused run {act.caused}, which is not there.")


def _states(acts: Sequence[Act]) -> str:
    return ", ".join(act.state for act in acts) or "nothing was planned"


def caused_once(books: Books) -> Iterator[Violation]:
    """Each run that a webhook caused is named by one act."""
    named: dict[str, int] = defaultdict(int)
    for act in books.acts:
        named[act.caused] += 1
    hooks = {delivery.hook for delivery in books.deliveries}
    for run in books.runs:
        if run.cause == "webhook" and run.job not in hooks and named[run.id] != 1:
            yield Violation("doubled", f"{run.job}: run {run.id} was caused by {named[run.id]} acts.")


def repeats(sent: Sequence[Sent], books: Books) -> Iterator[Violation]:
    """Of calls with one id, one was acted upon, and the others point to it: at its hook, and itself no repeat."""
    rows = {row.id: row for row in books.deliveries}
    calls: dict[tuple[str, int], list[Delivery]] = defaultdict(list)
    for one in sent:
        if one.hook.endswith("/once") and one.delivery in rows:
            calls[one.hook, one.number].append(rows[one.delivery])
    for (hook, number), found in calls.items():
        # The first may have been stored for a caller who never heard of it: then repeats alone name it.
        repeated = {row.duplicate_of for row in found if row.standing == "duplicate"}
        firsts = repeated | {row.id for row in found if row.standing != "duplicate"}
        if len(firsts) > 1:
            yield Violation("doubled", f"{hook}: call {number} was taken for a first one {len(firsts)} times.")
        for its_id in repeated:
            yield from _as_first(rows.get(its_id), hook, f"{hook}: call {number} repeats {its_id}")


def _as_first(first: Delivery | None, hook: str, said: str) -> Iterator[Violation]:
    if first is None:
        yield Violation("lost", f"{said}, which is not there.")
    elif first.hook != hook:
        yield Violation("mixed", f"{said}, which is of {first.hook}.")
    elif first.standing == "duplicate":
        yield Violation("doubled", f"{said}, which is a repeat itself.")
