"""The list of tasks, the page of one and its log: what they show, what can be done there, and what it costs."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs import owner_page
from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.web.definitions import list_pages
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, Role
from tasks import log_views
from tasks import page as task_page
from tasks.models import KeySync, Task
from tasks.services import create_task
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_key, make_run, make_source, make_sync

COUNTS = {"keys": 1000, "succeeded": 997, "failed": 3, "changed": 12, "bytes": 2_000_000}


def made(shop: Application, tag: str = "products", **fields: Any) -> Task:
    """A task through its service, so that it is planned and has what its type needs."""
    given = {"type": "on_demand", "selection": "contains", "pattern": "product", **fields}
    return create_task(application=shop, tag=tag, by=OPERATOR, now=timezone.now(), **given)


def look(shop: Application, name: str = "list", *args: str, role: Role = Role.OWNER, **query: Any) -> Any:
    return browser_in(shop, role).get(reverse(f"tasks:{name}", args=[shop.slug, *args]), query)


def press(shop: Application, name: str, *args: str, role: Role = Role.OWNER, **given: Any) -> Any:
    return browser_in(shop, role).post(reverse(f"tasks:{name}", args=[shop.slug, *args]), given, follow=True)


def text_of(answer: Any) -> str:
    """What a person reads of it, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def shown(shop: Application, **query: Any) -> list[str]:
    """The tags of the rows, in their order."""
    return re.findall(r'id="task-([^"]+)"', look(shop, **query).content.decode())


def lines(shop: Application, tag: str, **query: Any) -> list[str]:
    """The keys of a log's lines, in their order."""
    found = re.findall(r'id="sync-[^"]+" href="[^"]+">([^<]+)<', look(shop, "logs", tag, **query).content.decode())
    return [str(name) for name in found]


def failed_in_part(task: Task, number: int = 1, **fields: Any) -> Run:
    given = {"started_at": NOW, "finished_at": NOW, "output": COUNTS, **fields}
    return make_run(task.runnable, State.FAILED, number=number, **given)


def queries(shop: Application, name: str = "list", *args: str, **query: Any) -> int:
    browser, at = browser_in(shop), reverse(f"tasks:{name}", args=[shop.slug, *args])
    browser.get(at, query)
    with CaptureQueriesContext(connection) as caught:
        assert browser.get(at, query).status_code == 200
    return len(caught)


# The list.


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


# What can be done.


def test_running_it_makes_a_run_and_leads_to_its_log(shop: Application) -> None:
    task = made(shop, enabled=False)
    answer = press(shop, "run", "products")
    assert answer.redirect_chain[-1][0] == reverse("tasks:logs", args=[shop.slug, "products"])
    run = Run.objects.get(runnable=task.runnable)
    assert (run.cause, run.input) == ("manual", None)
    log = f"{reverse('tasks:logs', args=[shop.slug, 'products'])}?run={run.pk}"
    assert f'Run 1 of {task.name} was made: <a href="{log}">its log</a>.' in answer.content.decode()


def test_a_webhook_that_is_transformed_asks_for_an_example_first(shop: Application) -> None:
    task = made(shop, type="webhook", transform="return {variables: {}}")
    assert "Run Task" in text_of(look(shop, "run", "products"))
    refusals = (("{", "This is no JSON."), (" \n", "There is no body: send JSON."), ("[1e309]", "is larger"))
    for body, refused in refusals:
        assert refused in text_of(press(shop, "run", "products", body=body))
    assert not Run.objects.filter(runnable=task.runnable).exists()
    press(shop, "run", "products", body='{"id": 12}')
    assert Run.objects.get(runnable=task.runnable).input == {"body": {"id": 12}, "headers": {}}


