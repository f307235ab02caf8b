"""Finished runs from before: what a table looks like that has been in use for four weeks."""

from django.db import connection

AT_ONCE = 1_000_000
# Younger than RETENTION_DAYS: nothing is pruned while it is measured.
OLDEST_S = 28 * 24 * 3600

# In the order of runnables within a step, which keeps the indexes' pages in memory; ids are in the order of time.
_RUNS = """
INSERT INTO runs_run (id, application_id, runnable_id, kind, queue, priority, cause, occurrence, number, state, due_at,
                      attempts, rescues, error, created_at, started_at, finished_at)
SELECT uuidv7(at - now()), application_id, id, kind, queue, priority, 'schedule', at, number, 'succeeded', at,
       1, 0, '', at, at, at
FROM (
    SELECT r.*, number,
           now() - interval '1 second' * (%(oldest)s * (1 - (number - 1 + r.id / %(last)s) / %(each)s)) AS at
    FROM runs_runnable r, generate_series(%(first)s, %(until)s) number
    WHERE r.name LIKE %(names)s || '-%%' ORDER BY r.id, number
) planned
"""

_ATTEMPTS = """
INSERT INTO runs_attempt (id, run_id, application_id, runnable_id, number, run_number, started_at, duration_ms, ok,
                          error_class, error, result, created_at)
SELECT uuidv7(finished_at - now()), id, application_id, runnable_id, 1, number, started_at, 4, true, '', '',
       jsonb_build_object('status', 200, 'headers', jsonb_build_object('content-type', 'text/plain',
           'content-length', '100'), 'body', repeat('a', 100), 'body_is_base64', false, 'body_truncated', false),
       finished_at
FROM runs_run WHERE state = 'succeeded' AND number BETWEEN %(first)s AND %(until)s
"""


def fill(*, names: str, jobs: int, runs: int) -> None:
    """Give each of the jobs called `names`-… its part of so many succeeded runs, each with its attempt."""
    each = -(-runs // jobs)
    step = max(1, AT_ONCE // jobs)
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id)::float FROM runs_runnable")
        (last,) = cursor.fetchone()
        for first in range(1, each + 1, step):
            values = {
                "names": names,
                "oldest": OLDEST_S,
                "last": last,
                "each": each,
                "first": first,
                "until": min(each, first + step - 1),
            }
            cursor.execute("SET statement_timeout = 0")
            cursor.execute(_RUNS, values)
            cursor.execute(_ATTEMPTS, values)
        cursor.execute("UPDATE runs_runnable SET runs_made = %s WHERE name LIKE %s || '-%%'", [each, names])
