"""What is read of many runnables at once: bounded for each, of one application alone, and by indexes."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from badgerjobs.runs import last_attempts, unfinished
from badgerjobs.runs.last_attempts import TooMuchTextError, last_attempts_of
from badgerjobs.runs.models import Attempt, Run, State
from badgerjobs.runs.unfinished import unfinished_of
from tests.factories import NOW, make_application, make_attempt, make_run, make_runnable
from tests.plans import look_at
from tests.runs.staging import queue

pytestmark = pytest.mark.django_db

ALL: dict[str, Any] = {"offset": 0, "with_texts": True}


def test_the_last_attempts_of_each_come_newest_first_whether_good_or_bad() -> None:
    application = make_application()
    runnables = [make_runnable(application, name=name) for name in "ab"]
    for number in range(1, 7):
        for runnable in runnables:
            make_attempt(
                make_run(runnable, State.SUCCEEDED, number=number), ok=number % 3 > 0, result={"status": number}
            )
    ids = [runnable.pk for runnable in runnables]
    found = last_attempts_of(ids, application=application, limit=3, offset=1, with_texts=False)
    newest = [(5, 5), (4, 4), (3, 3)]
    assert list(found) == ids
    assert [[(row.run_number, row.status) for row in rows] for rows in found.values()] == [newest, newest]
    assert {row.body for rows in found.values() for row in rows} == {None}


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        ({"status": 200, "headers": {"a": "b"}, "body": "é"}, (200, '{"a": "b"}', "é")),
        ({"status": "sent", "body": None}, (None, None, None)),
        ({"rows": 3}, (None, None, None)),
        (None, (None, None, None)),
    ],
    ids=["a call", "another kind", "a third", "nothing"],
)
def test_what_a_kind_keeps_is_read_as_far_as_it_is_there(result: Any, shown: tuple[Any, ...]) -> None:
    runnable = make_runnable(make_application())
    make_attempt(make_run(runnable, State.SUCCEEDED), result=result)
    [row] = last_attempts_of([runnable.pk], application=runnable.application, limit=1, **ALL)[runnable.pk]
    assert (row.status, row.headers, row.body) == shown


def test_of_another_application_there_is_nothing() -> None:
    runnable, other = make_runnable(make_application()), make_application("Charlie's")
    make_attempt(make_run(runnable, State.QUEUED))
    assert last_attempts_of([runnable.pk], application=other, limit=5, **ALL) == {}
    assert last_attempts.last_attempts(application=other, kinds=["http"], limit=5, **ALL) == []
    assert unfinished_of([runnable.pk], application=other, most=5) == {}


def test_too_many_bytes_are_told_and_as_many_as_fit_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_attempts, "MOST_BYTES", 10)
    runnable = make_runnable(make_application())
    for _ in range(3):
        make_attempt(make_run(runnable, State.SUCCEEDED), result={"body": "éé"})  # four bytes each
    with pytest.raises(TooMuchTextError):
        last_attempts_of([runnable.pk], application=runnable.application, limit=3, **ALL)
    assert len(last_attempts_of([runnable.pk], application=runnable.application, limit=2, **ALL)[runnable.pk]) == 2


def test_what_is_not_over_comes_oldest_first_and_bounded() -> None:
    runnable = make_runnable(make_application())
    states = [State.SUCCEEDED, State.RUNNING, State.RETRYING, State.SCHEDULED, State.FAILED]
    for number, state in enumerate(states):
        make_run(runnable, state, number=number)
    for number in range(5, 8):
        make_run(runnable, State.QUEUED, number=number, held=True, created_at=NOW + timedelta(seconds=1))
    found = unfinished_of([runnable.pk], application=runnable.application, most=4)[runnable.pk]
    assert [run.number for run in found] == [1, 2, 3, 5]


def plan_of(statement: str, **values: Any) -> str:
    for model in (Run, Attempt):
        look_at(model)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}", values)
        return "\n".join(line for (line,) in cursor.fetchall())


def _attempt(run: Run, number: int) -> Attempt:
    return Attempt(
        run=run, application=run.application, runnable=run.runnable, number=number, run_number=1, started_at=NOW,
        duration_ms=1, ok=number % 2 == 0, created_at=NOW,
    )  # fmt: skip


def test_neither_walks_a_history() -> None:
    runnable = make_runnable(make_application())
    make_run(runnable, State.RUNNING)
    queue(runnable, 2000, state=State.SUCCEEDED)
    ids = [runnable.pk]
    plan = plan_of(unfinished._IDS, ids=ids, most=10)
    assert "run_active" in plan
    assert "run_held" in plan
    assert "run_waiting" in plan
    assert "run_of_runnable" not in plan
    attempts = [_attempt(run, number) for run in Run.objects.all()[:40] for number in range(50)]
    Attempt.objects.bulk_create(attempts)
    each = last_attempts._EACH
    plan = plan_of(each, ids=ids, application=runnable.application_id, reach=10, limit=10, offset=0)
    assert plan.count("using attempt_of_runnable") == 2
