"""What an admin fills in about notices. Errors say what would be right."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from badgerjobs.notices.addresses import only_members, strangers_among
from badgerjobs.notices.masking import masked_url
from badgerjobs.notices.models import MOST_ADDRESSES, RECOVERED, NoticeSettings
from badgerjobs.outbound.targets import UnsendableError, check_url
from badgerjobs.runs.models import Trouble

WEEK_MIN = 7 * 24 * 60
WORDS = {
    Trouble.FAILED.value: "a run failed for good",
    Trouble.WARNED.value: "a job keeps failing",
    Trouble.PAUSED.value: "a job was paused because it kept failing",
    Trouble.LATE.value: "work is late",
    RECOVERED: "it is over again",
}


class NoticesForm(forms.Form):
    """Who is told of what. `row` is what is stored; its URL is shown masked, and stays where that comes back."""

    enabled = forms.BooleanField(label="Tell people", required=False)
    emails = forms.CharField(
        label="E-mail addresses",
        required=False,
        max_length=6000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "short", "autocomplete": "off", "spellcheck": "false"}),
    )
    url = forms.CharField(
        label="URL",
        required=False,
        max_length=2000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "https://example.com/notices"}),
    )
    troubles = forms.MultipleChoiceField(
        label="Of what", required=False, choices=list(WORDS.items()), widget=forms.CheckboxSelectMultiple()
    )
    quiet_minutes = forms.IntegerField(label="Quiet for", min_value=0, max_value=WEEK_MIN)
    late_after_minutes = forms.IntegerField(label="Work is late after", required=False, min_value=1, max_value=WEEK_MIN)

    def __init__(self, *args: Any, row: NoticeSettings, **kwargs: Any) -> None:
        self._row = row
        super().__init__(*args, **kwargs)

    def clean_emails(self) -> list[str]:
        """The addresses, each once, in their order. Raises ValidationError."""
        given = [email for email in re.split(r"[\s,;]+", self.cleaned_data["emails"]) if email]
        emails = list({email.lower(): email for email in given}.values())
        if len(emails) > MOST_ADDRESSES:
            raise ValidationError(f"At most {MOST_ADDRESSES} addresses: for more people, make a list at your provider.")
        for email in emails:
            try:
                validate_email(email)
            except ValidationError:
                raise ValidationError(f"“{email}” is no e-mail address.") from None
        if strangers := strangers_among(emails, self._row.application.workspace):
            raise ValidationError(f"“{strangers[0]}” is no member's address. Invite them to the workspace first.")
        return emails

    def clean_url(self) -> str:
        """The URL; the stored one where it came back masked. Raises ValidationError."""
        url: str = self.cleaned_data["url"]
        if not url or url == masked_url(self._row.url):
            return self._row.url if url else ""
        try:
            check_url(url)
        except UnsendableError as error:
            raise ValidationError(str(error)) from None
        return url

    @property
    def fields_for_service(self) -> dict[str, Any]:
        """What `change_notices` is given."""
        given = dict(self.cleaned_data)
        minutes = given.pop("late_after_minutes")
        return {**given, "late_after_s": minutes * 60 if minutes else None}

    @property
    def is_for_members(self) -> bool:
        """Whether only members' addresses are taken."""
        return only_members()


def initial(row: NoticeSettings) -> dict[str, Any]:
    """What is stored, as the form shows it."""
    late = row.application.late_after_s
    return {
        "enabled": row.enabled,
        "emails": "\n".join(row.emails),
        "url": masked_url(row.url),
        "troubles": row.troubles,
        "quiet_minutes": row.quiet_minutes,
        "late_after_minutes": -(-late // 60) if late else None,
    }
