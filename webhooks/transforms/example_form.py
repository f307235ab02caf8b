"""What an example is called, as a form."""

from django import forms


class ExampleForm(forms.Form):
    """`cleaned_data["name"]` is what people call it among the examples of its hook."""

    template = "webhooks/form/example.html"

    name = forms.CharField(
        label="What it is called",
        max_length=100,
        error_messages={"required": "Give it a name, like product updated."},
        widget=forms.TextInput({"placeholder": "product updated", "autocomplete": "off"}),
    )

    def __init__(self, data: object = None, **more: object) -> None:
        super().__init__(data, **{"auto_id": "example-%s", **more})  # type: ignore[arg-type]
