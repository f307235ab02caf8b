"""What a run leaves that the engine failed, and not its code: an error in its output, as of all that fail."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import connection

from badgerjobs.runs.following import Ended
from badgerjobs.runs.models import State
from badgerjobs.runs.outcomes import BUG
from badgerjobs.runs.record import UNSTORABLE
from tasks.models import BackgroundRun

# All its workers ended, performing it had a bug, and what it left cannot be stored.
CLASSES = ("lost", BUG.error_class, UNSTORABLE.error_class)

_KEEP = """
UPDATE runs_run SET output = jsonb_build_object('error', jsonb_build_object(
    'message', error, 'code', 'TASK_' || upper(error_class), 'data', NULL))
WHERE id = ANY(%s)
"""


def keep_errors(rows: Iterable[BackgroundRun], ended: Mapping[UUID, Ended]) -> None:
    """Write the errors of those of these that failed so. What their last iteration left is no outcome any more."""
    failed = [row.pk for row in rows if ended[row.pk].state == State.FAILED and row.run.error_class in CLASSES]
    if failed:
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, [failed])
