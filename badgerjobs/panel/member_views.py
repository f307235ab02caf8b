"""The members of a workspace: who they are, what they may do, who is invited, who goes."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from badgerjobs.lib import tokens
from badgerjobs.panel import invitation_mail
from badgerjobs.panel.forms import InvitationForm, RoleForm
from badgerjobs.panel.refusals import refused_goes_to
from badgerjobs.panel.roles import explained
from badgerjobs.web import limits
from badgerjobs.web.pages import PageRequest, actor_of, ask, only_posted, show, workspace_page
from badgerjobs.workspaces import invitations, membership
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.models import Invitation, Member, Role, Workspace

# Mails that one person may have sent in an hour.
MAILS_PER_HOUR = 50
# Mails that one address is sent in an hour, whoever asks for them: they are sent to strangers, in our name.
MAILS_TO_ONE = 5

# Holds the secret of an invitation from the answer that made it to the page that shows it: nowhere else is it stored.
FRESH = "fresh-invitation"
FRESH_S = 300


def _list(workspace: Workspace) -> str:
    return reverse("panel:members", args=[workspace.slug])


@require_safe
@workspace_page(Role.VIEWER)
def members(request: PageRequest, workspace: Workspace) -> HttpResponse:
    """Who is in the workspace and who is invited; for admins, a form that invites."""
    fresh = _fresh(request)
    response = _members(request, workspace, fresh=fresh)
    if FRESH in request.COOKIES:
        response.delete_cookie(FRESH, path=request.path)
    return response


@workspace_page(Role.ADMIN)
@only_posted
def invite(request: PageRequest, workspace: Workspace) -> HttpResponse:
    """Invite an address, and mail it the link."""
    form = InvitationForm(request.POST, roles=_roles(request.member))
    if form.is_valid():
        try:
            _ensure_not_too_many(request, form.cleaned_data["email"])
            email, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
            by, now = actor_of(request), timezone.now()
            made = invitations.invite(workspace=workspace, email=email, role=role, by=by, now=now)
        except RefusedError as refused:
            form.add_error("email", str(refused))
        else:
            return _mailed(request, *made)
    return _members(request, workspace, form=form)


@workspace_page(Role.ADMIN)
@refused_goes_to(_list)
@only_posted
def send_anew(request: PageRequest, workspace: Workspace, invitation_slug: str) -> HttpResponse:
    """Mail a new link, good for another 7 days; the old one is over."""
    found = get_object_or_404(_pending(request, workspace), slug=invitation_slug)
    _ensure_not_too_many(request, found.email)
    made = invitations.send_anew(invitation=found, by=actor_of(request), now=timezone.now())
    return _mailed(request, *made)


@workspace_page(Role.ADMIN)
@refused_goes_to(_list)
@only_posted
def withdraw(request: PageRequest, workspace: Workspace, invitation_slug: str) -> HttpResponse:
    """Close an invitation: its link opens nothing any more."""
    found = get_object_or_404(_pending(request, workspace), slug=invitation_slug)
    invitations.withdraw(invitation=found, by=actor_of(request), now=timezone.now())
    messages.success(request, f"The invitation of {found.email} is withdrawn: its link opens nothing any more.")
    return redirect(_list(workspace))


@workspace_page(Role.ADMIN)
@refused_goes_to(_list)
@only_posted
def change_role(request: PageRequest, workspace: Workspace, member_slug: str) -> HttpResponse:
    """Give a member another role."""
    member = get_object_or_404(_all(request, workspace), slug=member_slug)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise RefusedError("There is no such role. Choose one of the list.")
    role = form.cleaned_data["role"]
    membership.change_role(member=member, role=role, by=actor_of(request), now=timezone.now())
    messages.success(request, f"{member.user} is {_a(role)} now.")
    return redirect(_list(workspace))


@workspace_page(Role.ADMIN)
@refused_goes_to(_list)
def remove(request: PageRequest, workspace: Workspace, member_slug: str) -> HttpResponse:
    """Ask, then take a member out of the workspace."""
    member = get_object_or_404(_all(request, workspace), slug=member_slug)
    if request.method == "POST":
        membership.remove_member(member=member, by=actor_of(request), now=timezone.now())
        messages.success(request, f"{member.user} is not a member any more.")
        return redirect(_list(workspace))
    return ask(
        request,
        title=f"Remove {member.user}?",
        text=f"They see nothing of “{workspace}” from then on, and invitations that they have sent are withdrawn. "
        "Jobs that they made stay. Tokens that they know stay too: revoke or rotate those.",
        confirm="Remove",
        keep="Keep them",
        back=_list(workspace),
        danger=True,
    )


@workspace_page(Role.VIEWER)
@refused_goes_to(_list)
def leave(request: PageRequest, workspace: Workspace) -> HttpResponse:
    """Ask, then go."""
    if request.method == "POST":
        membership.leave(workspace=workspace, user=request.user, by=actor_of(request), now=timezone.now())
        messages.success(request, f"You have left “{workspace}”.")
        return redirect("panel:workspaces")
    return ask(
        request,
        title=f"Leave “{workspace}”?",
        text="You see nothing of it from then on. To come back you need an invitation.",
        confirm="Leave",
        keep="Stay",
        back=_list(workspace),
        danger=True,
    )


def _members(request: PageRequest, workspace: Workspace, **more: Any) -> HttpResponse:
    roles = _roles(request.member)
    context = {
        "workspace": workspace,
        "members": _all(request, workspace).order_by("user__email"),
        "pending": _pending(request, workspace).order_by("-pk"),
        "roles": roles,
        "explained": explained(),
        "form": InvitationForm(roles=roles),
        **more,
    }
    return show(request, "panel/members.html", context)


def _all(request: PageRequest, workspace: Workspace) -> Any:
    return Member.objects.for_user(request.user).filter(workspace=workspace).select_related("user", "workspace")


def _pending(request: PageRequest, workspace: Workspace) -> Any:
    found = Invitation.objects.for_user(request.user).filter(workspace=workspace).pending()
    return found.select_related("invited_by", "workspace")


def _roles(member: Member) -> list[Role]:
    """Those that this member may give, the lowest first."""
    return list(reversed(membership.roles_given_by(Role(member.role))))


def _a(role: Role) -> str:
    return f"{'a' if role == Role.VIEWER else 'an'} {role.label.lower()}"


def _ensure_not_too_many(request: PageRequest, email: str) -> None:
    if limits.count(f"invitations:{request.user.pk}", window_s=3600) > MAILS_PER_HOUR:
        raise RefusedError(f"You have sent {MAILS_PER_HOUR} invitations in this hour. Go on in the next one.")
    if limits.count(f"invited:{tokens.digest_of(email.strip().lower())}", window_s=3600) > MAILS_TO_ONE:
        raise RefusedError(f"{email} was sent {MAILS_TO_ONE} invitations in this hour. Try again in the next one.")


def _mailed(request: PageRequest, invitation: Invitation, secret: str) -> HttpResponse:
    """Send the mail, then show the link once: it travels in a cookie, so that no reload invites again."""
    address = request.build_absolute_uri(reverse("panel:invitation", args=[secret]))
    sent = invitation_mail.send(invitation, f"{address}?mail={invitations.mail_proof(secret)}")
    if sent and settings.EMAIL_URL:
        messages.success(request, f"{invitation.email} is invited by mail.")
    else:
        why = "the mail could not be sent" if settings.EMAIL_URL else "this installation has no mail server"
        messages.warning(request, f"{invitation.email} is invited, but {why}. Give them the link below yourself.")
    back = _list(invitation.workspace)
    response = redirect(back)
    response.set_signed_cookie(
        FRESH, f"{invitation.slug} {secret}",
        salt=FRESH, max_age=FRESH_S, path=back, httponly=True, samesite="Lax", secure=settings.BEHIND_PROXY,
    )  # fmt: skip
    return response


def _fresh(request: PageRequest) -> dict[str, str] | None:
    """The invitation that was just made and its link; None on every other day."""
    slug, _, secret = (request.get_signed_cookie(FRESH, "", salt=FRESH, max_age=FRESH_S) or "").partition(" ")
    if not secret:
        return None
    return {"slug": slug, "link": request.build_absolute_uri(reverse("panel:invitation", args=[secret]))}
