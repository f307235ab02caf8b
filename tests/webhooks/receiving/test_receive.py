"""What is sent to a hook: it is stored with its run or refused clearly, and the address stands nowhere."""

import gzip
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badgerjobs.lib.tokens import digest_of
from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.web.late_bodies import LateBodyError
from badgerjobs.workspaces.models import Application
from tests.callers import PROBLEM
from tests.factories import make_hook, make_task
from tests.in_turn import in_turn
from tests.webhooks.sending import ACTIONS, BODY, path_of, run_of, sent, stored
from webhooks.models import Delivery, Hook, Standing
from webhooks.receiving import door as receive
from webhooks.receiving.calls import read
from webhooks.receiving.packing import unpacked
from webhooks.receiving.ringing import BELL
from webhooks.receiving.short_way import short_way
from webhooks.verification.judging import digests

MEGABYTE = 1_000_000
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def test_a_call_is_stored_with_its_run_and_answered_with_its_id(shop: Application) -> None:
    hook = make_hook(shop, actions=ACTIONS)
    Runnable.objects.filter(pk=hook.runnable_id).update(priority=7)
    answer = sent(hook, query="a=1&b=%C3%A4", X_Topic="categories/update")
    [delivery], [run] = Delivery.objects.all(), Run.objects.all()
    assert (answer.status, answer.body) == (202, {"id": str(delivery.pk)})
    assert (run.pk, run.runnable_id, run.application_id) == (delivery.pk, hook.runnable_id, shop.pk)
    assert (run.kind, run.cause, run.state, run.queue, run.priority) == (
        "delivery",
        Cause.WEBHOOK,
        State.QUEUED,
        "io",
        7,
    )
    assert (run.input, run.number, run.held, run.attempts) == ({"delivery": str(delivery.pk)}, 0, False, 0)
    assert (delivery.standing, delivery.run_id, delivery.runnable_id) == (Standing.ACCEPTED, run.pk, hook.runnable_id)
    assert (json.loads(bytes(delivery.body)), delivery.bytes, delivery.packed) == (BODY, 23, False)
    assert (delivery.method, delivery.query, delivery.address) == ("POST", "a=1&b=%C3%A4", "127.0.0.1")
    assert (delivery.headers["X-Topic"], delivery.verified, delivery.event_id) == ("categories/update", "", "")
    assert run.due_at == run.created_at == delivery.received_at


@pytest.mark.parametrize(
    ("fields", "standing"),
    [({}, "stored"), ({"transform": "return null"}, "accepted"), ({"actions": ACTIONS}, "accepted")],
    ids=["nothing", "a transform", "an action"],
)
def test_only_what_has_something_to_do_gets_a_run(shop: Application, fields: Any, standing: str) -> None:
    delivery = stored(sent(make_hook(shop, **fields)))
    assert delivery.standing == standing
    assert (run_of(delivery) is not None) == (standing == "accepted")


def test_the_hook_of_a_task_has_something_to_do(shop: Application) -> None:
    hook = make_hook(shop, task=make_task(shop, type="webhook"))
    assert stored(sent(hook)).standing == Standing.ACCEPTED


def test_a_call_costs_two_statements_and_locks_nothing_that_another_waits_for(shop: Application) -> None:
    hook = make_hook(shop, actions=ACTIONS, repeats="body")
    before = list(Runnable.objects.values())
    with CaptureQueriesContext(connection) as asked:
        assert sent(hook).status == 202
    found, kept = (query["sql"] for query in asked)
    assert "FOR " not in f"{found}{kept}"
    assert list(Runnable.objects.values()) == before


