"""Rows that tests of notices stand on."""

from datetime import datetime
from typing import Any

from badgerjobs.notices.models import NoticeSettings
from badgerjobs.runs.models import Incident, Run, Runnable, Trouble
from badgerjobs.workspaces.models import Application
from tests.factories import NOW

HOOK = "https://hooks.example.com/T0/secret"


def wanting(application: Application, **fields: Any) -> NoticeSettings:
    """An application whose people want to be told, by mail and at a URL unless told otherwise."""
    given = {"emails": ["alice@example.com"], "url": HOOK, "base_url": "https://jobs.example.org", **fields}
    return NoticeSettings.objects.create(application=application, **given)


def opened(
    application: Application,
    runnable: Runnable | None = None,
    trouble: Trouble = Trouble.FAILED,
    at: datetime = NOW,
    **fields: Any,
) -> Incident:
    """An incident that nobody was told of."""
    given = {"sentence": "The endpoint answered 503.", **fields}
    return Incident.objects.create(application=application, runnable=runnable, trouble=trouble, opened_at=at, **given)


def close(*incidents: Incident, at: datetime = NOW) -> None:
    Incident.objects.filter(pk__in=[one.pk for one in incidents]).update(closed_at=at)


def sent() -> list[tuple[str, list[str]]]:
    """To what each notice goes, and the types of what it tells, in their order."""
    runs = Run.objects.filter(kind="notice").order_by("id")
    return [(run.input["to"], [payload["type"] for payload in run.input["payloads"]]) for run in runs if run.input]


def told() -> list[str]:
    """What mails tell, in their order."""
    return [kind for to, kinds in sent() if to == "mail" for kind in kinds]
