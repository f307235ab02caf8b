"""What may be done with a value now: the rules of its key, and nothing else."""

from enum import StrEnum
from typing import NamedTuple


class Stored(NamedTuple):
    """A value as its reader needs it, with what its key says of its life. Moments are Unix times, the rest seconds.

    `etag` is its hash in hex, `body` JSON as it is served, None until it was fetched once. `failed_at` is when the last
    try failed, None if it was good; `error` tells of it. `asked_at` is when a reader last had it fetched.
    """

    key_id: int
    etag: str
    fetched_at: float
    changed_at: float
    ttl_s: int | None
    while_revalidate_s: int | None
    if_error_s: int | None
    failed_at: float | None
    error: str
    asked_at: float | None
    body: bytes | None

    @property
    def expires_at(self) -> float | None:
        """When it stops being fresh; None for one that is fresh until a task brings another."""
        return None if self.ttl_s is None else self.fetched_at + self.ttl_s


class Verdict(StrEnum):
    """The first two may be served."""

    HIT = "hit"
    STALE = "stale"
    TOO_OLD = "too_old"
    FAILING = "failing"
    UNFILLED = "unfilled"


SERVED = frozenset({Verdict.HIT, Verdict.STALE})


def verdict(value: Stored, now: float) -> Verdict:
    """Whether a value is fresh at `now`, or else may be served stale.

    Once a try after its end has failed, what the key says of errors decides, also while the next try is under way: a
    value that is served between two tries is served during them.
    """
    if value.body is None:
        return Verdict.UNFILLED
    end = value.expires_at
    if end is None or now < end:
        return Verdict.HIT
    fails = value.failed_at is not None and value.failed_at >= end
    longer = value.if_error_s if fails else value.while_revalidate_s
    if longer is None or now < end + longer:
        return Verdict.STALE
    return Verdict.FAILING if fails else Verdict.TOO_OLD
