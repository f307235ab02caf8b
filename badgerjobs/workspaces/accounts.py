"""How allauth makes accounts here: who may sign up, where people land, what happens when no mail can be sent."""

import logging
from contextlib import suppress
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from badgerjobs.lib import vault
from badgerjobs.workspaces import audit, invitations, people
from badgerjobs.workspaces.models import Invitation, User

logger = logging.getLogger(__name__)

# What a visitor brings along from the page of an invitation: its secret, and what stands in the mailed link only.
INVITATION, MAIL_PROOF = "invitation", "invitation_mailed"

# The password that somebody has begun to sign in with, as the hash by which Django ends sessions of an old one.
BEGAN_WITH = "signing_in_with"

# Who calls by no address that can be read, over a Unix socket for one: all of them together are one.
NOWHERE = "::"

# What the buttons say that offer another way to show that it is you.
WAYS = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Type a code",
    "mfa_reauthenticate:webauthn": "Use a passkey",
}

# What the audit logs of somebody's workspaces say of their account, by the mail that tells themselves. Addresses and
# recovery codes are their own affair.
MAILED_ACTIONS = {
    "account/email/password_changed": "account.password",
    "account/email/password_reset": "account.password",
    "account/email/password_set": "account.password",
    "mfa/email/totp_activated": "account.factor_on",
    "mfa/email/totp_deactivated": "account.factor_off",
    "mfa/email/webauthn_added": "account.passkey_added",
    "mfa/email/webauthn_removed": "account.passkey_removed",
}


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The open invitation by whose link this visitor came."""
    secret = request.session.get(INVITATION)
    found = invitations.find(secret) if secret else None
    return found if found and invitations.standing(found, timezone.now()) == invitations.Standing.OPEN else None


def invited_address(request: HttpRequest) -> str:
    """The address that an invitation was mailed to, when this visitor has the mail; else empty."""
    invitation = invitation_of(request)
    session = request.session
    if invitation and invitations.was_mailed(session[INVITATION], session.get(MAIL_PROOF, "")):
        return str(invitation.email)
    return ""


def has_new_password(request: HttpRequest, user: User) -> bool:
    """Whether another password than this visitor has begun to sign in with was set for their account meanwhile."""
    return not constant_time_compare(request.session.get(BEGAN_WITH, ""), user.get_session_auth_hash())


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's questions, answered from our settings."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": "This account was closed.",
        "duplicate_email": "This is your address already.",
        "email_password_mismatch": "That e-mail and password do not belong together.",
        "enter_current_password": "This is not your current password.",
        "incorrect_code": "This code is not the right one.",
        "incorrect_password": "This is not your password.",
        "rate_limited": "Too many tries. Wait five minutes, then try again.",
        "too_many_login_attempts": "Too many tries. Wait five minutes, or set a new password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether this visitor may make an account."""
        if settings.SIGN_UP == "invitation":
            return invitation_of(request) is not None
        return bool(settings.SIGN_UP == "open")

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Make the account. Whoever shows the mail that we sent to this address need not confirm it again."""
        saved: User = super().save_user(request, user, form, commit)
        if saved.email and saved.email == invited_address(request):
            self.stash_verified_email(request, saved.email)
        return saved

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Take an address as confirmed. False, with a message, when it is somebody else's by now."""
        if not people.clear_the_way(address=email_address):
            template, said = "account/messages/email_confirmation_failed.txt", {"email": email_address.email}
            self.add_message(request, messages.ERROR, template, said)
            return False
        return bool(super().confirm_email(request, email_address))

    def pre_login(self, request: HttpRequest, user: User, **login: Any) -> HttpResponse | None:
        """Remember the password of who begins to sign in: there may be a second factor, or a mail, to wait for."""
        response: HttpResponse | None = super().pre_login(request, user, **login)
        request.session[BEGAN_WITH] = user.get_session_auth_hash()
        return response

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in, unless the password was changed or reset since that was begun."""
        if has_new_password(request, user):
            raise ImmediateHttpResponse(redirect("account_login"))
        del request.session[BEGAN_WITH]
        super().login(request, user)

    def post_login(self, request: HttpRequest, user: User, **login: Any) -> HttpResponse:
        """Where anybody may sign up, whoever signs in has a workspace, or an invitation to one."""
        if settings.SIGN_UP == "open" and not invitation_of(request):
            actor = audit.person(user, self.get_client_ip(request))
            people.open_workspace(user=user, by=actor, now=timezone.now())
        response: HttpResponse = super().post_login(request, user, **login)
        return response

    def get_reauthentication_methods(self, user: User) -> list[dict[str, str]]:
        """How somebody may show once more that it is them; the first is asked for, the others are offered."""
        ways = super().get_reauthentication_methods(user)
        return [way | {"description": WAYS.get(way["id"], way["description"])} for way in ways]

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Back to the invitation, for who came by one; else to the front door."""
        if invitation_of(request):
            return reverse("panel:invitation", args=[request.session[INVITATION]])
        return str(super().get_login_redirect_url(request))

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """Whoever has just signed up lands where those land who sign in."""
        return self.get_login_redirect_url(request)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Who calls: `web.authentication.address_of` says the same, but for what is no address."""
        try:
            return str(super().get_client_ip(request))
        except PermissionDenied:
            return NOWHERE

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail, or answer the request with a page that says that the mail server is away."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:  # smtplib's own are among them
            logger.warning("a mail could not be sent (%s): %s", template_prefix.rpartition("/")[2], error)
            # Else a second try, when the server is back, would be thought one too many.
            ratelimit.clear(self.request, action="confirm_email", key=email.lower())
            raise ImmediateHttpResponse(render(self.request, "account/mail_failed.html", status=503)) from error

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        """Tell somebody what has changed in their account; it has changed, whether the mail can be sent or not.

        What concerns how safe the account is stands in the audit log of their workspaces as well.
        """
        if action := MAILED_ACTIONS.get(template_prefix):
            actor = audit.person(user, self.get_client_ip(self.request))
            audit.record_everywhere(by=actor, action=action, person=user, now=timezone.now())
        with suppress(ImmediateHttpResponse):
            super().send_notification_mail(template_prefix, user, *args, **kwargs)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's questions about second factors: their secrets lie encrypted in the database, like all others."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "add_email_blocked": "Turn your second factor off first; then change the address, and turn it on again.",
        "incorrect_code": "This code is not the right one. Type the one that the app shows now.",
        "unverified_email": "Confirm your new e-mail address first, or take the change back.",
    }

    def encrypt(self, text: str) -> str:
        """What is stored."""
        return vault.encrypt(text, settings.ENCRYPTION_KEYS)

    def decrypt(self, encrypted_text: str) -> str:
        """What was meant. Raises CannotDecryptError."""
        return vault.decrypt(encrypted_text, settings.ENCRYPTION_KEYS)

    def _get_site_name(self) -> str:
        return "Badger Jobs"
