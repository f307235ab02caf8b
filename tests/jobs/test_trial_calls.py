"""A test call: really made, through the same guard, signed, bounded, written down, and no run."""

import json
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from badgerjobs.lib import signatures, vault
from badgerjobs.runs.models import Attempt, Run
from badgerjobs.runs.outcomes import Failed
from badgerjobs.web.trials import Places, TooManyTrialsError
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from jobs import echo, trial_calls
from jobs.models import Job
from tests.clients import browser_in
from tests.factories import make_job

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "Bearer very-secret"


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop, Role.EDITOR)


@pytest.fixture
def receiver(live_server: LiveServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of something that answers with all that it was asked: the demo's own hides credentials."""
    monkeypatch.setattr(echo, "mask", dict)
    settings.EGRESS_ALLOW = [live_server.url.removeprefix("http://")]
    return f"{live_server.url}/echo/"


@pytest.fixture
def silent(settings: Any) -> Iterator[str]:
    """The address of something that takes calls and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EGRESS_ALLOW = [f"127.0.0.1:{server.getsockname()[1]}"]
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def call(alice: Client, shop: Application, job: Job | None = None, **fields: Any) -> Any:
    address = reverse("jobs:test", args=[shop.slug]) + (f"?job={job.tag}" if job else "")
    form = {"verb": "POST", "timeout": "30", **fields}
    answer = alice.post(address, form, headers={"HX-Request": "true", "HX-Target": "test"})
    assert answer.status_code == 200
    assert answer.content.decode().strip().startswith('<div id="test"')
    return answer


def text_of(answer: Any) -> str:
    plain = re.sub(r"<[^>]*>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", plain.replace("&quot;", '"').replace("&#x27;", "'"))


def echoed(answer: Any) -> Any:
    """What the receiver says that it was asked."""
    shown = answer.content.decode().partition("<pre")[2].partition(">")[2].partition("</pre>")[0]
    shown = re.sub(r"<[^>]*>", "", shown)
    return json.loads(shown.replace("&quot;", '"').replace("&lt;", "<").replace("&#x27;", "'").replace("&amp;", "&"))


def test_it_calls_what_the_form_says_and_shows_what_came(alice: Client, shop: Application, receiver: str) -> None:
    row: dict[str, Any] = {"header_name": ["X-Team"], "header_value": ["shop"]}
    answer = call(alice, shop, endpoint=f"{receiver}a?b=c", verb="PUT", body="line\r\nline", **row)
    assert re.search(r"\b200 after \d+ ms", text_of(answer))
    asked = echoed(answer)
    assert (asked["method"], asked["path"], asked["query"]) == ("PUT", "/echo/a", {"b": "c"})
    assert (asked["body"], asked["headers"]["X-Team"]) == ("line\nline", "shop")


def test_it_is_signed_like_a_run_with_an_id_of_its_own(alice: Client, shop: Application, receiver: str) -> None:
    first, second = (echoed(call(alice, shop, endpoint=receiver, body="x"))["headers"] for _ in range(2))
    at = int(first["Webhook-Timestamp"])
    assert first["Webhook-Signature"] == signatures.sign(shop.signing_key, first["Webhook-Id"], at, b"x")
    assert first["Webhook-Id"] == first["Idempotency-Key"] != second["Webhook-Id"]


def test_while_a_key_is_rotated_both_sign(alice: Client, shop: Application, receiver: str) -> None:
    shop.previous_signing_key, shop.previous_key_until = signatures.make_secret(), timezone.now() + timedelta(hours=1)
    shop.save()
    signed = echoed(call(alice, shop, endpoint=receiver, body="x"))["headers"]
    keys = [shop.signing_key, shop.previous_signing_key]
    expected = signatures.sign(keys, signed["Webhook-Id"], int(signed["Webhook-Timestamp"]), b"x")
    assert signed["Webhook-Signature"] == expected


@pytest.mark.parametrize(("fail", "said"), [("200-299", "The endpoint answered 200."), ("none", None)])
def test_what_fails_the_form_says(alice: Client, shop: Application, receiver: str, fail: str, said: str | None) -> None:
    shown = text_of(call(alice, shop, endpoint=receiver, fail_statuses=fail))
    assert re.search(r"\b200 after \d+ ms", shown)
    assert ("The endpoint answered" in shown) is bool(said)
    assert said is None or said in shown


def test_a_test_that_is_answered_with_gone_has_paused_nothing(
    alice: Client, shop: Application, receiver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: Any) -> Failed:
        return Failed("status", "The job was paused.", {"status": 410, "headers": {}}, retry=False, pauses=True)

    monkeypatch.setattr(trial_calls, "make_call", gone)
    shown = text_of(call(alice, shop, make_job(shop), endpoint=receiver))
    assert "the first run that is answered so pauses the job" in shown
    assert "was paused" not in shown


def test_it_saves_nothing_and_is_no_run_but_is_written_down(alice: Client, shop: Application, receiver: str) -> None:
    job = make_job(shop, endpoint=receiver)
    call(alice, shop, job, endpoint=f"{receiver}elsewhere", name="New name")
    job.refresh_from_db()
    assert (job.endpoint, job.name) == (receiver, "a-job")
    assert not Run.objects.exists()
    assert not Attempt.objects.exists()
    entry = AuditEntry.objects.get(action="job.test")
    assert (entry.actor, entry.subject, entry.application) == ("erin@example.com", "a-job", shop)
    assert entry.changes == {"call": [None, f"POST {receiver}elsewhere"]}


def test_the_rest_of_the_form_may_be_wrong(alice: Client, shop: Application, receiver: str) -> None:
    answer = call(alice, shop, endpoint=receiver, name="", when="cron", cron="x", time_zone="nowhere")
    assert "200 after" in text_of(answer)


def test_what_is_wrong_with_the_call_itself_is_said_and_nothing_is_called(alice: Client, shop: Application) -> None:
    answer = call(alice, shop, endpoint="example.com", timeout="x", header_name=["a b"], header_value=["1"])
    assert "Nothing was called." in text_of(answer)
    assert answer.content.decode().count('class="error"') == 3
    assert not AuditEntry.objects.exists()


def test_a_private_address_is_refused_by_the_same_guard(alice: Client, shop: Application) -> None:
    answer = call(alice, shop, endpoint="http://127.0.0.1:1/")
    assert "No answer" in text_of(answer)
    assert "EGRESS_ALLOW" in text_of(answer)


def test_a_stored_secret_is_used_where_it_was_meant_to_go(alice: Client, shop: Application, receiver: str) -> None:
    job = make_job(shop, endpoint=receiver, headers={"Authorization": SECRET})
    stars: dict[str, Any] = {"header_name": ["Authorization"], "header_value": [vault.MASK]}
    assert echoed(call(alice, shop, job, endpoint=f"{receiver}x", **stars))["headers"]["Authorization"] == SECRET


def test_a_cookie_that_the_answer_sets_is_masked() -> None:
    trial = trial_calls.Trial(ok=True, duration_ms=1, result={"headers": {"set-cookie": "sid=hunter2", "x-team": "a"}})
    page = render_to_string("jobs/edit/test.html", {"trial": trial})
    assert "hunter2" not in page
    assert "<dt>x-team</dt><dd>a</dd>" in page


def test_a_stored_secret_goes_nowhere_else(alice: Client, shop: Application, receiver: str) -> None:
    job = make_job(shop, endpoint="https://example.com/", headers={"Authorization": SECRET})
    stars: dict[str, Any] = {"header_name": ["Authorization"], "header_value": [vault.MASK]}
    answer = call(alice, shop, job, endpoint=receiver, **stars)
    assert "The stored credentials were not meant for the host of this endpoint." in text_of(answer)
    assert not AuditEntry.objects.filter(action="job.test").exists()


def test_somebody_who_waits_waits_no_longer_than_a_page_may(
    alice: Client, shop: Application, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_calls, "LONGEST_S", 0.1)
    answer = call(alice, shop, endpoint=silent, timeout="20")
    assert re.search(r"No answer after \d+ ms", text_of(answer))


def test_an_application_makes_so_many_a_minute(
    alice: Client, shop: Application, receiver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_calls, "PER_MINUTE", 1)
    assert "200 after" in text_of(call(alice, shop, endpoint=receiver))
    assert "1 test calls a minute at most" in text_of(call(alice, shop, endpoint=receiver))


def test_only_a_few_hold_a_thread_at_once_and_fewer_of_one_application() -> None:
    places = Places()
    with places.one(1), places.one(1):
        with pytest.raises(TooManyTrialsError), places.one(1):
            pass
        with places.one(2), places.one(2), pytest.raises(TooManyTrialsError), places.one(3):
            pass
    with places.one(1):
        assert places.taken == {1: 1}


def test_when_all_places_are_taken_nothing_is_called(
    alice: Client, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = Places()
    monkeypatch.setattr(trial_calls, "PLACES", places)
    with places.one(shop.pk), places.one(shop.pk):
        answer = call(alice, shop, endpoint="http://127.0.0.1:1/")
    assert "Other test calls are being made right now" in text_of(answer)
    assert not AuditEntry.objects.filter(action="job.test").exists()


def test_an_answer_is_text_and_never_markup(alice: Client, shop: Application, receiver: str) -> None:
    page = call(alice, shop, endpoint=receiver, body="<script>alert(1)</script>").content.decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_without_scripts_the_whole_form_comes_back_with_the_answer(
    alice: Client, shop: Application, receiver: str
) -> None:
    job = make_job(shop)
    address = reverse("jobs:test", args=[shop.slug])
    answer = alice.post(f"{address}?job=a-job", {"endpoint": receiver, "verb": "POST", "timeout": "5", "name": "Typed"})
    page = answer.content.decode()
    assert "200" in text_of(answer)
    assert 'value="Typed"' in page
    assert f'action="{reverse("jobs:edit", args=[shop.slug, job.tag])}"' in page
