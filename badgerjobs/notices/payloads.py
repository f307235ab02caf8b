"""What a notice says, for machines: the JSON that a URL is sent, and that runs of this kind have as their input."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse

from badgerjobs.notices.quiet import Telling
from badgerjobs.runs.models import Incident, Trouble
from badgerjobs.workspaces.models import Application

OPENED = {
    Trouble.FAILED: "job.failed",
    Trouble.WARNED: "job.warned",
    Trouble.PAUSED: "job.paused",
    Trouble.LATE: "work.late",
}
# What is late of one job alone is planned no more.
JOB_UNPLANNED = "job.unplanned"
JOB_RECOVERED, WORK_RECOVERED, TEST = "job.recovered", "work.recovered", "notice.test"
TYPES = (*OPENED.values(), JOB_UNPLANNED, JOB_RECOVERED, WORK_RECOVERED, TEST)


def of_opening(incident: Incident, telling: Telling, *, base_url: str) -> dict[str, Any]:
    """The notice of an incident that opened, and perhaps was over before anybody was told.

    Its owners are loaded, and the runnable is entitled.
    """
    is_unplanned = incident.trouble == Trouble.LATE and incident.runnable_id is not None
    return {
        "type": JOB_UNPLANNED if is_unplanned else OPENED[Trouble(incident.trouble)],
        "timestamp": _iso(incident.opened_at),
        "data": {
            **_about([incident], base_url),
            "sentence": incident.sentence,
            "more": telling.more,
            "more_since": _iso(telling.more_since),
        },
    }


def of_closing(incidents: Sequence[Incident], *, base_url: str) -> dict[str, Any]:
    """The notice of the end of incidents of one job, or of one application, that closed together."""
    first = incidents[0]
    is_job = first.runnable_id is not None
    return {
        "type": JOB_RECOVERED if is_job else WORK_RECOVERED,
        "timestamp": _iso(first.closed_at),
        "data": {
            **_about(incidents, base_url),
            "sentence": "It is well again." if is_job else _nothing_is_late(incidents),
            "more": 0,
            "more_since": None,
        },
    }


def _nothing_is_late(incidents: Sequence[Incident]) -> str:
    """With what came of it, which may not have been known when it was told that work is late."""
    came = (one.sentence for one in incidents if one.overdue)
    return " ".join(["Nothing is late any more.", *came])


def of_test(application: Application, *, base_url: str, now: datetime) -> dict[str, Any]:
    """A notice that says that it is none."""
    return {
        "type": TEST,
        "timestamp": _iso(now),
        "data": {
            "incident": None,
            "application": {"id": application.slug, "name": application.name},
            "job": None,
            "name": None,
            "kind": None,
            "run": None,
            "troubles": [],
            "opened_at": None,
            "closed_at": None,
            "link": _link(base_url, "notices:incidents", application.slug),
            "sentence": "This is a test: nothing is wrong.",
            "more": 0,
            "more_since": None,
        },
    }


def _about(incidents: Sequence[Incident], base_url: str) -> dict[str, Any]:
    first = min(incidents, key=lambda one: one.opened_at)
    application = first.application
    return {
        "incident": str(first.pk),
        "application": {"id": application.slug, "name": application.name},
        "job": first.runnable.name if first.runnable else None,
        "name": (first.runnable.title or first.runnable.name) if first.runnable else None,
        "kind": first.runnable.kind if first.runnable else None,
        "run": str(first.run) if first.run else None,
        "troubles": sorted(one.trouble for one in incidents),
        "opened_at": _iso(first.opened_at),
        "closed_at": _iso(first.closed_at),
        "link": _link(base_url, "runs:run", application.slug, first.run)
        if first.run
        else _link(base_url, "notices:incidents", application.slug),
    }


def _link(base_url: str, view: str, *args: Any) -> str | None:
    return f"{base_url}{reverse(view, args=args)}" if base_url else None


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
