"""What is told, and what is not because there was a notice of the same just now: pure, so that each rule is a row.

1. The opening of a trouble is told at once, unless a notice of the same trouble of the same job was sent within the
   quiet time.
2. What opens within that time is counted. If it is still open when the time is over, it is told then; if it was over by
   itself, it is told of with the next notice, as a number.
3. What opened and was over before anybody could be told is one notice, and not two. What a person ended is none.
4. An end is told at once, and only where the opening was.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Wish:
    """Of what somebody wants to be told, and how long it is quiet after a notice."""

    troubles: Collection[str]
    quiet: timedelta
    recovered: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """An incident, as far as it matters here. `by_hand`: a person ended it."""

    id: UUID
    trouble: str
    opened_at: datetime
    closed_at: datetime | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """The quiet of one trouble of one job: what the row of `Quiet` says."""

    ends_at: datetime
    told: UUID | None = None
    held: UUID | None = None
    more: int = 0
    more_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """That an incident is told of; with it, how many there were since the last notice, and the first of them when."""

    incident: UUID
    more: int = 0
    more_since: datetime | None = None


Judged = tuple[Silence | None, Telling | None]


def judge_opening(seen: Seen, silence: Silence | None, wish: Wish | None, now: datetime) -> Judged:
    """What becomes of the quiet, and what is told, when an incident was opened."""
    if wish is None or seen.trouble not in wish.troubles or seen.by_hand:
        return silence, None
    if silence and now < silence.ends_at:
        held = None if seen.closed_at else seen.id
        since = silence.more_since or seen.opened_at
        return replace(silence, held=held, more=silence.more + 1, more_since=since), None
    return _told(seen, silence.more if silence else 0, silence, wish, now)


def judge_end_of_quiet(silence: Silence, held: Seen | None, wish: Wish | None, now: datetime) -> Judged:
    """The same when the quiet is over and something was held back; None: that incident is gone."""
    released = replace(silence, held=None)
    if wish is None or held is None or held.trouble not in wish.troubles or held.closed_at:
        return released, None
    return _told(held, silence.more - 1, silence, wish, now)


def judge_closing(seen: Seen, silence: Silence | None, wish: Wish | None) -> Judged:
    """The same when an incident was closed."""
    if silence is None:
        return None, None
    was_told = silence.told == seen.id
    silence = replace(
        silence,
        told=None if was_told else silence.told,
        held=None if silence.held == seen.id else silence.held,
    )
    wants = wish is not None and wish.recovered and seen.trouble in wish.troubles and not seen.by_hand
    return silence, Telling(seen.id) if was_told and wants else None


def _told(seen: Seen, more: int, silence: Silence | None, wish: Wish, now: datetime) -> Judged:
    since = silence.more_since if silence and more else None
    after = Silence(now + wish.quiet, told=None if seen.closed_at else seen.id)
    return after, Telling(seen.id, more, since)
