"""Making and changing a slurper in a form, and trying it out as it stands there."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from badgerjobs.runs.fleet import database_now
from badgerjobs.sources.models import DataSource
from badgerjobs.web.definitions.named_form import fill_in, typed
from badgerjobs.web.definitions.saving import Saving
from badgerjobs.web.pages import PageRequest, application_page, only_posted, show
from badgerjobs.workspaces.models import Application, Role
from slurps.models import Slurper
from slurps.page_trials import tried, variables_of
from slurps.pasted import PASTED, ROWS
from slurps.run_form import VALUE
from slurps.slurper_forms import SlurperForm, add_or_remove
from slurps.slurper_serializers import SIGNATURES
from slurps.slurper_services import create_slurper, update_slurper
from slurps.slurper_views import address_of, found_slurper

PAGE = "collections/slurper_edit.html"
SAVING = Saving("a slurper", "slurper", create_slurper, update_slurper, database_now)


@application_page(Role.EDITOR)
def new(request: PageRequest, application: Application) -> HttpResponse:
    """A new slurper; with `?source=TAG`, one that pulls from this source."""
    if request.method == "POST":
        return _sent(request, application, None)
    tag = request.GET.get("source")
    form = SlurperForm(application=application, initial={"sources": [tag]} if tag else None)
    form.focus("name")
    return _page(request, form)


@application_page(Role.EDITOR)
def edit(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Change a slurper."""
    slurper = found_slurper(application, tag)
    if request.method == "POST":
        return _sent(request, application, slurper)
    return _page(request, SlurperForm(application=application, slurper=slurper))


@application_page(Role.EDITOR)
@only_posted
def try_form(request: PageRequest, application: Application) -> HttpResponse:
    """Run what the form says over rows that are pasted, or the first that its sources have now.

    With `?slurper=TAG`, of one that is there. Nothing is saved or stored. What it asks for to do so may be asked alone.
    """
    tag = request.GET.get("slurper")
    slurper = found_slurper(application, tag) if tag else None
    form = SlurperForm(request.POST, application=application, slurper=slurper)
    form.is_valid()
    begun = SlurperForm(application=application, slurper=slurper, initial=typed(form.fields, request.POST))
    came = {} if request.headers.get("HX-Target") == "given" else tried(request, form)
    return _page(request, begun, is_changed=True, **came)


def _sent(request: PageRequest, application: Application, slurper: Slurper | None) -> HttpResponse:
    """Save it, unless a button asked for something else that the form does."""
    do, data = request.POST.get("do", ""), request.POST.copy()
    if add_or_remove(data, do):
        begun = SlurperForm(application=application, slurper=slurper, initial=typed(SlurperForm.base_fields, data))
        return _page(request, begun, is_changed=True, is_adding=do == "add-source")
    is_filled = fill_in(data, do)
    form = SlurperForm(data, application=application, slurper=slurper)
    is_good = not is_filled and form.is_valid() and not SAVING.is_stale(form, slurper)
    if is_good and (saved := SAVING.saved(request, form, slurper, form.given)):
        messages.success(request, f"{saved.name} is saved. It holds from the next run on.")
        return redirect(address_of(application, saved))
    if wrong := form.wrong():
        form.focus(wrong[0][0])
    return _page(request, form, is_changed=True)


def _page(request: PageRequest, form: SlurperForm, **more: Any) -> HttpResponse:
    """The form, with what belongs beside it."""
    application, slurper = form.application, form.slurper
    slurpers = reverse("collections:slurpers", args=[application.slug])
    at_try = reverse("collections:try-slurper", args=[application.slug])
    chosen = [tag for _, tag in form.source_rows() if tag]
    found = {one.tag: one for one in DataSource.objects.for_application(application).filter(tag__in=chosen)}
    sources = [found[tag] for tag in dict.fromkeys(chosen) if tag in found]
    context = {
        "form": form,
        "row": slurper,
        "what": "slurper",
        "list": slurpers,
        "seen": SAVING.seen_in(request, form, slurper),
        "address": reverse("collections:edit-slurper", args=[application.slug, slurper.tag])
        if slurper
        else reverse("collections:new-slurper", args=[application.slug]),
        "back": address_of(application, slurper) if slurper else slurpers,
        "tried_at": f"{at_try}?{urlencode({'slurper': slurper.tag})}" if slurper else at_try,
        "signatures": SIGNATURES,
        "example": chosen[0] if chosen else "products",
        "declared": [(name, VALUE + name, request.POST.get(VALUE + name, "")) for name in variables_of(sources)],
        "pasted": [(source, request.POST.get(f"{ROWS}{source.tag}", "")) for source in sources],
        "is_pasted": request.POST.get("over") == PASTED,
        **more,
    }
    return show(request, PAGE, context)
