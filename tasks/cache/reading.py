"""Values as their readers get them: from the copy in one trip, and else from the row, which one of many looks for."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from badgerjobs.web.spared_cache import packed
from badgerjobs.workspaces.models import Token
from tasks.cache import copies, rows
from tasks.cache.callers import commands_to_count, ensure_within_limit
from tasks.cache.freshness import Stored

# Seconds between two looks for the copy that another reader is about to put there. They wait no longer than a claim
# lives: then one of them has it.
LOOKS_EVERY_S = 0.003
WAITS_S = 2 * copies.CLAIM_S

# Copies of so many values are in memory at once; of rows, whose values may be larger, those of so many bytes.
IN_ONE_TRIP = 64
ROW_BYTES = 4 * 1024 * 1024


def one(token: Token, name: str) -> Stored | None:
    """The value under a name of the token's application; None where there is no such key.

    Raises TooMany for one read too many in this second.
    """
    application_id = token.application_id
    if not rows.is_name(name):
        ensure_within_limit(_counted(token, 1))
        return None
    where = copies.place(application_id, name)
    answers = copies.exchange(commands_to_count(token, 1) + packed(b"GET", where), 3)
    if answers is None:
        return rows.stored(application_id, [name]).get(name)
    ensure_within_limit(answers[1])
    return copies.read(answers[2]) or _looked_for(application_id, name, where, answers[2])


def _counted(token: Token, reads: int) -> Any:
    answers = copies.exchange(commands_to_count(token, reads), 2)
    return answers and answers[1]


def _looked_for(application_id: int, name: str, where: bytes, found: Any) -> Stored | None:
    """Look for the row, or wait for who does. Each reader looks for itself where there will be no copy."""
    deadline = time.monotonic() + WAITS_S
    while time.monotonic() < deadline:
        if found is None:
            claimed = copies.claim([where])
            if claimed:
                return _rows(application_id, [name], claimed).get(name)
            if claimed is None:
                break
        elif not copies.is_claim(found):
            break
        time.sleep(LOOKS_EVERY_S)
        answers = copies.exchange(packed(b"GET", where), 1)
        if answers is None:
            break
        found = answers[0]
        if value := copies.read(found):
            return value
    return rows.stored(application_id, [name]).get(name)


def _rows(application_id: int, names: Sequence[str], claimed: dict[bytes, bytes]) -> dict[str, Stored]:
    found = rows.stored(application_id, names)
    copies.fill(claimed, {copies.place(application_id, name): value for name, value in found.items()})
    return found


def many(token: Token, names: Sequence[str]) -> Iterator[tuple[str, Stored | None]]:
    """Each name with the value under it, some at a time: not all of them are in memory at once.

    Raises TooMany, at first, when that makes too many reads in this second. Nobody waits for another's look here.
    """
    ensure_within_limit(_counted(token, len(names)))
    for at in range(0, len(names), IN_ONE_TRIP):
        yield from _some(token.application_id, names[at : at + IN_ONE_TRIP])


def _some(application_id: int, names: Sequence[str]) -> Iterator[tuple[str, Stored | None]]:
    places = {name: copies.place(application_id, name) for name in names if rows.is_name(name)}
    copied = _copied(places)
    values = {name: value for name, copy in copied.items() if (value := copies.read(copy))}
    left = [name for name in places if name not in values]
    vacant = [places[name] for name in left if copied.get(name, b"") is None]
    claimed = (vacant and copies.claim(vacant)) or {}
    try:
        for name in names:
            if left and name == left[0]:
                found, later = rows.first_of(application_id, left, ROW_BYTES)
                looked_for = [places[one] for one in left[: len(left) - len(later)]]
                mine = {where: claimed.pop(where) for where in looked_for if where in claimed}
                copies.fill(mine, {places[one]: value for one, value in found.items()})
                values, left = values | found, later
            yield name, values.pop(name, None)
    finally:
        copies.fill(claimed, {})  # of who reads no further: nobody waits for them


def _copied(places: Mapping[str, bytes]) -> dict[str, Any]:
    """Name → what stands in its place; nothing at all when Valkey is away."""
    answers = copies.exchange(packed(b"MGET", *places.values()), 1) if places else None
    found = answers[0] if answers else None
    return dict(zip(places, found, strict=True)) if isinstance(found, list) else {}
