"""Which sources are slow, by how long the last fetch of each of their keys took."""

from typing import Any

from django.db import connection

# Of an application with too many keys for all of them to be read, each source's newest ones are: at least so many.
LEAST = 100

# A limit that is null is none.
_SLOWEST = """
WITH share AS (
    SELECT CASE WHEN (SELECT count(*) FROM tasks_cachekey WHERE application_id = %(application)s) > %(most_read)s
        THEN greatest(%(least)s, %(most_read)s / greatest(1, count(*))) END AS most
    FROM sources_datasource WHERE application_id = %(application)s
)
SELECT s.id, t.keys, t.took[1], t.took[2], coalesce(t.keys = share.most, false)
FROM sources_datasource s CROSS JOIN share CROSS JOIN LATERAL (
    SELECT count(*) AS keys, percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY one.duration_ms) AS took
    FROM (SELECT v.duration_ms FROM tasks_cachekey k JOIN tasks_cachedvalue v ON v.key_id = k.id
          WHERE k.source_id = s.id AND v.duration_ms IS NOT NULL ORDER BY k.id DESC LIMIT share.most) AS one
) t
WHERE s.application_id = %(application)s AND t.keys > 0 ORDER BY t.took[2] DESC, s.id LIMIT %(shown)s
"""


def slowest_sources(application_id: int, *, most_read: int, shown: int) -> list[list[Any]]:
    """Rows, slowest first: a source's id, how many of its keys were read, p50 and p95 (ms), whether it has more keys.

    Each key counts once, with the fetch that brought its value. Up to `most_read` keys all are read, none is guessed.
    """
    values = {"application": application_id, "most_read": most_read, "least": LEAST, "shown": shown}
    with connection.cursor() as cursor:
        cursor.execute(_SLOWEST, values)
        return [list(row) for row in cursor.fetchall()]
