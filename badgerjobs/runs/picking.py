"""Which queued runs a worker gets next: picked and locked here, moved to running in `lifecycle.py`."""

# Round-robin over the applications that have work, then priority, then due time: a loose index scan finds the
# applications, each gives up to its share and to what it may have in one worker's hands, and what others hold is passed
# over.
PICKED = """
WITH RECURSIVE waiting(application_id) AS (
    (SELECT application_id FROM runs_run WHERE state = 'queued' AND queue = %(queue)s ORDER BY application_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.application_id FROM runs_run r
            WHERE r.state = 'queued' AND r.queue = %(queue)s AND r.application_id > waiting.application_id
            ORDER BY r.application_id LIMIT 1)
    FROM waiting WHERE waiting.application_id IS NOT NULL
), share AS (
    SELECT greatest(1, ceil(%(limit)s::numeric / greatest(1, count(application_id))))::int AS n FROM waiting
), picked AS MATERIALIZED (
    SELECT r.id, r.runnable_id
    FROM (SELECT application_id, %(most)s - coalesce(held.n, 0) AS room FROM waiting
          LEFT JOIN unnest(%(holders)s::bigint[], %(holding)s::int[]) AS held(application_id, n) USING (application_id)
          WHERE application_id IS NOT NULL AND coalesce(held.n, 0) < %(most)s ORDER BY random() LIMIT %(limit)s) w,
    LATERAL (SELECT id, runnable_id FROM runs_run
             WHERE state = 'queued' AND queue = %(queue)s AND application_id = w.application_id
             ORDER BY priority, due_at LIMIT least((SELECT n FROM share), w.room) FOR UPDATE SKIP LOCKED) r
    LIMIT %(limit)s
)"""
