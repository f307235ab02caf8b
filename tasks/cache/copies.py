"""Fast copies of values in Valkey. What PostgreSQL has is the truth: whatever is here may be gone at any moment.

Who finds no copy puts a claim in its place, reads the row, and puts the copy where its claim still stands. So many who
come at once cost one look, and who changes a row and forgets its copy afterwards takes away the claims of all who may
have looked before: what they read does not come back, however slow they are.

Whoever changes a key, its value or how its last try went calls `forget` after commit. One who cannot, because Valkey
or they themselves are gone, leaves a copy for `LIVES_S` at most.
"""

import json
import random
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django.core.cache import cache

from badgerjobs.web.spared_cache import SparedCache, packed
from tasks.cache.freshness import Stored

# Seconds. Up to a fifth less, so that not all that were read together are read again together.
LIVES_S = 60.0
# A claim whose holder is gone is taken over after so long.
CLAIM_S = 1.0
# Larger values are read from PostgreSQL each time: their copies would take the room of thousands.
LARGEST = 64 * 1024
# As much of what Valkey may use is for others: the broker, limits. How full it is, is asked so often (seconds).
MOST_OF_MEMORY = 0.5
ROOM_ASKED_S = 1.0
# Names in one command.
AT_ONCE = 1000

_PREFIX = b"badgerjobs:copy:"
_CLAIM = b"?"
# Stands where there is nothing to copy: each reader looks for the row, and none waits for another. Seconds.
NO_COPY = b"-"
NO_COPY_S = 2.0

# Puts something where one's own claim stands.
_FILL = b"""
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return false
"""

_room: dict[str, Any] = {"asked": float("-inf"), "is": True}


def exchange(commands: bytes, answers: int, *, insist: bool = False) -> list[Any] | None:
    """What Valkey answers; None while it is away. An answer may be an error."""
    return cast("SparedCache", cache).exchange(commands, answers, insist=insist)


def place(application_id: int, name: str) -> bytes:
    """Where the copy of a value stands. A tenant's own places begin with its id."""
    return b"%b%d:%b" % (_PREFIX, application_id, name.encode())


def read(found: Any) -> Stored | None:
    """The value that a copy holds; None for none, a claim, or what we did not write."""
    if not isinstance(found, bytes) or not found.startswith(b"["):
        return None
    head, _, body = found.partition(b"\n")
    try:
        return Stored._make([*json.loads(head), body])
    except (ValueError, TypeError):  # another version of ours did
        return None


def written(value: Stored) -> bytes:
    """A copy of a value that was filled: all but its body in the first line."""
    return json.dumps(value[:-1]).encode() + b"\n" + (value.body or b"")


def claim(places: Sequence[bytes]) -> dict[bytes, bytes] | None:
    """Place → one's claim, for those where nothing stood. None when Valkey is away, or takes nothing."""
    mine = _CLAIM + secrets.token_hex(8).encode()
    life = b"%d" % (CLAIM_S * 1000)
    answers = exchange(b"".join([packed(b"SET", one, mine, b"NX", b"PX", life) for one in places]), len(places))
    if answers is None or any(isinstance(answer, Exception) for answer in answers):
        return None
    return {one: mine for one, answer in zip(places, answers, strict=True) if answer == b"OK"}


def is_claim(found: Any) -> bool:
    """Whether somebody is about to put a copy there."""
    return isinstance(found, bytes) and found.startswith(_CLAIM)


def fill(claimed: Mapping[bytes, bytes], values: Mapping[bytes, Stored]) -> None:
    """Put copies of these values where one's claim still stands, and say so where there is nothing to copy."""
    commands = [_filling(where, mine, values.get(where)) for where, mine in claimed.items()]
    if commands:
        exchange(b"".join(commands), len(commands))


def _filling(where: bytes, mine: bytes, value: Stored | None) -> bytes:
    is_copied = value is not None and value.body is not None and len(value.body) <= LARGEST and _is_room()
    copy, life_s = (written(value), LIVES_S) if value is not None and is_copied else (NO_COPY, NO_COPY_S)
    life = b"%d" % (life_s * 1000 * random.uniform(0.8, 1.0))  # noqa: S311
    return packed(b"EVAL", _FILL, b"1", where, mine, copy, life)


def forget(application_id: int, names: Iterable[str]) -> None:
    """Forget the copies of these values, after commit of whatever changed them. The next reader makes new ones."""
    places = [place(application_id, name) for name in names]
    slices = [places[at : at + AT_ONCE] for at in range(0, len(places), AT_ONCE)]
    if slices:
        exchange(b"".join([packed(b"UNLINK", *some) for some in slices]), len(slices), insist=True)


def _is_room() -> bool:
    """Whether Valkey is far from full. One that is full takes nothing from the broker either."""
    if time.monotonic() >= _room["asked"] + ROOM_ASKED_S:
        _room["asked"] = time.monotonic()
        told = exchange(packed(b"INFO", b"memory"), 1)
        _room["is"] = told is not None and _has_room(told[0])
    return bool(_room["is"])


def _has_room(told: Any) -> bool:
    lines = told.decode(errors="replace").splitlines() if isinstance(told, bytes) else []
    facts = dict(line.partition(":")[::2] for line in lines)
    most, used = (facts.get(name, "") for name in ("maxmemory", "used_memory"))
    if not (most.isdigit() and used.isdigit()):
        return True
    return int(most) == 0 or int(used) < MOST_OF_MEMORY * int(most)