ODD = {
    "no JSON": b"a=1&b=2",
    "broken JSON": b'{"a": }',
    "no UTF-8": b'"\xff\xfe"',
    "empty": b"",
    "blank": b" \n",
    "gzip": gzip.compress(b'{"a": 1}'),
    "deep": b"[" * 100_000,
    "duplicate keys": b'{"a": 1, "a": 2}',
    "a number of 400 digits": b"1" * 400,
    "a number of too many digits": b"[" + b"9" * 5000 + b"]",
    "nulls": b"\x00\x00",
    "halves of letters": b'{"a\\u0000": "\\ud800"}',
    "as long as it may be": b"x" * MEGABYTE,
}


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD)
@pytest.mark.parametrize("kind", ["application/json", "text/plain"], ids=["as JSON", "as text"])
def test_an_odd_body_is_stored_as_it_came(shop: Application, raw: bytes, kind: str) -> None:
    hook = make_hook(shop, actions=ACTIONS)
    delivery = stored(sent(hook, raw, Content_Type=kind, Content_Encoding="gzip" if raw[:2] == b"\x1f\x8b" else "x"))
    assert (delivery.standing, delivery.bytes) == (Standing.ACCEPTED, len(raw))
    assert unpacked(bytes(delivery.body), packed=delivery.packed) == raw


def test_a_long_body_is_kept_compressed(shop: Application) -> None:
    short, long = (stored(sent(make_hook(shop, str(size)), b"x" * size)) for size in (65_536, 65_537))
    assert (short.packed, long.packed, long.bytes, len(bytes(long.body)) < 1000) == (False, True, 65_537, True)


def test_what_is_longer_than_its_hook_takes_is_refused_before_it_is_read(shop: Application) -> None:
    usual, large = make_hook(shop), make_hook(shop, "large", max_bytes=5_000_000)
    answer = sent(usual, b"x" * (MEGABYTE + 1))
    assert (answer.status, answer.content_type) == (413, PROBLEM)
    assert answer.body["detail"] == "The body has 1,000,001 bytes: at most 1,000,000 are taken."
    assert sent(large, b"x" * 5_000_001).status == 413
    assert Delivery.objects.count() == 0
    assert stored(sent(large, b"x" * 5_000_000)).bytes == 5_000_000  # more than any other request may have


def test_chunks_are_refused_where_the_server_does_not_know_their_end(shop: Application) -> None:
    answer = sent(make_hook(shop), Transfer_Encoding="chunked")
    assert (answer.status, Delivery.objects.count()) == (411, 0)


class _CutOff:
    """A body of which the rest does not come."""

    def read(self, *_: Any) -> bytes:
        return b""


class _Lost(_CutOff):
    def read(self, *_: Any) -> bytes:
        raise OSError("connection reset")


class _Late(_CutOff):
    def read(self, *_: Any) -> bytes:
        raise LateBodyError


def _answer_to(hook: Hook, body: Any, **given: Any) -> HttpResponse:
    """What is answered to a call that says it has five bytes, or something else, and has this body."""
    request = RequestFactory().post(path_of(hook), b"12345", content_type="text/plain", **given)
    request.META["wsgi.input"] = request._stream = body
    return short_way(lambda _: HttpResponse())(request)


@pytest.mark.parametrize("body", [_CutOff(), _Lost()], ids=["ended", "reset"])
def test_a_client_that_goes_away_leaves_nothing_behind(shop: Application, body: Any) -> None:
    answer = _answer_to(make_hook(shop), body)
    assert (answer.status_code, Delivery.objects.count()) == (400, 0)
    assert "did not arrive whole" in answer.content.decode()


CHUNKS = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}


@pytest.mark.parametrize("given", [{}, CHUNKS], ids=["of a length", "in chunks"])
def test_a_body_that_does_not_arrive_in_its_time_is_told_so(shop: Application, given: dict[str, Any]) -> None:
    answer = _answer_to(make_hook(shop), _Late(), **given)
    assert (answer.status_code, Delivery.objects.count()) == (408, 0)
    assert "did not arrive within 30 seconds" in answer.content.decode()


@pytest.mark.parametrize("method", METHODS)
def test_only_the_methods_that_were_chosen_are_taken(shop: Application, method: str) -> None:
    hook = make_hook(shop, methods=["POST", "PUT", "GET"])
    answer = sent(hook, b"" if method == "GET" else b"1", method, query="a=1")
    if method in hook.methods:
        delivery = stored(answer)
        assert (delivery.method, delivery.query) == (method, "a=1")
    else:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST, PUT, GET")
        assert Delivery.objects.count() == 0


