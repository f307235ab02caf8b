"""Old runs go, while new ones come faster than they ever will."""

import threading
import time
from typing import Any

import pytest

from badgerjobs.runs import retention
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

OLD, YOUNG = 40_000, 1_000
RATE, SET = 2_000, 100  # runs in a second, and in one statement


def rows(count: int, *, days: float) -> bytes:
    """A statement that inserts runs which ended so many days ago, each with an attempt and a line of log."""
    run = f"uuidv7(interval '-{days} days')"
    at = f"now() - interval '{days} days'"
    return f"""
        WITH made AS (
            INSERT INTO runs_run (id, application_id, runnable_id, kind, queue, priority, cause, number, state, due_at,
                                  attempts, rescues, error, created_at, finished_at)
            SELECT {run}, a.id, NULL, 'http', 'io', 50, 'code', i, 'succeeded', {at}, 1, 0, '', {at}, {at}
            FROM generate_series(1, {count}) AS i, (SELECT id FROM workspaces_application LIMIT 1) AS a
            RETURNING id, application_id
        ), tried AS (
            INSERT INTO runs_attempt (id, run_id, application_id, number, run_number, started_at, duration_ms, ok,
                                      error_class, error, created_at)
            SELECT {run}, id, application_id, 1, 1, {at}, 1, true, '', '', {at} FROM made
        )
        INSERT INTO runs_logline (id, run_id, application_id, attempt, level, message, created_at)
        SELECT {run}, id, application_id, 1, 'info', 'said', {at} FROM made
        """.encode()


def insert_until(stack: Stack, ended: threading.Event, inserted: list[int]) -> None:
    """Insert finished runs, as many a second as the engine is promised to finish, until told to end."""
    connection = stack.connect()
    began = time.monotonic()
    while not ended.wait(max(0.0, began + sum(inserted) / RATE - time.monotonic())):
        connection.execute(rows(SET, days=0))
        inserted.append(SET)
    connection.close()


def test_pruning_deletes_at_least_twice_as_fast_as_runs_are_made(stack: Stack, settings: Any) -> None:
    # A tick ends after a while and the next one comes later: what counts is what goes in both together.
    share = retention.HELPING_S / settings.CELERY_BEAT_SCHEDULE["prune"]["schedule"]
    stack.start("beat-1", "worker-1")
    stack.sql(rows(OLD, days=31))
    stack.sql(rows(YOUNG, days=29))
    inserted: list[int] = []
    ended = threading.Event()
    inserter = threading.Thread(target=insert_until, args=(stack, ended, inserted))
    inserter.start()
    try:
        prune_now(stack)
        stack.until(lambda: old(stack) < OLD, "the first batch is gone")
        left, before = old(stack), sum(inserted)
        stack.until(lambda: old(stack) == 0, "all old runs are gone")
        meanwhile = sum(inserted) - before
    finally:
        ended.set()
        inserter.join(10)

    assert inserted
    # On a quick machine nothing may come meanwhile: new ones come in sets, one each twentieth of a second.
    assert share * left >= 2 * meanwhile, (share, left, meanwhile)
    for table in ("runs_run", "runs_attempt", "runs_logline"):
        assert stack.sql(f"SELECT count(*) FROM {table}".encode()) == [(YOUNG + sum(inserted),)], table


def old(stack: Stack) -> int:
    """How many runs are there that should be pruned."""
    [(count,)] = stack.sql("SELECT count(*) FROM runs_run WHERE finished_at < now() - interval '30 days'")
    return int(count)


def prune_now(stack: Stack) -> None:
    """Let beat believe that it last sent this tick an hour ago."""
    name = "SELECT 1 FROM django_celery_beat_periodictask WHERE name = 'prune'"
    stack.until(lambda: stack.sql(name), "the system's ticks are written")
    stack.sql("UPDATE django_celery_beat_periodictask SET last_run_at = now() - interval '1 h' WHERE name = 'prune'")
    stack.sql("UPDATE django_celery_beat_periodictasks SET last_update = now()")
