"""Another address for a hook, as a form: how long the one before leads there too."""

from django import forms

# In seconds. A provider's setting is changed in a minute, or by somebody who is asked to.
OVERLAPS = [
    ("86400", "for a day"),
    ("3600", "for an hour"),
    ("604800", "for a week"),
    ("0", "not at all: it leads nowhere at once"),
]


class RotateForm(forms.Form):
    """`cleaned_data` has `overlap`, in seconds."""

    template = "webhooks/form/rotate.html"

    overlap = forms.TypedChoiceField(label="This URL goes on working", choices=OVERLAPS, coerce=int)
