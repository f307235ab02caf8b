"""The settings of every scheme of verification as fields of a form: those of the chosen one are seen, and told."""

from collections.abc import Mapping
from typing import Any

from django import forms
from rest_framework import serializers

from badgerjobs.web.definitions.form import Row
from badgerjobs.web.definitions.inputs import begun, form_field, shown, told
from badgerjobs.web.definitions.named_form import NamedForm
from webhooks.looks import setting_fields
from webhooks.verification import SCHEMES, scheme_of


class SettingsForm(NamedForm):
    """A field of a scheme stands in the form as `SCHEME_NAME`: several schemes have one of a name."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        for scheme, name, one, look in _all_fields():
            is_secret = name in scheme_of(scheme).secrets.fields
            self.fields[f"{scheme}_{name}"] = form_field(name, one, look, is_secret=is_secret)

    def setting_rows(self) -> list[Row]:
        """All of them, each to be seen with its scheme."""
        rows = []
        for scheme, name, _, look in _all_fields():
            field = self[f"{scheme}_{name}"]
            is_choice = isinstance(self.fields[field.name].widget, forms.RadioSelect)
            rows.append(Row(field, look, "choice" if is_choice else "plain"))
        return rows

    def settings_told(self, scheme: str) -> dict[str, Any]:
        """What was typed into those of this scheme, as REST takes it."""
        found = {}
        for name, (one, _) in setting_fields(scheme).items():
            value = told(one, self.cleaned_data.get(f"{scheme}_{name}", ""))
            if value is not serializers.empty:
                found[name] = value
        return found


def settings_shown(scheme: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields begin with: of this scheme its settings, masked; of every other what a new one begins with."""
    found = {}
    for other, name, one, _ in _all_fields():
        value = settings.get(name) if other == scheme else begun(one)
        found[f"{other}_{name}"] = shown(one, value)
    return found


def _all_fields() -> list[tuple[str, str, Any, Any]]:
    return [(str(scheme), name, *field) for scheme in SCHEMES for name, field in setting_fields(str(scheme)).items()]
