"""The page of a task: the keys it takes, the run that goes on, and what it costs."""

import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.models import State
from badgerjobs.workspaces.models import Application
from tasks import page as task_page
from tests.clients import browser_in
from tests.factories import NOW, make_key, make_run, make_source, make_sync
from tests.tasks.task_pages import failed_in_part, look, made, queries, text_of


def test_its_page_shows_the_keys_it_takes_with_the_beginnings_of_their_values(shop: Application) -> None:
    source = make_source(shop)
    make_key(source, "product-1", '{"of": "one"}')
    make_key(source, "product-long", f'"{"x" * 5000}"')
    make_key(source, "product-new")
    make_key(source, "other", '"other"')
    task = made(shop)
    page = text_of(look(shop, "task", "products"))
    assert "3 keys" in page
    assert "{&quot;of&quot;: &quot;one&quot;}" in page
    assert "never filled" in page
    assert "other" not in page
    assert "x" * 100 in page
    assert "x" * 200 not in page
    read = task_page.TaskPage(task, timezone.now()).keys("").rows
    assert max(len(key.beginning or "") for key in read) == task_page.BEGINNING + 1


def test_its_keys_are_paged_by_name(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_page, "KEYS", 2)
    source = make_source(shop)
    for letter in "cab":
        make_key(source, f"product-{letter}")
    made(shop)
    first = look(shop, "task", "products")
    assert "1\N{EN DASH}2 of 3, by name" in text_of(first)
    [cursor] = re.findall(r'key=([^"#]+)#keys" rel="next"', first.content.decode())
    second = text_of(look(shop, "task", "products", key=cursor))
    assert "3 of 3, by name" in second
    assert "product-c" in second
    assert "product-a" not in second


def test_its_page_shows_the_keys_of_a_webhook_for_given_values(shop: Application) -> None:
    source = make_source(shop)
    for name in ("product-1-", "product-2-"):
        make_key(source, name)
    made(shop, type="webhook", pattern="product-{{ID}}-", transform="return {variables: {}}")
    assert "Its webhook says which keys it means" in text_of(look(shop, "task", "products"))
    given: dict[str, Any] = {"variable:ID": "2"}
    page = text_of(look(shop, "task", "products", **given))
    assert "product-2-" in page
    assert "product-1-" not in page


def test_its_page_tells_a_run_that_goes_on_by_its_rows(shop: Application) -> None:
    task = made(shop)
    run = make_run(task.runnable, State.RUNNING, number=1, started_at=NOW)
    assert "finds its keys" in text_of(look(shop, "task", "products"))
    source = make_source(shop)
    for number, state in enumerate(("succeeded", "failed", "waiting")):
        make_sync(run, make_key(source, f"product-{number}"), state)
    assert "1 of 3 keys, 1 failed, 1 to come" in text_of(look(shop, "task", "products"))


def test_its_page_costs_no_more_for_more_keys_and_runs(shop: Application) -> None:
    source, task = make_source(shop), made(shop)
    make_sync(failed_in_part(task), make_key(source, "product", "1"), "failed")
    before = queries(shop, "task", "products")
    for number in range(2, 9):
        make_sync(failed_in_part(task, number), make_key(source, f"product-{number}", "1"), "failed")
    assert queries(shop, "task", "products") == before


def test_a_part_that_moves_brings_the_others_up_to_date(shop: Application) -> None:
    made(shop)
    at = reverse("tasks:task", args=[shop.slug, "products"])
    answer = browser_in(shop).get(at, headers={"HX-Request": "true", "HX-Target": "runs", "X-Seen": "before"})
    assert answer.templates[0].name == "tasks/task/runs.html"
    assert answer["HX-Trigger"] == "moved"
    [seen] = re.findall(r'"X-Seen": "([^"]*)"', answer.content.decode().encode().decode("unicode_escape"))
    again = browser_in(shop).get(at, headers={"HX-Request": "true", "HX-Target": "runs", "X-Seen": seen})
    assert "HX-Trigger" not in again
