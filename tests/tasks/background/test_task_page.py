"""The page of a background task: where it stands, its input and output, its children, its log, and its verbs."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from tasks.background import page as page_module
from tasks.background.cleanup import hook_run_of
from tasks.models import BackgroundRun
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_job, make_run
from tests.tasks.background.pages_of import defined, definition, look, make_background, press, say, text_of


@pytest.mark.parametrize(
    ("state", "run", "fields", "said"),
    [
        (State.SCHEDULED, {}, {}, "It begins "),
        (State.QUEUED, {}, {}, "It is due, and waits for a free process."),
        (State.SCHEDULED, {}, {"is_parked": True}, "no more of them may run at once"),
        (State.SCHEDULED, {"iteration": 3, "started_at": NOW}, {}, "Iteration 3 begins "),
        (State.QUEUED, {"iteration": 3, "started_at": NOW}, {}, "Iteration 3 is due, and waits for a free process."),
        (State.RUNNING, {"iteration": 3}, {}, "Iteration 3 is under way."),
        (State.RETRYING, {"error": "503"}, {}, "Iteration 1 did not succeed. It is tried again"),
        (
            State.SUCCEEDED,
            {"finished_at": NOW + timedelta(seconds=90)},
            {"iterations": 4},
            "Done after 4 iterations in",
        ),
        (State.FAILED, {"error": "Task reached max iterations."}, {}, "Task reached max iterations."),
        (State.ABORTED, {"error": "Task aborted."}, {}, "Task aborted."),
    ],
)
def test_it_says_where_it_stands(
    shop: Application, state: State, run: dict[str, Any], fields: dict[str, Any], said: str
) -> None:
    background = make_background(shop, state, run=run, **fields)
    assert said in text_of(look(shop, "task", background.pk))


def test_it_says_which_definition_who_and_how_many_iterations(shop: Application) -> None:
    with defined(definition(title="All articles", max_iterations=20)):
        page = text_of(look(shop, "task", make_background(shop, iterations=7).pk))
    assert "by Alice" in page
    assert "All articles syncArticles" in page
    assert "7 of 20 at most" in page


def test_it_leads_to_the_run_that_triggered_it_while_that_is_kept(shop: Application) -> None:
    run = make_run(make_job(shop, "nightly").runnable, number=2)
    foreign = make_run(make_job(make_application("Charlie's"), "nightly").runnable)
    for its, is_linked in ((run.pk, True), (foreign.pk, False), (uuid4(), False), ("no id", False)):
        by = {"id": str(its), "displayName": "the job <nightly>, run 2", "type": "run"}
        page = look(shop, "task", make_background(shop, created_by=by).pk).content.decode()
        at = reverse("runs:run", args=[shop.slug, run.pk])
        assert (f'by <a id="by" href="{at}">the job &lt;nightly&gt;, run 2</a>' in page) is is_linked
        assert "the job &lt;nightly&gt;, run 2" in page


def test_it_says_how_far_it_is(shop: Application) -> None:
    background = make_background(shop, progress=0.42, progress_message="Page 42 of 100")
    assert "42 % Page 42 of 100" in text_of(look(shop, "task", background.pk))


def test_input_and_output_are_laid_out(shop: Application) -> None:
    background = make_background(shop, given={"site": "de"}, run={"input": {"site": "de"}, "output": {"articles": 7}})
    page = text_of(look(shop, "task", background.pk))
    assert "{ &quot;site&quot; : &quot;de&quot; }" in page
    assert "{ &quot;articles&quot; : 7 }" in page
    assert "As its iterations left it" not in page


def test_an_input_that_iterations_changed_is_shown_beside_the_given_one(shop: Application) -> None:
    background = make_background(shop, given={"site": "de"}, run={"input": {"site": "de", "next": 7}})
    page = text_of(look(shop, "task", background.pk))
    assert page.index("site") < page.index("As its iterations left it") < page.index("next")


def test_an_input_that_is_too_long_is_cut(shop: Application) -> None:
    background = make_background(shop, given={"text": "x" * 300_000})
    page = look(shop, "task", background.pk).content.decode()
    assert "There is more of it" in page
    assert len(page) < 300_000


def test_text_of_a_task_is_no_markup(shop: Application) -> None:
    mark = "<b onclick='alert(1)'>"
    background = make_background(
        shop, name=mark, given={mark: mark}, run={"output": {mark: mark}}, progress_message=mark
    )
    say(background, mark, data={mark: mark})
    assert mark not in look(shop, "task", background.pk).content.decode()


def test_its_children_lead_to_their_pages_and_back(shop: Application) -> None:
    parent = make_background(shop, name="the parent")
    child = make_background(shop, State.FAILED, name="the child", parent_id=parent.pk, parent_iteration=3)
    assert reverse("background:task", args=[shop.slug, child.pk]) in look(shop, "task", parent.pk).content.decode()
    page = look(shop, "task", child.pk)
    assert reverse("background:task", args=[shop.slug, parent.pk]) in page.content.decode()
    assert "the parent , in its iteration 3" in text_of(page)


def test_many_children_are_shown_in_part(shop: Application) -> None:
    parent = make_background(shop)
    for number in range(3):
        make_background(shop, name=f"child {number}", parent_id=parent.pk)
    with patch.object(page_module, "CHILDREN", 2):
        page = look(shop, "task", parent.pk).content.decode()
    assert "child 0" not in page
    assert f"?parent={parent.pk}" in page


def test_a_parent_that_was_deleted_is_told(shop: Application) -> None:
    gone = make_background(shop)
    child = make_background(shop, parent_id=gone.pk)
    gone.delete()
    assert "a background task that was deleted" in text_of(look(shop, "task", child.pk))


def test_the_log_stands_by_iterations_the_newest_first(shop: Application) -> None:
    background = make_background(shop)
    for number in (1, 2):
        say(background, f"first of {number}", number)
        say(background, f"second of {number}", number, level="error", data={"error": {"code": "HTTP"}})
    page = text_of(look(shop, "task", background.pk))
    said = ["Iteration 2", "second of 2", "HTTP", "first of 2", "Iteration 1", "second of 1", "first of 1"]
    places = [page.index(one, page.index("Log")) for one in said[:4]] + [page.rindex(one) for one in said[4:]]
    assert places == sorted(places)


def test_attempts_are_named_where_an_iteration_took_several(shop: Application) -> None:
    background = make_background(shop)
    say(background, "once", 1, attempt=1)
    say(background, "once", 2, attempt=2)
    assert "attempt" not in text_of(look(shop, "task", background.pk)).partition("Log")[2]
    say(background, "again", 2, attempt=3)
    assert "again attempt 3" in text_of(look(shop, "task", background.pk))


def test_an_attempt_that_is_made_again_is_told_from_the_one_that_was_lost(shop: Application) -> None:
    background = make_background(shop)
    say(background, "first", attempt=1)
    say(background, "second", attempt=1, rescues=1)
    page = text_of(look(shop, "task", background.pk))
    assert "second attempt 1, after 1 rescue" in page
    assert "first attempt 1" in page


def test_a_long_log_has_pages(shop: Application) -> None:
    background = make_background(shop)
    for number in range(5):
        say(background, f"line {number}.")
    with patch.object(page_module, "LINES", 2):
        page = look(shop, "task", background.pk).content.decode()
        assert "line 4." in page
        assert "line 2." not in page
        cursor = page.partition('href="?lines=')[2].partition("#")[0]
        page = look(shop, "task", background.pk, lines=cursor).content.decode()
    assert "line 2." in page
    assert "line 4." not in page


def test_a_log_that_is_not_kept_says_so(shop: Application) -> None:
    with defined(definition(database_logs=False)):
        assert "keeps no log but of errors" in text_of(look(shop, "task", make_background(shop).pk))


@pytest.mark.parametrize("part", ["story", "log"])
def test_a_part_that_has_not_moved_is_not_sent_again(shop: Application, part: str) -> None:
    background = make_background(shop)
    at, headers = reverse("background:task", args=[shop.slug, background.pk]), {"HX-Target": part}
    browser = browser_in(shop)
    stamp = browser.get(at, headers=headers).content.decode().partition('{"seen": "')[2].partition('"')[0]
    assert browser.get(at, {"seen": stamp}, headers=headers).status_code == 204
    say(background, "something new")
    BackgroundRun.objects.update(progress=0.5)
    answer = browser.get(at, {"seen": stamp}, headers=headers)
    assert answer.status_code == 200
    assert f'id="{part}"' in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_a_page_of_what_is_over_does_not_look_again(shop: Application) -> None:
    background = make_background(shop, State.SUCCEEDED)
    assert "every 1s" not in look(shop, "task", background.pk).content.decode()


def test_a_page_looks_again_while_a_child_goes_on(shop: Application) -> None:
    background = make_background(shop, State.SUCCEEDED)
    make_background(shop, parent_id=background.pk)
    assert "every 1s" in look(shop, "task", background.pk).content.decode()


@pytest.mark.parametrize("name", ["task", "abort", "delete", "again"])
def test_another_applications_are_not_there(shop: Application, name: str) -> None:
    theirs = make_background(make_application("Charlie's"))
    assert press(shop, name, theirs.pk).status_code in {404, 405}
    assert look(shop, name, theirs.pk).status_code in {404, 302}
    assert BackgroundRun.objects.filter(pk=theirs.pk, run__state=State.RUNNING).exists()


def test_aborting_is_asked_and_ends_it_with_its_children(shop: Application) -> None:
    background = make_background(shop, State.SCHEDULED)
    child = make_background(shop, State.SCHEDULED, parent_id=background.pk)
    question = text_of(look(shop, "abort", background.pk))
    assert "Abort Sync articles?" in question
    assert "What it triggered and is not over is aborted too, unless you spare it." in question
    assert Run.objects.filter(state=State.SCHEDULED).count() == 2
    assert "Sync articles is aborted." in text_of(press(shop, "abort", background.pk))
    assert set(Run.objects.filter(pk__in=[background.pk, child.pk]).values_list("state", flat=True)) == {"aborted"}
    entry = AuditEntry.objects.get(action="background.abort")
    assert (entry.subject, entry.actor) == ("Sync articles", "alice@example.com")


def test_aborting_takes_a_message_and_spares_what_it_triggered(shop: Application) -> None:
    background = make_background(shop, State.SCHEDULED)
    child = make_background(shop, State.SCHEDULED, parent_id=background.pk)
    press(shop, "abort", background.pk, message="Not today.", spares="on")
    states = dict(Run.objects.filter(pk__in=[background.pk, child.pk]).values_list("pk", "state"))
    assert states == {background.pk: "aborted", child.pk: "scheduled"}
    assert Run.objects.get(pk=background.pk).error == "Not today."


def test_a_message_that_is_too_long_aborts_nothing(shop: Application) -> None:
    background = make_background(shop, State.SCHEDULED)
    assert "Give at most 1,000 characters" in text_of(press(shop, "abort", background.pk, message="x" * 1001))
    assert Run.objects.get(pk=background.pk).state == State.SCHEDULED


def test_what_is_over_is_not_aborted(shop: Application) -> None:
    background = make_background(shop, State.SUCCEEDED)
    assert "only what is pending or running can be" in text_of(press(shop, "abort", background.pk))


def test_deleting_is_asked_and_leads_to_the_list(shop: Application) -> None:
    background = make_background(shop, State.SUCCEEDED)
    say(background, "a line")
    assert "There is no way back." in text_of(look(shop, "delete", background.pk))
    answer = press(shop, "delete", background.pk)
    assert answer.redirect_chain[-1][0] == reverse("background:list", args=[shop.slug])
    assert "Sync articles is deleted." in text_of(answer)
    assert not BackgroundRun.objects.exists()
    assert not Run.objects.filter(pk=background.pk).exists()


def test_what_goes_on_is_not_deleted(shop: Application) -> None:
    background = make_background(shop)
    assert "only what is over can be" in text_of(press(shop, "delete", background.pk))
    assert BackgroundRun.objects.exists()


@pytest.mark.parametrize("way", ["one", "many"])
def test_what_is_over_and_has_hooks_to_be_called_says_so(shop: Application, way: str) -> None:
    background = make_background(shop, State.ABORTED)
    Run.objects.create(
        id=hook_run_of(background.pk), application=shop, kind="background_hook", queue="compute", cause="code",
        state=State.QUEUED, due_at=NOW, created_at=NOW,
        input={"run": str(background.pk), "hooks": ["on_abort"], "cleans": False},
    )  # fmt: skip
    if way == "one":
        page = text_of(press(shop, "delete", background.pk))
    else:
        at = f"{reverse('background:delete-many', args=[shop.slug])}?task={background.pk}"
        page = text_of(browser_in(shop).post(at, {"asked": "1"}, follow=True))
    assert "Cannot delete a task yet whose hooks are still to be called" in page
    assert "Abort it first" not in page
    assert BackgroundRun.objects.exists()


def test_it_runs_again_with_the_input_that_it_was_given(shop: Application) -> None:
    given = {"site": "de"}
    background = make_background(shop, State.FAILED, name="Mine", given=given, run={"input": {"site": "de", "next": 7}})
    with defined(definition()):
        answer = press(shop, "again", background.pk)
    new = BackgroundRun.objects.exclude(pk=background.pk).get()
    assert (new.name, new.given, new.run.input, new.definition) == ("Mine", given, given, "syncArticles")
    assert answer.redirect_chain[-1][0] == reverse("background:task", args=[shop.slug, new.pk])
    assert AuditEntry.objects.filter(action="background.trigger", subject="Mine").exists()


@pytest.mark.parametrize("given", [[], [definition(is_private=True)]], ids=["gone", "private"])
def test_what_nobody_may_trigger_does_not_run_again(shop: Application, given: list[Any]) -> None:
    background = make_background(shop, State.FAILED)
    with defined(*given):
        assert "Run again" not in look(shop, "task", background.pk).content.decode()
        assert "does not exist" in text_of(press(shop, "again", background.pk))
    assert BackgroundRun.objects.count() == 1


def test_who_may_only_look_is_offered_nothing_to_press(shop: Application) -> None:
    with defined(definition()):
        for state in (State.RUNNING, State.FAILED):
            page = look(shop, "task", make_background(shop, state).pk, role=Role.VIEWER).content.decode()
            assert not [word for word in ("Abort…", "Delete…", "Run again") if word in page]


def test_a_page_costs_the_same_however_much_there_is(shop: Application) -> None:
    background = make_background(shop)
    make_background(shop, parent_id=background.pk)
    say(background, "a line")
    one = _queries(shop, background)
    for number in range(9):
        make_background(shop, parent_id=background.pk)
        say(background, "a line", number)
    assert _queries(shop, background) == one


def _queries(shop: Application, background: BackgroundRun) -> int:
    browser, at = browser_in(shop), reverse("background:task", args=[shop.slug, background.pk])
    browser.get(at)
    with CaptureQueriesContext(connection) as caught:
        assert browser.get(at).status_code == 200
    return len(caught)
