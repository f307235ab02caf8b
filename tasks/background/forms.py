"""What triggers a background task, as a form: its input by the schema of that, its name, and when."""

from collections.abc import Mapping
from typing import Any

from django import forms

from badgerjobs.lib.amounts import LENGTHS_S, BadAmountError, seconds
from badgerjobs.runs.policy_form import number_field
from badgerjobs.web.definitions import json_text
from badgerjobs.web.definitions.form import Row
from badgerjobs.web.definitions.inputs import plain
from badgerjobs.web.definitions.looks import Look
from badgerjobs.web.serializer_forms import LENIENT
from tasks.background.definitions import Definition
from tasks.background.inputs import InvalidInputError, schema_of, validated
from tasks.background.preparing import DELAY_BELOW_S
from tasks.background.schema_fields import NOTHING, WHOLE, Asked, NotReadError, asked_for

# In what a delay is counted.
DAYS = "days"
UNITS = (*LENGTHS_S, DAYS)
TOO_LONG = "Give less than 355 days."
NO_OBJECT = 'Give an object, like {"rows": 3}.'


class InputForm(forms.Form):
    """The input of a definition: a field for each property of its schema, or one for all of it as JSON.

    What was typed is `given` once it is clean; what may stand there, the definition says.
    """

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, definition: Definition, begun: Any = NOTHING, **more: Any
    ) -> None:
        super().__init__(data, **{"auto_id": "%s", **more})
        self.definition = definition
        self.asked = asked_for(schema_of(definition))
        for one in self.asked:
            self.fields[one.field] = one.form_field()
        if not self.asked:
            self.fields[WHOLE] = _whole()
        self.initial = {**self.initial, **self._begun(begun)}

    def _begun(self, begun: Any) -> dict[str, Any]:
        """What the fields begin with: this input, or the defaults of the schema."""
        if not self.asked:
            return {WHOLE: "" if begun in (NOTHING, {}) else json_text.written(begun)}
        if isinstance(begun, Mapping):
            return {one.field: one.shown(begun.get(one.name, NOTHING)) for one in self.asked}
        return {one.field: one.shown(one.default) for one in self.asked}

    def clean(self) -> dict[str, Any]:
        """Read what was typed."""
        self.given: dict[str, Any] = {}
        for one in self.asked:
            try:
                value = one.told(self._typed(one))
            except NotReadError as error:
                self.refuse(one.field, str(error))
                continue
            if value is not NOTHING:
                self.given[one.name] = value
        if not self.asked:
            self.given = self._whole_told()
        return self.cleaned_data

    def _typed(self, one: Asked) -> str | list[str]:
        """As it was sent: what is wrong with it, its own sort says."""
        sent = self[one.field].data
        return [str(each) for each in sent] if isinstance(sent, list) else str(sent or "")

    def _whole_told(self) -> dict[str, Any]:
        try:
            given = json_text.read(plain(str(self.cleaned_data.get(WHOLE, ""))))
        except json_text.BadJSONError as error:
            self.refuse(WHOLE, str(error))
            return {}
        if given is not None and not isinstance(given, dict):
            self.refuse(WHOLE, NO_OBJECT)
            return {}
        return given or {}

    def judge(self) -> None:
        """Let the definition say what is wrong with what was read, beside what could not be: all is told at once.

        What it says of the whole input may only be that a field is missing which could not be read.
        """
        was_read = not self._of_input_wrong()
        try:
            validated(self.definition, self.given)
        except InvalidInputError as refused:
            own = {one.name for one in self.asked}
            said = {path: one for path, one in refused.fields.items() if was_read or {*_steps(path, one)[:1]} & own}
            if was_read or said:
                self.refuse_fields(said, str(refused))

    def _of_input_wrong(self) -> list[str]:
        return [name for name, _ in self._of_input() if name in self.errors]

    def refuse(self, name: str, sentence: str) -> None:
        """Put a sentence beside a field, or above all of them."""
        if name not in self.errors:
            self.add_error(name if name in self.fields else None, sentence)

    def refuse_fields(self, fields: Mapping[str, Any], otherwise: str) -> None:
        """Put what the definition says of an input, path → {message}, beside the fields that it is about."""
        by_name = {one.name: one.field for one in self.asked}
        for path, said in fields.items():
            steps = _steps(path, said)
            first, deeper = (steps[0], ".".join(steps[1:])) if steps else ("", "")
            sentence = str(said.get("message", "")) or otherwise
            if first in by_name:
                self.refuse(by_name[first], f"{deeper}: {sentence}" if deeper else sentence)
            else:
                self.refuse(WHOLE, f"{first}: {sentence}" if first else sentence)
        if not fields:
            self.refuse(WHOLE, otherwise)

    def wrong(self) -> list[tuple[str, str]]:
        """Id and label of each field that needs a change, in their order on the page."""
        return [(name, str(self[name].label)) for name in self.in_order() if name in self.errors]

    def in_order(self) -> list[str]:
        """The fields in their order on the page."""
        return list(self.fields)

    @property
    def rows_of_input(self) -> list[Row]:
        """The fields of the input, as the page shows them. No property's field is called so: templates find those."""
        return [Row(self[name], Look(str(field.label)), _sort_of(field)) for name, field in self._of_input()]

    def _of_input(self) -> list[tuple[str, forms.Field]]:
        return [(name, self.fields[name]) for name in [one.field for one in self.asked] or [WHOLE]]


class TriggerForm(InputForm):
    """The same, with a name for the run and how long it waits."""

    name = forms.CharField(
        label="Name of this run",
        widget=forms.TextInput({"class": "short", "autocomplete": "off"}),
        help_text="What lists call this one. Empty: the title of its definition.",
        **LENIENT,
    )
    delay = forms.CharField(
        label="Waits", widget=number_field(), help_text="Empty: it begins at once. Less than 355 days.", **LENIENT
    )
    delay_unit = forms.ChoiceField(
        choices=[(name, name) for name in UNITS], widget=forms.Select({"aria-label": "Waits, in"}), **LENIENT
    )

    def in_order(self) -> list[str]:
        """The input first: what is rarely said stands below it."""
        own = ["name", "delay", "delay_unit"]
        return [*(name for name in self.fields if name not in own), *own]

    def clean(self) -> dict[str, Any]:
        """Read the delay, too, as whole seconds: `delay_s`. What is right, whoever triggers judges."""
        super().clean()
        number, unit = (str(self.cleaned_data.get(name, "")).strip() for name in ("delay", "delay_unit"))
        self.delay_s = 0
        if number:
            try:
                self.delay_s = 24 * seconds(number, "hours") if unit == DAYS else seconds(number, unit or "minutes")
            except BadAmountError as error:
                self.refuse("delay", str(error))
        if self.delay_s >= DELAY_BELOW_S:
            self.refuse("delay", TOO_LONG)
        if self.errors:
            self.judge()
        return self.cleaned_data


def _steps(path: str, said: Mapping[str, Any]) -> list[str]:
    """Where it is in the input: the names of properties, one in the other."""
    return [str(step) for step in (said.get("data") or {}).get("path") or path.split(".") if step != ""]


def _sort_of(field: forms.Field) -> str:
    if isinstance(field.widget, forms.CheckboxSelectMultiple):
        return "choices"
    return "choice" if isinstance(field.widget, forms.RadioSelect) else "plain"


def _whole() -> forms.Field:
    return forms.CharField(
        label="The whole input",
        strip=False,
        widget=forms.Textarea({"rows": "8", "spellcheck": "false", "autocapitalize": "off", "data-editor": "json"}),
        help_text="An object, as JSON. Empty: {}.",
        **LENIENT,
    )
