"""What goes with which type of task, and with which way to choose keys: the rest is empty in its row."""

from typing import Any

from badgerjobs.runs.models import Overlap
from badgerjobs.runs.schedules import RHYTHM_FIELDS
from badgerjobs.runs.serializers import DEFAULTS
from tasks.models import Selection, TaskType

# What only a schedule has, beside its rhythm.
_OF_SCHEDULES = ("end_at", "max_runs", "spread_s", "catch_up", "catch_up_within_s")
# No webhook is lost: each has its own body. What comes while another is handled waits, or goes beside it.
WEBHOOK_OVERLAPS = (Overlap.QUEUE_ALL, Overlap.ALLOW)


def emptied(kind: str, selection: str) -> dict[str, Any]:
    """The columns that a task of this type, with this selection, has no use for, with what stands there then."""
    columns: dict[str, Any] = {}
    if kind != TaskType.SCHEDULED:
        names = (*(name for name in RHYTHM_FIELDS if name != "time_zone"), *_OF_SCHEDULES)
        columns |= {name: getattr(DEFAULTS, name) for name in names}
    if kind != TaskType.WEBHOOK:
        columns["transform"] = ""
    if selection == Selection.EXACT:
        columns["pattern"] = ""
    else:
        columns["keys"] = []
    return columns


def usual_overlap(kind: str, overlap: str) -> str:
    """The overlap that a task of this type has where nobody chose one that it can have."""
    if kind == TaskType.WEBHOOK and overlap not in WEBHOOK_OVERLAPS:
        return Overlap.QUEUE_ALL
    return overlap
