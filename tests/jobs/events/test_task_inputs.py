"""What a background task would refuse at each run is refused where it is said: in an event, and in a job."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from rest_framework import serializers

from badgerjobs.workspaces.models import Application
from jobs.models import Event, Job
from tests.callers import Caller
from tests.clients import browser_in
from tests.factories import NOW, make_event, make_job
from tests.in_turn import in_turn
from tests.jobs.event_jobs import text
from tests.jobs.form_page import edit, new
from tests.tasks.background.pages_of import defined, definition

TASK = {"background_task": "tellAll"}
NOPE = "email: Give an e-mail address like bob@example.com; count: Give at most 5: this is 9."
NO_OBJECT = 'The input of a background task must be an object, like {"rows": 3}, and not '
FORM = {
    "name": "tell", "does": "event", "event_tag": "an-event", "input": '{"email": "a@example.com"}', "when": "cron",
    "cron": "0 3 * * *", "time_zone": "UTC", "timeout": "30", "enabled": "on", "endpoint": "", "verb": "POST",
}  # fmt: skip


class People(serializers.Serializer[Any]):
    email = serializers.EmailField()
    count = serializers.IntegerField(default=1, max_value=5)


@pytest.fixture(autouse=True)
def _people() -> Iterator[None]:
    with defined(definition("tellAll", input_class=People), definition("other")):
        yield


def wrong(answer: Any, field: str) -> Any:
    """What is said of one field; None where nothing is."""
    return answer.body.get("errors", {}).get(field) if isinstance(answer.body, dict) else None


@in_turn(
    "given, said",
    [
        ({"email": "nope", "count": 9}, NOPE),
        (None, "email: Give this field: it is needed."),
        ({}, "email: Give this field: it is needed."),
        ([1], f"{NO_OBJECT}a list."),
        (["{{input}}"], f"{NO_OBJECT}a list."),
        ("all", f"{NO_OBJECT}a string."),
        ("to {{input.email}}", f"{NO_OBJECT}a string."),
        (7, f"{NO_OBJECT}a number."),
        ({"email": "a@example.com"}, None),
        ({"email": "{{input.email}}", "count": 9}, None),
        ({"email": "a@example.com", "{{input.name}}": 1}, None),
        ("{{input}}", None),
        ("{{ input.people }}", None),
    ],
)
def test_an_event_says_what_its_task_takes(alice: Caller, given: Any, said: str | None) -> None:
    configuration = {**TASK, "input": given}
    made = alice.post("/events/", {"tag": "new", "type": "FUNCTION", "configuration": configuration})
    make_event(alice.application, configuration=TASK)
    changed = alice.patch("/events/an-event/", {"configuration": configuration})
    if said is None:
        assert (made.status, changed.status) == (201, 200), (made.body, changed.body)
        return
    for answer in (made, changed):
        assert answer.status == 400
        assert wrong(answer, "configuration.input") == [said], answer.body


def test_the_form_of_an_event_says_it_beside_the_input(shop: Application) -> None:
    event = make_event(shop, configuration=TASK)
    given = {"name": "x", "configuration_background_task": "tellAll", "configuration_input": '{"email": "nope"}'}
    answer = browser_in(shop).post(reverse("jobs:edit-event", args=[shop.slug, event.tag]), given)
    beside = answer.content.decode().partition('id="configuration_input_error"')[2].partition("</p>")[0]
    assert "email: Give an e-mail address like bob@example.com." in beside


@pytest.fixture
def event(alice: Caller) -> Event:
    return make_event(alice.application, configuration=TASK)


CRON: dict[str, Any] = {"cron": "0 3 * * *"}


@in_turn(
    "fields, said",
    [
        ({"input": {"email": "nope", "count": 9}, **CRON}, NOPE),
        ({"input": {"email": "nope"}}, "email: Give an e-mail address like bob@example.com."),
        ({"input": [1]}, 'The input must be an object, like {"rows": 3}, and not a list.'),
        (CRON, "email: Give this field: it is needed."),
        ({"input": None, "intervals": 60_000, "start_at": 0}, "email: Give this field: it is needed."),
        ({"input": {"email": "nope"}, "cron": "99 * * * *"}, "email: Give an e-mail address like bob@example.com."),
        ({"input": {"email": "{{input}}"}}, "email: Give an e-mail address like bob@example.com."),
        ({"input": {"email": "a@example.com"}, **CRON}, None),
        ({}, None),
    ],
)
@pytest.mark.usefixtures("event")
def test_a_job_gives_what_the_task_of_its_event_takes(alice: Caller, fields: dict[str, Any], said: str | None) -> None:
    whole = {"event_tag": "an-event", **fields}
    answers = [alice.post("/jobs/", {"tag": "tell", **whole}), alice.put("/jobs/again/", whole)]
    for answer in answers:
        assert answer.status == (201 if said is None else 400), answer.body
        assert wrong(answer, "input") == (None if said is None else [said])


def test_a_change_of_a_job_is_looked_at_and_what_was_stored_before_may_stay(alice: Caller, event: Event) -> None:
    job = make_job(alice.application, "tell", event=event, input={"email": "nope"}, endpoint="", verb="", **CRON)
    assert alice.patch("/jobs/tell/", {"name": "Tell", "input": {"email": "nope"}}).status == 200
    assert alice.patch("/jobs/tell/", {"cron": "0 4 * * *"}).status == 200
    assert wrong(alice.patch("/jobs/tell/", {"input": {"email": "no"}}), "input")
    assert wrong(alice.patch("/jobs/tell/", {"input": None}), "input") == ["email: Give this field: it is needed."]
    assert alice.patch("/jobs/tell/", {"input": {"email": "a@example.com"}}).status == 200
    make_event(alice.application, "code")
    assert alice.patch("/jobs/tell/", {"event_tag": "code", "input": "nope"}).status == 200
    assert wrong(alice.patch("/jobs/tell/", {"event_tag": "an-event"}), "input")
    job.refresh_from_db()
    assert (job.event and job.event.tag, job.input) == ("code", "nope")


def test_what_an_event_makes_of_the_input_of_a_job_only_a_run_can_tell(alice: Caller) -> None:
    make_event(alice.application, configuration={**TASK, "input": {"email": "{{input.who}}"}})
    assert alice.post("/jobs/", {"tag": "tell", "event_tag": "an-event", "input": {"who": "nope"}}).status == 201


def test_the_form_of_a_job_says_it_beside_the_input_with_all_else_that_is_wrong(shop: Application) -> None:
    event = make_event(shop, configuration=TASK)
    job = make_job(shop, "tell", NOW, event=event, input={"email": "a@example.com"}, endpoint="", verb="", **CRON)
    given = {**FORM, "input": '{"email": "nope"}'}
    for to in (edit(job), new(shop)):
        for more in ({}, {"cron": "99 * * * *"}):
            answer = browser_in(shop).post(to, {**given, "tag": "other", **more})
            assert "email: Give an e-mail address like bob@example.com." in text(answer)
            assert bool(more) is ('id="cron_error"' in answer.content.decode())
    assert Job.objects.get().input == {"email": "a@example.com"}
    assert "is saved" in text(browser_in(shop).post(edit(job), {**given, "input": '{"email": "b@x.org"}'}, follow=True))
