"""Who looks at an overview, and how: the object behind the page, what it costs, and the page in somebody's browser."""

from datetime import UTC, datetime

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badgerjobs.panel.overview import Overview
from badgerjobs.panel.ranges import RANGES
from badgerjobs.workspaces.models import Application, Member
from tests.panel.overview.past import NOW


def overview(shop: Application, of: str = "24h", now: datetime = NOW) -> Overview:
    return Overview(shop, RANGES[of], now=now, place=UTC)


def statements(shop: Application, of: str = "24h", now: datetime = NOW) -> int:
    """How many statements counting costs."""
    with CaptureQueriesContext(connection) as queries:
        overview(shop, of, now).total.runs()
    return len(queries)


def address(shop: Application) -> str:
    return reverse("panel:overview", args=[shop.slug])


def browser_of(member: Member) -> Client:
    client = Client(headers={"Accept": "text/html"})
    client.force_login(member.user, settings.AUTHENTICATION_BACKENDS[0])
    return client
