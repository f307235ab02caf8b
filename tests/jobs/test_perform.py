"""What a run of an HTTP job sends, and what it keeps of the answer."""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, cast
from uuid import uuid4

import pytest

from badgerjobs.lib import signatures
from badgerjobs.outbound.calls import ErrorClass
from badgerjobs.outbound.client import Answer, Call, CallFailed, Client
from badgerjobs.outbound.kept import as_text, merged
from badgerjobs.runs.models import Runnable
from badgerjobs.runs.outcomes import Done, Failed, Outcome
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.signing import rotate_key
from jobs.models import Job
from jobs.perform import Request, load, perform, signed
from tests.factories import NOW, make_application, make_job, make_run
from tests.runs.claims import claimed

KEY = signatures.make_secret()
REQUEST = Request("POST", "https://example.com/", {"X-Own": "1"}, b'{"a": 1}', 30, KEY)


class Endpoint:
    """A client that makes no call: it notes what was asked, and gives the answer or the failure it was made with."""

    def __init__(self, answer: Answer | CallFailed) -> None:
        self.answer = answer
        self.calls: list[Call] = []

    async def send(self, call: Call) -> Answer:
        self.calls.append(call)
        if isinstance(self.answer, CallFailed):
            raise self.answer
        return self.answer


def performed(endpoint: Endpoint, request: Request = REQUEST) -> Outcome:
    return asyncio.run(perform(claimed(), request, cast("Client", endpoint)))


def answer(
    status: int = 200, body: bytes = b"ok", *, truncated: bool = False, headers: Sequence[tuple[str, str]] = ()
) -> Answer:
    given = [("Content-Type", "text/plain"), *headers]
    return Answer(status, given, body, truncated, duration_ms=5, url="https://example.com/", redirects=0)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, Done), (204, Done), (302, Done), (399, Done), (400, Failed), (404, Failed), (500, Failed), (599, Failed)],
)
def test_a_status_under_400_is_a_success(status: int, expected: type[Outcome]) -> None:
    outcome = performed(Endpoint(answer(status)))

    assert isinstance(outcome, Done | Failed)
    assert type(outcome) is expected
    assert outcome.result == {
        "status": status,
        "headers": {"content-type": "text/plain"},
        "body": "ok",
        "body_is_base64": False,
        "body_truncated": False,
    }
    if isinstance(outcome, Failed):
        assert (outcome.error_class, outcome.error, outcome.retry) == (
            "status",
            f"The endpoint answered {status}.",
            True,
        )


@pytest.mark.parametrize("name", ["webhook-id", "Webhook-Id", "Webhook_Id", "WEBHOOK_SIGNATURE", "webhook_x-y"])
def test_a_jobs_own_header_is_never_read_as_one_of_the_signatures(name: str) -> None:
    request = Request("POST", "https://example.com/", {name: "forged", "X_Own": "1"}, b"", 30, KEY)

    sent = signed(uuid4(), request, at=1_700_000_000)

    assert "forged" not in {value for _, value in sent}
    assert ("X_Own", "1") in sent


def test_a_call_that_failed_says_how_and_keeps_what_came() -> None:
    nothing = performed(Endpoint(CallFailed("dns", "There is no such host.")))
    half = performed(Endpoint(CallFailed("timeout", "Too slow.", answer=answer(200, b"hal", truncated=True))))

    assert nothing == Failed("dns", "There is no such host.")
    assert isinstance(half, Failed)
    assert half.result
    assert (half.result["status"], half.result["body"], half.result["body_truncated"]) == (200, "hal", True)


@pytest.mark.parametrize(
    ("error_class", "retry"), [("dns", True), ("connect", True), ("timeout", True), ("tls", True), ("refused", False)]
)
def test_what_the_policy_refuses_is_not_tried_again(error_class: ErrorClass, retry: bool) -> None:
    outcome = performed(Endpoint(CallFailed(error_class, "No.")))

    assert isinstance(outcome, Failed)
    assert outcome.retry is retry


