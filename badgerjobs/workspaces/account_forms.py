"""allauth's forms, where ours are stricter about whose an address is and how often a code counts."""

from typing import Any

from allauth.account.forms import ResetPasswordForm, SignupForm
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from badgerjobs.lib.words import masked
from badgerjobs.workspaces.models import User

# A code of an app is taken a period early and a period late, so it could be used for three times 30 s.
CODE_LIVES_S = 90


class SignUp(SignupForm):  # type: ignore[misc]
    """An e-mail address and a password. Who has an account already is told so by mail, and by nothing else.

    `only` is the one address that may be given; empty where any may.
    """

    def __init__(self, *args: Any, only: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.only = only

    def clean_email(self) -> str:
        """An invitation lets in whom it is for, and not everybody else who was given its link."""
        email = str(super().clean_email())
        if self.only and email != self.only:
            raise ValidationError(f"The invitation is for {masked(self.only)}: make the account with that address.")
        return email

    def validate_unique_email(self, value: str) -> str:
        """Only what somebody signs in with is theirs: not an address that another one wants to change to."""
        self.account_already_exists = User.objects.filter(email__iexact=value).exists()
        return value

    def try_save(self, request: HttpRequest) -> Any:
        """Make the account. Of two that were sent at once the second one finds that there is one."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])  # or the time that it takes would tell who has an account
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:
            self.account_already_exists = True
            return super().try_save(request)


class ResetPassword(ResetPasswordForm):  # type: ignore[misc]
    """An e-mail address, to which the link goes."""

    users: list[User]

    def clean_email(self) -> str:
        """An address that somebody wants to change to, perhaps with a typing error, opens their account to nobody."""
        email = str(super().clean_email())
        self.users = [user for user in self.users if user.email.lower() == email.lower()]
        return email


class _OnceOnly:
    """A code that was used does not count again while the app would still show it."""

    user: User

    def clean_code(self) -> str:
        code = str(super().clean_code())  # type: ignore[misc]
        if not cache.add(f"used-code:{self.user.pk}:{code}", 1, timeout=CODE_LIVES_S):
            raise get_adapter().validation_error("incorrect_code")
        return code


class SecondFactor(_OnceOnly, AuthenticateForm):  # type: ignore[misc]
    """A code of the app, or a recovery code, after the password."""


class SecondFactorAgain(_OnceOnly, ReauthenticateForm):  # type: ignore[misc]
    """The same, before something that matters."""
