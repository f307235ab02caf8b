"""Why a job is ended, as a form."""

from django import forms

from badgerjobs.runs.breaker import LONGEST_REASON


class CancelForm(forms.Form):
    """`cleaned_data` has the `reason`."""

    template = "jobs/form/cancel.html"

    reason = forms.CharField(
        label="Why",
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": "the order was cancelled"}),
    )

    def clean_reason(self) -> str:
        """In one line."""
        return " ".join(self.cleaned_data["reason"].split())
