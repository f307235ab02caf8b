"""What has a runnable sets its columns by one flat dict of fields: the schedule, policies, the pause, retries."""

from collections.abc import Iterable, Mapping
from typing import Any

from badgerjobs.runs.models import Runnable
from badgerjobs.runs.retry_serializer import shown
from badgerjobs.runs.schedules import PAUSE_FIELDS, POLICY_FIELDS, SCHEDULE_FIELDS
from badgerjobs.runs.serializers import DEFAULTS, contradiction
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.retry_policy import RETRY_COLUMNS

_COLUMNS = (*SCHEDULE_FIELDS, *POLICY_FIELDS, *PAUSE_FIELDS)
# What a PUT that leaves them out sets: as the row of a new one has it, which is what the serializers judge by.
BLANK: Mapping[str, Any] = {name: getattr(DEFAULTS, name) for name in _COLUMNS}


def apply(runnable: Runnable, fields: Mapping[str, Any], name: str) -> Runnable:
    """Set its name and those of its columns that are among the fields. The caller saves it."""
    runnable.name = name
    set_fields(runnable, fields, (*_COLUMNS, *RETRY_COLUMNS))
    return runnable


def judge_policies(runnable: Runnable, before: Runnable, what: str) -> None:
    """Refuse those that contradict what somebody else has set since they were looked at. Raises Conflict."""
    if any(getattr(runnable, name) != getattr(before, name) for name in POLICY_FIELDS):
        found = contradiction(runnable.overlap, runnable.catch_up, runnable.catch_up_within_s)
        if found:
            raise Conflict(f"Somebody changed this {what} at the same time, and the two contradict: {found[1]}")


def facts_of(runnable: Runnable) -> dict[str, Any]:
    """What a person would say of when and how it runs, for the audit log."""
    return {**{name: getattr(runnable, name) for name in _COLUMNS}, **shown(runnable)}


def set_fields(row: Any, fields: Mapping[str, Any], names: Iterable[str]) -> None:
    """Set those of these names that are among the fields."""
    for name in names:
        if name in fields:
            setattr(row, name, fields[name])
