"""What a form showed of a job when it was opened: a save sends what its person changed, and nothing else.

What others changed meanwhile stays. What both changed is asked about, and no change is lost without a word.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.crypto import salted_hmac

from badgerjobs.lib import vault
from badgerjobs.runs.schedules import BOUND_FIELDS, RHYTHM_FIELDS
from badgerjobs.workspaces.retry_policy import RETRY_COLUMNS
from jobs.ductape_serializer import CALL
from jobs.models import Event, Job
from jobs.services import EVENT_FIELDS, JOB_FIELDS

# The fields of the form that are judged as one, and what of a job stands in each. A schedule makes sense as a whole,
# and so do a retry policy and the policies that can contradict each other.
PARTS: Mapping[str, Sequence[str]] = {
    **{name: (name,) for name in (*JOB_FIELDS, "enabled", "priority")},
    "event_tag": ("event",),
    "input": ("input",),
    "when": (*RHYTHM_FIELDS, *BOUND_FIELDS),
    "overlap": ("overlap", "catch_up", "catch_up_within_s"),
    "retry_policy": RETRY_COLUMNS,
}
_OF_JOB = {*JOB_FIELDS, *EVENT_FIELDS}
# What a job does makes sense as a whole as soon as it does something else than before.
DOING = (*CALL, "event_tag", "input")


def seen_of(job: Job) -> str:
    """A mark of each part, as a hidden field carries it: nobody reads the values in it."""
    return json.dumps(_marks(_facts(job)))


def changed(fields: Mapping[str, Any], seen: str, job: Job) -> tuple[dict[str, Any], list[str]]:
    """Of what a form sent, what differs from what it showed; and the parts that others changed to something else.

    Everything differs from what nobody can read. What the form did not send at all is as it is stored.
    """
    facts = _facts(job)
    shown, mine, stored = _read(seen), _marks({**facts, **fields}), _marks(facts)
    moved = [part for part in PARTS if mine[part] != shown.get(part)]
    if mine["event_tag"] != stored["event_tag"] and not set(DOING).isdisjoint(moved):
        moved = [part for part in PARTS if part in moved or part in DOING]
    clashing = [part for part in moved if shown and stored[part] not in {shown.get(part), mine[part]}]
    return {name: fields[name] for part in moved for name in PARTS[part] if name in fields}, clashing


def seen_anew(seen: str, job: Job, parts: Sequence[str]) -> str:
    """The same when its person was told that these parts are others by now."""
    stored = _marks(_facts(job))
    return json.dumps({**_read(seen), **{part: stored[part] for part in parts}})


def _facts(job: Job) -> dict[str, Any]:
    """As the form shows them: credentials as stars."""
    names = [name for part in PARTS.values() for name in part]
    facts = {name: getattr(job if name in _OF_JOB else job.runnable, name) for name in names}
    return {**facts, "headers": vault.mask(job.headers)}


def _marks(facts: Mapping[str, Any]) -> dict[str, str]:
    return {part: _mark([facts.get(name) for name in names]) for part, names in PARTS.items()}


def _mark(values: Sequence[Any]) -> str:
    told = json.dumps(values, sort_keys=True, default=_plain)
    return salted_hmac("jobs.seen", told).hexdigest()[:16]


def _plain(value: datetime | Event) -> str:
    return value.tag if isinstance(value, Event) else value.astimezone(UTC).isoformat()


def _read(seen: str) -> dict[str, str]:
    try:
        told = json.loads(seen)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
