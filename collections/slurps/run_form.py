"""What an async job is run with by hand: a value for each placeholder of its sources."""

from collections.abc import Sequence
from typing import Any

from django import forms

# What stands before the name of a variable in that of its field.
VALUE = "value:"


class ValuesForm(forms.Form):
    """A field for each of these variables; an empty one is an empty text."""

    template = "collections/form/values.html"

    def __init__(self, data: Any = None, *, names: Sequence[str]) -> None:
        super().__init__(data)
        self.names = list(names)
        for place, name in enumerate(self.names, start=1):
            widget = forms.TextInput({"class": "mono", "autocomplete": "off", "id": f"value-{place}"})
            self.fields[VALUE + name] = forms.CharField(label=name, required=False, strip=False, widget=widget)

    @property
    def values(self) -> dict[str, str]:
        """Name → what was typed. For a form that is valid."""
        return {name: self.cleaned_data.get(VALUE + name, "") for name in self.names}