def test_the_keys_that_failed_are_retried_alone(shop: Application) -> None:
    task = made(shop)
    key, run = make_key(make_source(shop)), failed_in_part(task)
    make_sync(run, key, "failed")
    assert "Retry 3 failed" in text_of(look(shop, "logs", "products", run=str(run.pk)))
    press(shop, "retry", "products", run=str(run.pk))
    assert Run.objects.get(runnable=task.runnable, state=State.QUEUED).input == {"syncs_of": str(run.pk)}
    again = press(shop, "retry", "products", run=str(run.pk))
    assert "are being fetched again already" in text_of(again)


def test_keys_that_wait_in_a_run_that_is_over_are_among_those_that_are_retried(shop: Application) -> None:
    source, run = make_source(shop), make_run(made(shop).runnable, State.ABORTED, number=1)
    for name, state in (("a", "failed"), ("b", "waiting"), ("c", "succeeded")):
        make_sync(run, make_key(source, name), state)
    assert "Retry 2 failed" in text_of(look(shop, "logs", "products", run=str(run.pk)))


def test_of_a_run_that_is_gone_or_anothers_nothing_is_retried(shop: Application) -> None:
    made(shop)
    theirs = failed_in_part(made(make_application("Charlie's")))
    others = failed_in_part(made(shop, "other"))
    for run in (str(theirs.pk), str(others.pk), "", "nonsense"):
        assert "is not kept any more" in text_of(press(shop, "retry", "products", run=run))
    assert Run.objects.count() == 2


def test_it_is_paused_resumed_and_deleted(shop: Application) -> None:
    task = made(shop, type="scheduled", preset="daily")
    key = make_key(make_source(shop))
    press(shop, "pause", "products", reason="maintenance", until="")
    assert "Paused by alice@example.com" in text_of(look(shop, "task", "products"))
    press(shop, "resume", "products")
    assert Runnable.objects.get(pk=task.runnable_id).enabled
    assert "Its keys and their values stay." in text_of(look(shop, "delete", "products"))
    press(shop, "delete", "products")
    assert not Task.objects.exists()
    key.refresh_from_db()


@pytest.mark.parametrize(
    ("waiting", "running", "asked"),
    [
        (0, 0, ("what waits is aborted.", "With it go 0 runs and their logs.")),
        (0, 1, ("what waits is aborted.", "What waits or runs is aborted: 1 run now.")),
        (1, 1, ("what waits is aborted: 1 run now.", "What waits or runs is aborted: 2 runs now.")),
        (5, 0, ("what waits is aborted: at least 3 runs now.", "What waits or runs is aborted: at least 3 runs now.")),
    ],
    ids=["none", "running", "one", "more than are shown"],
)
def test_the_questions_count_what_is_aborted_and_no_more(
    shop: Application, waiting: int, running: int, asked: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner_page, "WAITING", 3)
    task = made(shop)
    for state, count in ((State.RUNNING, running), (State.QUEUED, waiting)):
        for _ in range(count):
            make_run(task.runnable, state)
    told = [text_of(look(shop, name, "products")) for name in ("pause", "delete")]
    assert [words in page for words, page in zip(asked, told, strict=True)] == [True, True]


def test_one_run_goes_with_its_log(shop: Application) -> None:
    failed_in_part(made(shop))
    assert "With it goes 1 run and its log." in text_of(look(shop, "delete", "products"))


def test_the_url_of_a_webhook_is_rotated_after_a_question(shop: Application) -> None:
    made(shop, type="webhook")

    def url() -> str:
        [found] = re.findall(r'class="address">([^<]+)<', look(shop, "edit", "products").content.decode())
        return str(found)

    before = url()
    assert "/hooks/" in before
    assert "Rotate the URL" in text_of(look(shop, "rotate", "products"))
    assert url() == before
    press(shop, "rotate", "products")
    assert url() != before


def test_who_may_only_look_never_sees_the_url(shop: Application) -> None:
    made(shop, type="webhook")
    for name in ("task", "logs"):
        assert "/hooks/" not in look(shop, name, "products", role=Role.VIEWER).content.decode()


# The page of a task.


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


# Its log.


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
