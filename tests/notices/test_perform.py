"""What a run of a notice sends: one signed call, or one mail; and that neither holds anybody up."""

import asyncio
import json
import smtplib
import threading
import time
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection

from badgerjobs.lib import signatures
from badgerjobs.lib.ids import uuid7
from badgerjobs.notices import payloads
from badgerjobs.notices.models import NoticeSettings
from badgerjobs.notices.perform import Notice, body_of, load, open_means, perform
from badgerjobs.notices.quiet import Telling
from badgerjobs.notices.telling import tell_some
from badgerjobs.runs.claiming import _load
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import Run, Trouble
from badgerjobs.runs.outcomes import BUG, Done, Failed, Outcome
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Role
from badgerjobs.workspaces.signing import rotate_key
from tests.factories import NOW, make_application, make_member, make_runnable
from tests.notices.rows import HOOK, opened, wanting
from tests.outbound.hostile import answer, serving
from tests.runs.claims import claimed
from tests.waiting import until

KEY = signatures.make_secret()
PAYLOAD = {
    "type": "job.failed",
    "timestamp": "2026-03-02T12:00:00.000Z",
    "data": {
        "incident": "x",
        "application": {"id": "shop-1", "name": "shop"},
        "job": "reprice",
        "name": "Reprice",
        "kind": "http",
        "run": "y",
        "troubles": ["failed"],
        "opened_at": "2026-03-02T12:00:00.000Z",
        "closed_at": None,
        "link": "https://jobs.example.org/a/shop-1/runs/y/",
        "sentence": "The endpoint answered 503.",
        "more": 3,
        "more_since": "2026-03-02T11:00:00.000Z",
    },
}


def notice(url: str = "", emails: tuple[str, ...] = (), *told: Any) -> Notice:
    return Notice(list(told) or [PAYLOAD], url, emails, KEY, "", None)


def performed(given: Notice, run: Claimed | None = None) -> Outcome:
    async def once() -> Outcome:
        async with open_means() as means:
            return await perform(run or claimed(kind="notice"), given, means)

    return asyncio.run(once())


def called(settings: Any, script: bytes, **fields: Any) -> tuple[Outcome, list[bytes]]:
    """Serve this answer, perform a notice that goes there, and give what came of it and what was asked."""

    async def once() -> tuple[Outcome, list[bytes]]:
        async with serving(script) as server:
            settings.EGRESS_ALLOW = [f"127.0.0.1:{server.port}"]
            async with open_means() as means:
                run = claimed(kind="notice", **fields)
                return await perform(run, notice(server.url), means), server.requests

    return asyncio.run(once())


def test_a_call_is_json_and_signed_like_every_call_of_ours(settings: Any) -> None:
    run_id = uuid7()
    outcome, [request] = called(settings, answer(204), id=run_id)

    assert isinstance(outcome, Done)
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    assert lines[0] == "POST / HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == str(run_id)
    assert json.loads(body) == PAYLOAD
    signatures.verify(
        KEY, str(run_id), headers["webhook-timestamp"], headers["webhook-signature"], body, now=time.time()
    )


@pytest.mark.parametrize(
    ("script", "retry", "wait_s"),
    [
        pytest.param(answer(500), True, 30, id="a failure"),
        pytest.param(answer(404), True, 30, id="not there"),
        pytest.param(answer(503, Retry_After="120"), True, 120, id="asks for a longer wait"),
        pytest.param(answer(503, Retry_After="1"), True, 30, id="asks for a shorter wait"),
        pytest.param(answer(410), False, 30, id="gone"),
    ],
)
def test_a_url_that_does_not_take_it(settings: Any, script: bytes, retry: bool, wait_s: int) -> None:
    outcome, _ = called(settings, script)
    assert isinstance(outcome, Failed)
    assert (outcome.error_class, outcome.retry) == ("status", retry)
    assert outcome.retry_after == timedelta(seconds=wait_s)
    assert outcome.result


