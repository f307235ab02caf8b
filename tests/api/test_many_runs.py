"""Many runs at once by REST: which are meant, how many they are before anything is done, and nobody else's."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs import choosing, services
from badgerjobs.runs.models import FINAL, Cause, Run, Runnable, State
from badgerjobs.workspaces.models import Application, AuditEntry, Scope
from tests.callers import PROBLEM, Answer, Caller, caller_for
from tests.factories import make_job, make_run, make_runnable

WIDE = {"since": "2000-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z"}


@pytest.fixture
def history(alice: Caller, charlie: Caller) -> dict[str, Run]:
    """Alice's runs by their names; Charlie has one in every state, which nobody may touch."""
    a, b = (make_job(alice.application, tag).runnable for tag in "ab")
    theirs = make_job(charlie.application, "a").runnable
    for state in State:
        make_run(theirs, state, error_class="timeout")
    return {
        "done": make_run(a, State.SUCCEEDED, number=1, cause=Cause.SCHEDULE),
        "failed": make_run(a, State.FAILED, number=2, error_class="timeout"),
        "failed b": make_run(b, State.FAILED, number=1, error_class="status", cause=Cause.SCHEDULE),
        "aborted": make_run(a, State.ABORTED, number=3, error_class="timeout"),
        "skipped": make_run(a, State.SKIPPED, skip_reason="missed", skipped_count=3),
        "scheduled": make_run(a, State.SCHEDULED, number=4),
        "queued": make_run(a, State.QUEUED, number=5),
        "held": make_run(a, State.QUEUED, number=6, held=True),
        "running": make_run(b, State.RUNNING, number=2),
        "retrying": make_run(b, State.RETRYING, number=3, error_class="timeout"),
    }


def names(history: dict[str, Run], ids: Any) -> set[str]:
    return {name for name, run in history.items() if run.pk in set(ids)}


def replayed(history: dict[str, Run]) -> set[str]:
    return names(history, Run.objects.filter(cause=Cause.REPLAY).values_list("replay_of", flat=True))


def aborted(history: dict[str, Run]) -> set[str]:
    return names(history, Run.objects.filter(error="Aborted on request.").values_list("pk", flat=True))


def in_order(value: Any) -> str:
    """The same name in every process: sets come in any order."""
    return str(sorted(value) if isinstance(value, set) else value)


FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({"state": "failed"}, {"failed", "failed b"}),
    ({"state": ["failed", "aborted"]}, {"failed", "failed b", "aborted"}),
    ({"state": "succeeded,failed"}, {"done", "failed", "failed b"}),
    ({"name": "a"}, {"failed"}),
    ({"name": "b", "state": "failed,aborted"}, {"failed b"}),
    ({"name": "c"}, set()),
    ({"kind": "http"}, {"failed", "failed b"}),
    ({"kind": ["http", "notice"]}, {"failed", "failed b"}),
    ({"kind": "notice"}, set()),
    ({"cause": "schedule"}, {"failed b"}),
    ({"cause": "manual,schedule"}, {"failed", "failed b"}),
    ({"error_class": "timeout"}, {"failed"}),
    ({"error_class": ["timeout", "status"]}, {"failed", "failed b"}),
    ({"error_class": "timeout", "state": "aborted"}, {"aborted"}),
    (WIDE, {"failed", "failed b"}),
    ({"since": "2999-01-01T00:00:00Z"}, set()),
    ({"until": "1950-01-01T00:00:00Z"}, set()),
]


@pytest.mark.parametrize(("body", "meant"), FILTERS, ids=in_order)
def test_the_filters_of_the_list_say_which_are_replayed(
    alice: Caller, history: dict[str, Run], body: dict[str, Any], meant: set[str]
) -> None:
    dry = alice.post("/runs/replay/", {**body, "dry_run": True})
    assert (dry.status, dry.body) == (200, {"count": len(meant)})
    assert replayed(history) == set()

    answer = alice.post("/runs/replay/", body)

    assert (answer.status, answer.body) == (202, {"count": len(meant)})
    assert replayed(history) == meant


WAITS = {"scheduled", "queued", "held", "retrying"}


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        (WIDE, {*WAITS, "running"}),
        ({"state": "queued"}, {"queued", "held"}),
        ({"state": ["scheduled", "queued", "running", "retrying"]}, {*WAITS, "running"}),
        ({"name": "b"}, {"running", "retrying"}),
        ({"name": "b", "state": "running"}, {"running"}),
        ({"error_class": "timeout"}, {"retrying"}),
        ({"cause": "schedule"}, set()),
        ({"since": "2999-01-01T00:00:00Z"}, set()),
    ],
    ids=in_order,
)
def test_the_filters_of_the_list_say_which_are_aborted(
    alice: Caller, history: dict[str, Run], body: dict[str, Any], meant: set[str]
) -> None:
    dry = alice.post("/runs/abort/", {**body, "dry_run": True})
    assert (dry.status, dry.body) == (200, {"count": len(meant), "more": False})
    assert aborted(history) == set()

    answer = alice.post("/runs/abort/", body)

    assert (answer.status, answer.body) == (200, {"count": len(meant), "more": False})
    assert aborted(history) == meant


