"""Lists of tasks by REST: narrowed, and what they cost."""

from typing import Any

from tasks.models import CacheKey
from tests.callers import Caller
from tests.factories import make_task
from tests.tasks.rest_tasks import ON_DEMAND


def test_tasks_are_listed_and_narrowed(alice: Caller) -> None:
    for tag, more in (
        ("a", {"pattern": "prices"}),
        ("b", {"enabled": False}),
        ("c", {"type": "scheduled", "preset": "daily"}),
    ):
        alice.post("/tasks/", {**ON_DEMAND, "tag": tag, **more})

    def listed(query: str) -> list[str]:
        return [row["tag"] for row in alice.get(f"/tasks/?{query}").body["results"]]

    assert listed("") == ["c", "b", "a"]
    assert listed("type=scheduled,webhook") == ["c"]
    assert listed("enabled=false") == ["b"]
    assert listed("search=PRICE") == ["a"]


def test_a_list_costs_as_many_queries_for_many_as_for_few(
    alice: Caller, django_assert_max_num_queries: Any, keys: list[CacheKey]
) -> None:
    for n in range(20):
        make_task(alice.application, f"t{n}", selection="exact", pattern="", keys=keys)
    with django_assert_max_num_queries(6) as captured:
        rows = alice.get("/tasks/").body["results"]
    assert [row["key_count"] for row in rows] == [4] * 20
    [counting] = [query["sql"] for query in captured if "tasks_taskkey" in query["sql"]]
    assert "GROUP BY" in counting  # those of all in one go, and not for each row of the list
    assert '"tasks_task"' not in counting
