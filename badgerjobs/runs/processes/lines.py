"""What code says in the log of its run, written at once."""

import json
from typing import Any
from uuid import UUID

from django.db import connection

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.processes.pipe import Work

# Nothing is said by one whose run another worker has meanwhile. What is said after an abort belongs to it. A line that
# is written again, since the answer to it was lost, stands once.
SAY = """
INSERT INTO runs_logline (id, run_id, application_id, rescues, attempt, iteration, level, message, data, created_at)
SELECT %s, id, application_id, rescues, %s, %s, %s, %s, %s, clock_timestamp()
FROM runs_run WHERE id = %s AND (worker = %s OR state = 'aborted')
ON CONFLICT (id) DO NOTHING
"""


def line_of(  # noqa: PLR0913  a line has so many parts
    work: Work,
    id: UUID,  # noqa: A002  it is called so
    level: str,
    message: str,
    written: str | None,
    *,
    worker: UUID | None,
) -> list[Any]:
    """The values for SAY; `written` is JSON."""
    return [id, work.attempt, work.iteration, level, message, written, work.run_id, worker]


def write(work: Work, level: str, message: str, data: Any) -> None:
    """Write one line now."""
    written = None if data is None else json.dumps(data)
    with connection.cursor() as cursor:
        cursor.execute(SAY, line_of(work, uuid7(), level, message, written, worker=work.worker))