def test_of_the_ids_given_those_that_are_over_are_replayed_and_the_others_aborted(
    alice: Caller, history: dict[str, Run]
) -> None:
    ids = [str(pk) for pk in Run.objects.values_list("pk", flat=True)]  # Charlie's too
    over = {name for name, run in history.items() if run.state in FINAL and name != "skipped"}
    for verb, meant, done in [("replay", over, replayed), ("abort", {*WAITS, "running"}, aborted)]:
        dry = alice.post(f"/runs/{verb}/", {"ids": ids, "dry_run": True})
        answer = alice.post(f"/runs/{verb}/", {"ids": ids})
        assert dry.body["count"] == answer.body["count"] == len(meant)
        assert done(history) == meant


def test_nobody_touches_what_is_another_tenants(alice: Caller, charlie: Caller, history: dict[str, Run]) -> None:
    theirs = Run.objects.for_application(charlie.application)
    before = list(theirs.order_by("pk").values())
    alice.post("/runs/replay/", {"ids": [str(run.pk) for run in theirs]})
    for verb in ("replay", "abort"):
        alice.post(f"/runs/{verb}/", WIDE)
        alice.post(f"/runs/{verb}/", {"name": "a"})
    assert list(theirs.order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("verb", "body", "field", "said"),
    [
        ("replay", {}, "ids", 'All that failed are {"state": "failed"}.'),
        ("replay", {"per_minute": 5, "dry_run": True}, "ids", "at least one filter"),
        ("abort", {}, "ids", 'All that are not over are {"state": "scheduled,queued,running,retrying"}.'),
        ("abort", {"dry_run": True}, "ids", "at least one filter"),
        ("replay", {"ids": []}, "ids", "Give at least one."),
        ("replay", {"ids": ["x"]}, "ids.0", "Give an id as the API tells it."),
        ("replay", {"ids": ["00000000-0000-0000-0000-000000000000"], "state": "failed"}, "ids", "not both"),
        ("replay", {"state": "running"}, "state", "“running” is none of succeeded, failed, aborted."),
        ("replay", {"state": "skipped"}, "state", "is none of"),
        ("replay", {"state": ""}, "state", "Give words"),
        ("replay", {"state": None}, "state", "null is none"),
        ("replay", {"state": [1]}, "state", "Give words"),
        ("replay", {"state": {"a": 1}}, "state", "Give words"),
        ("replay", {"error_class": "a\0b"}, "error_class", "Give words"),
        ("replay", {"error_class": ["\ud800"]}, "error_class", "Give words"),
        ("abort", {"state": "failed"}, "state", "“failed” is none of scheduled, queued, running, retrying."),
        ("abort", {"cause": "rain"}, "cause", "“rain” is none of"),
        ("abort", {"error_class": "time-out"}, "error_class", "“time-out” is none of status, connect, dns, timeout"),
        ("replay", {"error_class": ["timeout", "rain"]}, "error_class", "“rain” is none of"),
        (
            "abort",
            {"kind": "htpp"},
            "kind",
            "“htpp” is none of http, event, event_once, notice",
        ),
        ("replay", {"kind": ""}, "kind", "Give words"),
        ("abort", {"since": "2026-03-02T00:00:00Z", "until": "2026-03-01T00:00:00Z"}, "since", "give an earlier time"),
        ("abort", {"state": "queued", "per_minute": 5}, "per_minute", "There are only"),
        ("replay", {"state": "failed", "per_minute": 0}, "per_minute", "Give at least 1"),
        ("replay", {"state": "failed", "per_minute": 60_001}, "per_minute", "Give at most 60,000"),
        ("replay", {"since": "2026-03-01T00:00:00"}, "since", "Say where that time is"),
        ("replay", {"stat": "failed"}, "stat", "did you mean state?"),
        ("replay", {"ids": ["x"] * 10_001}, "ids", "Give at most 10,000 of them: these are 10001."),
        ("abort", {"error_class": "a," * 100}, "error_class", "Give at most 100 words."),
        ("abort", {"error_class": ["a"] * 101}, "error_class", "Give at most 100 words."),
        ("abort", {"state": ["queued"] * 60_000}, "state", "Give at most 100 words."),
        ("replay", {"cause": "manual," * 60_000}, "cause", "Give at most 100 words."),
    ],
)
def test_what_could_mean_anything_is_refused_with_the_way_out(  # noqa: PLR0917
    alice: Caller, history: dict[str, Run], verb: str, body: dict[str, Any], field: str, said: str
) -> None:
    before = Run.objects.count()
    answer = alice.post(f"/runs/{verb}/", body)
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert said in answer.errors[field][0]
    assert (Run.objects.count(), aborted(history)) == (before, set())


