"""Stored credentials go where they were meant to go, whoever changes the job."""

from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.web.problems import Invalid
from badgerjobs.workspaces.audit import OPERATOR
from jobs.models import Job
from jobs.serializers import JobSerializer
from jobs.services import update_job
from tests.callers import PROBLEM, Caller
from tests.factories import make_job

STARS = "********"
HERE = "https://example.com/a"
HEADERS = {"Authorization": "Bearer secret", "X-Team": "shop"}
GOOD: dict[str, Any] = {"tag": "t", "endpoint": HERE, "verb": "GET", "headers": HEADERS}

ELSEWHERE = [
    "https://evil.example.org/",
    "https://api.example.com/a",
    "https://example.com.evil.example.org/a",
    "https://example.com:8443/a",
    "http://example.com/a",
]
KEPT: list[dict[str, Any]] = [
    {},
    {"headers": {"Authorization": STARS}},
    {"headers": {"authorization": STARS, "X-Team": "new"}},
]
NOT_KEPT: list[dict[str, Any]] = [
    {"headers": {"Authorization": "Bearer another"}},
    {"headers": {"X-Team": "shop"}},
    {"headers": {}},
    {"headers": None},
]


@pytest.fixture
def job(alice: Caller) -> Job:
    assert alice.post("/jobs/", GOOD).status == 201
    return Job.objects.get()


def stored() -> tuple[str, dict[str, str]]:
    job = Job.objects.get()
    return job.endpoint, job.headers


@pytest.mark.parametrize("there", ELSEWHERE)
@pytest.mark.parametrize("given", KEPT, ids=str)
@pytest.mark.usefixtures("job")
def test_an_endpoint_elsewhere_does_not_get_the_stored_credentials(
    alice: Caller, there: str, given: dict[str, Any]
) -> None:
    answer = alice.patch("/jobs/t/", {"endpoint": there, **given})
    assert (answer.status, answer.content_type, set(answer.errors)) == (400, PROBLEM, {"headers"})
    assert "anew, or without them" in answer.errors["headers"][0]
    assert "secret" not in str(answer.body)
    assert stored() == (HERE, HEADERS)


@pytest.mark.usefixtures("job")
def test_a_put_does_not_carry_them_elsewhere_either(alice: Caller) -> None:
    read = alice.get("/jobs/t/").body
    answer = alice.put("/jobs/t/", {**read, "endpoint": ELSEWHERE[0]})
    assert (answer.status, set(answer.errors)) == (400, {"headers"})
    assert stored() == (HERE, HEADERS)
    assert alice.put("/jobs/t/", {"endpoint": ELSEWHERE[0], "verb": "GET"}).status == 200
    assert stored() == (ELSEWHERE[0], {})


@pytest.mark.parametrize("method", ["patch", "put"])
@pytest.mark.parametrize("given", NOT_KEPT, ids=str)
@pytest.mark.usefixtures("job")
def test_credentials_sent_in_full_or_left_out_may_go_elsewhere(
    alice: Caller, method: str, given: dict[str, Any]
) -> None:
    change = {"endpoint": ELSEWHERE[0], "verb": "GET", **given}
    assert getattr(alice, method)("/jobs/t/", change).status == 200
    assert stored() == (ELSEWHERE[0], given["headers"] or {})


@pytest.mark.parametrize("given", KEPT, ids=str)
@pytest.mark.parametrize("there", [HERE, "https://example.com/b?c", "https://EXAMPLE.com:443/"])
@pytest.mark.usefixtures("job")
def test_another_address_of_the_same_host_keeps_them(alice: Caller, there: str, given: dict[str, Any]) -> None:
    assert alice.patch("/jobs/t/", {"endpoint": there, **given}).status == 200
    endpoint, headers = stored()
    assert endpoint == there
    assert "Bearer secret" in headers.values()


def test_http_becomes_https_and_keeps_them(alice: Caller) -> None:
    alice.post("/jobs/", {**GOOD, "endpoint": "http://example.com/"})
    assert alice.patch("/jobs/t/", {"endpoint": HERE}).status == 200
    assert stored() == (HERE, HEADERS)


def test_what_carries_no_credentials_goes_anywhere(alice: Caller) -> None:
    alice.post("/jobs/", {**GOOD, "headers": {"X-Team": STARS}})
    assert alice.patch("/jobs/t/", {"endpoint": ELSEWHERE[0]}).status == 200
    assert stored() == (ELSEWHERE[0], {"X-Team": STARS})


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_stars_that_stand_for_nothing_are_refused(alice: Caller, method: str) -> None:
    if method == "patch":
        alice.post("/jobs/", {**GOOD, "headers": {}})
    change = {**GOOD, "headers": {"X-Api-Key": STARS}}
    answer = getattr(alice, method)("/jobs/" if method == "post" else "/jobs/t/", change)
    assert (answer.status, set(answer.errors)) == (400, {"headers"})
    assert "Send the value itself" in answer.errors["headers"][0]


@pytest.mark.usefixtures("alice")
def test_stars_stand_for_what_is_stored_when_the_change_is_made(alice: Caller) -> None:
    """Not for what was stored when the request was read: somebody may have sent a new one since."""
    job = make_job(alice.application, "t", headers={"Authorization": "old"})
    asked = JobSerializer(job, data={"headers": {"Authorization": STARS}}, partial=True)
    assert asked.is_valid()
    update_job(job=Job.objects.get(), by=OPERATOR, now=timezone.now(), headers={"Authorization": "new"})
    update_job(job=job, by=OPERATOR, now=timezone.now(), **asked.validated_data)
    assert Job.objects.get().headers == {"Authorization": "new"}


def test_the_endpoint_that_counts_is_the_one_that_is_stored_when_the_change_is_made(alice: Caller) -> None:
    job = make_job(alice.application, "t", endpoint=ELSEWHERE[0])
    update_job(job=Job.objects.get(), by=OPERATOR, now=timezone.now(), endpoint=HERE, headers=HEADERS)
    with pytest.raises(Invalid):
        update_job(job=job, by=OPERATOR, now=timezone.now(), endpoint=ELSEWHERE[0])
    assert stored() == (HERE, HEADERS)


def test_headers_that_grow_too_long_by_what_is_stored_are_refused(alice: Caller) -> None:
    long = {f"X-Token-{number}": "x" * 7000 for number in range(4)}
    alice.post("/jobs/", {**GOOD, "headers": long})
    answer = alice.patch("/jobs/t/", {"headers": {**dict.fromkeys(long, STARS), "X-More": "x" * 7000}})
    assert (answer.status, set(answer.errors)) == (400, {"headers"})
    assert stored() == (HERE, long)


def test_a_stored_endpoint_that_can_no_longer_be_called_gives_its_credentials_to_nobody(alice: Caller) -> None:
    make_job(alice.application, "t", endpoint="https://bad host/", headers=HEADERS)
    assert alice.patch("/jobs/t/", {"name": "n"}).status == 200
    assert set(alice.patch("/jobs/t/", {"endpoint": HERE}).errors) == {"headers"}
    assert alice.patch("/jobs/t/", {"endpoint": HERE, "headers": HEADERS}).status == 200
