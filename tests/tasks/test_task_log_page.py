"""The log of a task: its lines, its filters, its pages, and what it costs."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application
from tasks import log_views
from tasks.models import KeySync, Task
from tests.factories import NOW, make_key, make_run, make_source, make_sync
from tests.tasks.task_pages import failed_in_part, look, made, queries, text_of


def lines(shop: Application, tag: str, **query: Any) -> list[str]:
    """The keys of a log's lines, in their order."""
    found = re.findall(r'id="sync-[^"]+" href="[^"]+">([^<]+)<', look(shop, "logs", tag, **query).content.decode())
    return [str(name) for name in found]


@pytest.fixture
def logged(shop: Application) -> Task:
    """Two runs over three keys: in the second one was tried in vain, and one waits for its next attempt."""
    source, task = make_source(shop), made(shop)
    keys = [make_key(source, f"product-{number}") for number in range(3)]
    for key in keys:
        make_sync(failed_in_part(task, 1) if key is keys[0] else task.runnable.runs.get(number=1), key)
    run = make_run(task.runnable, State.RUNNING, number=2, started_at=NOW)
    make_sync(run, keys[0], changed=True, bytes=2048)
    make_sync(run, keys[1], "failed", attempts=4, error_class="status", error="The source answered 503.")
    due = timezone.now() + timedelta(seconds=30)
    make_sync(run, keys[2], "waiting", attempts=1, due_at=due, error_class="status", error="It answered 500.")
    return task


def test_the_log_has_one_line_for_each_key_of_each_run(shop: Application, logged: Task) -> None:
    assert lines(shop, "products") == ["product-2", "product-1", "product-0"] * 2
    page = text_of(look(shop, "logs", "products"))
    assert "failed 0 s ago" not in page
    assert "The source answered 503." in page
    assert re.search(r"waiting again in (29|30) s", page)
    assert "Kept for 30 days." in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "failed"}, ["product-1"]),
        ({"state": "waiting"}, ["product-2"]),
        ({"state": "changed"}, ["product-0"]),
        ({"q": "uct-1"}, ["product-1", "product-1"]),
        ({"q": "%"}, []),
        ({"state": "succeeded", "q": "product-0"}, ["product-0", "product-0"]),
    ],
)
def test_the_log_is_filtered(shop: Application, logged: Task, query: dict[str, str], found: list[str]) -> None:
    assert lines(shop, "products", **query) == found


def test_the_log_of_a_run_has_its_keys_and_its_counts_alone(shop: Application, logged: Task) -> None:
    runs = {run.number: run for run in Run.objects.filter(runnable=logged.runnable)}
    first, second = (look(shop, "logs", "products", run=str(runs[number].pk)) for number in (1, 2))
    assert lines(shop, "products", run=str(runs[2].pk)) == ["product-2", "product-1", "product-0"]
    assert "997 of 1,000 keys, 3 failed" in text_of(first)
    assert "1 of 3 keys, 1 failed, 1 to come" in text_of(second)
    assert "run: run 2" in text_of(second)


def test_the_log_of_anothers_run_is_empty(shop: Application, logged: Task) -> None:
    other = made(shop, "other")
    run = failed_in_part(other)
    make_sync(run, make_key(make_source(shop, "more"), "theirs"))
    assert lines(shop, "products", run=str(run.pk)) == []
    assert lines(shop, "other") == ["theirs"]


def test_a_key_that_is_gone_has_a_line_and_no_link(shop: Application, logged: Task) -> None:
    KeySync.objects.filter(key_name="product-1").update(key_id=0, key_name="gone")
    assert "gone" not in lines(shop, "products")
    assert "gone" in text_of(look(shop, "logs", "products"))


def test_the_first_page_of_a_log_is_live_and_the_next_is_not(
    shop: Application, logged: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_views, "LINES", 4)
    first = look(shop, "logs", "products").content.decode()
    assert 'hx-trigger="every 2s"' in first
    [cursor] = re.findall(r'cursor=([^"]+)" rel="next"', first)
    second = look(shop, "logs", "products", cursor=cursor).content.decode()
    assert 'hx-trigger="every 2s"' not in second
    assert lines(shop, "products", cursor=cursor) == ["product-1", "product-0"]


def test_of_all_runs_only_the_newest_lines_are_searched_and_that_is_said(
    shop: Application, logged: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_views, "SEARCHED", 3)
    assert lines(shop, "products", q="product-1") == ["product-1"]
    assert "Searched: the newest 3 lines." in text_of(look(shop, "logs", "products", q="product-1"))


def test_the_log_costs_no_more_for_more_lines(shop: Application, logged: Task) -> None:
    before = queries(shop, "logs", "products")
    source = make_source(shop, "more")
    for number in range(3, 9):
        run = make_run(logged.runnable, State.RUNNING, number=number, started_at=NOW)
        for key in range(3):
            make_sync(run, make_key(source, f"product-{number}-{key}"))
    assert queries(shop, "logs", "products") == before
    assert before <= 12


def test_an_empty_log_says_what_comes_there(shop: Application) -> None:
    made(shop)
    assert "Nothing was synced yet" in text_of(look(shop, "logs", "products"))
