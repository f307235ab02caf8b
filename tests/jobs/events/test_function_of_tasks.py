"""An event of the type FUNCTION that triggers a background task in place of running code."""

import asyncio
from dataclasses import replace
from threading import Event
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from badgerjobs.runs.models import Cause, Run, State
from badgerjobs.runs.outcomes import Done
from badgerjobs.web.definitions.configurations import NO_SECRETS, checked
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from jobs.background_schedules import schedule_background_task
from jobs.events.forms import EventForm
from jobs.events.means import open_means
from jobs.events.once import Wish, perform_once
from jobs.events.showing import answer_of
from jobs.events.types import function
from jobs.events.types.function import FunctionConfiguration
from jobs.models import Job
from tasks.models import BackgroundRun
from tests.factories import NOW, make_application, make_event, make_job, make_run
from tests.jobs.events.performing import failed, occasion, perform
from tests.tasks.background.defined import define, define_private
from tests.tasks.background.pages_of import ArticlesInput

pytestmark = pytest.mark.usefixtures("registry")

TASK = {"background_task": "syncArticles"}


@pytest.fixture
def owner(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Application:
    """The application that performs the event: threads of their own look for it."""
    application = make_application()
    monkeypatch.setattr("tests.jobs.events.performing.OWNER", application.pk)
    return application


def test_it_triggers_a_task_with_its_input_and_names_its_run(owner: Application) -> None:
    define()
    outcome = perform("FUNCTION", {**TASK, "input": {"rows": "{{input.n}}", "run": "{{run.number}}"}}, None, {"n": 3})

    run = Run.objects.get()
    assert isinstance(outcome, Done)
    assert outcome.output == {"id": str(run.pk), "definition": "syncArticles", "name": "Sync articles"}
    assert outcome.result == {"background_task": str(run.pk), "value": outcome.output, "console": []}
    assert answer_of(outcome.result, "") == "triggered"
    assert (run.kind, run.cause, run.application, run.input) == ("background", Cause.CODE, owner, {"rows": 3, "run": 1})
    assert BackgroundRun.objects.get().created_by == {
        "id": "event", "displayName": "an event that was tried out", "type": "system",
    }  # fmt: skip


def performed_by(run: Run) -> dict[str, str]:
    """Whom a task is triggered by that an event triggers in this run."""
    by = replace(occasion("FUNCTION", TASK), run_id=run.pk, owner=run.application_id)
    return dict(function._trigger(by, {}).created_by)


@pytest.mark.django_db
def test_a_task_knows_which_run_of_which_job_or_event_triggered_it(shop: Application) -> None:
    define()
    job = make_job(shop, "fn-job", event=make_event(shop, configuration=TASK), endpoint="", verb="")
    run = make_run(job.runnable, State.RUNNING, kind="event", number=2)
    [alone] = perform_once([Wish(shop.pk, "an-event")], cause=Cause.WEBHOOK, now=NOW)

    assert performed_by(run) == {"id": str(run.pk), "displayName": "the job fn-job, run 2", "type": "run"}
    assert performed_by(Run.objects.get(pk=alone)) == {
        "id": str(alone), "displayName": "the event an-event", "type": "run",
    }  # fmt: skip
    Job.objects.all().delete()
    Run.objects.filter(pk=run.pk).update(number=3)
    run = make_run(job.runnable, State.RUNNING, kind="event", number=4)
    assert performed_by(run)["displayName"] == "the job that was deleted, run 4"


def test_an_input_that_it_does_not_take_is_told_with_its_fields(owner: Application) -> None:
    define(input=ArticlesInput)
    said = "site: Give this field: it is needed; pages: Give at most 500: this is 501."
    assert failed(perform("FUNCTION", TASK, None, {"pages": 501})) == ("input", said, False)


def test_another_attempt_of_the_same_run_triggers_nothing_more(owner: Application) -> None:
    define()
    first, second = perform("FUNCTION", TASK), perform("FUNCTION", TASK)
    assert first == second
    assert Run.objects.count() == 1


@pytest.mark.parametrize(("given", "stored"), [({"n": 1}, {"n": 1}), (None, {})])
def test_unless_told_otherwise_it_gets_the_whole_input(owner: Application, given: Any, stored: Any) -> None:
    define()
    perform("FUNCTION", TASK, None, given)
    assert Run.objects.get().input == stored


def test_an_input_that_is_no_object_is_told(owner: Application) -> None:
    define()
    sentence = 'The input of a background task must be an object, like {"rows": 3}, and not a list.'
    assert failed(perform("FUNCTION", TASK, None, [1])) == ("input", sentence, False)


def test_what_a_hook_refuses_may_be_tried_again(owner: Application) -> None:
    def refuse(context: Any, given: Any) -> None:
        raise ValueError("Not now.")

    define(on_before_trigger=refuse)
    assert failed(perform("FUNCTION", TASK)) == ("input", "Not now.", True)


def test_what_takes_too_long_may_be_tried_again(owner: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    define()
    monkeypatch.setattr(function, "TRIGGER_S", 0)
    assert failed(perform("FUNCTION", TASK)) == ("timeout", "The background task was not triggered within 0 s.", True)


def test_while_a_hook_takes_its_time_the_statements_of_others_go_on(owner: Application) -> None:
    begun, order = Event(), list[str]()
    goes_on = Event()

    def slow(context: Any, given: Any) -> None:
        begun.set()
        goes_on.wait(5)
        order.append("hook")

    async def beside() -> None:
        async with open_means() as means:
            triggered = asyncio.create_task(function.perform(occasion("FUNCTION", TASK), {}, means))
            await asyncio.to_thread(begun.wait)
            await means.statements.run(order.append, "statement")
            goes_on.set()
            await triggered

    define(on_before_trigger=slow)
    asyncio.run(beside())
    assert order == ["statement", "hook"]


def test_a_definition_that_is_gone_is_told(owner: Application, registry: Any) -> None:
    define()
    stored = occasion("FUNCTION", TASK)
    registry.by_id.clear()
    assert stored.owner == owner.pk
    with pytest.raises(ValidationError):
        perform("FUNCTION", TASK)
    with pytest.raises(Exception, match='The definition "syncArticles" does not exist'):
        function._trigger(replace(stored), {})


@pytest.mark.parametrize(
    "configuration",
    [{}, {"code": "return 1", **TASK}, {"background_task": "none"}, {"background_task": "secret"}],
    ids=["nothing", "both", "unknown", "private"],
)
def test_it_has_code_or_a_public_definition(configuration: Any) -> None:
    define()
    define_private()
    with pytest.raises(ValidationError):
        checked(FunctionConfiguration, configuration, NO_SECRETS)


def test_it_keeps_and_shows_the_fields_of_what_it_runs_alone() -> None:
    define()
    of_task = checked(FunctionConfiguration, TASK, NO_SECRETS)
    of_code = checked(FunctionConfiguration, {"code": "return 1"}, NO_SECRETS)
    assert of_task == {**TASK, "input": "{{input}}"}
    assert of_code == {"code": "return 1", "timeout_ms": 250}
    assert [FunctionConfiguration(one).data for one in (of_task, of_code)] == [of_task, of_code]


@pytest.mark.django_db
def test_a_schedule_is_a_job_with_such_an_event(shop: Application) -> None:
    define()
    job = schedule_background_task(
        application=shop, definition="syncArticles", input={"rows": 3}, tag="nightly", by=OPERATOR, now=NOW,
        cron="0 3 * * *", time_zone="Europe/Zurich",
    )  # fmt: skip
    assert job.event
    assert (job.event.configuration, job.input) == ({**TASK, "input": "{{input}}"}, {"rows": 3})
    assert (job.runnable.cron, job.runnable.time_zone, job.runnable.kind) == ("0 3 * * *", "Europe/Zurich", "event")
    assert job.runnable.next_run_at
    with pytest.raises(ValidationError):
        schedule_background_task(
            application=shop, definition="secret", input={}, tag="other", by=OPERATOR, now=NOW, cron="0 3 * * *"
        )


@pytest.mark.django_db
def test_the_form_takes_either_and_shows_it_again(shop: Application) -> None:
    define()
    typed = {"configuration_background_task": "syncArticles", "configuration_input": '{"rows": 3}'}
    filled = EventForm(QueryDict(urlencode({"name": "sync", **typed})), application=shop, type_name="FUNCTION")
    assert filled.is_valid(), filled.errors
    assert filled.given["configuration"] == {**TASK, "input": {"rows": 3}}
    both = {**typed, "configuration_code": "return 1"}
    refused = EventForm(QueryDict(urlencode({"name": "sync", **both})), application=shop, type_name="FUNCTION")
    assert refused.errors["configuration_background_task"] == ["Give either code or a background task, not both."]
    event = make_event(shop, configuration={**TASK, "input": {"rows": 3}})
    shown = EventForm(application=shop, type_name="FUNCTION", row=event)
    assert [one.id for one in shown.definitions] == ["syncArticles"]
    assert [shown[f"configuration_{name}"].value() for name in ("code", "background_task")] == ["", "syncArticles"]
