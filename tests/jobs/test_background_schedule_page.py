"""Putting a background task on a schedule: what the form asks, what it refuses, and what is made of it."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock, patch

import pytest
from django.urls import reverse

from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, Role
from jobs import background_views
from jobs.background_schedules import delete_with_event
from jobs.models import Job
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_event, make_hook, make_job
from tests.tasks.background.pages_of import ArticlesInput, defined, definition, text_of

GIVEN: dict[str, Any] = {
    "name": "Nightly", "tag": "nightly", "when": "cron", "cron": "0 3 * * *", "time_zone": "Europe/Zurich",
    "ends": "never", "enabled": "on", "input_site": "de", "input_pages": "7", "input_draft": "false",
    "input_mode": '"fast"',
}  # fmt: skip


@pytest.fixture(autouse=True)
def _articles() -> Iterator[None]:
    with defined(definition(input_class=ArticlesInput), definition("secretOne", is_private=True)):
        yield


@pytest.fixture
def made(shop: Application) -> Iterator[MagicMock]:
    """What stands in for the service: it makes a job that does nothing."""
    with patch.object(background_views, "schedule_background_task") as service:
        service.side_effect = lambda *, tag, **_: make_job(shop, tag)
        yield service


def page(shop: Application, id: str = "syncArticles", *, role: Role = Role.OWNER, **given: Any) -> Any:  # noqa: A002
    browser, at = browser_in(shop, role), reverse("jobs:schedule-background", args=[shop.slug, id])
    return browser.post(at, given, follow=True) if given else browser.get(at)


def test_the_form_asks_for_a_name_a_schedule_and_the_input(shop: Application) -> None:
    found = page(shop).content.decode()
    for name in ("name", "tag", "cron", "time_zone", "input_site", "input_tags"):
        assert f'name="{name}"' in found
    assert "At 08:00 on Monday through Friday" in found


def test_the_name_of_the_job_is_told_from_a_name_in_the_input(shop: Application) -> None:
    assert ">Name of the job</label>" in page(shop).content.decode()


def test_the_page_of_a_definition_leads_to_it(shop: Application) -> None:
    at = reverse("background:definition", args=[shop.slug, "syncArticles"])
    assert (
        reverse("jobs:schedule-background", args=[shop.slug, "syncArticles"])
        in browser_in(shop).get(at).content.decode()
    )


def test_what_was_typed_becomes_a_job(shop: Application, made: MagicMock) -> None:
    answer = page(shop, **GIVEN)
    assert answer.redirect_chain[-1][0] == reverse("jobs:job", args=[shop.slug, "nightly"])
    [call] = made.call_args_list
    given = call.kwargs
    assert (given["application"], given["definition"], given["tag"], given["name"]) == (
        shop, "syncArticles", "nightly", "Nightly",
    )  # fmt: skip
    assert given["input"] == {"site": "de", "pages": 7, "draft": False, "mode": "fast"}
    assert (given["cron"], given["time_zone"], given["enabled"]) == ("0 3 * * *", "Europe/Zurich", True)
    assert given["by"].name == "alice@example.com"
    assert "endpoint" not in given


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"name": "", "tag": ""}, "name", "Give the job a name"),
        ({"tag": "a/b"}, "tag", "may hold neither"),
        ({"cron": "99 * * * *"}, "cron", "minute"),
        ({"cron": ""}, "cron", "Give five fields"),
        ({"time_zone": "Nowhere/Town"}, "time_zone", "Nowhere/Town"),
        ({"input_pages": "many"}, "input_pages", "Give a whole number"),
        ({"input_site": ""}, "input_site", "it is needed"),
        ({"input_pages": "501"}, "input_pages", "at most 500"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_made(
    shop: Application, made: MagicMock, changed: dict[str, Any], field: str, said: str
) -> None:
    found = page(shop, **{**GIVEN, **changed}).content.decode()
    assert said in found.partition(f'id="{field}_error"')[2].partition("</p>")[0]
    assert not made.called


def test_all_that_is_wrong_is_said_at_once(shop: Application, made: MagicMock) -> None:
    wrong: dict[str, Any] = {"cron": "", "input_site": "", "input_pages": "99999", "input_ratio": "abc"}
    found = page(shop, **{**GIVEN, **wrong}).content.decode()
    assert [field for field in wrong if f'id="{field}_error"' not in found] == []
    assert not made.called


def test_the_job_performs_an_event_that_triggers_it_with_the_input(shop: Application) -> None:
    answer = page(shop, **{**GIVEN, "input_site": "{{as it is}}"})
    assert "Nightly triggers Sync articles from now on." in text_of(answer)
    job = Job.objects.select_related("event", "runnable").get()
    assert job.event
    assert job.event.configuration
    assert job.input
    assert (job.event.type, job.event.configuration["background_task"]) == ("FUNCTION", "syncArticles")
    assert (job.event.configuration["input"], job.input["site"]) == ("{{input}}", "{{as it is}}")
    assert (job.runnable.cron, job.runnable.time_zone) == ("0 3 * * *", "Europe/Zurich")
    assert job.runnable.next_run_at is not None


@pytest.mark.parametrize("what", ["job", "event"])
def test_a_tag_that_a_job_or_an_event_has_makes_neither(shop: Application, what: str) -> None:
    (make_job if what == "job" else make_event)(shop, "nightly")
    assert "There is a job or an event with the tag “nightly” already" in page(shop, **GIVEN).content.decode()
    assert (shop.jobs.count(), shop.events.count()) == ((1, 0) if what == "job" else (0, 1))


def test_the_name_that_is_offered_is_free(shop: Application) -> None:
    for taken, offered in (("", "Sync articles"), ("Sync articles", "Sync articles 2"), ("Sync articles 2", "… 3")):
        if taken:
            make_job(shop, taken)
        found = page(shop).content.decode()
        assert f'name="name" value="{offered.replace("…", "Sync articles")}"' in found
    make_event(shop, "Sync articles 3")
    make_job(make_application("Charlie's"), "Sync articles 4")
    assert 'name="name" value="Sync articles 4"' in page(shop).content.decode()
    page(shop, **{**GIVEN, "name": "Sync articles 4", "tag": ""})
    assert Job.objects.filter(application=shop, tag="Sync articles 4", event__tag="Sync articles 4").exists()


def test_all_that_is_wrong_is_told_at_once(shop: Application) -> None:
    make_event(shop, "nightly")
    found = page(shop, **{**GIVEN, "cron": "99 * * * *", "input_site": "", "input_pages": "501"}).content.decode()
    for field in ("tag", "cron", "input_site", "input_pages"):
        assert f'id="{field}_error"' in found
    assert "4 fields need a change" in found


def delete_page_of(job: Job, **given: Any) -> Any:
    browser, at = browser_in(job.application), reverse("jobs:delete", args=[job.application.slug, job.tag])
    return browser.post(at, given, follow=True) if given else browser.get(at)


def scheduled(shop: Application) -> Job:
    page(shop, **GIVEN)
    return Job.objects.select_related("event", "application").get(tag="nightly")


def test_a_job_that_was_made_so_is_deleted_with_its_event_which_the_question_names(shop: Application) -> None:
    question = delete_page_of(job := scheduled(shop))
    assert "So does its event “nightly”, which nothing else performs." in text_of(question)
    assert '<input type="hidden" name="event" value="nightly">' in question.content.decode()
    answer = delete_page_of(job, event="nightly")
    assert "Nightly is deleted, with its event, its runs and results." in text_of(answer)
    assert (shop.jobs.count(), shop.events.count()) == (0, 0)


def _job_besides(shop: Application, job: Job) -> None:
    make_job(shop, "other", event=job.event, endpoint="", verb="")


def _hook_besides(shop: Application, _job: Job) -> None:
    make_hook(shop, actions=[{"name": "a", "type": "event", "event": "nightly", "input": "nothing"}])


def _code_instead(_shop: Application, job: Job) -> None:
    assert job.event
    job.event.configuration = {"code": "return 1", "timeout_ms": 250}
    job.event.save()


@pytest.mark.parametrize("change", [_job_besides, _hook_besides, _code_instead])
def test_an_event_that_is_used_elsewhere_or_was_made_otherwise_stays(shop: Application, change: Any) -> None:
    change(shop, job := scheduled(shop))
    assert "its event" not in text_of(delete_page_of(job))
    delete_page_of(job, event="nightly")
    assert (shop.jobs.filter(tag="nightly").count(), shop.events.count()) == (0, 1)


def test_an_event_that_the_question_did_not_name_stays(shop: Application) -> None:
    delete_page_of(scheduled(shop), event="another")
    assert (shop.jobs.count(), shop.events.count()) == (0, 1)


def test_an_event_that_got_another_job_meanwhile_stays(shop: Application) -> None:
    job = scheduled(shop)
    assert job.event
    _job_besides(shop, job)
    delete_with_event(job=job, event=job.event, by=OPERATOR, now=NOW)
    assert (shop.jobs.count(), shop.events.count()) == (1, 1)


def test_a_tag_that_is_taken_is_told(shop: Application, made: MagicMock) -> None:
    made.side_effect = Conflict("taken")
    found = page(shop, **GIVEN).content.decode()
    assert "There is a job or an event with the tag “nightly” already" in found.partition('id="tag_error"')[2]
    assert not Job.objects.exists()


def test_a_preview_makes_nothing(shop: Application, made: MagicMock) -> None:
    assert "At 03:00" in text_of(page(shop, **GIVEN, do="preview"))
    assert not made.called


@pytest.mark.parametrize("id", ["secretOne", "isNotThere"])
def test_what_nobody_may_trigger_cannot_be_scheduled(shop: Application, made: MagicMock, id: str) -> None:  # noqa: A002
    assert page(shop, id, **GIVEN).status_code == 404
    assert not made.called


def test_who_may_only_look_schedules_nothing(shop: Application, made: MagicMock) -> None:
    assert page(shop, role=Role.VIEWER, **GIVEN).status_code == 403
    assert not made.called