def test_no_more_begin_in_a_minute_than_asked_for(alice: Caller) -> None:
    runnable = make_runnable(alice.application, overlap="allow")
    for number in (1, 2, 3):
        make_run(runnable, State.FAILED, number=number)
    alice.post("/runs/replay/", {"state": "failed", "per_minute": 20})
    first, *others = Run.objects.filter(cause=Cause.REPLAY).order_by("number")
    assert first.state == "queued"
    assert [(run.state, run.due_at - first.due_at) for run in others] == [
        ("scheduled", timedelta(seconds=3)),
        ("scheduled", timedelta(seconds=6)),
    ]


@pytest.fixture
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request may do no more than two."""
    monkeypatch.setattr(choosing, "MOST_AT_ONCE", 2)


@pytest.mark.usefixtures("two_at_once")
def test_who_aborts_more_than_one_request_may_is_told_and_asks_again(alice: Caller) -> None:
    for number in (1, 2, 3):
        make_run(make_runnable(alice.application), number=number)
    asked = [alice.post("/runs/abort/", {"state": "queued"}).body for _ in range(3)]
    assert asked == [{"count": 2, "more": True}, {"count": 1, "more": False}, {"count": 0, "more": False}]


@pytest.mark.usefixtures("two_at_once")
@pytest.mark.parametrize("dry_run", [True, False])
def test_who_replays_more_than_one_request_may_is_refused_since_the_same_would_come_again(
    alice: Caller, dry_run: bool
) -> None:
    for number in (1, 2, 3):
        make_run(make_runnable(alice.application), State.FAILED, number=number)
    answer = alice.post("/runs/replay/", {"state": "failed", "dry_run": dry_run})
    assert answer.status == 400
    assert "narrow them by since and until" in answer.errors["until"][0]
    assert Run.objects.count() == 3


def test_what_was_done_is_in_the_audit_log_and_what_was_only_counted_is_not(
    alice: Caller, history: dict[str, Run]
) -> None:
    for verb in ("replay", "abort"):
        alice.post(f"/runs/{verb}/", {"name": "b", "dry_run": True})
    log = AuditEntry.objects.filter(action__startswith="run.")
    assert not log.exists()
    for verb in ("replay", "abort"):
        alice.post(f"/runs/{verb}/", {"name": "b"})
    entries = log.order_by("id").values_list("action", "subject", "via")
    assert list(entries) == [("run.replay", "b 1", "api"), ("run.abort", "3 runs", "api")]


def test_the_same_request_twice_replays_once(
    alice: Caller, history: dict[str, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "STEP", 1)
    first, second = (alice.post("/runs/replay/", {"state": "failed"}, Idempotency_Key="k") for _ in range(2))
    assert (first.status, first.body) == (second.status, second.body) == (202, {"count": 2})
    assert replayed(history) == {"failed", "failed b"}
    assert Run.objects.filter(cause=Cause.REPLAY).count() == 2


@pytest.mark.parametrize("verb", ["replay", "abort"])
def test_who_may_only_read_is_refused(alice: Caller, history: dict[str, Run], verb: str) -> None:
    reader = caller_for(alice.application, scopes=[Scope.READ])
    answer: Answer = reader.post(f"/runs/{verb}/", {**WIDE, "dry_run": True})
    assert answer.status == 403


def of_no_job(application: Application, kind: str) -> list[Run]:
    """One that failed and one that waits, of no runnable."""
    runs = [
        make_run(make_runnable(application, name=f"{kind}-{n}"), state)
        for n, state in enumerate((State.FAILED, State.QUEUED))
    ]
    Run.objects.filter(pk__in=[run.pk for run in runs]).update(runnable=None, kind=kind)
    Runnable.objects.all().delete()
    return runs


def test_a_run_of_no_job_is_aborted_and_never_replayed(alice: Caller) -> None:
    of_no_job(alice.application, "http")
    assert alice.post("/runs/replay/", {"kind": "http", "dry_run": True}).body == {"count": 0}
    assert alice.post("/runs/abort/", {"kind": "http"}).body == {"count": 1, "more": False}


def test_what_tells_people_of_troubles_is_not_silenced_with_many(alice: Caller) -> None:
    runs = of_no_job(alice.application, "notice")
    choices: list[dict[str, Any]] = [{"state": "queued"}, {"kind": "notice"}, {"ids": [str(run.pk) for run in runs]}]
    for choice in choices:
        for dry_run in (True, False):
            answer = alice.post("/runs/abort/", {**choice, "dry_run": dry_run})
            assert answer.body == {"count": 0, "more": False}
    assert list(Run.objects.order_by("pk").values_list("state", flat=True)) == ["failed", "queued"]
