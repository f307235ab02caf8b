"""Trying a draft of a transform: on one payload, on the hook's examples, and on what came, each beside what is saved.

Nothing is done with what comes of it.
"""

import difflib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from badgerjobs.lib.javascript import Line
from badgerjobs.web.trials import LONGEST_S
from tasks.trials import room_for_one
from webhooks.actions import MISSING
from webhooks.models import Delivery, Example, Hook, Standing
from webhooks.performing.loading import body_of_delivery
from webhooks.transforms.transforming import Returned, TransformError, Wanted, returned_of
from webhooks.transforms.trials import Tried, tried, try_hook

# So many of the last deliveries a draft is tried on, unless it is said, and at the most.
DELIVERIES, MOST_DELIVERIES = 20, 50
# Of so many characters and lines, both together, differences are shown: a page may hold those of a hundred payloads.
MOST_COMPARED, MOST_LINES = 100_000, 2000
TOO_LONG = "This is too long to be compared line by line: it differs."
# What was refused is no example of what comes, and what came twice needs to be tried once.
TRIED_ON = (Standing.ACCEPTED, Standing.STORED, Standing.HELD)


@dataclass(frozen=True, slots=True)
class Made:
    """What a transform makes of a payload, as plain JSON: what would be done with it. Or the `error`."""

    plain: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    console: tuple[Line, ...] = ()

    @classmethod
    def of(cls, tried: Tried) -> Self:
        return cls(plain_of(tried.returned) if tried.returned else {}, tried.error or "", tried.console)

    @property
    def text(self) -> str:
        """As people compare it: JSON whose names are in order, or the error."""
        return self.error or json.dumps(self.plain, ensure_ascii=False, indent=2, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Compared:
    """A payload, an example or a delivery, with what the saved transform makes of it, and what the draft does.

    `expected` is what an example says must come of it, None where it says nothing. Both are None where there was no
    time left to try it.
    """

    example: Example | None
    delivery: Delivery | None
    before: Made | None = None
    after: Made | None = None
    expected: Mapping[str, Any] | None = None

    @property
    def is_tried(self) -> bool:
        return self.after is not None

    @property
    def differs(self) -> bool:
        return bool(self.before and self.after and self.before.text != self.after.text)

    @property
    def fails(self) -> bool:
        """Whether the draft breaks what this example says: it must return that; or, if it says nothing, something."""
        if self.example is None or self.after is None:
            return False
        return bool(self.after.error) or (self.expected is not None and self.after.plain != self.expected)

    @property
    def expected_text(self) -> str:
        """What must come of it, as people compare it; empty where nobody said."""
        return "" if self.expected is None else Made(self.expected).text

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The differences, line by line: `+` is the draft's, `-` that of before, a blank is both's."""
        if not (self.before and self.after):
            return []
        return compared(self.before.text, self.after.text)


@dataclass(frozen=True, slots=True)
class DraftTrial:
    """What came of it: the examples in the order of their names, the deliveries newest first."""

    examples: Sequence[Compared]
    deliveries: Sequence[Compared]

    @property
    def all(self) -> list[Compared]:
        return [*self.examples, *self.deliveries]

    @property
    def differing(self) -> int:
        """Of how many something else comes than before."""
        return sum(one.differs for one in self.all)

    @property
    def failing(self) -> list[str]:
        """The names of the examples that fail."""
        return [one.example.name for one in self.examples if one.example and one.fails]

    @property
    def untried(self) -> int:
        """For how many there was no time."""
        return sum(not one.is_tried for one in self.all)


def try_one(hook: Hook, *, code: str, headers: Mapping[str, str], raw: bytes) -> Made:
    """What a draft makes of one payload. Raises TooManyTrialsError."""
    return Made.of(try_hook(hook, code=code, headers=headers, raw=raw))


def try_draft(
    hook: Hook, *, code: str, deliveries: int = DELIVERIES, clock: Callable[[], float] = time.monotonic
) -> DraftTrial:
    """What a draft makes of all examples, and of so many of the last deliveries, beside what is saved.

    Raises TooManyTrialsError. What is not tried within `LONGEST_S` is left out, and said to be.
    """
    came = Delivery.objects.for_application(hook.application).of(hook).filter(standing__in=TRIED_ON)
    given = [(example, None) for example in hook.examples.order_by("name")]
    newest = came.defer("body").order_by("-pk")[: min(deliveries, MOST_DELIVERIES)]
    last = [(None, one) for one in newest]
    ends = clock() + LONGEST_S
    with room_for_one(hook.application):
        done = [
            _compared(hook, code, example, delivery) if clock() < ends else Compared(example, delivery)
            for example, delivery in [*given, *last]
        ]
    return DraftTrial(done[: len(given)], done[len(given) :])


def plain_of(returned: Returned) -> dict[str, Any]:
    """What a transform returned, as plain JSON, in the shape in which it returns it."""
    if returned.filtered is not None:
        return {"filtered": returned.filtered}
    if any(one.name is not None for one in returned.acts):
        return {"actions": [_act(one) for one in returned.acts]}
    return _given(returned.acts[0]) if returned.acts else {"variables": dict(returned.variables)}


def compared(before: str, after: str) -> list[tuple[str, str]]:
    """Line by line: `+` is only in what is after, `-` only in what was before, a blank in both.

    Lines are the same or they are not: nobody looks for what is alike within them, which takes as long as all pairs of
    lines do. Of two texts that are too long for that, or too long to be shown, it is only said.
    """
    if len(before) + len(after) > MOST_COMPARED:
        return [(" ", TOO_LONG)]
    old, new = before.splitlines(), after.splitlines()
    if len(old) + len(new) > MOST_LINES:
        return [(" ", TOO_LONG)]
    found: list[tuple[str, str]] = []
    for what, old_from, old_to, new_from, new_to in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if what == "equal":
            found += [(" ", line) for line in old[old_from:old_to]]
        else:
            found += [("-", line) for line in old[old_from:old_to]] + [("+", line) for line in new[new_from:new_to]]
    return found


def _compared(hook: Hook, code: str, example: Example | None, delivery: Delivery | None) -> Compared:
    if example:
        headers, raw = example.headers, example.body.encode(errors="replace")
    elif delivery:
        headers, raw = delivery.headers, body_of_delivery(delivery.pk)  # one by one: they may be long
    before, after = (Made.of(tried(hook, code=each, headers=headers, raw=raw)) for each in (hook.transform, code))
    return Compared(example, delivery, before, after, _expected(example))


def _expected(example: Example | None) -> Mapping[str, Any] | None:
    """What must come of an example, read as what a transform returns: a number there is the same as its text."""
    if example is None or example.expected is None:
        return None
    try:
        return plain_of(returned_of(example.expected))
    except TransformError:
        return {"returned": example.expected}


def _act(one: Wanted) -> dict[str, Any]:
    return {"name": one.name, **_given(one)}


def _given(one: Wanted) -> dict[str, Any]:
    value = {} if one.value is MISSING else {"value": one.value}
    return {"variables": dict(one.variables), **value}
