"""The form's page: what others change while it is open is neither lost nor written over."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from badgerjobs.lib.backoff import Retries
from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from jobs.models import Job
from jobs.seen import seen_of
from jobs.services import update_job
from tests.clients import browser_in
from tests.factories import make_job
from tests.jobs.form_page import FORM, SECRET, edit, headers, opened, text_of


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


def test_a_job_deleted_meanwhile_is_said_and_nothing_typed_is_lost(
    alice: Client, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(shop)
    real = Job.refresh_from_db

    def gone(self: Job, **options: Any) -> None:
        Job.objects.all().delete()
        real(self, **options)

    monkeypatch.setattr(Job, "refresh_from_db", gone)
    answer = alice.post(edit(job), {**FORM, "body": "typed with care"})
    assert "This job was deleted in the meantime." in text_of(answer)
    assert "typed with care" in answer.content.decode()


@pytest.fixture
def hourly(shop: Application) -> Job:
    return make_job(shop, "refresh", timezone.now(), run_every="PT1H", headers={"Authorization": SECRET}, body="a\nb")


def test_what_others_change_while_a_form_is_open_stays(alice: Client, hourly: Job) -> None:
    rotated = {"Authorization": "Bearer rotated", "X-New": "1"}
    form = opened(alice, hourly)
    update_job(job=hourly, by=OPERATOR, now=timezone.now(), enabled=False, timeout=7, headers=rotated)
    assert alice.post(edit(hourly), {**form, "name": "Mine"}).status_code == 302
    hourly.refresh_from_db()
    assert (hourly.name, hourly.timeout, hourly.headers) == ("Mine", 7, rotated)
    assert not Runnable.objects.get(pk=hourly.runnable_id).enabled


def test_what_somebody_else_changed_too_is_asked_about_and_then_changed(alice: Client, hourly: Job) -> None:
    form = {**opened(alice, hourly), "timeout": "9", "name": "Mine"}
    update_job(job=hourly, by=OPERATOR, now=timezone.now(), enabled=False, timeout=7)
    asked = alice.post(edit(hourly), form)
    assert (asked.status_code, asked.context["form"].wrong()) == (200, [("timeout", "Gives up after")])
    assert "Somebody else changed this while the form was open." in text_of(asked)
    hourly.refresh_from_db()
    assert (hourly.name, hourly.timeout) == ("refresh", 7)
    assert alice.post(edit(hourly), {**form, "seen": asked.context["seen"]}).status_code == 302
    hourly.refresh_from_db()
    assert (hourly.name, hourly.timeout) == ("Mine", 9)
    assert not Runnable.objects.get(pk=hourly.runnable_id).enabled


def test_another_mistake_in_the_form_forgets_nothing_of_what_it_showed(alice: Client, hourly: Job) -> None:
    form = {**opened(alice, hourly), "timeout": "x"}
    update_job(job=hourly, by=OPERATOR, now=timezone.now(), enabled=False)
    wrong = alice.post(edit(hourly), form)
    assert wrong.status_code == 200
    alice.post(edit(hourly), {**form, "timeout": "9", "seen": wrong.context["seen"]})
    assert not Runnable.objects.get(pk=hourly.runnable_id).enabled


@pytest.mark.parametrize("seen", ["", "x", "[]", "{}", '{"name": 1}'])
def test_a_form_of_which_nobody_knows_what_it_showed_is_saved_as_it_is(alice: Client, hourly: Job, seen: str) -> None:
    assert alice.post(edit(hourly), {**opened(alice, hourly), "timeout": "9", "seen": seen}).status_code in {200, 302}


def test_a_secret_that_was_typed_anew_is_stored(alice: Client, hourly: Job) -> None:
    alice.post(edit(hourly), {**opened(alice, hourly), **headers(("Authorization", "Bearer other"))})
    hourly.refresh_from_db()
    assert hourly.headers == {"Authorization": "Bearer other"}


@pytest.mark.parametrize(("typed", "status"), [({}, 302), ({"retry_policy": "repeater"}, 200)])
def test_a_policy_that_somebody_changed_meanwhile_is_not_lost(
    shop: Application, alice: Client, typed: dict[str, str], status: int
) -> None:
    job = make_job(shop)
    seen = seen_of(job)
    update_job(job=job, by=OPERATOR, now=timezone.now(), retries=7)
    policy = {"retry_policy": "incremental", "retries": "3", "retry_step": "10"}
    assert alice.post(edit(job), {**FORM, **policy, **typed, "seen": seen}).status_code == status
    job.runnable.refresh_from_db()
    assert job.runnable.policy == Retries(retries=7)