def test_by_itself_a_hook_takes_post_alone(shop: Application) -> None:
    hook = make_hook(shop)
    assert {sent(hook, method=method).status for method in METHODS if method != "POST"} == {405}


SECRETS = ["x", "x" * 43, "é", "%ff", "%00", "a%0Ab", "a b", "x" * 4000, "", "a/b", "../healthz", "\ud800"]


@in_turn("secret", SECRETS)
def test_an_unknown_address_is_nothing_whatever_is_sent_there(db: None, secret: str) -> None:
    request = RequestFactory().post("/hooks/", b"{}", content_type="application/json")
    request.path_info = f"/hooks/{secret}"
    assert short_way(lambda _: HttpResponse())(request).status_code == 404


def test_an_unknown_address_gives_every_method_the_same_answer(db: None) -> None:
    answers = [sent("http://testserver/hooks/unknown", method=method) for method in METHODS if method != "HEAD"]
    assert {(answer.status, str(answer.body), str(answer.headers)) for answer in answers} == {
        (404, str(answers[0].body), str(answers[0].headers))
    }
    assert answers[0].body["detail"] == "There is nothing here."
    assert sent("http://testserver/hooks/unknown", method="HEAD").status == 404


def test_a_slash_at_its_end_does_no_harm(shop: Application) -> None:
    assert sent(f"{path_of(make_hook(shop))}/").status == 202


def test_the_secret_before_leads_here_until_its_time_is_over(shop: Application) -> None:
    now = timezone.now()
    hook = make_hook(shop, previous_digest=digest_of("before"), previous_until=now + timedelta(hours=1))
    before = "http://testserver/hooks/before"
    assert stored(sent(before)).runnable_id == hook.runnable_id
    assert sent(hook).status == 202
    Hook.objects.update(previous_until=now - timedelta(seconds=1))
    assert [sent(before).status, sent(hook).status] == [404, 202]


