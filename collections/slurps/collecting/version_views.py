"""What can be done with the versions of a collection: approve or drop what waits, pin, unpin, roll back."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from badgerjobs.lib import words
from badgerjobs.runs.fleet import database_now
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, only_posted
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application, Role
from slurps.collecting import version_services
from slurps.collecting.views import address_of, found_collection
from slurps.models import Collection, Stage, Version

NONE_WAITS = "No result waits any more: it was decided, or a newer one has taken its place."
ANOTHER = "Another result waits by now than the one that you saw: look at it first."


@application_page(Role.EDITOR)
@only_posted
def approve(request: PageRequest, application: Application, name: str) -> HttpResponse:
    """Let readers see the result that waits, if it is the one that was looked at."""
    collection = found_collection(application, name)
    if held := _held(request, collection):
        _do(request, version_services.approve_version, held, f"Approved: readers of {name} see it from now on.")
    return redirect(address_of(application, collection))


@application_page(Role.EDITOR)
def drop(request: PageRequest, application: Application, name: str) -> HttpResponse:
    """Throw the result that waits away, after it was asked whether that is meant."""
    collection = found_collection(application, name)
    back = address_of(application, collection)
    held = _held(request, collection)
    if held is None:
        return redirect(back)
    if request.method != "POST":
        text = f"Its {words.counted(held.written, 'row')} are thrown away, as if its run had failed. Readers see what "
        text += "they saw; the next run pulls anew."
        return ask(
            request, back=back, title="Drop the result that waits?", text=text, confirm="Drop it",
            keep="Let it wait", danger=True,
        )  # fmt: skip
    _do(request, version_services.drop_version, held, "Dropped: readers see what they saw.")
    return redirect(back)


@application_page(Role.EDITOR)
@only_posted
def pin(request: PageRequest, application: Application, name: str, number: int) -> HttpResponse:
    """Let readers see this version, whatever runs bring meanwhile."""
    said = f"Pinned: readers see version {number:,} until it is unpinned."
    return _done(request, application, name, number, verb=version_services.pin_version, said=said)


@application_page(Role.EDITOR)
@only_posted
def unpin(request: PageRequest, application: Application, name: str, number: int) -> HttpResponse:
    """Let readers see the newest version again."""
    said = "Unpinned: readers see the newest version."
    return _done(request, application, name, number, verb=version_services.unpin_version, said=said)


@application_page(Role.EDITOR)
def roll_back(request: PageRequest, application: Application, name: str, number: int) -> HttpResponse:
    """Make a new version with the rows of this one, after it was asked whether that is meant."""
    collection = found_collection(application, name)
    version = _found(collection, number)
    if request.method != "POST":
        text = f"A new version is made with its {words.counted(version.rows, 'row')}, and the next run goes on from it."
        if collection.pinned:
            text += f" Readers see version {collection.pinned.number} as long as that is pinned."
        return ask(
            request, back=address_of(application, collection), title=f"Roll {name} back to version {number:,}?",
            text=f"{text} The versions that are kept stay.", confirm="Roll back", keep="Keep it as it is",
        )  # fmt: skip
    said = f"Rolled back: the newest version has the rows of version {number:,}."
    return _done(request, application, name, number, verb=version_services.roll_back_to, said=said)


def _held(request: PageRequest, collection: Collection) -> Version | None:
    """The result that waits, if it is the one that was looked at; else None, and it is said why."""
    asked = request.GET.get("generation") or request.POST.get("generation")
    versions = Version.objects.for_application(collection.application).filter(collection=collection)
    held = versions.filter(stage=Stage.HELD).first()
    if held is None or str(held.generation) != asked:
        messages.warning(request, NONE_WAITS if held is None else ANOTHER)
        return None
    held.collection = collection
    return held


def _found(collection: Collection, number: int) -> Version:
    """The version of the address, or a 404."""
    versions = Version.objects.for_application(collection.application).filter(collection=collection)
    version = versions.ready().filter(number=number).first()
    if version is None:
        raise Http404
    version.collection = collection
    return version


def _done(  # noqa: PLR0913  the address, what is done, and what is said then
    request: PageRequest, application: Application, name: str, number: int, *, verb: Callable[..., Any], said: str
) -> HttpResponse:
    collection = found_collection(application, name)
    _do(request, verb, _found(collection, number), said)
    return redirect(f"{address_of(application, collection)}#versions")


def _do(request: PageRequest, verb: Callable[..., Any], version: Version, said: str) -> None:
    try:
        verb(version=version, by=actor_of(request), now=database_now())
    except Conflict as refused:
        messages.warning(request, str(refused.detail))
    else:
        messages.success(request, said)
