"""The retry policy of a job by REST: what is given, what it means, and what is refused."""

from typing import Any

import pytest

from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import AuditEntry
from badgerjobs.workspaces.services import change_application
from jobs.models import Job
from tests.callers import Caller
from tests.factories import NOW
from tests.in_turn import in_turn

pytestmark = pytest.mark.django_db
GOOD = {"tag": "t", "endpoint": "https://example.com/", "verb": "GET"}
LIST = {"retry_policy": "list", "retry_delays": [10, 60, 600]}


def shown(body: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(body[f] for f in ("retryable", "retry_policy", "retries", "retry_step", "retry_delays", "retry_for"))


@pytest.mark.parametrize(
    ("given", "reads"),
    [
        ({}, (True, "incremental", 3, 10, [], None)),
        ({"retries": 50, "retry_step": 86_400}, (True, "incremental", 50, 86_400, [], None)),
        ({"retry_policy": "exponential", "retry_for": 3600}, (True, "exponential", 3, 10, [], 3600)),
        ({"retry_policy": "polynomial", "retries": 5}, (True, "polynomial", 5, 10, [], None)),
        ({"retry_policy": "repeater"}, (True, "polynomial", 24, 1, [], None)),
        (LIST, (True, "list", 3, 10, [10, 60, 600], None)),
        ({"retries": 0}, (False, "incremental", 0, 10, [], None)),
        ({"retryable": False, "retries": 0, **LIST}, (False, "list", 0, 10, [10, 60, 600], None)),
    ],
    ids=str,
)
def test_a_policy_reads_as_what_it_means_and_can_be_sent_back(
    alice: Caller, given: dict[str, Any], reads: tuple[Any, ...]
) -> None:
    made = alice.post("/jobs/", {**GOOD, **given})
    assert (made.status, shown(made.body)) == (201, reads)
    runnable = Runnable.objects.get()
    assert (runnable.retries, runnable.backoff, runnable.retry_step_s) == (reads[2], reads[1], reads[3])
    for send in (alice.put, alice.patch):
        again = send("/jobs/t/", made.body)
        assert (again.status, shown(again.body)) == (200, reads), again.body


def test_what_is_not_given_is_as_the_application_has_it(alice: Caller) -> None:
    change = {"retries": 2, "backoff": "list", "retry_delays": [5, 50], "retry_step_s": 7, "retry_for_s": 900}
    change_application(application=alice.application, by=OPERATOR, now=NOW, **change)
    assert shown(alice.post("/jobs/", GOOD).body) == (True, "list", 2, 7, [5, 50], 900)
    own = alice.post("/jobs/", {**GOOD, "tag": "own", "retry_policy": "exponential"})
    assert shown(own.body) == (True, "exponential", 2, 7, [], 900)


def test_a_change_leaves_the_rest_of_the_policy_and_a_put_resets_it(alice: Caller) -> None:
    alice.post("/jobs/", {**GOOD, "retry_policy": "exponential", "retry_for": 600, "fail_statuses": "500-599"})
    changed = alice.patch("/jobs/t/", {"retries": 5})
    assert shown(changed.body) == (True, "exponential", 5, 10, [], 600)
    off = alice.patch("/jobs/t/", {"retryable": False})
    assert shown(off.body) == (False, "exponential", 0, 10, [], 600)
    on = alice.patch("/jobs/t/", {"retries": 1})
    assert shown(on.body) == (True, "incremental", 1, 10, [], None)
    alice.patch("/jobs/t/", LIST)
    put = alice.put("/jobs/t/", GOOD).body
    assert shown(put) == (True, "incremental", 3, 10, [], None)
    assert (put["fail_statuses"], put["retry_statuses"]) == ("400-599", None)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"retry_policy": "fibonacci"}, "retry_policy", "incremental, exponential, polynomial, list and repeater"),
    ({"retry_policy": "list"}, "retry_delays", "needs its waits"),
    ({"retry_delays": [1]}, "retry_delays", "Only the policy “list”"),
    ({**LIST, "retries": 2}, "retries", "leave `retries` out"),
    ({"retryable": False, "retries": 1}, "retries", "leave one of the two out"),
    ({"retryable": True, "retries": 0}, "retries", "leave one of the two out"),
    ({"retryable": False, "retry_policy": "exponential"}, "retry_policy", "set `retryable` to true"),
    ({"retryable": False, "retry_step": 60}, "retry_step", "set `retryable` to true"),
    ({"retryable": False, "retry_for": 3600}, "retry_for", "leave this out"),
    ({"retryable": False, "retry_statuses": "503"}, "retry_statuses", "leave this out"),
    ({"retry_statuses": "410"}, "retry_statuses", "410 is never tried again"),
    ({"retry_statuses": "409, 410-410"}, "retry_statuses", "Leave it out"),
    ({"retry_policy": "repeater", "retries": 3}, "retries", "choose “polynomial”"),
    ({"retry_for": 5}, "retry_for", "first retry comes after 10 s"),
    ({"retry_for": 0}, "retry_for", "1"),
    ({"retry_for": 2_592_001}, "retry_for", "2,592,000"),
    ({"retries": 51}, "retries", "50"),
    ({"retries": None}, "retries", "null"),
    ({"retry_step": 0}, "retry_step", "1"),
    ({"retry_step": 1.5}, "retry_step", "integer"),
    ({"retry_delays": "10, 60"}, "retry_delays", "list"),
    ({"retry_policy": "list", "retry_delays": [1] * 51}, "retry_delays", "50"),
    ({"fail_statuses": "5xx"}, "fail_statuses", "like 408,429,500-599"),
    ({"fail_statuses": ""}, "fail_statuses", "not empty"),
    ({"fail_statuses": "500-400"}, "fail_statuses", "did you mean 400-500"),
    ({"retry_statuses": "600"}, "retry_statuses", "within 100 to 599"),
    ({"retry_statuses": "200,503"}, "retry_statuses", "200 is no failure: name it among the answers that fail too"),
    ({"fail_statuses": "500-599", "retry_statuses": "429-501"}, "retry_statuses", "429-499 is no failure"),
    ({"fail_statuses": "none", "retry_statuses": "503"}, "retry_statuses", "503 is no failure"),
]


