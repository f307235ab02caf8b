"""What the link of an invitation opens: a button for whom it is for, and a way on for everybody else."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from badgerjobs.lib.words import masked
from badgerjobs.web.authentication import address_of
from badgerjobs.web.pages import show
from badgerjobs.workspaces import audit, invitations
from badgerjobs.workspaces.accounts import INVITATION, MAIL_PROOF
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.invitations import Standing
from badgerjobs.workspaces.models import Application, Invitation, Role, User, Workspace


def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Join, or be told what to do first."""
    found = invitations.find(secret)
    if found is None:
        return show(request, "panel/invitation_over.html", {"standing": "unknown"}, status=404)
    standing = invitations.standing(found, timezone.now())
    if standing != Standing.OPEN:
        return _over(request, found, standing)
    user = request.user
    if not user.is_authenticated:
        return _for_nobody(request, found, secret)
    if not invitations.is_for(found, user):
        context = {"invitation": found, "masked": masked(found.email)}
        return show(request, "panel/invitation_other.html", context, status=403)
    if request.method != "POST":
        return show(request, "panel/invitation.html", {"invitation": found, "role": Role(found.role).label})
    return _joined(request, found, user)


def _for_nobody(request: HttpRequest, found: Invitation, secret: str) -> HttpResponse:
    request.session[INVITATION] = secret
    proof = request.GET.get("mail", "")
    if invitations.was_mailed(secret, proof):
        request.session[MAIL_PROOF] = proof  # of this secret: it says nothing of another invitation
    may_sign_up = settings.SIGN_UP != "closed"
    context = {"invitation": found, "masked": masked(found.email), "may_sign_up": may_sign_up, "next": request.path}
    return show(request, "panel/invitation_nobody.html", context)


def _joined(request: HttpRequest, found: Invitation, user: User) -> HttpResponse:
    by = audit.person(user, address_of(request))
    try:
        member = invitations.join(invitation=found, user=user, by=by, now=timezone.now())
    except RefusedError as refused:
        messages.error(request, str(refused), extra_tags="bad")
        return redirect(request.path)
    for key in (INVITATION, MAIL_PROOF):
        request.session.pop(key, None)
    messages.success(request, f"You have joined “{found.workspace}” as {member.role}.")
    application = Application.objects.for_user(user).filter(workspace=found.workspace).order_by("pk").first()
    return redirect("panel:overview", application.slug) if application else _to(found.workspace)


def _over(request: HttpRequest, found: Invitation, standing: Standing) -> HttpResponse:
    """What has become of it. Who came in by it is sent to where they work."""
    user = request.user
    if user.is_authenticated and Workspace.objects.for_user(user).filter(pk=found.workspace_id).exists():
        return _to(found.workspace)
    context = {"standing": standing.value, "expired_at": found.expires_at}
    return show(request, "panel/invitation_over.html", context, status=410)


def _to(workspace: Workspace) -> HttpResponse:
    return redirect("panel:workspace", workspace.slug)
