"""Every error is `application/problem+json`, says what would be right, and never shows what went wrong inside."""

import logging
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, InterfaceError, OperationalError
from django.test import override_settings
from django.urls import path
from rest_framework.exceptions import PermissionDenied

from badgerjobs import urls
from badgerjobs.web.plain_values import PlainValues
from badgerjobs.web.problems import TooMany
from jobs.api import JobViewSet
from jobs.models import Job
from tests.callers import PROBLEM, Answer, Caller
from tests.factories import make_job, make_run
from tests.in_turn import in_turn

SECRET = "a secret in the message of an exception"

GOOD = b'{"tag": "t", "endpoint": "https://example.com/", "verb": "GET"}'


def is_whole(answer: Answer, status: int) -> bool:
    """Whether the body is a problem, and says the same as the status line."""
    known = {"type", "title", "status", "detail", "errors"}
    return (
        answer.content_type == PROBLEM
        and answer.status == answer.body["status"] == status
        and set(answer.body) <= known
        and answer.body["type"] == "about:blank"
        and all(isinstance(answer.body[name], str) and answer.body[name] for name in ("title", "detail"))
    )


@in_turn(
    "asked, headers, status",
    [
        (("GET", "/nothing/", b""), {}, 404),
        (("POST", "/nothing/", b"{}"), {}, 404),
        (("GET", "http://testserver/nothing", b""), {}, 404),
        (("GET", "/jobs/nothing/", b""), {}, 404),
        (("PUT", "/jobs/", b"{}"), {}, 405),
        (("DELETE", "/application/", b""), {}, 405),
        (("OPTIONS", "/jobs/", b""), {}, 405),
        (("TRACE", "/jobs/", b""), {}, 405),
        (("BREW", "/jobs/", b""), {}, 405),
        (("GET", "/jobs/", b""), {"Accept": "text/html"}, 406),
        (("POST", "/jobs/", b"tag=t"), {"Content_Type": "application/x-www-form-urlencoded"}, 415),
        (("POST", "/jobs/", b"<a/>"), {"Content_Type": "text/xml"}, 415),
        (("POST", "/jobs/", GOOD), {"Content_Type": "application/json-patch+json"}, 415),
        (("POST", "/jobs/", b"{"), {}, 400),
        (("POST", "/jobs/", b""), {"Transfer_Encoding": "chunked"}, 411),
    ],
)
def test_an_error_is_a_problem(
    alice: Caller, asked: tuple[str, str, bytes], headers: dict[str, str], status: int
) -> None:
    method, where, body = asked
    assert is_whole(alice.send(method, where, body, **headers), status)


def test_a_slash_too_many_is_told(alice: Caller) -> None:
    said = "There is nothing here. Did you mean /api/v1/cache/product-1, without a slash at its end?"
    assert alice.get("/cache/product-1/").body["detail"] == said


def test_a_forgotten_slash_is_told(alice: Caller) -> None:
    assert "/api/v1/jobs/" in alice.get("/jobs").body["detail"]
    assert "/api/v1/schema/" in alice.get("/nothing").body["detail"]


def test_a_body_that_is_no_json_is_told_what_to_send(alice: Caller) -> None:
    answer = alice.send("POST", "/jobs/", b"tag=t", Content_Type="application/x-www-form-urlencoded")
    assert (answer.status, "Content-Type: application/json" in answer.body["detail"]) == (415, True)


UNKNOWN = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/jobs/x/", "There is no job with the tag “x” in this application."),
        ("/jobs/charlies/", "There is no job with the tag “charlies” in this application."),
        ("/jobs/charlies/results/", "There is no job with the tag “charlies” in this application."),
        (f"/runs/{UNKNOWN}/", f"There is no run with the id “{UNKNOWN}” in this application."),
        ("/runs/nothing/", "There is no run with the id “nothing” in this application."),
    ],
)
def test_what_is_not_there_is_said_by_name(alice: Caller, charlie: Caller, address: str, said: str) -> None:
    make_job(charlie.application, "charlies")
    answer = alice.get(address)
    assert is_whole(answer, 404)
    assert answer.body["detail"] == said


