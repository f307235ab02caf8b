"""The page of a run: where it stands, what became of it, what was asked and answered, and what can be done."""

import base64
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from badgerjobs.lib import zones
from badgerjobs.runs import services, story
from badgerjobs.runs.models import FINAL, Attempt, LogLine, Run, Runnable, State
from badgerjobs.runs.verdicts import verdict_on
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from jobs.models import Job
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_attempt, make_job, make_run

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues that were rung."""
    queues: list[str] = []
    monkeypatch.setattr(services, "ring_after_commit", queues.append)
    return queues


@pytest.fixture
def job(shop: Application) -> Job:
    return make_job(
        shop, "reprice", endpoint="https://api.example.com/prices", body='{"scope":"all"}',
        headers={"Authorization": "Bearer hunter2", "Content-Type": "application/json"},
        cron="0 8 * * *", time_zone="America/New_York",
    )  # fmt: skip


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


def at(run: Run, name: str = "run") -> str:
    return reverse(f"runs:{name}", args=[run.application.slug, run.pk])


def text(client: Client, run: Run, query: str = "") -> str:
    answer = client.get(at(run) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def result(status: int = 503, body: str = "", **more: Any) -> dict[str, Any]:
    return {"status": status, "headers": {"content-type": "text/plain"}, "body": body, **more}


def failed(job: Job, tries: int = 4, **fields: Any) -> Run:
    """A run that was tried so often, 10, 20, 30 seconds after each other, a second each."""
    run = make_run(
        job.runnable, State.FAILED, number=412, occurrence=NOW, attempts=tries, started_at=NOW,
        finished_at=NOW + 66 * SECOND, error="The endpoint answered 503.", **fields,
    )  # fmt: skip
    began = NOW
    for number in range(1, tries + 1):
        make_attempt(
            run, number, ok=False, started_at=began, duration_ms=1000, created_at=began + SECOND,
            error_class="status", error="The endpoint answered 503.", result=result(body=f"try {number}"),
        )  # fmt: skip
        began += SECOND + number * 10 * SECOND
    return run


def test_a_failed_run_says_what_happened_how_often_and_what_may_help(alice: Client, job: Job) -> None:
    page = text(alice, failed(job))
    assert "The endpoint answered 503, 4 times in 1 min 6 s." in page
    assert "The trouble is at the endpoint. Replay the run when it is well again." in page
    assert '<h1>Run 412 <span class="state failed word">failed</span></h1>' in page
    assert "Mon 2 Mar 07:00 New York · 12:00 UTC" in page


@pytest.mark.parametrize(
    ("error_class", "status", "helps"),
    [
        ("dns", None, "Look at the host in the endpoint"),
        ("timeout", None, "longer timeout"),
        ("refused", None, "EGRESS_ALLOW"),
        ("status", 401, "credentials"),
        ("status", 418, "does not accept this call"),
        ("status", 503, "when it is well again"),
        ("status", 302, "sends us elsewhere"),
        ("too_large", 200, "answer with less"),
    ],
)
def test_what_may_help_depends_on_what_was_wrong(
    alice: Client, job: Job, error_class: str, status: int | None, helps: str
) -> None:
    run = make_run(job.runnable, State.FAILED, attempts=1, error="No.")
    make_attempt(run, ok=False, error_class=error_class, error="No.", result=result(status) if status else None)
    assert helps in text(alice, run)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"detail": "Import is running.", "title": "Busy"}', "It says: “Import is running.”"),
        ('{"error": {"code": 1}, "message": "  Later  "}', "It says: “Later”"),
        ('{"error": "<b>no</b>"}', "It says: “&lt;b&gt;no&lt;/b&gt;”"),
        ('["no"]', ""),
        ("no", ""),
        ("[" * 50_000, ""),
    ],
)
def test_the_sentence_that_an_answer_holds_is_quoted(alice: Client, job: Job, body: str, said: str) -> None:
    run = make_run(job.runnable, State.FAILED, attempts=1, error="No.")
    make_attempt(run, ok=False, error_class="status", error="No.", result=result(503, body))
    page = text(alice, run)
    assert (said in page) if said else ("It says" not in page)


@pytest.mark.parametrize(
    ("state", "fields", "said"),
    [
        (State.SCHEDULED, {}, "Its time has not come."),
        (State.QUEUED, {}, "It is due, and waits for a free worker."),
        (State.RUNNING, {"started_at": NOW}, "Attempt 1 is under way."),
        (State.RUNNING, {"started_at": NOW, "attempts": 2}, "Attempt 3 is under way."),
        (State.RETRYING, {"attempts": 1}, "Attempt 2 comes"),
        (State.SUCCEEDED, {"started_at": NOW, "finished_at": NOW + SECOND}, "Done after 1.00 s."),
        (State.ABORTED, {"error": "Aborted on request."}, "Aborted on request."),
        (State.ABORTED, {"error": "Aborted on request.", "started_at": NOW}, "it may have reached its endpoint"),
        (State.SKIPPED, {"skip_reason": "paused"}, "was not run: it was paused."),
        (State.QUEUED, {"held": True}, "It is due, and waits for"),
        (State.FAILED, {"error": "Superseded. The next one came."}, "A retry never waits beyond the next occurrence"),
        (State.FAILED, {"error": "Lost: 6 workers ended."}, "workers"),
        (State.FAILED, {}, "It failed."),
    ],
)  # fmt: skip
def test_every_state_has_a_verdict(alice: Client, job: Job, state: State, fields: dict[str, Any], said: str) -> None:
    assert said in text(alice, make_run(job.runnable, state, **fields))


def test_attempts_that_failed_in_different_ways_are_not_counted_as_one(job: Job) -> None:
    run = failed(job, 2)
    Attempt.objects.filter(number=1).update(error="No address.")
    said = verdict_on(run, list(Attempt.objects.order_by("number"))).said
    assert said == "The endpoint answered 503. That was attempt 2; those before it failed in other ways."


def states(run: Run) -> list[tuple[str, str]]:
    attempts = list(Attempt.objects.filter(run=run).order_by("number"))
    return [(step.state, step.said) for step in story.path_of(run, attempts, zones.zone("UTC"))]


def test_the_path_names_the_states_a_run_went_through(job: Job) -> None:
    run = failed(job, created_at=NOW + timedelta(milliseconds=12))
    assert states(run) == [
        ("scheduled", "12:00:00.000"),
        ("queued", "+ 12 ms"),
        ("running", "0 ms late"),
        ("retrying", "3 times, 1 min in all"),
        ("failed", "12:01:06.000"),
    ]


@pytest.mark.parametrize(
    ("state", "fields", "path"),
    [
        (State.SCHEDULED, {}, ["scheduled"]),
        (State.QUEUED, {}, ["queued"]),
        (State.QUEUED, {"occurrence": NOW}, ["scheduled", "queued"]),
        (State.RUNNING, {"started_at": NOW}, ["queued", "running"]),
        (State.ABORTED, {}, ["queued", "aborted"]),
        (State.SKIPPED, {}, ["skipped"]),
        (State.SUCCEEDED, {"started_at": NOW}, ["queued", "running", "succeeded"]),
    ],
)
def test_the_path_of_a_run_without_retries(job: Job, state: State, fields: dict[str, Any], path: list[str]) -> None:
    assert [step for step, _ in states(make_run(job.runnable, state, **fields))] == path


@pytest.mark.parametrize(
    ("state", "path"),
    [
        (State.RETRYING, ["queued", "running", "retrying"]),
        (State.QUEUED, ["queued", "running", "retrying", "queued"]),
        (State.RUNNING, ["queued", "running", "retrying", "running"]),
        (State.SUCCEEDED, ["queued", "running", "retrying", "succeeded"]),
        (State.ABORTED, ["queued", "running", "retrying", "aborted"]),
    ],
)
def test_the_path_of_a_run_that_was_tried_again(job: Job, state: State, path: list[str]) -> None:
    run = make_run(job.runnable, state, attempts=1, started_at=NOW)
    make_attempt(run, ok=False)
    assert [step for step, _ in states(run)] == path


def test_the_line_of_time_keeps_the_proportions_of_attempts_and_waits(job: Job) -> None:
    run = failed(job, 2)
    attempts = list(Attempt.objects.order_by("number"))
    lane = story.lane_of(run, attempts, zones.zone("UTC"), NOW)
    assert lane
    assert (lane.bad, lane.waits) == ("M0.0 12H83.3M916.7 12H1000.0", "M83.3 12H916.7")
    assert (lane.length_ms, lane.said) == (12_000, "2 attempts within 12 s, with waits of 10 s between")
    assert story.lane_of(run, attempts[:1], zones.zone("UTC"), NOW) is None


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


def test_the_times_of_a_preset_are_told_in_the_zone_of_presets(alice: Client, shop: Application) -> None:
    daily = make_job(shop, "daily", preset="daily")
    page = text(alice, make_run(daily.runnable, occurrence=NOW))
    assert "Mon 2 Mar 07:00 EST · 12:00 UTC" in page


def test_a_run_whose_zone_is_none_any_more_is_told_in_utc(alice: Client, job: Job) -> None:
    run = failed(job)
    Runnable.objects.update(time_zone="Atlantis/Capital")
    page = text(alice, run)
    assert "Mon 2 Mar 12:00 UTC" in page
    assert "Atlantis" not in page


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


def test_the_log_tells_of_the_row_its_attempts_and_what_was_said_in_order(alice: Client, job: Job) -> None:
    run = failed(job, 1)
    LogLine.objects.create(
        run=run, application=run.application, attempt=1, level="warning", message="The endpoint answered 503.",
        data={"next_attempt_at": (NOW + 11 * SECOND).isoformat()}, created_at=NOW + SECOND,
    )  # fmt: skip
    said = re.findall(r"<li><time>([\d:.]+)</time><span[^>]*>([^<]+)", text(alice, run))
    assert said == [
        ("07:00:00.000", "Queued."),
        ("07:00:00.000", "Attempt 1."),
        ("07:00:01.000", "The endpoint answered 503. Next attempt in 10 s."),
    ]


@pytest.mark.parametrize("state", State)
def test_a_page_updates_itself_until_the_run_is_over(alice: Client, job: Job, state: State) -> None:
    run = make_run(job.runnable, state)
    first = alice.get(at(run))
    for moves in ('hx-trigger="every 1s"', "data-live"):
        assert (moves in first.content.decode()) is (state not in FINAL)
    seen = {"seen": first.context["page"].stamp}
    assert alice.get(at(run), seen, headers={"HX-Target": "story"}).status_code == 204
    Run.objects.update(attempts=1)
    part = alice.get(at(run), seen, headers={"HX-Target": "story"})
    assert part.content.decode().strip().startswith('<div id="story"')


def test_older_and_newer_lead_to_the_runs_of_the_same_job(alice: Client, shop: Application, job: Job) -> None:
    runs = [make_run(job.runnable, number=number) for number in (1, 2, 3)]
    make_run(make_job(shop, "other").runnable, number=4)
    near = alice.get(at(runs[1])).context["page"].neighbours
    assert {name: run.pk for name, run in near.items()} == {"older": runs[0].pk, "newer": runs[2].pk}
    assert set(alice.get(at(runs[2])).context["page"].neighbours) == {"older"}


def test_a_replay_and_its_original_name_each_other(alice: Client, job: Job, rung: list[str]) -> None:
    old = failed(job)
    answer = alice.post(at(old, "replay"), follow=True)
    new = Run.objects.get(replay_of=old.pk)
    assert answer.redirect_chain[-1][0] == at(new)
    page = answer.content.decode()
    assert f"Run {new.number} replays run 412." in page
    assert f'Cause: replay of <a id="original" href="{at(old)}">run 412</a>' in page
    assert f'Replayed as <a id="replay-{new.number}" href="{at(new)}">run {new.number}</a>' in text(alice, old)
    Run.objects.filter(pk=old.pk).delete()
    assert "replay of a run that was deleted" in text(alice, new)


def test_a_run_may_be_beside_its_original_and_its_replays(alice: Client, shop: Application, job: Job) -> None:
    runs = [make_run(job.runnable, number=1)]
    for number in (2, 3, 4):
        runs.append(make_run(job.runnable, number=number, replay_of=runs[min(1, number - 2)].pk))
    theirs = make_job(make_application("Charlie's")).runnable
    make_run(theirs, replay_of=runs[1].pk)
    page = alice.get(at(runs[1])).context["page"]
    assert (page.original, page.replays) == (runs[0], runs[2:])
    assert page.neighbours == {"older": runs[0], "newer": runs[2]}
    Run.objects.filter(pk=runs[1].pk).update(replay_of=make_run(theirs).pk)
    assert alice.get(at(runs[1])).context["page"].original is None


def test_a_running_run_is_aborted_and_one_that_is_over_says_so(alice: Client, job: Job) -> None:
    run = make_run(job.runnable, State.RUNNING, number=3)
    page = alice.post(at(run, "abort"), follow=True).content.decode()
    assert "Aborted reprice 3." in page
    assert Run.objects.get().state == "aborted"
    assert AuditEntry.objects.latest("id").action == "run.abort"
    Run.objects.update(state="succeeded")
    assert "there is nothing to abort" in alice.post(at(run, "abort"), follow=True).content.decode()
    Run.objects.update(state="running")
    assert "it can be replayed when it is over" in alice.post(at(run, "replay"), follow=True).content.decode()


@pytest.mark.parametrize(
    ("back", "ours"),
    [("/a/x/jobs/reprice/", True), ("https://evil.example.com/", False), ("//evil.example.com", False), ("", False)],
)
def test_a_form_of_another_page_leads_back_there_and_to_no_other_site(
    alice: Client, job: Job, back: str, ours: bool
) -> None:
    run = make_run(job.runnable, State.RUNNING)
    answer = alice.post(at(run, "abort"), {"back": back})
    assert answer["Location"] == (back if ours else at(run))


def test_who_may_only_look_sees_no_buttons_and_may_not_press_them(shop: Application, job: Job) -> None:
    bob = browser_in(shop, Role.VIEWER)
    for state in (State.RUNNING, State.FAILED):
        run = make_run(job.runnable, state)
        assert not re.findall(r'<form method="post"[^>]*/(abort|replay)/', text(bob, run))
        for verb in ("abort", "replay"):
            assert bob.post(at(run, verb)).status_code == 403
    assert set(Run.objects.values_list("state", flat=True)) == {"running", "failed"}


def test_somebody_elses_run_is_not_there(alice: Client, shop: Application) -> None:
    theirs = make_run(make_job(make_application("Charlie's")).runnable)
    for name in ("run", "body"):
        assert alice.get(reverse(f"runs:{name}", args=[shop.slug, theirs.pk])).status_code == 404
    assert alice.get(reverse("runs:run", args=[shop.slug, UUID(int=1)])).status_code == 404


def test_a_page_costs_as_many_queries_however_long_its_story(alice: Client, job: Job) -> None:
    def cost(run: Run) -> int:
        with CaptureQueriesContext(connection) as queries:
            text(alice, run)
        assert len(queries) <= 13, [query["sql"][:120] for query in queries]
        return sum("runs_" in query["sql"] or "jobs_" in query["sql"] for query in queries)

    short, other = failed(job, 1), make_job(job.application, "other")
    first = make_run(other.runnable, number=1)
    long = failed(other, 30, replay_of=first.pk)
    for number in range(2, 30):
        make_run(other.runnable, number=number, replay_of=long.pk)
    for _ in range(50):
        LogLine.objects.create(run=long, application=long.application, level="info", message="x", created_at=NOW)
    text(alice, short)  # what all pages show is kept for a while
    assert cost(short) == cost(long) == 7


def test_a_run_of_a_kind_that_has_nothing_to_show_but_itself_has_a_page_too(alice: Client, job: Job) -> None:
    run = make_run(job.runnable, State.FAILED, kind="code", attempts=1, error="No.", output=[1])
    make_attempt(run, ok=False, error="No.", error_class="bug", result={"any": "thing"})
    page = text(alice, run)
    assert "No." in page
    assert 'id="exchange"' not in page
    assert alice.get(at(run, "body")).content == b""


def test_times_are_told_to_the_millisecond() -> None:
    moment = datetime(2026, 3, 2, 12, 0, 5, 38_999, tzinfo=zones.zone("UTC"))
    assert story.clock(moment, zones.zone("America/New_York")) == "07:00:05.038"


@pytest.mark.parametrize(
    ("state", "said"), [(State.ABORTED, "No attempt was made."), (State.RUNNING, "No attempt has ended yet.")]
)
def test_of_a_run_without_attempts_it_says_whether_one_may_come(
    alice: Client, job: Job, state: State, said: str
) -> None:
    assert said in text(alice, make_run(job.runnable, state, number=1))
