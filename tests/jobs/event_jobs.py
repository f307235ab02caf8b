"""Jobs that perform an event of each type, and what their pages say."""

import re
from typing import Any

from django.utils import timezone

from badgerjobs.workspaces.models import Application
from jobs.models import Job
from tests.factories import make_connection, make_event, make_job

# Type → a configuration of it, and which connection it needs.
EVENTS: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "ACTION": ({"endpoint": "https://example.com/"}, None),
    "NOTIFICATION": ({"channel": "chat", "url": "https://chat.example.com/", "text": "x"}, None),
    "DATABASE_ACTION": ({"statement": "SELECT 1"}, {}),
    "FUNCTION": ({"code": "return 1"}, None),
    "MESSAGEBROKER": (
        {"to": "stream", "name": "s"},
        {"type": "BROKER", "configuration": {"protocol": "redis", "host": "broker.example.com"}},
    ),
}


def event_job(shop: Application, type_name: str = "FUNCTION", tag: str = "", **fields: Any) -> Job:
    configuration, given = EVENTS[type_name]
    connection = None if given is None else make_connection(shop, f"c-{type_name.lower()}", **given)
    event = make_event(
        shop, f"e-{type_name.lower()}", type=type_name, configuration=configuration, connection=connection
    )
    return make_job(shop, tag or type_name.lower(), timezone.now(), event=event, endpoint="", verb="", **fields)


def text(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode().partition("<main")[2]).split())
