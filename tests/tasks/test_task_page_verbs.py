"""What can be done on the pages of a task: run, retry, pause, rotate, delete."""

import re

import pytest
from django.urls import reverse

from badgerjobs.runs import owner_page
from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.workspaces.models import Application, Role
from tasks.models import Task
from tests.factories import make_application, make_key, make_run, make_source, make_sync
from tests.tasks.task_pages import failed_in_part, look, made, press, text_of


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
    task = made(shop, type="webhook")
    for name in ("task", "logs"):
        assert task.hook.secret not in look(shop, name, "products", role=Role.VIEWER).content.decode()
