"""How reads went, counted in the process and written down now and then: no read waits for it."""

import atexit
import logging
import threading
from collections import Counter
from datetime import UTC, datetime

from django.db import DatabaseError, InterfaceError, connection

from tasks.cache.freshness import Verdict

logger = logging.getLogger(__name__)

# Seconds. So much is not counted of a process that is killed.
WRITTEN_EVERY_S = 5.0

MISS = "miss"

# Of applications that are gone nothing is kept.
_ADD = """
INSERT INTO tasks_cachereads AS r (application_id, hour, hits, stale, misses)
SELECT g.* FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS g(application_id, hour, hits, stale, misses)
JOIN workspaces_application a ON a.id = g.application_id ORDER BY 1, 2
ON CONFLICT (application_id, hour) DO UPDATE
SET hits = r.hits + excluded.hits, stale = r.stale + excluded.stale, misses = r.misses + excluded.misses
"""

# (application, hour in seconds, how it went) → how often, since it was last written down.
_counted: Counter[tuple[int, int, str]] = Counter()
_lock = threading.Lock()


def count(application_id: int, now: float, how: str, times: int = 1) -> None:
    """Count reads at this Unix time: a hit, a stale value, or a miss, which is all else."""
    key = application_id, int(now) // 3600, how
    with _lock:
        _counted[key] += times


def write_down() -> None:
    """Add what was counted to the rows, in one statement. While the database is away, it is kept for the next time."""
    with _lock:
        taken = dict(_counted)
        _counted.clear()
    if not taken:
        return
    places = sorted({(application_id, hour) for application_id, hour, _ in taken})
    moments = [datetime.fromtimestamp(hour * 3600, UTC) for _, hour in places]
    columns = [[taken.get((*one, how), 0) for one in places] for how in (Verdict.HIT, Verdict.STALE, MISS)]
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [[application_id for application_id, _ in places], moments, *columns])
    except (DatabaseError, InterfaceError) as error:
        with _lock:
            _counted.update(taken)
        logger.warning("reads are not written down now: %s", error)


def keep_writing() -> None:
    """Write down now and then, from now on and once at the end of the process. Called once in each."""
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(WRITTEN_EVERY_S):
            _write_and_hang_up()

    writer = threading.Thread(target=write, name="cache-reads", daemon=True)
    writer.start()

    def end() -> None:
        ended.set()
        writer.join(WRITTEN_EVERY_S)
        _write_and_hang_up()

    atexit.register(end)


def _write_and_hang_up() -> None:
    try:
        write_down()
    finally:
        connection.close()
