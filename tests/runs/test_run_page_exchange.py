"""The page of a run: what was asked and answered, as text, with its secrets masked."""

import base64
import re

import pytest
from django.test import Client
from django.utils.html import escape

from badgerjobs.runs.models import LogLine, State
from badgerjobs.workspaces.models import Application
from jobs.models import Job
from tests.clients import browser_in
from tests.factories import NOW, make_attempt, make_run
from tests.runs.run_page import SECOND, at, failed, result, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


def test_the_request_is_shown_as_the_job_stands_now_with_its_secrets_masked(alice: Client, job: Job) -> None:
    run = failed(job)
    Job.objects.update(updated_at=NOW - SECOND)
    page = text(alice, run)
    assert "<b>POST</b> https://api.example.com/prices" in page
    assert "hunter2" not in page
    assert '<span class="k">authorization:</span> ••••••••' in page
    assert f'<span class="k">webhook-id:</span> {run.pk}' in page
    assert "The job was changed after this" not in page
    Job.objects.update(updated_at=NOW + 99 * SECOND)
    assert "The job was changed after this" in text(alice, run)


def test_a_command_makes_the_same_call_without_the_secrets(alice: Client, job: Job) -> None:
    Job.objects.update(body="it's <b>")
    page = text(alice, failed(job))
    command = (
        "curl -X POST https://api.example.com/prices -H 'Authorization: …' -H 'Content-Type: application/json'"
        """ --data-raw 'it'"'"'s <b>'"""
    )
    assert f'<pre id="curl" hidden>{escape(command)}</pre>' in page


def test_a_body_too_long_to_paste_is_a_file_in_the_command_and_shown_in_part(alice: Client, job: Job) -> None:
    Job.objects.update(body="é" * 70_000)
    page = text(alice, make_run(job.runnable))
    assert "--data-binary @body" in page
    assert "Only its beginning is shown: the whole body has 140,000 bytes." in page
    assert page.count("é") == 64 * 1024


def test_the_chosen_attempt_is_shown_and_the_last_one_otherwise(alice: Client, job: Job) -> None:
    run = failed(job)
    assert '<span id="response-body">try 4</span>' in text(alice, run)
    assert '<span id="response-body">try 2</span>' in text(alice, run, "?attempt=2")
    for none in ("9", "x", "-1", "٣", ""):
        assert "try 4" in text(alice, run, f"?attempt={none}")


HOSTILE = '</pre></span><script>alert(1)</script><img src=x onerror="alert(1)">'


@pytest.mark.parametrize(
    "body", [HOSTILE, f'{{"{HOSTILE.replace(chr(34), "")}": "{HOSTILE.replace(chr(34), "")}"}}', '["<b>", {"a": 1']
)
def test_what_an_endpoint_answers_is_text_and_never_markup(alice: Client, job: Job, body: str) -> None:
    Job.objects.update(body=body)
    run = make_run(job.runnable, State.FAILED, attempts=1, error=HOSTILE, output={HOSTILE: HOSTILE})
    kept = result(500, body, headers={HOSTILE: HOSTILE})
    make_attempt(run, ok=False, error_class="status", error=HOSTILE, result=kept)
    LogLine.objects.create(run=run, application=run.application, level="error", message=HOSTILE, created_at=NOW)
    page = text(alice, run)
    assert not re.findall(r"<(script>|img src|b>\")", page)


def test_json_is_laid_out_and_marked(alice: Client, job: Job) -> None:
    run = make_run(job.runnable, State.SUCCEEDED, attempts=1, output={"rows": 3})
    make_attempt(run, result=result(200, '{"price":1.50}'))
    page = text(alice, run)
    assert '<span class="k">&quot;price&quot;</span>: <span class="n">1.50</span>' in page
    assert '<span class="k">&quot;rows&quot;</span>: <span class="n">3</span>' in page


def test_what_is_no_text_is_a_note_and_a_file(alice: Client, job: Job) -> None:
    run = make_run(job.runnable, State.SUCCEEDED, attempts=1, number=7)
    body = base64.b64encode(b"\x00\xff<script>").decode()
    make_attempt(run, result=result(200, body, body_is_base64=True, body_truncated=True))
    page = text(alice, run)
    assert "This is no text. Cut: only its first 64 KB are kept." in page
    assert "10 bytes" in page
    assert body not in page
    answer = alice.get(at(run, "body"))
    assert answer.content == b"\x00\xff<script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == 'attachment; filename="run-7-attempt-1.bin"'


@pytest.mark.parametrize("body", ["no base64 at all", "a", "é"])
def test_a_body_that_cannot_be_unpacked_spoils_no_page(alice: Client, job: Job, body: str) -> None:
    run = make_run(job.runnable, State.SUCCEEDED, attempts=1)
    make_attempt(run, result=result(200, body, body_is_base64=True))
    assert "This is no text." in text(alice, run)
    assert alice.get(at(run, "body")).status_code == 200


def test_there_is_no_file_of_what_never_came(alice: Client, job: Job) -> None:
    assert alice.get(at(make_run(job.runnable), "body")).status_code == 404


def test_what_an_endpoint_sets_as_a_cookie_is_masked(alice: Client, job: Job) -> None:
    run = make_run(job.runnable, State.SUCCEEDED, attempts=1)
    make_attempt(run, result=result(200, headers={"set-cookie": "sid=hunter2"}))
    assert "hunter2" not in text(alice, run)


def test_a_run_of_a_kind_that_has_nothing_to_show_but_itself_has_a_page_too(alice: Client, job: Job) -> None:
    run = make_run(job.runnable, State.FAILED, kind="code", attempts=1, error="No.", output=[1])
    make_attempt(run, ok=False, error="No.", error_class="bug", result={"any": "thing"})
    page = text(alice, run)
    assert "No." in page
    assert 'id="exchange"' not in page
    assert alice.get(at(run, "body")).content == b""
