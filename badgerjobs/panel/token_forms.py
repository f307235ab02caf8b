"""What people fill in about tokens."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core import signing
from django.db import models
from django.utils import timezone

from badgerjobs.lib.ids import slug
from badgerjobs.panel.forms import OVERLAPS, NameField, bound_requests
from badgerjobs.web.throttling import allowed_to
from badgerjobs.workspaces.models import Application, Scope

# What a token may do with each scope, as people would say it.
SCOPES = {
    Scope.READ: "read jobs, tasks, runs and results",
    Scope.WRITE: "create, change, run and delete",
    Scope.CACHE_READ: "read cached values",
    Scope.COLLECTIONS_READ: "read the rows of collections",
    Scope.BACKGROUND_DELETE: "delete background tasks that are over",
}

MOST_YEARS = 10


class Expiry(models.TextChoices):
    """When a token ends by itself."""

    NEVER = "never", "Never"
    DAYS_30 = "30", "In 30 days"
    DAYS_90 = "90", "In 90 days"
    DATE = "date", "At the end of"


class OnceForm(forms.Form):
    """A form that works once: its key becomes the address of the token that it makes, and no two have the same.

    A token's secret is shown by the answer to the form, so a page that is loaded again sends the form again.
    """

    form_key = forms.CharField(widget=forms.HiddenInput, error_messages={"required": "This form is too old."})

    def __init__(self, *args: Any, whose: str, **kwargs: Any) -> None:
        self._signer = signing.Signer(salt=f"token-form:{whose}")
        super().__init__(*args, **kwargs)
        self.initial["form_key"] = self._signer.sign(slug())

    def clean_form_key(self) -> str:
        """Raise ValidationError for a key that we did not make for this person and place."""
        try:
            return self._signer.unsign(self.cleaned_data["form_key"])
        except signing.BadSignature:
            raise forms.ValidationError("This form is too old. Load the page again.") from None


class TokenForm(OnceForm):
    """A new token: what it is for, what it may do, how often and how long. As often as its application: empty."""

    label = NameField(label="Label")
    label.error_messages["required"] = "Say who or what will use it."
    scopes = forms.MultipleChoiceField(
        label="May",
        choices=[(scope.value, words) for scope, words in SCOPES.items()],
        initial=[Scope.READ, Scope.WRITE],
        error_messages={"required": "Tick at least one: without any it opens nothing."},
    )
    requests_per_second = forms.IntegerField(label="At most", required=False, min_value=1)
    expiry = forms.ChoiceField(choices=Expiry.choices, initial=Expiry.NEVER)
    date = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date", "aria-label": "Last day"}))

    def __init__(self, *args: Any, application: Application, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bound_requests(
            self.fields["requests_per_second"], allowed_to(application), "more its application may not make."
        )

    def clean(self) -> dict[str, Any]:
        """Work out when it ends: `expires_at`, or None for never."""
        fields: dict[str, Any] = super().clean() or {}
        chosen, now = fields.get("expiry"), timezone.now()
        fields["expires_at"] = None
        if chosen in {Expiry.DAYS_30, Expiry.DAYS_90}:
            fields["expires_at"] = now + timedelta(days=int(chosen))
        elif chosen == Expiry.DATE and "date" not in self.errors:
            self._end_with(fields, now)
        return fields

    def _end_with(self, fields: dict[str, Any], now: datetime) -> None:
        day, today = fields.get("date"), timezone.localdate(now)
        if day is None:
            self.add_error("date", "Say which day is its last.")
        elif day < today:
            self.add_error("date", f"That day is over: take {today.isoformat()} or a later one.")
        elif day.year > today.year + MOST_YEARS:
            self.add_error("date", f"At most {MOST_YEARS} years. Choose “Never” for one that does not end.")
        else:
            fields["expires_at"] = end_of(day)


class RotateForm(OnceForm):
    """How long the old secret goes on working beside the new one."""

    overlap = forms.TypedChoiceField(
        label="The old secret",
        choices=[(name, "ends now" if not span else f"works {words} more") for name, (span, words) in OVERLAPS.items()],
        coerce=lambda name: OVERLAPS[name][0],
        empty_value=None,
        initial="24h",
    )


def end_of(day: date) -> datetime:
    """The moment at which this day is over, where the reader is."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=timezone.get_current_timezone())
