"""The list of tasks: what its rows say, its filters, its pages, and what it costs."""

import re
from typing import Any

import pytest

from badgerjobs.runs.models import State
from badgerjobs.web.definitions import list_pages
from badgerjobs.workspaces.models import Application, Role
from tests.factories import NOW, make_key, make_run, make_source
from tests.tasks.task_pages import failed_in_part, look, made, queries, text_of


def shown(shop: Application, **query: Any) -> list[str]:
    """The tags of the rows, in their order."""
    return re.findall(r'id="task-([^"]+)"', look(shop, **query).content.decode())


@pytest.mark.parametrize("kind", ["on_demand", "scheduled", "webhook"])
def test_every_row_has_run_and_logs_whatever_its_type(shop: Application, kind: str) -> None:
    made(shop, type=kind, **({"preset": "daily"} if kind == "scheduled" else {}))
    page = look(shop).content.decode()
    assert 'aria-label="Run products"' in page
    assert 'aria-label="Logs of products"' in page


def test_who_may_only_look_has_logs_alone(shop: Application) -> None:
    made(shop)
    page = look(shop, role=Role.VIEWER).content.decode()
    assert 'aria-label="Logs of products"' in page
    assert "Run products" not in page
    assert "New task" not in page


def test_a_row_says_how_many_keys_of_the_last_run_failed(shop: Application) -> None:
    failed_in_part(made(shop))
    assert "partly failed 997 of 1,000 keys, 3 failed" in text_of(look(shop))


def test_a_row_says_why_a_run_came_to_no_key(shop: Application) -> None:
    failed_in_part(made(shop), output=None, error="ID is not among the variables: there are none.")
    assert "failed ID is not among the variables: there are none." in text_of(look(shop))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "contains product On demand"),
        ({"selection": "prefix"}, "begins with product On demand"),
        ({"selection": "glob", "pattern": "*-1"}, "matches *-1 On demand"),
        ({"selection": "tag"}, "tagged product On demand"),
        ({"selection": "exact", "pattern": "", "keys": ["product-1", "product-2"]}, "2 keys On demand"),
        ({"type": "webhook"}, "contains product When its webhook is called"),
        ({"type": "scheduled", "preset": "daily"}, "contains product Daily at 08:00 EST next in"),
    ],
)
def test_a_row_says_which_keys_and_when(shop: Application, fields: dict[str, Any], said: str) -> None:
    source = make_source(shop)
    for number in (1, 2):
        make_key(source, f"product-{number}")
    made(shop, **fields)
    assert said in text_of(look(shop))


@pytest.mark.parametrize(
    ("query", "tags"),
    [
        ({"type": "scheduled"}, ["daily"]),
        ({"type": "webhook"}, ["hook"]),
        ({"state": "paused"}, ["off"]),
        ({"state": "enabled"}, ["daily", "hook"]),
        ({"state": "running"}, ["hook"]),
        ({"q": "DAI"}, ["daily"]),
        ({"q": "blog"}, ["off"]),
        ({"q": "%"}, []),
        ({"type": "nonsense", "state": "nonsense"}, ["daily", "hook", "off"]),
    ],
)
def test_a_filter_shows_what_matches(shop: Application, query: dict[str, str], tags: list[str]) -> None:
    made(shop, "daily", type="scheduled", preset="daily")
    make_run(made(shop, "hook", type="webhook").runnable, State.RUNNING, started_at=NOW)
    made(shop, "off", pattern="blog", enabled=False)
    assert shown(shop, **query) == tags


def test_an_empty_list_says_what_to_do_next(shop: Application) -> None:
    page = text_of(look(shop))
    assert "No tasks yet" in page
    assert "make one first" in page
    make_key(make_source(shop))
    assert "make one first" not in text_of(look(shop))
    made(shop)
    assert "No task matches" in text_of(look(shop, q="nothing"))


def test_the_list_is_paged_by_name(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_pages, "ROWS", 2)
    for tag in ("c", "a", "b"):
        made(shop, tag)
    first = look(shop).content.decode()
    assert shown(shop) == ["a", "b"]
    [cursor] = re.findall(r'cursor=([^"]+)" rel="next"', first)
    assert shown(shop, cursor=cursor) == ["c"]


def test_the_list_costs_no_more_for_more_tasks(shop: Application) -> None:
    make_key(make_source(shop), "product-1")
    failed_in_part(made(shop, "one", selection="exact", pattern="", keys=["product-1"]))
    before = queries(shop)
    for number in range(9):
        failed_in_part(made(shop, f"more-{number}", selection="exact", pattern="", keys=["product-1"]))
    assert queries(shop) == before
    assert before <= 12
