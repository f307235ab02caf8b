"""A result that cannot be stored fails alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, connection, transaction

from badgerjobs.runs import execute, lifecycle
from badgerjobs.runs.models import Attempt, LogLine, Run, Runnable, State
from badgerjobs.runs.outcomes import Done, Failed
from badgerjobs.runs.record import finish_all, may_pass
from tests.factories import make_application, make_run, make_runnable
from tests.runs.claims import ME, ended
from tests.runs.staging import Stage, kind, queue, states
from tests.waiting import until


def deep(levels: int) -> Any:
    """A list in a list in a list …"""
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


def endless() -> list[Any]:
    """A list that holds itself."""
    found: list[Any] = []
    found.append(found)
    return found


BAD: dict[str, Callable[[], dict[str, Any]]] = {
    "NUL in the result": lambda: {"result": {"body": "a\0b"}},
    "half a character in the result": lambda: {"result": {"body": "\ud800"}},
    "half a character in a name": lambda: {"result": {"\udfff": 1}},
    "bytes": lambda: {"result": {"body": b"raw"}},
    "a name that is bytes": lambda: {"result": {b"name": 1}},
    "a set": lambda: {"output": {1, 2}},
    "infinity": lambda: {"output": float("inf")},
    "too deep for Python": lambda: {"output": deep(100_000)},
    "too deep for PostgreSQL": lambda: {"output": deep(6_000)},
    "endless": lambda: {"output": endless()},
    "NUL in the error": lambda: {"state": State.FAILED, "error": "a\0b"},
    "half a character in the error": lambda: {"state": State.FAILED, "error": "\ud800"},
    "a long name of an error": lambda: {"state": State.RETRYING, "error_class": "x" * 21},
}


@pytest.mark.django_db
@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_be_stored_fails_alone_and_says_so(
    bad: str, runnable: Runnable, caplog: pytest.LogCaptureFixture
) -> None:
    runs = [make_run(runnable, State.RUNNING, worker=ME) for _ in range(9)]
    batch = [ended(run, result={"status": 200}) for run in runs]
    batch[3] = ended(runs[3], **BAD[bad]())

    finish_all(batch, worker=ME)

    good = [run.pk for run in runs if run is not runs[3]]
    assert set(Run.objects.filter(state=State.SUCCEEDED).values_list("pk", flat=True)) == set(good)
    assert Attempt.objects.filter(ok=True, result={"status": 200}).count() == 8
    runs[3].refresh_from_db()
    attempt = runs[3].tries.get()
    assert (runs[3].state, attempt.error_class, attempt.result) == ("failed", "protocol", None)
    assert runs[3].error == attempt.error == "The answer holds something that cannot be stored."
    assert str(runs[3].pk) in caplog.text


@pytest.mark.django_db
def test_what_may_pass_is_raised_and_the_same_batch_can_be_given_again(
    runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [make_run(runnable, State.RUNNING, worker=ME) for _ in range(3)]
    batch = [ended(run) for run in runs]
    faults = iter([OperationalError("gone")])
    finish = lifecycle.finish

    def fail_once(*args: Any, **kwargs: Any) -> object:
        for fault in faults:
            raise fault
        return finish(*args, **kwargs)

    monkeypatch.setattr(lifecycle, "finish", fail_once)
    with pytest.raises(OperationalError):
        finish_all(batch, worker=ME)
    assert not Attempt.objects.exists()

    finish_all(batch, worker=ME)
    finish_all(batch, worker=ME)

    assert Attempt.objects.filter(ok=True).count() == Attempt.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_an_executor_goes_on_after_what_cannot_be_stored(
    stage: Stage, runnable: Runnable, caplog: pytest.LogCaptureFixture
) -> None:
    async def perform(run: Any, work: int, shared: Any) -> Any:
        return Done({"body": "a\0b" if work == 7 else "ab"})

    stage.kinds["staged"] = kind(perform)
    runs = queue(runnable, 20)
    with stage.executing():
        until(lambda: states(runs[:6] + runs[7:]) == {"succeeded"} and states(runs[6:7]) == {"failed"})


@pytest.mark.django_db(transaction=True)
def test_one_locked_runnable_keeps_only_its_own_results_from_being_written(
    stage: Stage, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> Any:
        return Failed("status", "No.", retry=False)

    monkeypatch.setattr(execute, "LOCKED_S", 0.01)
    monkeypatch.setattr(execute, "STRAYS_S", 0)  # what waits to be written is not taken for lost
    stage.kinds["staged"] = kind(fail)
    other = make_runnable(make_application("Charlie's"))
    with stage.executing():
        with transaction.atomic():
            Runnable.objects.select_for_update().get(pk=runnable.pk)
            with ThreadPoolExecutor(1) as aside:
                locked, free = aside.submit(performed_beside, runnable, other).result(10)
        until(lambda: states(locked) == {"failed"})

    assert not LogLine.objects.filter(message__startswith="Released").exists()
    assert Attempt.objects.count() == len([*locked, *free])
    assert set(Runnable.objects.values_list("failures_in_row", flat=True)) == {3}


def all_failed(runs: list[Run]) -> bool:
    return states(runs) == {"failed"}


def performed_beside(locked: Runnable, free: Runnable) -> tuple[list[Run], list[Run]]:
    """Runs of one that somebody has locked, and of one that is free. Returns when these are recorded, twice."""
    try:
        stuck, others = queue(locked, 3), []
        for _ in range(2):
            until(lambda: states(stuck) == {"running"})
            more = queue(free, 3)
            until(partial(all_failed, more))
            others += more
            Runnable.objects.filter(pk=free.pk).update(failures_in_row=0)
        assert states(stuck) == {"running"}
        Runnable.objects.filter(pk=free.pk).update(failures_in_row=3)
        return stuck, others
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("error", "cause", "passes"),
    [
        (OperationalError(), psycopg.OperationalError(), True),
        (OperationalError(), None, True),
        (InterfaceError(), psycopg.InterfaceError(), True),
        (OperationalError(), psycopg.errors.AdminShutdown(), True),
        (OperationalError(), psycopg.errors.DeadlockDetected(), True),
        (OperationalError(), psycopg.errors.DiskFull(), True),
        (OperationalError(), psycopg.errors.QueryCanceled(), True),
        (OperationalError(), psycopg.errors.LockNotAvailable(), True),
        (OperationalError(), psycopg.errors.StatementTooComplex(), False),
        (OperationalError(), psycopg.errors.ProgramLimitExceeded(), False),
        (DataError(), psycopg.errors.UntranslatableCharacter(), False),
        (DataError(), psycopg.DataError(), False),
        (IntegrityError(), psycopg.errors.UniqueViolation(), False),
        (ValueError(), None, False),
        (TypeError(), None, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_only_trouble_of_the_moment_is_waited_for(error: Exception, cause: psycopg.Error | None, passes: bool) -> None:
    error.__cause__ = cause

    assert may_pass(error) is passes
