"""The list of slurpers, the page of one, and deleting it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.fleet import database_now
from badgerjobs.sources.models import DataSource
from badgerjobs.web.definitions.list_pages import filtered_page
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, show
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application, Role
from slurps.filters import SlurperFilters
from slurps.models import AsyncJob, Slurper
from slurps.rows import rows_of
from slurps.slurper_forms import MEANS
from slurps.slurper_services import USED, delete_slurper

# So many jobs are listed on its page; their number is told.
JOBS = 50


@application_page(Role.VIEWER)
def list_slurpers(request: PageRequest, application: Application) -> HttpResponse:
    """The slurpers that the address asks for, fifty at a time."""
    filters = SlurperFilters.read(request.GET)
    matching = filters.narrow(Slurper.objects.for_application(application).in_rows().sortable())
    return filtered_page(request, matching, filters, "collections/slurpers.html")


@application_page(Role.VIEWER)
def show_slurper(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """What it pulls from, what it makes of that, and which jobs run it."""
    slurper = found_slurper(application, tag)
    sources = DataSource.objects.for_application(application).filter(slurpersource__slurper=slurper)
    jobs = AsyncJob.objects.for_application(application).in_rows().filter(slurper=slurper).order_by("name", "pk")
    context: dict[str, Any] = {
        "slurper": slurper,
        "means": MEANS[slurper.language],
        "sources": sources.order_by("slurpersource__place").defer("configuration"),
        "jobs": rows_of(application, jobs[:JOBS], timezone.now()),
    }
    return show(request, "collections/slurper.html", context)


@application_page(Role.EDITOR)
def delete(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Delete it after it was asked whether that is meant; not while jobs run it, which are named."""
    slurper = found_slurper(application, tag)
    back = address_of(application, slurper)
    refusal = USED.refusal(slurper)
    if request.method == "POST":
        try:
            delete_slurper(slurper=slurper, by=actor_of(request), now=database_now())
        except Conflict as refused:
            refusal = str(refused.detail)
        else:
            messages.success(request, f"{slurper.name} is deleted.")
            return redirect("collections:slurpers", application.slug)
    if refusal:
        messages.error(request, refusal)
        return redirect(back)
    text = "No async job runs it. Its code goes; its sources stay. There is no way back."
    return ask(
        request, back=back, title=f"Delete {slurper.name}?", text=text, confirm="Delete the slurper", keep="Keep it",
        danger=True,
    )  # fmt: skip


def found_slurper(application: Application, tag: str) -> Slurper:
    """The slurper of the address, or a 404."""
    slurper: Slurper = get_object_or_404(Slurper.objects.for_application(application).whole(), tag=tag)
    slurper.application = application
    return slurper


def address_of(application: Application, slurper: Slurper) -> str:
    """The address of its page."""
    return reverse("collections:slurper", args=[application.slug, slurper.tag])
