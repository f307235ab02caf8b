"""`Idempotency-Key`: a creating request that is sent twice is done once, and answered twice alike."""

from functools import partial
from typing import Any

import pytest

from badgerjobs.runs.models import Run, Runnable
from badgerjobs.web.models import KeyedRequest
from jobs.models import Job
from tests.callers import PROBLEM, Answer, Caller, caller_for
from tests.factories import make_job, make_run
from tests.runs.together import together

GOOD: dict[str, Any] = {"tag": "t", "endpoint": "https://example.com/", "verb": "GET"}


def test_a_request_that_comes_twice_is_done_once_and_answered_alike(alice: Caller) -> None:
    first = alice.post("/jobs/", GOOD, Idempotency_Key="k")
    again = alice.post("/jobs/", GOOD, Idempotency_Key="k")
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert ("Idempotent-Replay" in first.headers, again.headers["Idempotent-Replay"]) == (False, "true")
    assert Job.objects.count() == 1


def test_the_answer_is_the_first_one_whatever_happened_since(alice: Caller) -> None:
    first = alice.post("/jobs/", GOOD, Idempotency_Key="k")
    alice.delete("/jobs/t/")
    assert alice.post("/jobs/", GOOD, Idempotency_Key="k").body == first.body
    assert not Job.objects.exists()


def test_the_order_of_names_and_blanks_make_no_difference(alice: Caller) -> None:
    alice.send("POST", "/jobs/", b'{"tag":"t","endpoint":"https://example.com/","verb":"GET"}', Idempotency_Key="k")
    again = alice.send(
        "POST", "/jobs/", b'{ "verb": "GET", "tag": "t", "endpoint": "https://example.com/" }', Idempotency_Key="k"
    )
    assert again.headers["Idempotent-Replay"] == "true"


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/jobs/", {**GOOD, "body": "other"}),
        ("/jobs/", {**GOOD, "timeout": "30"}),
        ("/jobs/t/run/", None),
    ],
)
def test_another_request_under_the_same_key_is_a_409(alice: Caller, path: str, data: Any) -> None:
    alice.post("/jobs/", {**GOOD, "timeout": 30}, Idempotency_Key="k")
    answer = alice.post(path, data, Idempotency_Key="k")
    assert (answer.status, answer.content_type) == (409, PROBLEM)
    assert "new key" in answer.body["detail"]
    assert not Run.objects.exists()


@pytest.mark.parametrize("wrong", [{**GOOD, "verb": "FETCH"}, {**GOOD, "tag": "taken"}])
def test_a_request_that_failed_leaves_nothing_and_can_be_mended(alice: Caller, wrong: dict[str, Any]) -> None:
    make_job(alice.application, "taken")
    assert alice.post("/jobs/", wrong, Idempotency_Key="k").status in {400, 409}
    assert not KeyedRequest.objects.exists()
    assert Runnable.objects.count() == 1
    assert alice.post("/jobs/", GOOD, Idempotency_Key="k").status == 201


def test_keys_of_two_applications_do_not_meet(alice: Caller, charlie: Caller) -> None:
    assert alice.post("/jobs/", GOOD, Idempotency_Key="k").status == 201
    answer = charlie.post("/jobs/", {**GOOD, "tag": "charlies"}, Idempotency_Key="k")
    assert (answer.status, answer.body["tag"]) == (201, "charlies")


def test_two_tokens_of_one_application_share_its_keys(alice: Caller) -> None:
    alice.post("/jobs/", GOOD, Idempotency_Key="k")
    other = caller_for(alice.application)
    assert other.post("/jobs/", GOOD, Idempotency_Key="k").headers["Idempotent-Replay"] == "true"


def test_without_a_key_nothing_is_remembered(alice: Caller) -> None:
    alice.post("/jobs/", GOOD)
    assert alice.post("/jobs/", GOOD).status == 409
    assert not KeyedRequest.objects.exists()


@pytest.mark.parametrize("key", ["x" * 256, "a\tb", "é\x7f"])
def test_what_is_no_key_is_refused_by_its_name(alice: Caller, key: str) -> None:
    answer = alice.post("/jobs/", GOOD, Idempotency_Key=key)
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert "1 to 255" in answer.errors["Idempotency-Key"][0]


@pytest.mark.parametrize("key", ["x" * 255, "8c9f2a52-58d8-4fbb-9c6b-9ed63f0c9a4e", "a key with blanks"])
def test_any_text_of_255_characters_is_a_key(alice: Caller, key: str) -> None:
    alice.post("/jobs/", GOOD, Idempotency_Key=key)
    assert alice.post("/jobs/", GOOD, Idempotency_Key=key).headers["Idempotent-Replay"] == "true"


def test_running_aborting_and_putting_take_keys_too(alice: Caller) -> None:
    run = make_run(make_job(alice.application, "t").runnable)
    calls = [
        (partial(alice.post, "/jobs/t/run/"), 202),
        (partial(alice.post, f"/runs/{run.pk}/abort/"), 200),
        (partial(alice.put, "/jobs/u/", {**GOOD, "tag": "u"}), 201),
    ]
    for number, (call, status) in enumerate(calls):
        first, again = (call(Idempotency_Key=f"k{number}") for _ in range(2))
        assert (first.status, again.status, again.body == first.body) == (status, status, True)
        assert again.headers["Idempotent-Replay"] == "true"
    assert Run.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_requests_that_come_at_once_are_done_once(alice: Caller) -> None:
    def create() -> Answer:
        return Caller(alice.secret).post("/jobs/", GOOD, Idempotency_Key="k")

    answers = together(*[create] * 6)
    assert [answer.status for answer in answers] == [201] * 6
    assert len({str(answer.body) for answer in answers}) == 1
    assert sum("Idempotent-Replay" in answer.headers for answer in answers) == 5
    assert (Job.objects.count(), Runnable.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_of_different_requests_that_come_at_once_one_is_done(alice: Caller) -> None:
    def create(tag: str) -> Answer:
        return Caller(alice.secret).post("/jobs/", {**GOOD, "tag": tag}, Idempotency_Key="k")

    answers = together(*[partial(create, tag) for tag in "abcd"])
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    assert Job.objects.count() == 1