@pytest.mark.parametrize(("attempts", "wait_s"), [(0, 30), (1, 300), (2, 3600), (9, 3600)])
def test_it_is_tried_again_over_more_than_an_hour(settings: Any, attempts: int, wait_s: int) -> None:
    outcome, _ = called(settings, answer(500), attempts=attempts)
    assert isinstance(outcome, Failed)
    assert outcome.retry_after == timedelta(seconds=wait_s)


def test_a_private_address_is_refused_and_not_tried_again() -> None:
    outcome = performed(notice("http://127.0.0.1:1/"))
    assert isinstance(outcome, Failed)
    assert (outcome.error_class, outcome.retry) == ("refused", False)


def test_a_mail_says_what_is_wrong_how_often_and_where_to_look() -> None:
    outcome = performed(notice("", ("alice@example.com", "bob@example.com")))

    assert outcome == Done({"mailed_to": 2})
    [sent] = mail.outbox
    assert sent.to == ["alice@example.com", "bob@example.com"]
    assert sent.subject == "[shop] Reprice failed for good"
    assert sent.body == (
        "Reprice failed for good, 2026-03-02 12:00:00 UTC\n"
        "The endpoint answered 503.\n"
        "It was so 3 more times since 2026-03-02 11:00:00 UTC.\n"
        "https://jobs.example.org/a/shop-1/runs/y/\n"
        "\n"
        "--\nBadger Jobs tells you this about shop. Its admins choose who is told of what.\n"
    )


@pytest.mark.parametrize("name", ["two\nlines", "a\r\nBcc: eve@example.com", "x" * 500])
def test_no_name_makes_a_second_header_or_an_endless_one(name: str) -> None:
    data = {**PAYLOAD["data"], "name": name}  # type: ignore[dict-item]
    performed(notice("", ("alice@example.com",), {**PAYLOAD, "data": data}))
    [sent] = mail.outbox
    assert "\n" not in sent.subject
    assert len(sent.subject) <= 150
    assert sent.message().get_all("Bcc") is None


def test_many_things_are_one_mail_and_the_last_of_very_many_are_a_number() -> None:
    performed(notice("", ("alice@example.com",), *[PAYLOAD] * 60))
    [sent] = mail.outbox
    assert sent.subject == "[shop] 60 things to know"
    assert sent.body.count("The endpoint answered 503.") == 50
    assert "And 10 more." in sent.body


class Refusing(BaseEmailBackend):
    """A mail server that wants somebody else's password, and repeats ours."""

    def send_messages(self, email_messages: Any) -> int:  # noqa: ARG002  Django's signature
        raise smtplib.SMTPAuthenticationError(535, b"bad password: hunter2")


class Hanging(BaseEmailBackend):
    """A mail server that answers when it is let go. `was_let_go` says so of each time."""

    let_go = threading.Event()
    was_let_go: ClassVar[list[bool]] = []

    def send_messages(self, email_messages: Any) -> int:  # noqa: ARG002  Django's signature
        self.was_let_go.append(self.let_go.wait(30))
        return 1


