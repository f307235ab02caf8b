"""The list of runs as a page, as its tests need it: its addresses, what it shows, a run in each state."""

from datetime import timedelta

from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from badgerjobs.runs.filters import RunFilters
from badgerjobs.runs.models import Cause, Runnable, State
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_job, make_run


def address(shop: Application, query: str = "") -> str:
    return f"{reverse('runs:list', args=[shop.slug])}{query}"


def history(shop: Application) -> Runnable:
    """Runs 1 to 8 of `nightly`, one in each state; the even ones by hand."""
    runnable = make_job(shop, "nightly").runnable
    for number, state in enumerate(State, start=1):
        cause = Cause.MANUAL if number % 2 == 0 else Cause.SCHEDULE
        make_run(runnable, state, number=number, cause=cause, occurrence=NOW + timedelta(minutes=number))
    return runnable


def shown(client: Client, shop: Application, query: str = "") -> list[int]:
    """The numbers of the runs on the page, from the top."""
    return [run.number for run in client.get(address(shop, query)).context["page"].runs]


def many(shop: Application, verb: str, query: str) -> str:
    return f"{reverse(f'runs:{verb}-many', args=[shop.slug])}?{query}"


def no_filters() -> RunFilters:
    return RunFilters(QueryDict())
