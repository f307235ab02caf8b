"""When a value may be served, and as what: a table of all that a key can say."""

from typing import Any

import pytest

from tasks.cache.freshness import Stored, Verdict, verdict

FETCHED = 1_000.0


def stored(**fields: Any) -> Stored:
    """Fetched at 1,000 and fresh for 60 seconds: until 1,060."""
    given = {
        "key_id": 1, "etag": "e", "fetched_at": FETCHED, "changed_at": FETCHED, "ttl_s": 60, "while_revalidate_s": None,
        "if_error_s": None, "failed_at": None, "error": "", "asked_at": None, "body": b"1", **fields,
    }  # fmt: skip
    return Stored(**given)


@pytest.mark.parametrize(
    ("fields", "now", "expected"),
    [
        ({}, 1_000, Verdict.HIT),
        ({}, 1_059.9, Verdict.HIT),
        ({}, 1_060, Verdict.STALE),
        ({}, 9_000_000, Verdict.STALE),
        ({"ttl_s": None}, 9_000_000, Verdict.HIT),
        ({"ttl_s": 0}, 1_000, Verdict.STALE),
        ({"ttl_s": 0, "while_revalidate_s": 0}, 1_000, Verdict.TOO_OLD),
        ({"while_revalidate_s": 0}, 1_060, Verdict.TOO_OLD),
        ({"while_revalidate_s": 30}, 1_089.9, Verdict.STALE),
        ({"while_revalidate_s": 30}, 1_090, Verdict.TOO_OLD),
        ({"failed_at": 1_070}, 9_000_000, Verdict.STALE),
        ({"failed_at": 1_070, "if_error_s": 0}, 1_071, Verdict.FAILING),
        ({"failed_at": 1_070, "if_error_s": 30}, 1_089.9, Verdict.STALE),
        ({"failed_at": 1_070, "if_error_s": 30}, 1_090, Verdict.FAILING),
        ({"failed_at": 1_070, "if_error_s": 30, "while_revalidate_s": 0}, 1_080, Verdict.STALE),
        ({"failed_at": 1_070, "if_error_s": 0, "while_revalidate_s": 900}, 1_080, Verdict.FAILING),
        ({"failed_at": 1_030, "if_error_s": 0}, 1_059, Verdict.HIT),
        ({"failed_at": 1_030, "if_error_s": 0}, 1_061, Verdict.STALE),
        ({"failed_at": 1_030, "while_revalidate_s": 0}, 1_061, Verdict.TOO_OLD),
        ({"failed_at": 1_070, "asked_at": 1_075, "if_error_s": 0}, 1_076, Verdict.FAILING),
        ({"failed_at": 1_070, "ttl_s": None, "if_error_s": 0}, 1_080, Verdict.HIT),
        ({"body": None}, 1_000, Verdict.UNFILLED),
        ({"body": None, "failed_at": 1_070, "if_error_s": 0}, 1_080, Verdict.UNFILLED),
        ({"body": b""}, 1_000, Verdict.HIT),
    ],
)
def test_what_may_be_served_is_what_the_key_says(fields: dict[str, Any], now: float, expected: Verdict) -> None:
    assert verdict(stored(**fields), now) is expected