@pytest.mark.parametrize("again", ["", "400-599", "none"])
def test_an_endpoint_that_says_it_is_gone_is_not_asked_again_and_pauses_its_job(again: str) -> None:
    outcome = performed(Endpoint(answer(410, headers=[("Retry-After", "5")])), replace(REQUEST, retry_statuses=again))

    assert isinstance(outcome, Failed)
    assert (outcome.retry, outcome.pauses, outcome.retry_after) == (False, True, None)
    assert outcome.error == "The endpoint answered 410 Gone: the job was paused."


def test_gone_is_nothing_to_a_job_for_which_it_is_no_failure() -> None:
    assert isinstance(performed(Endpoint(answer(410)), replace(REQUEST, fail_statuses="500-599")), Done)


@pytest.mark.parametrize(
    ("fail", "again", "status", "retry"),
    [
        ("400-599", "", 404, True),
        ("400-599", "", 999, True),
        ("500-599", "", 404, None),
        ("none", "", 500, None),
        ("200-299", "", 204, True),
        ("200-299", "", 500, None),
        ("400-599", "408,429,500-599", 404, False),
        ("400-599", "408,429,500-599", 429, True),
        ("400-599", "408,429,500-599", 600, True),
        ("400-599", "none", 503, False),
    ],
)
def test_which_statuses_fail_and_which_are_tried_again_the_job_says(
    fail: str, again: str, status: int, retry: bool | None
) -> None:
    outcome = performed(Endpoint(answer(status)), replace(REQUEST, fail_statuses=fail, retry_statuses=again))

    assert (outcome.retry if isinstance(outcome, Failed) else None) is retry


@pytest.mark.parametrize("status", [429, 503, 404])
def test_an_answer_that_fails_may_ask_for_a_wait(status: int) -> None:
    ahead = [("Date", "Sun, 22 Nov 2026 05:00:00 GMT"), ("retry-after", "Sun, 22 Nov 2026 05:01:00 GMT")]
    for headers in ([("Retry-After", "60")], ahead):
        outcome = performed(Endpoint(answer(status, headers=headers)))
        assert isinstance(outcome, Failed)
        assert outcome.retry_after == timedelta(seconds=60)


def test_a_date_without_a_date_is_read_by_our_clock() -> None:
    there = datetime.now(UTC) + timedelta(minutes=10)
    outcome = performed(Endpoint(answer(503, headers=[("Retry-After", format_datetime(there, usegmt=True))])))
    assert isinstance(outcome, Failed)
    assert outcome.retry_after
    assert timedelta(minutes=9) < outcome.retry_after <= timedelta(minutes=10)


def test_half_an_answer_may_ask_for_a_wait_too() -> None:
    half = answer(503, b"hal", truncated=True, headers=[("Retry-After", "60")])
    outcome = performed(Endpoint(CallFailed("timeout", "Too slow.", answer=half)))
    assert isinstance(outcome, Failed)
    assert outcome.retry_after == timedelta(seconds=60)


def test_the_call_is_what_the_job_says() -> None:
    endpoint = Endpoint(answer())

    performed(endpoint)

    (call,) = endpoint.calls
    assert (call.method, call.url, call.body, call.timeout_s) == ("POST", "https://example.com/", b'{"a": 1}', 30)


def test_every_call_is_signed_and_carries_the_stable_id_of_its_run() -> None:
    run_id = uuid4()

    headers = dict(signed(run_id, REQUEST, at=1_700_000_000))

    assert headers["webhook-id"] == headers["Idempotency-Key"] == str(run_id)
    assert headers["webhook-timestamp"] == "1700000000"
    assert headers["webhook-signature"] == signatures.sign(KEY, str(run_id), 1_700_000_000, b'{"a": 1}')
    assert headers["User-Agent"] == "BadgerJobs/1"
    assert headers["X-Own"] == "1"


def test_while_the_key_is_rotated_a_call_bears_the_signatures_of_both() -> None:
    old, until = signatures.make_secret(), datetime.fromtimestamp(1_700_000_000, UTC)
    request = replace(REQUEST, previous_key=old, previous_until=until)

    for at, keys in ((1_699_999_999, [KEY, old]), (1_700_000_000, [KEY])):
        headers = dict(signed(uuid4(), request, at=at))
        expected = signatures.sign(keys, headers["webhook-id"], at, request.body)
        assert headers["webhook-signature"] == expected
        assert len(expected.split()) == len(keys)


