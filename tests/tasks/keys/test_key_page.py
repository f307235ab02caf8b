"""The page of a cache key: how it stands, what stands under it, how it was fetched, and what can be done from there."""

import json
import re
import shlex
import tracemalloc
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.models import Run
from badgerjobs.workspaces.models import Application, Role
from tasks.keys import page as key_page
from tasks.keys import taking
from tasks.models import CachedValue, CacheKey
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_key, make_run, make_runnable, make_source, make_sync, make_task

MINUTE = timedelta(minutes=1)


def look(shop: Application, name: str = "a-key", role: Role = Role.OWNER, headers: Any = None, **query: Any) -> Any:
    return browser_in(shop, role).get(reverse("tasks:key", args=[shop.slug, name]), query, headers=headers or {})


def text(answer: Any) -> str:
    """What stands on a page, blanks made one."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("&quot;", '"').split())


def fetched(key: CacheKey, **value: Any) -> None:
    now = timezone.now()
    CachedValue.objects.filter(key=key).update(**{"fetched_at": now, "tried_at": now, "changed_at": now, **value})


def test_it_says_how_the_key_stands(shop: Application) -> None:
    key = make_key(make_source(shop), "a-key", '{"price": 1.50}', ttl_s=3600, tags=["a"], stale_if_error_s=0)
    fetched(key, fetched_at=timezone.now() - MINUTE, changed_at=timezone.now() - 3 * MINUTE)
    said = text(look(shop))
    for words in (
        "fresh", "Fetched 1 min ago", "in 12 ms", "Fresh until in 59 min", "Changed 3 min ago", "15 bytes",
        key.value.etag, "PRODUCT_ID 1", "for 1 h after it was fetched", "While its source fails not at all",
        "Served while it is fetched anew as long as that takes", '"price" : 1.50',
    ):  # fmt: skip
        assert words in said, words


def test_it_says_what_is_wrong(shop: Application) -> None:
    fetched(make_key(make_source(shop), "a-key", "1"), error_class="status", error="It answered 500.")
    said = text(look(shop))
    assert "failing" in said
    assert "It answered 500." in said
    assert "Last tried now" in said


def test_one_that_was_never_fetched_says_what_to_do(shop: Application) -> None:
    make_key(make_source(shop), "a-key")
    said = text(look(shop))
    assert "never filled" in said
    assert "Press “Sync now”, or let a task fetch it." in said
    assert "Press “Sync now”" not in text(look(shop, role=Role.VIEWER))


@pytest.mark.parametrize(
    ("body", "is_laid_out"),
    [
        (json.dumps({"list": ["x" * 50] * 2000}), True),
        ('"' + "x" * 200_000 + '"', False),
        ("[" * 100_000 + "]" * 100_000, False),
    ],
    ids=["object", "text", "deep"],
)
def test_of_a_long_value_the_beginning_is_shown(shop: Application, body: str, is_laid_out: bool) -> None:
    make_key(make_source(shop), "a-key", body)
    page = look(shop)
    assert page.status_code == 200
    assert f"the whole value has {len(body):,} bytes." in text(page)
    assert len(page.content) < 2 * key_page.LONGEST_SHOWN
    assert ("{\n  &quot;list&quot;: [\n" in page.content.decode()) is is_laid_out


def test_of_a_deep_value_no_more_is_laid_out_than_is_shown(shop: Application) -> None:
    key = make_key(make_source(shop), "a-key", "[" * 99 + "1," * 50_000 + "1" + "]" * 99)
    page = key_page.KeyPage(key, NOW)
    tracemalloc.start()
    try:
        shown = page.body.text
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(shown) == key_page.LONGEST_SHOWN
    assert shown.startswith("[\n  [\n    [\n")
    assert peak < 5_000_000  # all of it laid out has ten


@pytest.mark.parametrize("name", ["a b", "100%", "it's", "🦡", "a?b&c=d#e", "<b>"])
def test_a_command_line_reads_it_whatever_its_name(shop: Application, name: str) -> None:
    make_key(make_source(shop), name)
    found = re.search(r'id="curl"[^>]*>([^<]*)<', look(shop, name).content.decode())
    assert found
    curl, address, flag, header = shlex.split(unescape(found[1]))
    assert (curl, flag, header) == ("curl", "-H", "Authorization: Bearer TOKEN")
    split = urlsplit(address)
    assert (split.netloc, split.query, split.fragment) == ("testserver", "", "")
    assert unquote(split.path) == f"/api/v1/cache/{name}"


def test_its_syncs_are_told_with_the_task_that_asked(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_page, "SYNCS", 3)
    key = make_key(make_source(shop), "a-key", "1")
    task = make_task(shop, name="Nightly")
    gone = make_runnable(shop, kind="sync")
    alone = make_run(gone)
    make_sync(make_run(gone), key)
    sync = make_sync(make_run(task.runnable), key, changed=True, etag="0123456789abcdef")
    make_sync(make_run(task.runnable), key, "failed", error="It answered 500.", error_class="status", attempts=4)
    waits = make_sync(alone, key, "waiting", error="Timed out.", error_class="timeout")
    type(sync).objects.filter(pk=waits.pk).update(runnable_id=None, due_at=timezone.now() + MINUTE)
    page = look(shop)
    said = text(page)
    for words in ("waiting by itself Timed out. next in 1 min", "failed Nightly It answered 500. 4", "Nightly changed",
                  "0123456789 ", "Kept 30 days"):  # fmt: skip
        assert words in said, words
    assert "a task that is gone" not in said
    older = re.search(r'href="([^"]+)#syncs" rel="next"', page.content.decode())
    assert older
    assert "a task that is gone" in text(browser_in(shop).get(older[1]))


def test_the_tasks_that_name_it_are_told(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_page, "TASKS", 2)
    source = make_source(shop)
    key, other = make_key(source, "a-key"), make_key(source, "b-key")
    for number in range(3):
        make_task(shop, f"task-{number}", selection="exact", pattern="", keys=[key, other])
    make_task(shop, "by-pattern", pattern="c-key")
    said = text(look(shop))
    assert "Tasks that name it 3 task-0 task-1 and others" in said
    assert "by-pattern" not in said


@pytest.mark.parametrize(
    ("given", "is_told"),
    [
        ({"pattern": "-k"}, True), ({"pattern": "A-k"}, False), ({"selection": "prefix", "pattern": "a-"}, True),
        ({"selection": "prefix", "pattern": "-key"}, False), ({"selection": "glob", "pattern": "?-k*"}, True),
        ({"selection": "glob", "pattern": "?-k"}, False), ({"pattern": "a_key"}, False),
        ({"selection": "tag", "pattern": "shop"}, True), ({"selection": "tag", "pattern": "sho"}, False),
        ({"type": "webhook", "pattern": "a-key"}, True), ({"type": "webhook", "pattern": "a-{{ID}}"}, False),
    ],
)  # fmt: skip
def test_the_tasks_whose_pattern_takes_it_are_told(shop: Application, given: dict[str, str], is_told: bool) -> None:
    make_key(make_source(shop), "a-key", tags=["shop"])
    make_task(shop, "by-pattern", **given)
    make_task(make_application("Charlie's"), "theirs", pattern="a-key")
    said = text(look(shop))
    assert ("By their pattern by-pattern" in said) == is_told
    assert "theirs" not in said
    assert ("Others may fetch it too" in said) == ("{{" in given["pattern"])


def test_of_very_many_tasks_the_first_are_looked_at_and_the_page_says_so(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_key(make_source(shop), "a-key")
    for number in range(3):
        make_task(shop, f"task-{number}", pattern="a-key")
    monkeypatch.setattr(taking, "LOOKED_AT", 3)
    assert "Others may fetch it too" not in text(look(shop))
    monkeypatch.setattr(taking, "LOOKED_AT", 2)
    said = text(look(shop))
    assert "By their pattern task-0 task-1 Others may fetch it too" in said


def test_a_page_asks_as_much_for_many_syncs_as_for_one(shop: Application) -> None:
    def asked() -> int:
        browser = browser_in(shop)
        browser.get(at)
        with CaptureQueriesContext(connection) as captured:
            browser.get(at)
        return len(captured)

    at = reverse("tasks:key", args=[shop.slug, "a-key"])
    key = make_key(make_source(shop), "a-key", "1")
    make_sync(make_run(make_task(shop, "first", selection="exact", keys=[key]).runnable), key)
    few = asked()
    for number in range(15):
        make_sync(make_run(make_task(shop, f"task-{number}", selection="exact", keys=[key]).runnable), key)
    assert asked() == few


def test_a_poll_reads_no_value_and_says_whether_something_moved(shop: Application) -> None:
    key = make_key(make_source(shop), "a-key", "1")
    browser, at = browser_in(shop), reverse("tasks:key", args=[shop.slug, "a-key"])

    def poll(seen: str) -> Any:
        return browser.get(at, headers={"HX-Request": "true", "HX-Target": "standing", "X-Seen": seen})

    first = poll("")
    assert first.headers["HX-Trigger"] == "moved"
    mark = re.search(r'"X-Seen": "([^"]+)"', first.content.decode())
    assert mark
    seen = mark[1].replace("\\u002D", "-")
    with CaptureQueriesContext(connection) as captured:
        assert "HX-Trigger" not in poll(seen).headers
    assert not [one["sql"] for one in captured if '"body"' in one["sql"]]
    fetched(key)
    assert poll(seen).headers["HX-Trigger"] == "moved"


@pytest.mark.parametrize(
    ("asked", "tried", "poll"),
    [(None, None, 10), (0, None, 2), (0, 60, 2), (60, 0, 10), (3600, None, 10)],
    ids=["nobody asked", "asked", "asked anew", "tried since", "asked long ago"],
)
def test_it_looks_often_while_the_key_is_fetched(
    shop: Application, asked: int | None, tried: int | None, poll: int
) -> None:
    key, now = make_key(make_source(shop), "a-key"), timezone.now()
    moments = {
        name: None if age is None else now - timedelta(seconds=age)
        for name, age in (("asked_at", asked), ("tried_at", tried))
    }
    CachedValue.objects.filter(key=key).update(**moments)
    page = look(shop)
    assert f'hx-trigger="every {poll}s"' in page.content.decode()
    assert ("being fetched" in text(page)) is (poll == 2)


def test_sync_now_makes_a_run(shop: Application) -> None:
    key = make_key(make_source(shop), "a-key")
    answer = browser_in(shop).post(reverse("tasks:sync-key", args=[shop.slug, "a-key"]), follow=True)
    assert "It is fetched now" in text(answer)
    assert "being fetched" in text(answer)
    assert Run.objects.get().input == {"key": key.pk}


def test_it_is_deleted_when_that_was_asked(shop: Application) -> None:
    key = make_key(make_source(shop), "a-key")
    make_task(shop, selection="exact", pattern="", keys=[key])
    browser, at = browser_in(shop), reverse("tasks:delete-key", args=[shop.slug, "a-key"])
    asked = text(browser.get(at))
    assert "Delete a-key?" in asked
    assert "1 task that names it will do so no more." in asked
    assert "a-key is deleted." in text(browser.post(at, follow=True))
    assert not CacheKey.objects.exists()
