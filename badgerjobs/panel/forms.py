"""What people fill in about workspaces, members and applications. Errors say what would be right."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator

from badgerjobs.runs.breaker_form import BreakerForm
from badgerjobs.runs.limiting import MOST_LIMIT, limits_of
from badgerjobs.runs.retry_form import RETRY_NAMES, RetryForm, shown_as
from badgerjobs.runs.retry_serializer import RetrySerializer
from badgerjobs.web.serializer_forms import first_sentence
from badgerjobs.workspaces.models import Application, Role
from badgerjobs.workspaces.retry_policy import RETRY_COLUMNS
from badgerjobs.workspaces.services import MOST_DAYS, POLICY_FIELDS

# How long calls bear the signatures of both keys: the value in addresses, and the words.
OVERLAPS = {
    "1h": (timedelta(hours=1), "1 hour"),
    "24h": (timedelta(hours=24), "24 hours"),
    "7d": (timedelta(days=7), "7 days"),
    "none": (timedelta(0), "no overlap"),
}


class NameField(forms.CharField):
    """One line of 1 to 100 characters."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", "Name")
        kwargs.setdefault("widget", forms.TextInput(attrs={"class": "short", "autocomplete": "off"}))
        super().__init__(max_length=100, error_messages={"required": "Give it a name."}, **kwargs)

    def clean(self, value: Any) -> Any:
        """Raise ValidationError for what would not show as it was typed."""
        name = super().clean(value)
        if not name.isprintable():
            raise forms.ValidationError("A name is one line, without control characters.")
        return name


class NameForm(forms.Form):
    """A name, for a workspace or an application."""

    name = NameField()


class InvitationForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"class": "short", "autocomplete": "off", "placeholder": "bob@example.com"}),
        error_messages={"required": "Say whom to invite."},
    )
    role = forms.ChoiceField(initial=Role.VIEWER, error_messages={"invalid_choice": "Choose one of the roles."})

    def __init__(self, *args: Any, roles: Iterable[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["role"]
        field.choices = [(role.value, role.label) for role in roles]


class RoleForm(forms.Form):
    """What somebody may do from now on."""

    role = forms.TypedChoiceField(choices=Role.choices, coerce=Role)


def bound_requests(field: forms.Field, most: int, why: str) -> None:
    """Refuse more than so many a second, in words, and show them where nothing is filled in."""
    field.validators.append(MaxValueValidator(most, f"At most {most:,}: {why}"))
    field.widget.attrs |= {"max": most, "placeholder": most}


class PolicyForm(RetryForm, BreakerForm):
    """What an application decides for all that is in it: `POLICY_FIELDS` and `LIMITS`.

    Empty means: as the installation has it, or no limit.
    """

    requests_per_second = forms.IntegerField(label="Requests", required=False, min_value=1)
    concurrent_runs = forms.IntegerField(label="At once", required=False, min_value=1, max_value=MOST_LIMIT)
    runs_per_minute = forms.IntegerField(label="A minute", required=False, min_value=1, max_value=MOST_LIMIT)
    retention_days = forms.IntegerField(label="Runs are kept", required=False, min_value=1, max_value=MOST_DAYS)
    background_retention_days = forms.IntegerField(
        label="Background tasks", required=False, min_value=0, max_value=MOST_DAYS
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = settings.RATE_LIMIT_PER_SECOND
        bound_requests(self.fields["requests_per_second"], most, "more this installation does not take.")
        self.fields["retention_days"].widget.attrs["placeholder"] = settings.RETENTION_DAYS
        self.fields["background_retention_days"].widget.attrs["placeholder"] = settings.BACKGROUND_RETENTION_DAYS

    def clean(self) -> dict[str, Any]:
        """Ask the serializer about the retries, and give their columns in the place of what was typed."""
        super().clean()
        given = self.retries_told(wanted=True)
        if not given and "retry_policy" not in self.errors:
            self.add_error("retry_policy", "Choose how the waits grow.")
        told = RetrySerializer(data=given)
        if not told.is_valid():
            for name, said in told.errors.items():
                self.add_error(name, first_sentence(said))
        others = {name: value for name, value in self.cleaned_data.items() if name not in RETRY_NAMES}
        judged = {} if told.errors else told.validated_data
        return {**others, **{name: judged[name] for name in RETRY_COLUMNS if name in judged}}


def initial_policy(application: Application) -> dict[str, Any]:
    """An application's settings as the form shows them."""
    columns = {name: getattr(application, name) for name in POLICY_FIELDS if name not in RETRY_COLUMNS}
    return {**columns, **limits_of(application), **shown_as(application.policy)}