def test_a_job_may_name_itself_and_its_key_but_never_sign_for_us() -> None:
    own = {"user-agent": "Me/1", "idempotency-key": "mine", "Webhook-Signature": "v1,forged", "WEBHOOK-ID": "x"}

    headers = signed(uuid4(), Request("GET", "https://example.com/", own, b"", 30, KEY), at=0)

    names = [name.lower() for name, _ in headers]
    assert len(names) == len(set(names))
    assert dict(headers)["user-agent"] == "Me/1"
    assert dict(headers)["idempotency-key"] == "mine"
    assert "v1,forged" not in dict(headers).values()


@pytest.mark.parametrize(
    ("body", "truncated", "text"),
    [
        pytest.param(b"", False, "", id="nothing"),
        pytest.param("grün 🦡".encode(), False, "grün 🦡", id="UTF-8"),
        pytest.param("grün".encode()[:3], True, "gr", id="cut in a character of two bytes"),
        *(pytest.param("a🦡".encode()[:n], True, "a", id=f"cut after {n - 1} of four bytes") for n in (2, 3, 4)),
        pytest.param("a🦡".encode()[:3], False, None, id="half a character, and not cut"),
        pytest.param(b"a\xff" + b"b" * 10, True, None, id="binary, and cut"),
        pytest.param(b"\x89PNG\r\n\x1a\n", False, None, id="binary"),
        pytest.param(b"a\0b", False, None, id="NUL"),
        pytest.param(b"a\0b\xc3", True, None, id="NUL, and cut in a character"),
        pytest.param("grün".encode("latin-1"), False, None, id="another encoding"),
        pytest.param("\ufeffa".encode(), False, "\ufeffa", id="a byte order mark"),
    ],
)
def test_a_body_is_kept_as_text_where_it_is_text(body: bytes, truncated: bool, text: str | None) -> None:
    kept, is_base64 = as_text(body, truncated=truncated)

    assert is_base64 is (text is None)
    assert (base64.b64decode(kept) == body) if is_base64 else kept == text


def test_headers_of_one_name_are_one_whatever_their_case() -> None:
    headers = [("Vary", "Accept"), ("vary", "Origin"), ("ETag", '"1"'), ("VARY", "Cookie")]

    assert merged(headers) == {"vary": "Accept, Origin, Cookie", "etag": '"1"'}


@pytest.mark.django_db
def test_the_requests_of_a_batch_are_loaded_in_one_query(django_assert_num_queries: Any) -> None:
    jobs = [
        make_job(make_application(str(n)), verb="PUT", endpoint=f"https://example.com/{n}", headers={"X": str(n)})
        for n in range(5)
    ]
    runs = [claimed(make_run(job.runnable)) for job in jobs for _ in range(2)]

    with django_assert_num_queries(1):
        requests = load(runs)

    assert len(requests) == 10
    Job.objects.filter(pk=jobs[3].pk).update(fail_statuses="500-599", retry_statuses="503")
    changed = load(runs)[runs[6].id]
    assert (changed.fail_statuses, changed.retry_statuses) == ("500-599", "503")
    request = requests[runs[4].id]
    assert request == Request("PUT", "https://example.com/2", {"X": "2"}, b"", 30, jobs[2].application.signing_key)


@pytest.mark.django_db
def test_the_key_before_is_loaded_with_the_rest(django_assert_num_queries: Any) -> None:
    job = make_job(make_application())
    old, until = job.application.signing_key, NOW + timedelta(hours=1)
    new = rotate_key(application=job.application, overlap=timedelta(hours=1), by=OPERATOR, now=NOW).signing_key

    run = make_run(job.runnable)

    with django_assert_num_queries(1):
        [request] = load([claimed(run)]).values()

    assert (request.signing_key, request.previous_key, request.previous_until) == (new, old, until)


@pytest.mark.django_db
def test_a_run_whose_job_is_gone_is_left_out(runnable_without_job: Runnable) -> None:
    there = claimed(make_run(make_job(make_application("Charlie's")).runnable))
    gone = claimed(make_run(runnable_without_job))

    assert set(load([there, gone])) == {there.id}


@pytest.fixture
def runnable_without_job(db: None) -> Runnable:
    job = make_job(make_application())
    runnable: Runnable = job.runnable
    job.delete()
    return runnable
