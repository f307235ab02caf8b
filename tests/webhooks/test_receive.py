"""What is sent to a hook: JSON makes a run, all else is told what is wrong with it, and the address stands nowhere."""

import json
import logging
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from badgerjobs.runs.models import Cause, Overlap, Run, Runnable, State
from badgerjobs.workspaces.models import Application
from tasks.models import Task
from tests.callers import PROBLEM, Answer, Caller
from tests.factories import make_application, make_run, make_task
from webhooks import receive, services
from webhooks.models import Hook
from webhooks.services import kept_headers, make_hook, rotate_hook

BODY = {"category": {"id": 7}}


def webhook(application: Application, tag: str = "a-webhook", **fields: Any) -> tuple[Task, str]:
    """A webhook task, and the path of its hook."""
    task = make_task(application, tag, type="webhook", **{"runnable": {"overlap": Overlap.QUEUE_ALL}, **fields})
    return task, path_of(make_hook(task))


def path_of(hook: Hook) -> str:
    return f"http://testserver{reverse('hook', args=[hook.secret])}"


def input_of(run: Run) -> Any:
    return run.input


def sent(path: str, body: Any = BODY, method: str = "POST", **headers: str) -> Answer:
    """What somebody is answered who has the address and nothing else."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Caller().send(method, path, text, **headers)


def test_a_body_makes_a_run_with_it(shop: Application) -> None:
    task, path = webhook(shop)
    answer = sent(path, X_Topic="categories/update")
    [run] = Run.objects.all()
    assert (answer.status, answer.body) == (202, {"id": str(run.pk)})
    assert (run.runnable_id, run.kind, run.cause, run.state) == (task.runnable_id, "sync", Cause.WEBHOOK, "queued")
    assert input_of(run)["body"] == BODY
    assert input_of(run)["headers"]["x-topic"] == "categories/update"


def test_two_at_once_both_run_each_with_its_own_body(shop: Application) -> None:
    _, path = webhook(shop)
    ids = [sent(path, {"n": n}).body["id"] for n in (1, 2)]
    runs = Run.objects.order_by("number")
    assert [str(run.pk) for run in runs] == ids
    assert [(input_of(run)["body"], run.held) for run in runs] == [({"n": 1}, False), ({"n": 2}, True)]


def test_any_json_is_a_body_whatever_its_type_says(shop: Application) -> None:
    _, path = webhook(shop)
    for body in (b"[1]", b'"text"', b"null", b"7", b'\xef\xbb\xbf{"a": 1}', b'{"a": 1, "a": 2}', b"1" * 400):
        assert sent(path, body, Content_Type="text/plain").status == 202, body
    assert [input_of(run)["body"] for run in Run.objects.order_by("number")][-2:] == [{"a": 2}, int("1" * 400)]


def test_what_the_database_cannot_hold_is_replaced(shop: Application) -> None:
    _, path = webhook(shop)
    assert sent(path, b'{"a\\u0000": "\\ud800", "b": ["\\u0000"]}').status == 202
    assert input_of(Run.objects.get())["body"] == {"a\ufffd": "\ufffd", "b": ["\ufffd"]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "There is no body: send JSON."),
        (b" \n", "There is no body: send JSON."),
        (b"a=1&b=2", "The body is no JSON: Expecting value, at line 1, column 1."),
        (b'{"a": }', "The body is no JSON: Expecting value, at line 1, column 7."),
        (b"NaN", "The body is no JSON that could be kept: NaN is too large, or no number."),
        (b"[-Infinity]", "The body is no JSON that could be kept: -Infinity is too large, or no number."),
        (b"[1e400]", "The body is no JSON that could be kept: 1e400 is too large, or no number."),
        (b"9" * 5000, "A number in the body has too many digits."),
        (b"[" * 101 + b"]" * 101, "The JSON is nested more than 100 levels deep."),
        (b"[" * 100_000, "The JSON is nested more than 100 levels deep."),
        (b'"\xff"', "The body is no JSON: it is not in UTF-8."),
    ],
    ids=["empty", "blank", "a form", "broken", "NaN", "infinity", "too large", "digits", "deep", "deeper", "bytes"],
)
def test_what_is_no_json_is_told_so(shop: Application, body: bytes, said: str) -> None:
    _, path = webhook(shop)
    answer = sent(path, body)
    assert (answer.status, answer.content_type, answer.body["detail"]) == (400, PROBLEM, said)
    assert Run.objects.count() == 0


def test_what_is_longer_than_a_megabyte_is_refused_before_it_is_read(shop: Application) -> None:
    _, path = webhook(shop)
    assert sent(path, b'"' + b"x" * 1_000_000 + b'"').status == 413
    assert sent(path, b'"' + b"x" * 999_998 + b'"').status == 202


def test_nothing_but_post_is_taken_and_the_method_says_nothing_of_the_secret(shop: Application) -> None:
    _, path = webhook(shop)
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"):
        known, unknown = sent(path, method=method), sent(f"http://testserver/hooks/{'x' * 43}", method=method)
        assert known.status == unknown.status == 405
        assert known.headers["Allow"] == "POST"
    assert Run.objects.count() == 0


@pytest.mark.parametrize("secret", ["x", "x" * 43, "é", "%ff", "a b", "x" * 4000])
def test_an_unknown_address_is_nothing_whatever_is_sent_there(db: None, secret: str) -> None:
    for body in (b"{}", b"no json"):
        answer = sent(f"http://testserver/hooks/{secret}", body)
        assert (answer.status, answer.body["detail"]) == (404, "There is nothing here.")


def test_who_tries_many_addresses_is_told_to_wait_and_who_knows_one_is_not(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "WRONG_TRIES_PER_MINUTE", 2)
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    _, path = webhook(shop)
    answers = [sent("http://testserver/hooks/wrong") for _ in range(3)]
    assert [answer.status for answer in answers] == [404, 404, 429]
    assert answers[-1].headers["Retry-After"] == "60"
    assert sent(path).status == 202


def test_an_application_takes_as_many_in_a_second_as_it_may(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    Application.objects.update(requests_per_second=2)
    _, path = webhook(shop)
    _, others = webhook(make_application("Charlie's"))
    assert [sent(path).status for _ in range(3)] == [202, 202, 429]
    assert sent(others).status == 202


def test_an_application_takes_so_many_bytes_in_a_minute_by_all_its_webhooks(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    monkeypatch.setattr(receive, "BYTES_PER_MINUTE", 10)
    (_, path), (_, also) = webhook(shop), webhook(shop, "another")
    _, others = webhook(make_application("Charlie's"))
    assert [sent(at, b'"1234"').status for at in (path, others)] == [202, 202]
    answer = sent(also, b'"1234"')
    assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
    assert "Too many bytes" in answer.body["detail"]
    assert Run.objects.count() == 2


def test_a_task_takes_no_more_while_so_many_of_its_runs_wait(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MOST_WAITING", 2)
    (task, path), (_, also) = webhook(shop), webhook(shop, "another")
    make_run(task.runnable, State.SUCCEEDED, number=99)
    assert [sent(path).status for _ in range(2)] == [202, 202]
    answer = sent(path)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
    assert answer.body["detail"] == "2 runs of this task wait or run already: send it again later."
    assert sent(also).status == 202
    Runnable.objects.filter(pk=task.runnable_id).update(enabled=False)
    assert sent(path).body["id"] is None


def test_a_disabled_task_is_not_run_and_who_calls_is_told(shop: Application) -> None:
    task, path = webhook(shop)
    Runnable.objects.filter(pk=task.runnable_id).update(enabled=False)
    answer = sent(path)
    assert (answer.status, answer.body) == (202, {"id": None, "reason": "The task is disabled: it was not run."})
    assert Run.objects.count() == 0


def test_a_rotated_secret_leads_nowhere_from_then_on(shop: Application) -> None:
    task, before = webhook(shop)
    after = path_of(rotate_hook(task))
    assert [sent(before).status, sent(after).status] == [404, 202]


def test_a_secret_has_256_bits_and_is_kept_encrypted(shop: Application) -> None:
    first, second = (make_hook(make_task(shop, tag, type="webhook")) for tag in ("a", "b"))
    assert {len(first.secret), len(second.secret)} == {43}
    assert first.secret != second.secret
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM webhooks_hook")
        rows = str(cursor.fetchall())
    assert first.secret not in rows


def test_headers_are_kept_without_credentials() -> None:
    given = {
        "X-Topic": "products/update", "Authorization": "Bearer s", "Cookie": "s=1", "X-Api-Key": "s",
        "Content-Type": "application/json", "X-Odd": "a\x07b", "X-Hub-Signature-256": "sha256=1",
    }  # fmt: skip
    assert kept_headers(given) == {"x-topic": "products/update", "content-type": "application/json"}


def test_long_headers_are_kept_in_part() -> None:
    given = {"A": "1", "B": "x" * 10_000, "C": "x" * 10_000, "D": "1"}
    assert list(kept_headers(given)) == ["a", "b"]


def test_a_transform_may_not_be_given_anothers_session(shop: Application) -> None:
    _, path = webhook(shop)
    sent(path, Cookie="sessionid=abc", Authorization="Bearer abc")
    assert "abc" not in json.dumps(Run.objects.get().input)


def test_the_address_stands_in_no_answer_and_no_log(
    shop: Application, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    _, path = webhook(shop)
    secret = path.rpartition("/")[2]
    answers = [sent(path), sent(path, b"?"), sent(path, method="GET"), sent(f"{path}x"), sent(f"{path}/")]

    def broken(**_: Any) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(receive, "call_hook", broken)
    answers.append(sent(path))
    assert [answer.status for answer in answers] == [202, 400, 405, 404, 202, 503]
    monkeypatch.setattr(receive, "call_hook", lambda **_: 1 / 0)
    answers.append(sent(path))
    assert answers[-1].status == 500
    assert secret not in str([(answer.body, answer.headers) for answer in answers])
    lines = [record.getMessage() for record in caplog.records if record.name != "django.db.backends"]
    assert [line for line in lines if secret in line] == []
    assert {answer.headers.get("Referrer-Policy") for answer in answers[:4]} == {"no-referrer"}


def test_it_needs_no_session_and_no_token_of_a_form(shop: Application) -> None:
    _, path = webhook(shop)
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post(path, b"{}", content_type="application/json")
    assert answer.status_code == 202
    assert not answer.cookies
