"""How new runs are inserted: many in one statement each, and their runnables count them. Called from `lifecycle.py`."""

# What is due becomes queued, and its runnable is advanced. An occurrence becomes a run once, however often it is given.
PLANNED = """
WITH planned AS (
    SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::timestamptz[], %s::timestamptz[])
        AS p(runnable_id, run_id, occurrence, next_run_at)
), advanced AS (
    UPDATE runs_runnable r SET next_run_at = p.next_run_at, last_run_at = %s, runs_made = r.runs_made + 1
    FROM planned p WHERE r.id = p.runnable_id
    RETURNING r.id, r.application_id, r.kind, r.queue, r.priority, r.runs_made, p.run_id, p.occurrence
)
INSERT INTO runs_run (id, application_id, runnable_id, kind, queue, priority, cause, occurrence, number, state, due_at,
                      attempts, rescues, error, created_at)
SELECT run_id, application_id, id, kind, queue, priority, 'schedule', occurrence, runs_made, 'queued', occurrence,
       0, 0, '', %s
FROM advanced
ON CONFLICT (runnable_id, occurrence) DO NOTHING
RETURNING queue
"""

# Each runnable once, beside its schedule.
ALL_NOW = """
WITH given AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(run_ids)s::uuid[]) AS g(runnable_id, run_id)
), counted AS (
    UPDATE runs_runnable r SET runs_made = r.runs_made + 1, last_run_at = %(now)s
    FROM given WHERE r.id = given.runnable_id
    RETURNING r.id, r.application_id, r.kind, r.queue, r.priority, r.runs_made, given.run_id
)
INSERT INTO runs_run (id, application_id, runnable_id, kind, queue, priority, cause, number, state, due_at, attempts,
                      rescues, error, created_at)
SELECT run_id, application_id, id, kind, queue, priority, %(cause)s, runs_made, 'queued', %(now)s, 0, 0, '', %(now)s
FROM counted RETURNING queue
"""

# Runs that are over, once more. The runnables are locked in one order, so that two who replay at once never wait for
# each other in a ring; dispatch passes over them for as long.
REPLAYED = """
WITH asked AS (
    SELECT * FROM unnest(%(old)s::uuid[], %(new)s::uuid[]) AS a(old_id, new_id)
), held AS MATERIALIZED (
    SELECT id FROM runs_runnable
    WHERE id IN (SELECT runnable_id FROM runs_run WHERE id = ANY(%(old)s)) ORDER BY id FOR NO KEY UPDATE
), old AS (
    SELECT r.id, r.runnable_id, r.input, a.new_id, row_number() OVER (PARTITION BY r.runnable_id ORDER BY r.id) AS place
    FROM asked a JOIN runs_run r ON r.id = a.old_id JOIN held ON held.id = r.runnable_id
    WHERE r.state = ANY(%(over)s)
), counted AS (
    UPDATE runs_runnable o SET runs_made = o.runs_made + c.n, last_run_at = %(now)s
    FROM (SELECT runnable_id, count(*) AS n FROM old GROUP BY runnable_id) c WHERE o.id = c.runnable_id
    RETURNING o.id, o.application_id, o.kind, o.queue, o.priority, o.runs_made - c.n AS made
)
INSERT INTO runs_run (id, application_id, runnable_id, kind, queue, priority, cause, number, replay_of, state, due_at,
                      attempts, rescues, input, error, created_at)
SELECT old.new_id, c.application_id, c.id, c.kind, c.queue, c.priority, 'replay', c.made + old.place, old.id, 'queued',
       %(now)s, 0, 0, old.input, '', %(now)s
FROM old JOIN counted c ON c.id = old.runnable_id
RETURNING id, queue
"""