def test_what_a_mail_server_says_stays_in_the_log(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    outcome = performed(notice("", ("alice@example.com",)))
    assert isinstance(outcome, Failed)
    assert (outcome.error_class, outcome.retry) == ("mail", True)
    assert "hunter2" not in outcome.error
    assert "hunter2" in caplog.text


def test_a_mail_server_that_hangs_holds_up_nobody_and_has_an_end(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Hanging"
    monkeypatch.setattr("badgerjobs.notices.perform.MAIL_S", 0.05)
    monkeypatch.setattr(Hanging, "let_go", threading.Event())
    monkeypatch.setattr(Hanging, "was_let_go", [])

    async def told() -> Outcome:
        async with open_means() as means:
            outcome = await perform(claimed(), notice("", ("alice@example.com",)), means)
            Hanging.let_go.set()  # only a loop that was not held up comes here
        return outcome

    outcome = asyncio.run(told())
    assert isinstance(outcome, Failed)
    assert outcome.error_class == "timeout"
    until(lambda: Hanging.was_let_go == [True])


@pytest.mark.django_db
def test_the_notices_of_a_batch_are_loaded_in_one_query(django_assert_num_queries: Any) -> None:
    for name in ("Alice's", "Charlie's"):
        application = make_application(name)
        wanting(application)
        opened(application, make_runnable(application))
    tell_some(now=NOW)
    runs = [claimed(run, kind="notice", input=run.input) for run in Run.objects.filter(kind="notice")]

    with django_assert_num_queries(1):
        found = load(runs)

    assert len(found) == 4
    assert {(one.url, tuple(one.emails)) for one in found.values()} == {(HOOK, ()), ("", ("alice@example.com",))}


@pytest.mark.django_db
def test_a_notice_that_is_for_nobody_any_more_is_left_out() -> None:
    application = make_application()
    row = wanting(application)
    opened(application, trouble=Trouble.LATE)
    tell_some(now=NOW)
    runs = [claimed(run, input=run.input) for run in Run.objects.order_by("id")]
    row.url = ""
    row.save()
    assert set(load(runs)) == {runs[1].id}
    NoticeSettings.objects.all().delete()
    assert load(runs) == {}


@pytest.mark.django_db
def test_where_strangers_sign_up_a_member_who_left_is_written_to_no_more(settings: Any) -> None:
    settings.SIGN_UP, settings.EMAIL_URL = "open", "smtp://localhost"
    application = make_application()
    make_member(application.workspace, Role.OWNER)
    wanting(application, emails=["Alice@example.com", "left@example.com"], url="")
    opened(application, trouble=Trouble.LATE)
    tell_some(now=NOW)
    run = Run.objects.get()
    assert load([claimed(run, input=run.input)])[run.pk].emails == ["Alice@example.com"]


@pytest.mark.django_db
def test_members_are_looked_up_once_for_all_mails(settings: Any, django_assert_num_queries: Any) -> None:
    settings.SIGN_UP, settings.EMAIL_URL = "open", "smtp://localhost"
    for name in ("Alice's", "Charlie's"):
        application = make_application(name)
        make_member(application.workspace, Role.OWNER, email=f"{name[0]}@example.com")
        wanting(application, emails=["a@example.com", "c@example.com"], url="")
        opened(application, trouble=Trouble.LATE)
    tell_some(now=NOW)
    runs = [claimed(run, input=run.input) for run in Run.objects.order_by("id")]

    with django_assert_num_queries(2):
        found = load(runs)

    assert sorted(list(one.emails) for one in found.values()) == [["a@example.com"], ["c@example.com"]]


@pytest.mark.django_db
def test_one_secret_that_cannot_be_read_stops_no_other_notice() -> None:
    for name in ("Alice's", "Bob's", "Charlie's"):
        application = make_application(name)
        wanting(application, emails=[])
        opened(application, trouble=Trouble.LATE)
    tell_some(now=NOW)
    bad, *good = (claimed(run, kind="notice", input=run.input) for run in Run.objects.order_by("id"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notices_noticesettings SET url = 'x' WHERE application_id = %s", [bad.application_id])

    found = _load("notice", [bad, *good])

    assert found[bad.id] is BUG
    assert [found[run.id].url for run in good] == [HOOK, HOOK]


@pytest.mark.django_db
def test_while_the_key_is_rotated_both_are_loaded() -> None:
    application = make_application()
    wanting(application, emails=[])
    old = application.signing_key
    new = rotate_key(application=application, overlap=timedelta(hours=1), by=OPERATOR, now=NOW).signing_key
    opened(application, trouble=Trouble.LATE)
    tell_some(now=NOW)
    run = Run.objects.get()
    found = load([claimed(run, input=run.input)])[run.pk]
    assert (found.signing_key, found.previous_key, found.previous_until) == (new, old, NOW + timedelta(hours=1))


@pytest.mark.django_db
def test_every_attempt_sends_the_same_bytes() -> None:
    application = make_application()
    wanting(application, emails=[])
    incident = opened(application, make_runnable(application, name="gr\u00fcn \U0001f9a1"))
    tell_some(now=NOW)
    run = Run.objects.get()
    expected = payloads.of_opening(incident, Telling(incident.pk), base_url="https://jobs.example.org")
    [stored] = run.input["payloads"]  # type: ignore[index]
    assert stored == expected
    assert body_of(stored) == body_of(Run.objects.get().input["payloads"][0])  # type: ignore[index]
