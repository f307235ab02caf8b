"""What people fill in about workspaces, members and applications. Errors say what would be right."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator

from badgerjobs.workspaces.models import Role

MOST_RETRIES = 50
MOST_STEP_S = 86_400
MOST_DAYS = 3650

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


class PolicyForm(forms.Form):
    """What an application decides for all that is in it: `POLICY_FIELDS`. Empty means: as the installation has it."""

    retries = forms.IntegerField(min_value=0, max_value=MOST_RETRIES)
    retry_step_s = forms.IntegerField(label="Step in seconds", min_value=1, max_value=MOST_STEP_S)
    requests_per_second = forms.IntegerField(label="Requests", required=False, min_value=1)
    retention_days = forms.IntegerField(label="Runs are kept", required=False, min_value=1, max_value=MOST_DAYS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most, field = settings.RATE_LIMIT_PER_SECOND, self.fields["requests_per_second"]
        field.validators.append(MaxValueValidator(most, f"At most {most:,}: more this installation does not take."))
        field.widget.attrs |= {"max": most, "placeholder": most}
        self.fields["retention_days"].widget.attrs["placeholder"] = settings.RETENTION_DAYS