@in_turn("given, field, said", WRONG)
def test_what_contradicts_is_a_400_on_its_field_with_the_way_out(
    alice: Caller, given: dict[str, Any], field: str, said: str
) -> None:
    answer = alice.post("/jobs/", {**GOOD, **given})
    assert answer.status == 400
    assert set(answer.errors) == {field}
    assert said in str(answer.errors[field])
    assert not Runnable.objects.exists()


def test_a_change_is_judged_together_with_what_is_there(alice: Caller) -> None:
    alice.post("/jobs/", {**GOOD, **LIST, "fail_statuses": "400-599", "retry_statuses": "429"})
    assert set(alice.patch("/jobs/t/", {"retries": 9}).errors) == {"retries"}
    assert set(alice.patch("/jobs/t/", {"fail_statuses": "500-599"}).errors) == {"retry_statuses"}
    assert alice.patch("/jobs/t/", {"fail_statuses": "500-599", "retry_statuses": None}).status == 200


@pytest.mark.parametrize(
    ("given", "reads"),
    [
        ({"fail_statuses": " 500-599, 404"}, ("404,500-599", None)),
        ({"fail_statuses": "NONE"}, ("none", None)),
        ({"retry_statuses": "503, 429,502"}, ("400-599", "429,502-503")),
        ({"retry_statuses": "none"}, ("400-599", "none")),
        ({"retry_statuses": "400-499"}, ("400-599", "400-499")),
        ({"retry_statuses": ""}, ("400-599", None)),
    ],
    ids=str,
)
def test_statuses_read_in_their_shortest_form(
    alice: Caller, given: dict[str, str], reads: tuple[str, str | None]
) -> None:
    made = alice.post("/jobs/", {**GOOD, **given}).body
    assert (made["fail_statuses"], made["retry_statuses"]) == reads


def test_the_audit_log_tells_a_changed_policy(alice: Caller) -> None:
    alice.post("/jobs/", {**GOOD, "retry_policy": "exponential"})
    alice.patch("/jobs/t/", {"retry_policy": "repeater", "fail_statuses": "500-599"})
    made, changed = AuditEntry.objects.filter(subject="t").order_by("id").values_list("changes", flat=True)
    assert made["retry_policy"] == [None, "exponential"]
    assert "retry_step" not in made
    assert changed == {
        "fail_statuses": ["400-599", "500-599"],
        "retry_policy": ["exponential", "polynomial"],
        "retries": [3, 24],
        "retry_step": [10, 1],
    }


OFF = {"retryable": False, "retries": 0, "retry_policy": "exponential", "retry_step": 60, "retry_for": 3600,
       "retry_statuses": "503"}  # fmt: skip


def test_what_is_not_tried_again_can_be_sent_back_in_part_and_copied(alice: Caller) -> None:
    alice.post("/jobs/", {**GOOD, **OFF, "retryable": True, "retries": 4})
    read = alice.patch("/jobs/t/", {"retryable": False}).body
    assert {name: read[name] for name in OFF} == OFF
    for part in ({"retry_step": 60}, {"retry_statuses": "503", "retryable": False}, {"name": "n"}, {**OFF}):
        assert alice.patch("/jobs/t/", part).status == 200, part
    assert alice.put("/jobs/t/", alice.get("/jobs/t/").body).status == 200
    assert shown(alice.post("/jobs/", {**read, "tag": "copy"}).body) == shown(read)


@pytest.mark.parametrize(
    "change", [{"retry_for": 60}, {"retry_policy": "exponential"}, {"retry_statuses": "503"}], ids=str
)
def test_how_it_is_tried_again_is_no_news_of_what_is_not(alice: Caller, change: dict[str, Any]) -> None:
    alice.post("/jobs/", {**GOOD, "retryable": False})
    refused = alice.patch("/jobs/t/", change)
    assert (refused.status, set(refused.errors)) == (400, set(change))
    assert alice.patch("/jobs/t/", {**change, "retryable": True}).status == 200


def test_the_policy_of_the_application_may_be_said_of_what_is_not_tried_again(alice: Caller) -> None:
    change_application(application=alice.application, by=OPERATOR, now=NOW, backoff="exponential", retry_step_s=60)
    given = {**GOOD, "retryable": False, "retry_policy": "exponential", "retry_step": 60}
    assert alice.post("/jobs/", given).status == 201


def test_a_job_that_was_told_to_try_again_after_410_stays_as_it_is_until_that_is_changed(alice: Caller) -> None:
    alice.post("/jobs/", GOOD)
    Job.objects.update(retry_statuses="410,503")
    assert alice.put("/jobs/t/", alice.get("/jobs/t/").body).body["retry_statuses"] == "410,503"
    assert set(alice.patch("/jobs/t/", {"retry_statuses": "410"}).errors) == {"retry_statuses"}
