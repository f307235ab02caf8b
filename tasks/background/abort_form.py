"""Why background tasks are aborted, and whether what they triggered is spared, as a form."""

from collections.abc import Mapping
from typing import Any

from django import forms

from tasks.background.services import LONGEST_MESSAGE


class AbortForm(forms.Form):
    """`cleaned_data` has the `message`, and whether it holds for what was triggered, too: `cascade`."""

    template = "tasks/background/abort.html"

    message = forms.CharField(
        label="Why",
        required=False,
        max_length=LONGEST_MESSAGE,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": "kept in its log"}),
    )
    spares = forms.BooleanField(label="Spare what it triggered", required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, are_many: bool = False) -> None:
        super().__init__(data, auto_id="abort-%s")
        if are_many:
            self.fields["message"].widget.attrs["placeholder"] = "kept in their logs"
            self.fields["spares"].label = "Spare what they triggered"

    def clean(self) -> dict[str, Any]:
        """What aborting is given."""
        return {"message": self.cleaned_data.get("message", ""), "cascade": not self.cleaned_data.get("spares")}
