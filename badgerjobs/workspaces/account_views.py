"""allauth's views, where a page of ours does more."""

from typing import Any

from allauth.account.internal.flows.email_verification import verify_email_indirectly
from allauth.account.internal.stagekit import clear_login, unstash_login
from allauth.account.views import PasswordResetFromKeyView, SignupView
from allauth.mfa.base.views import AuthenticateView
from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from badgerjobs.lib import devices
from badgerjobs.workspaces.accounts import has_new_password, invitation_of


class SignUp(SignupView):  # type: ignore[misc]
    """Make an account. Who was invited finds the address filled in."""

    def get_form_kwargs(self) -> dict[str, Any]:
        """What the form is told. Where accounts are by invitation, the invited address is the only one."""
        invitation = invitation_of(self.request) if settings.SIGN_UP == "invitation" else None
        return {**super().get_form_kwargs(), "only": invitation.email if invitation else ""}

    def get_initial(self) -> dict[str, Any]:
        """What stands in the form at first."""
        invitation = invitation_of(self.request)
        return {**super().get_initial(), **({"email": invitation.email} if invitation else {})}


class NewPassword(PasswordResetFromKeyView):  # type: ignore[misc]
    """Choose a new password, by a link that was mailed. Who has followed it has shown whose the address is."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Set it, and sign in."""
        verify_email_indirectly(self.request, self.reset_user, self.reset_user.email)
        response: HttpResponse = super().form_valid(form)
        return response


class SecondFactor(AuthenticateView):  # type: ignore[misc]
    """The second half of signing in, for as long as the password of the first half is the right one."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Whoever began with a password that was changed or reset since then begins again."""
        login = unstash_login(request, peek=True)
        if login and login.user and has_new_password(request, login.user):
            clear_login(request)
            return redirect("account_login")
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response


class Sessions(ListUserSessionsView):  # type: ignore[misc]
    """Where somebody is signed in; one is ended, or all but this one."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A session that is older than this list, or was begun elsewhere, is in it too."""
        if request.user.is_authenticated:
            UserSession.objects.create_from_request(request)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """`session` names the one that ends; without it, all others do."""
        if not (key := request.POST.get("session", "")):
            response: HttpResponse = super().post(request, *args, **kwargs)
            return response
        ended = UserSession.objects.filter(user=request.user, pk=int(key) if key.isdecimal() and len(key) < 18 else 0)
        end_sessions(request, list(ended))
        messages.success(request, "That session is over.")
        return redirect("usersessions_list")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Each session with the words for its browser; this one first, then the latest."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        for session in context["sessions"]:
            session.device = devices.words(session.user_agent)
        context["sessions"].sort(key=lambda session: (not session.is_current(), -session.last_seen_at.timestamp()))
        return context
