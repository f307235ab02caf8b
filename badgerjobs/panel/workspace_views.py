"""Workspaces: which there are, what is in one, and its name and end."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from badgerjobs.panel.forms import NameForm
from badgerjobs.panel.refusals import gone_is_404, refused_goes_to
from badgerjobs.panel.services import delete_workspace
from badgerjobs.web.pages import PageRequest, actor_of, ask, only_posted, show, signed_in, workspace_page
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.models import Application, Role, Workspace
from badgerjobs.workspaces.people import may_make_workspaces
from badgerjobs.workspaces.services import add_application, create_workspace, rename_workspace

# Applications that the question before a workspace's end names.
MOST_NAMED = 10


@require_safe
@signed_in
def workspaces(request: PageRequest) -> HttpResponse:
    """Where one is a member, and as what."""
    found = Workspace.objects.for_user(request.user).annotate(role=F("members__role"))
    found = found.annotate(applications_count=Count("applications")).order_by("name", "pk")
    context = {"workspaces": found, "may_make": may_make_workspaces(request.user)}
    return show(request, "panel/workspaces.html", context)


@signed_in
def new_workspace(request: PageRequest) -> HttpResponse:
    """A name is all that it takes, of whom may."""
    if not may_make_workspaces(request.user):
        raise PermissionDenied("Here only those make workspaces who own one already: ask an owner to make it.")
    form = NameForm(request.POST or None)
    if not form.is_valid():
        return show(request, "panel/workspace_new.html", {"form": form})
    name = form.cleaned_data["name"]
    made = create_workspace(name=name, owner=request.user, by=actor_of(request), now=timezone.now())
    messages.success(request, f"“{made}” is there, and you own it. Now add an application: what your jobs belong to.")
    return redirect("panel:workspace", made.slug)


@require_safe
@workspace_page(Role.VIEWER)
def workspace(request: PageRequest, workspace: Workspace) -> HttpResponse:
    """Its applications, and for owners its name and its end."""
    return _workspace(request, workspace, NameForm(initial={"name": workspace.name}))


@gone_is_404
@workspace_page(Role.OWNER)
@only_posted
def rename(request: PageRequest, workspace: Workspace) -> HttpResponse:
    """Give it another name."""
    form = NameForm(request.POST)
    if not form.is_valid():
        return _workspace(request, workspace, form)
    name = form.cleaned_data["name"]
    renamed = rename_workspace(workspace=workspace, name=name, by=actor_of(request), now=timezone.now())
    messages.success(request, f"The workspace is named “{renamed}” now. Its address stays.")
    return redirect("panel:workspace", workspace.slug)


@workspace_page(Role.OWNER)
@refused_goes_to(lambda _: reverse("panel:workspaces"))
def delete(request: PageRequest, workspace: Workspace) -> HttpResponse:
    """Ask for the name, then delete it with all that is in it."""
    typed = request.POST.get("typed", "").strip()
    if request.method == "POST" and typed == workspace.name:
        delete_workspace(workspace=workspace, by=actor_of(request), now=timezone.now())
        messages.success(request, f"“{workspace}” is deleted.")
        return redirect("panel:workspaces")
    names = [application.name for application in _applications(request, workspace)]
    more = [f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return ask(
        request,
        title=f"Delete the workspace “{workspace}”?",
        text="Its applications go with their jobs, runs, results and tokens, and so does its audit log. "
        "Nobody can bring them back.",
        items=names[:MOST_NAMED] + more,
        confirm="Delete the workspace",
        back=reverse("panel:workspace", args=[workspace.slug]),
        danger=True,
        type_name=workspace.name,
        wrong="" if request.method == "GET" else f"“{typed}” is not its name.",
    )


@workspace_page(Role.ADMIN)
def new_application(request: PageRequest, workspace: Workspace) -> HttpResponse:
    """A name is all that it takes."""
    form = NameForm(request.POST or None)
    if form.is_valid():
        try:
            by, now = actor_of(request), timezone.now()
            made = add_application(workspace=workspace, name=form.cleaned_data["name"], by=by, now=now)
        except RefusedError as refused:
            form.add_error("name", str(refused))
        else:
            messages.success(request, f"“{made}” is there.")
            return redirect("panel:overview", made.slug)
    return show(request, "panel/application_new.html", {"workspace": workspace, "form": form})


def _workspace(request: PageRequest, workspace: Workspace, form: NameForm) -> HttpResponse:
    context = {"workspace": workspace, "applications": _applications(request, workspace), "form": form}
    return show(request, "panel/workspace.html", context)


def _applications(request: PageRequest, workspace: Workspace) -> QuerySet[Application]:
    found = Application.objects.for_user(request.user).filter(workspace=workspace)
    return found.annotate(jobs_count=Count("jobs")).order_by("name", "pk")
