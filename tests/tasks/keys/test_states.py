"""How a key stands: the same in a row of a list and in the condition of its query."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.sources.models import DataSource
from tasks.keys.states import KeyState, standing, state_of
from tasks.models import CachedValue, CacheKey
from tests.factories import NOW, make_key

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("body", "ttl_s", "value", "state"),
    [
        (None, None, {}, "unfilled"),
        (None, 60, {}, "unfilled"),
        (None, 60, {"error_class": "status", "tried_at": NOW}, "failed"),
        ("1", None, {"fetched_at": NOW - 9000 * HOUR}, "fresh"),
        ("1", 3600, {"fetched_at": NOW - HOUR + timedelta(seconds=1)}, "fresh"),
        ("1", 3600, {"fetched_at": NOW - HOUR}, "stale"),
        ("1", 3600, {"fetched_at": NOW - HOUR - timedelta(seconds=1)}, "stale"),
        ("1", 3600, {"fetched_at": NOW, "error_class": "timeout"}, "failed"),
        ("1", 1, {"fetched_at": NOW - HOUR, "error_class": "timeout"}, "failed"),
        ("null", 3600, {"fetched_at": NOW}, "fresh"),
        ("1", 315_360_000, {"fetched_at": NOW - HOUR}, "fresh"),
    ],
    ids=[
        "new", "new with a life", "new and failing", "without end", "just fresh", "just stale", "stale", "failing",
        "stale and failing", "null", "ten years",
    ],
)  # fmt: skip
def test_a_key_is_in_one_state_whoever_looks(
    source: DataSource, body: str | None, ttl_s: int | None, value: dict[str, Any], state: str
) -> None:
    key = make_key(source, "a-key", body, ttl_s=ttl_s)
    CachedValue.objects.filter(key=key).update(**value)
    key = CacheKey.objects.in_rows().get()
    assert state_of(key, key.value, NOW) == state
    found = [one.value for one in KeyState if CacheKey.objects.filter(standing(one, NOW)).exists()]
    assert found == [state]
