"""Several people change one job at once: none of them finds a fault of ours, and what is left is whole."""

import json
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.runs.models import Runnable
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.audit import OPERATOR
from jobs.models import Job
from jobs.services import update_job
from tests.callers import Answer, Caller
from tests.factories import make_job
from tests.runs.together import together

GOOD: dict[str, Any] = {"tag": "t", "endpoint": "https://example.com/", "verb": "GET"}

pytestmark = pytest.mark.django_db(transaction=True)


def call(alice: Caller, method: str, path: str, data: Any = None) -> Answer:
    return Caller(alice.secret).send(method.upper(), path, json.dumps(data).encode() if data else b"")


def test_of_those_who_put_at_once_one_makes_the_job_and_the_others_change_it(alice: Caller) -> None:
    puts = [partial(call, alice, "put", "/jobs/t/", {**GOOD, "body": str(number)}) for number in range(6)]
    answers = together(*puts)
    assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
    assert Job.objects.get().body in "012345"
    assert Runnable.objects.count() == 1


def test_of_those_who_create_at_once_one_does(alice: Caller) -> None:
    answers = together(*[partial(call, alice, "post", "/jobs/", GOOD)] * 4)
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    assert Runnable.objects.count() == 1


def test_two_who_change_different_fields_both_have_their_way(alice: Caller) -> None:
    alice.post("/jobs/", GOOD)
    changes: list[dict[str, Any]] = [
        {"body": "b"},
        {"timeout": 5},
        {"name": "n"},
        {"verb": "POST"},
        {"run_every": "PT1H"},
    ]
    answers = together(*[partial(call, alice, "patch", "/jobs/t/", change) for change in changes])
    assert [answer.status for answer in answers] == [200] * 5
    shown = alice.get("/jobs/t/").body
    for change in changes:
        assert shown.items() >= change.items()


def test_changes_that_make_no_schedule_together_are_not_both_taken(alice: Caller) -> None:
    for _ in range(5):
        alice.put("/jobs/t/", GOOD)
        changes = [{"run_every": "PT1H"}, {"cron": "0 8 * * *"}, {"preset": "daily"}]
        answers = together(*[partial(call, alice, "patch", "/jobs/t/", change) for change in changes])
        assert sum(answer.status == 200 for answer in answers) == 1
        assert {answer.status for answer in answers} <= {200, 400, 409}
        shown = alice.get("/jobs/t/").body
        assert sum(bool(shown[name]) for name in ("run_every", "cron", "preset")) == 1


def test_changing_putting_running_and_deleting_at_once_never_fail_for_our_fault(alice: Caller) -> None:
    for _ in range(8):
        alice.put("/jobs/t/", GOOD)
        answers = together(
            partial(call, alice, "patch", "/jobs/t/", {"run_every": "PT1H"}),
            partial(call, alice, "put", "/jobs/t/", {**GOOD, "run_every": "PT2H"}),
            partial(call, alice, "delete", "/jobs/t/"),
            partial(call, alice, "patch", "/jobs/t/", {"enabled": False}),
            partial(call, alice, "post", "/jobs/t/run/"),
        )
        assert {answer.status for answer in answers} <= {200, 201, 202, 204, 404, 409}
        assert Runnable.objects.count() == Job.objects.count()


def test_who_changes_what_was_deleted_meanwhile_is_told(alice: Caller) -> None:
    job = make_job(alice.application, "t")
    alice.delete("/jobs/t/")
    with pytest.raises(Conflict, match="deleted"):
        update_job(job=job, by=OPERATOR, now=timezone.now(), body="x")
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("first", "second"),
    [({"overlap": "skip"}, {"catch_up": "all"}), ({"catch_up": "none"}, {"catch_up_within_s": 60})],
    ids=["all and skip", "none within"],
)
def test_policies_that_contradict_what_somebody_else_set_meanwhile_are_refused(
    alice: Caller, first: dict[str, Any], second: dict[str, Any]
) -> None:
    job = make_job(alice.application, "t", run_every="PT1H", overlap="queue_all")
    update_job(job=job, by=OPERATOR, now=timezone.now(), **first)
    with pytest.raises(Conflict, match="contradict"):
        update_job(job=job, by=OPERATOR, now=timezone.now(), **second)
    [(name, _)] = second.items()
    assert getattr(Runnable.objects.get(), name) == getattr(Runnable(), name)