def test_a_hook_that_is_deleted_while_it_is_called_is_nothing(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = make_hook(shop, actions=ACTIONS)

    def deleted_meanwhile(request: HttpRequest, **bounds: int) -> Any:
        Runnable.objects.filter(pk=hook.runnable_id).delete()
        return read(request, **bounds)

    monkeypatch.setattr("webhooks.receiving.door.read", deleted_meanwhile)
    assert sent(hook).status == 404
    assert (Delivery.objects.count(), Run.objects.count()) == (0, 0)


def test_what_headers_and_query_cannot_hold_is_replaced(shop: Application) -> None:
    hook = make_hook(shop)
    delivery = stored(sent(hook, query="a=%00&b=%ED%A0%80", X_Null="a\0b", X_Half="\udcff", X_Latin="\xff"))
    assert delivery.query == "a=%00&b=%ED%A0%80"
    assert [delivery.headers[name] for name in ("X-Null", "X-Half", "X-Latin")] == ["a\ufffdb", "\ufffd", "\xff"]


def test_a_host_that_is_not_ours_is_refused_and_not_written_down(
    shop: Application, caplog: pytest.LogCaptureFixture
) -> None:
    hook = make_hook(shop)
    assert sent(hook, Host="elsewhere.example.com").status == 400
    assert (Delivery.objects.count(), hook.secret in caplog.text) == (0, False)


def test_the_address_stands_in_no_answer_log_or_report(
    shop: Application, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    hook = make_hook(shop, verification="none")
    secret = hook.secret
    answers = [sent(hook), sent(hook, method="GET"), sent(f"{path_of(hook)}x"), sent(f"{path_of(hook)}/")]
    reported = []

    def broken(request: HttpRequest, *_: Any) -> HttpResponse:
        reported.append([request.path, request.path_info, request.get_full_path(), str(request.META), repr(request)])
        raise OperationalError("the database is away")

    monkeypatch.setattr(receive, "_heard", broken)
    answers.append(sent(hook))
    monkeypatch.setattr(receive, "_heard", lambda *_: 1 / 0)
    answers.append(sent(hook))
    assert [answer.status for answer in answers] == [202, 405, 404, 202, 503, 500]
    assert secret not in str([(answer.body, answer.headers) for answer in answers])
    assert secret not in str(reported)
    lines = [record.getMessage() for record in caplog.records if record.name != "django.db.backends"]
    assert [line for line in lines if secret in line] == []
    assert sum("A webhook could not be taken" in line for line in lines) == 2


def test_every_answer_is_kept_and_run_nowhere_and_tells_no_address(shop: Application) -> None:
    hook = make_hook(shop)
    for answer in (sent(hook), sent(hook, method="GET"), sent("http://testserver/hooks/unknown")):
        assert {name: answer.headers[name] for name in ("Referrer-Policy", "Cache-Control")} == {
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert int(answer.headers["Content-Length"]) > 0


def test_it_needs_no_session_and_no_token_of_a_form(shop: Application) -> None:
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post(path_of(make_hook(shop)), b"{}", content_type="application/json")
    assert answer.status_code == 202
    assert not answer.cookies


def test_who_is_refused_is_told_why_and_recorded_and_never_acted_upon(shop: Application) -> None:
    hook = make_hook(shop, actions=ACTIONS, repeats="body", verification="github", settings={"secret": "s"})
    answer = sent(hook, X_Hub_Signature_256="sha256=00")
    [delivery] = Delivery.objects.all()
    assert (answer.status, answer.content_type, answer.body["detail"]) == (401, PROBLEM, delivery.reason)
    assert "X-Hub-Signature-256 does not match" in delivery.reason
    assert (delivery.standing, delivery.verified, delivery.event_id, delivery.run_id) == ("refused", "", "", None)
    assert Run.objects.count() == 0


def test_who_is_believed_is_recorded_as_such(shop: Application) -> None:
    hook = make_hook(shop, actions=ACTIONS, verification="bearer", settings={"secret": "open sesame"})
    refused, believed = sent(hook), sent(hook, Authorization="Bearer open sesame")
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, 'Bearer realm="Badger Jobs"')
    delivery = stored(believed)
    assert (delivery.standing, delivery.verified) == ("accepted", "bearer")
    assert "sesame" not in str(list(Delivery.objects.values("headers", "reason")))


def test_a_password_in_a_header_that_the_hook_names_is_not_kept(shop: Application) -> None:
    named: dict[str, Any] = {"verification": "bearer", "settings": {"secret": "open sesame", "header": "X-Door"}}
    hook = make_hook(shop, **named)
    assert [sent(hook, X_Door=said).status for said in ("open sesame", "close sesame")] == [202, 401]
    assert [one.headers["X-Door"] for one in Delivery.objects.all()] == ["********"] * 2


def test_what_vouches_for_a_body_is_kept(shop: Application) -> None:
    fields: dict[str, Any] = {"verification": "hmac", "settings": {"secret": "s", "header": "X-Auth-Mac"}}
    sent(make_hook(shop, **fields), X_Auth_Mac="00")
    assert Delivery.objects.get().headers["X-Auth-Mac"] == "00"


def test_a_provider_that_asks_first_is_answered_once_it_is_verified(shop: Application) -> None:
    hook = make_hook(shop, verification="slack", settings={"secret": "s"})
    body, at = b'{"type": "url_verification", "challenge": "3eZbrw1aB"}', str(int(timezone.now().timestamp()))
    [signature] = digests([b"s"], f"v0:{at}:".encode(), body)
    signed = {"X_Slack_Request_Timestamp": at, "X_Slack_Signature": f"v0={signature.hex()}"}
    answer = sent(hook, body, **signed)
    assert (answer.status, answer.body, Delivery.objects.count()) == (200, b"3eZbrw1aB", 0)
    assert sent(hook, body, **{**signed, "X_Slack_Signature": "v0=00"}).status == 401


def test_a_worker_is_rung_for_what_has_work_and_for_nothing_else(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(BELL, "touch", lambda: rung.append(Run.objects.count()))
    sent(make_hook(shop))
    sent(make_hook(shop, "refusing", actions=ACTIONS, verification="bearer", settings={"secret": "s"}))
    assert rung == []
    sent(make_hook(shop, "acting", actions=ACTIONS))
    assert rung == [1]