def test_another_tenants_run_is_not_there_in_the_same_words(alice: Caller, charlie: Caller) -> None:
    run = make_run(make_job(charlie.application, "t").runnable)
    expected = f"There is no run with the id “{run.pk}” in this application."
    for answer in (alice.get(f"/runs/{run.pk}/"), alice.post(f"/runs/{run.pk}/abort/")):
        assert is_whole(answer, 404)
        assert answer.body["detail"] == expected


def test_the_detail_of_wrong_fields_names_each_of_them(alice: Caller) -> None:
    answer = alice.post("/jobs/", {"tag": "a/b", "endpoint": "x", "verb": "GET"})
    assert is_whole(answer, 400)
    assert all(field in answer.body["detail"] for field in ("tag:", "endpoint:"))


def fails_with(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError(SECRET), 500),
        (KeyError(SECRET), 500),
        (DataError(SECRET), 500),
        (OperationalError(SECRET), 503),
        (InterfaceError(SECRET), 503),
        (PermissionDenied(), 403),
        (TooMany("Too many: try again in {}.", 7), 429),
    ],
    ids=repr,
)
def test_what_a_view_raises_becomes_a_problem_without_its_trace(
    alice: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, status: int
) -> None:
    monkeypatch.setattr(JobViewSet, "get_queryset", fails_with(error))
    answer = alice.get("/jobs/")
    assert is_whole(answer, status)
    assert answer.headers.get("Retry-After") == {503: "5", 429: "7"}.get(status)
    assert SECRET not in str(answer)
    logged = [record for record in caplog.records if record.name == "badgerjobs.web.problems"]
    assert [record.exc_info is not None for record in logged] == ([True] if SECRET in str(error) else [])


@pytest.mark.parametrize(
    ("wait_s", "said"), [(0, "1 second"), (0.2, "1 second"), (1, "1 second"), (59.5, "60 seconds")]
)
def test_when_to_come_again_is_said_once_and_in_our_words(wait_s: float, said: str) -> None:
    assert str(TooMany("Too many: try again in {}.", wait_s).detail) == f"Too many: try again in {said}."


@pytest.mark.parametrize(("error", "status"), [(RuntimeError(SECRET), 500), (OperationalError(SECRET), 503)], ids=repr)
@pytest.mark.django_db
def test_outside_of_the_api_too(caplog: pytest.LogCaptureFixture, error: Exception, status: int) -> None:
    broken = type("broken", (), {**vars(urls), "urlpatterns": [path("broken", fails_with(error))]})
    with override_settings(ROOT_URLCONF=broken), caplog.at_level(logging.ERROR):
        answer = Caller().get("http://testserver/broken")
    assert is_whole(answer, status)
    assert SECRET not in str(answer)
    assert SECRET in caplog.text


def test_the_database_being_away_is_a_503_that_says_when_to_come_again(
    alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("django.db.backends.utils.CursorWrapper.execute", fails_with(OperationalError(SECRET)))
        metrics = alice.get("http://testserver/metrics", Via="proxy")
        answers = [alice.get("/jobs/"), alice.post("/jobs/", {}), metrics]
    for answer in answers:
        assert is_whole(answer, 503)
        assert answer.headers["Retry-After"] == "5"


def test_a_request_that_fails_changes_nothing(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobViewSet, "_shown", fails_with(RuntimeError(SECRET)))
    assert alice.send("POST", "/jobs/", GOOD, Idempotency_Key="k").status == 500
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_a_host_that_is_not_ours_is_a_problem(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["jobs.example.com"]
    assert is_whole(Caller().get("http://testserver/", Host="evil.example.com"), 400)


def test_json_that_is_nested_deeper_than_any_request_of_ours_is_refused(alice: Caller) -> None:
    body = b'{"a":' * 600 + b"1" + b"}" * 600
    answer = alice.send("POST", "/jobs/", body, Idempotency_Key="deep")
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert "100 levels" in answer.body["detail"]


def test_of_thousands_of_wrong_fields_a_few_are_named(alice: Caller) -> None:
    answer = alice.post("/jobs/", {f"n{n}": 0 for n in range(5000)})
    assert answer.status == 400
    assert len(answer.errors) == 20


def test_the_cache_holds_nothing_that_could_run() -> None:
    values = PlainValues()
    assert values.dumps(3) == 3
    assert values.loads(values.dumps({"a": [1]})) == {"a": [1]}  # type: ignore[arg-type]
    assert values.loads(pickle.dumps(print)) is None
    with pytest.raises(TypeError):
        values.dumps(print)
