"""What a webhook task is run with by hand: an example of what its webhook would bring."""

from typing import Any

from django import forms

from badgerjobs.web.definitions import json_text
from tasks.webhook_variables import BODY_BYTES, NO_BODY

TOO_LONG = "This is longer than a webhook may be: 1 MB at most."


class RunForm(forms.Form):
    """`cleaned_data["body"]` is what the JSON says. No body is refused, as webhooks refuse it."""

    template = "tasks/form/body.html"

    body = forms.CharField(
        label="Example body of the webhook",
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": "8", "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off",
                               "class": "mono", "data-editor": "json"}),
    )  # fmt: skip

    def __init__(self, data: Any = None, **more: Any) -> None:
        super().__init__(data, **{"auto_id": "run_%s", **more})

    def clean_body(self) -> Any:
        """Read it, or say where it goes wrong."""
        if not self.cleaned_data["body"].strip():
            raise forms.ValidationError(NO_BODY)
        try:
            return read_example(self.cleaned_data["body"])
        except json_text.BadJSONError as error:
            raise forms.ValidationError(str(error)) from None


def read_example(text: str) -> Any:
    """What an example of a webhook says; None where nothing was typed. Raises BadJSONError."""
    if len(text.encode(errors="replace")) > BODY_BYTES:
        raise json_text.BadJSONError(TOO_LONG)
    return json_text.read(text)
