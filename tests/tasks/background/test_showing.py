"""What the engine's pages show of runs of background tasks, and of those that call their hooks."""

from typing import Any

import pytest
from django.urls import reverse

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_attempt
from tests.tasks.background.pages_of import defined, definition, make_background, text_of


def run_page(shop: Application, run: Run) -> Any:
    return browser_in(shop).get(reverse("runs:run", args=[shop.slug, run.pk]))


def make_hook_run(application: Application, task: Any, hooks: list[str]) -> Run:
    given = {"run": str(task), "hooks": hooks, "cleans": not hooks}
    return Run.objects.create(
        application=application, kind="background_hook", queue="compute", cause="code", state=State.SUCCEEDED,
        due_at=NOW, created_at=NOW, started_at=NOW, finished_at=NOW, input=given,
    )  # fmt: skip


def test_a_run_says_how_far_it_is_and_leads_to_its_own_page(shop: Application) -> None:
    background = make_background(shop, iterations=7, progress=0.29, progress_message="Page 29")
    with defined(definition(max_iterations=20)):
        page = run_page(shop, background.run)
    assert reverse("background:task", args=[shop.slug, background.pk]) in page.content.decode()
    for said in ("Definition syncArticles", "Iterations 7 of 20 at most", "Progress 29 %", "It says Page 29"):
        assert said in text_of(page)


def test_a_run_of_a_definition_that_is_gone_is_shown(shop: Application) -> None:
    with defined():
        assert "Iterations 1 " in text_of(run_page(shop, make_background(shop).run))


@pytest.mark.parametrize(
    ("error_class", "advice"),
    [("code", "Its log says"), ("timeout", "Let an iteration do less"), ("max_iterations", "how many it may make")],
)
def test_what_is_wrong_may_be_filtered_in_words(shop: Application, error_class: str, advice: str) -> None:
    failed = {"error_class": error_class, "error": "It failed.", "attempts": 1}
    background = make_background(shop, State.FAILED, run=failed)
    make_attempt(background.run, ok=False, error_class=error_class, error="It failed.")
    assert advice in text_of(run_page(shop, background.run))


@pytest.mark.parametrize(
    ("hooks", "said"),
    [(["on_done"], "Mine, when it is done"), (["on_max_iterations", "on_error"], "Mine, when it made too many"),
     ([], "Mine, which is deleted")],
    ids=["one", "several", "none"],
)  # fmt: skip
def test_a_run_that_calls_a_hook_says_of_which_task(shop: Application, hooks: list[str], said: str) -> None:
    background = make_background(shop, State.SUCCEEDED, name="Mine")
    run = make_hook_run(shop, background.pk, hooks)
    assert said in text_of(browser_in(shop).get(reverse("runs:list", args=[shop.slug])))
    assert reverse("background:task", args=[shop.slug, background.pk]) in run_page(shop, run).content.decode()


def test_a_run_that_calls_a_hook_outlives_its_task(shop: Application) -> None:
    background = make_background(shop, State.SUCCEEDED)
    address = reverse("background:task", args=[shop.slug, background.pk])
    run = make_hook_run(shop, background.pk, ["on_done"])
    background.delete()
    page = run_page(shop, run)
    assert page.status_code == 200
    assert address not in page.content.decode()


def test_a_task_of_another_application_is_not_named(shop: Application) -> None:
    theirs = make_background(make_application("Charlie's"), name="a-secret")
    run = make_hook_run(shop, theirs.pk, ["on_done"])
    assert "a-secret" not in run_page(shop, run).content.decode()
    assert "a-secret" not in browser_in(shop).get(reverse("runs:list", args=[shop.slug])).content.decode()
