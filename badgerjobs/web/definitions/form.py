"""A form for what has a type: its name, its tag, and a field for each of the configuration of that type."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any

from django import forms
from django.forms import BoundField
from django.http import QueryDict
from rest_framework import serializers

from badgerjobs.web.definitions import header_rows, json_text
from badgerjobs.web.definitions import rows as row_fields
from badgerjobs.web.definitions.inputs import begun, flat, form_field, row_kind, shown, told
from badgerjobs.web.definitions.looks import Look, arranged, look_of
from badgerjobs.web.definitions.named_form import NamedForm, typed
from badgerjobs.web.definitions.rows import HEADER, RowKind
from badgerjobs.web.serializer_forms import first_sentence
from badgerjobs.web.serializers import StrictSerializer
from badgerjobs.workspaces.models import Application

# Fields of the configuration stand in the form as `configuration_NAME`: it has a name of its own.
PREFIX = "configuration_"


@dataclass(frozen=True, slots=True)
class Row:
    """A field of the configuration, as the page shows it.

    `sort`: `headers`, `rows`, `check`, `choice` (one of some), `choices` (some of them) or `plain`. `joined` stands
    before it, as one value with it. `rows` are those of a field that has some, `row_types` the types that a row may
    have, `blank` a row that scripts copy: they number it.
    """

    field: BoundField
    look: Look
    sort: str
    joined: BoundField | None = None
    rows: list[row_fields.Row] = dataclass_field(default_factory=list)
    blank: row_fields.Row | None = None
    row_types: tuple[str, ...] = ()

    @property
    def classes(self) -> str:
        """With which choices it is to be seen."""
        return " ".join(["only", *(f"with-{choice}" for choice in self.look.only)]) if self.look.only else ""


class DefinitionForm(NamedForm):
    """A definition of the type `type_name`. `row` is the one being changed, None for a new one.

    `so_far` is what was typed, to be shown again and not judged yet.
    """

    headers_field = f"{PREFIX}headers"

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        application: Application,
        type_name: str,
        row: Any = None,
        so_far: QueryDict | None = None,
    ) -> None:
        super().__init__(data, auto_id="%s")
        self.application, self.type, self.row = application, type_name, row
        self.inputs = arranged(self.configuration_serializer, self.looks)
        self.all_looks = {name: look_of(self.looks, name, one) for name, one in self.inputs.items()}
        self.joined = {look.joined for look in self.all_looks.values()}
        for name, one in self.inputs.items():
            self.fields[PREFIX + name] = form_field(
                name, one, self.all_looks[name], is_secret=name in self.secret_fields, is_joined=name in self.joined
            )
        self.initial = typed(self.fields, so_far) if so_far is not None else self.begins()

    @property
    def configuration_serializer(self) -> type[StrictSerializer]:
        """What may stand in the fields of the configuration."""
        raise NotImplementedError

    @property
    def looks(self) -> Mapping[str, Look]:
        """Field of the configuration → how it is shown."""
        raise NotImplementedError

    @property
    def chooser(self) -> str:
        """The field that decides which others there are; empty where there is none."""
        return ""

    @property
    def secret_fields(self) -> tuple[str, ...]:
        """Those of which only stars are shown."""
        raise NotImplementedError

    def serializer(self, given: Mapping[str, Any]) -> StrictSerializer:
        """Who judges what was told."""
        raise NotImplementedError

    def check_configuration(self, given: Mapping[str, Any]) -> None:
        """Raise ValidationError for a configuration that the service would refuse."""
        raise NotImplementedError

    def begins(self) -> dict[str, Any]:
        """The stored one, secrets as stars; or what a new one begins with."""
        if self.row is None:
            values: Mapping[str, Any] = {name: begun(one) for name, one in self.inputs.items()}
        else:
            values = self.stored["configuration"]
        filled = {PREFIX + name: self._shown(name, values.get(name)) for name in self.inputs}
        named = {"name": self.row.name, "tag": self.row.tag} if self.row else {}
        return {**named, **filled}

    @property
    def stored(self) -> Mapping[str, Any]:
        """The row as REST shows it."""
        return type(self.serializer({}))(self.row).data

    def clean(self) -> dict[str, Any]:
        """Tell everything to the serializer, and the configuration to the service: people want to know all at once."""
        self.told = self._told()
        judged = self.serializer(self.told)
        for name, said in flat({} if judged.is_valid() else judged.errors).items():
            self.refuse(name, said)
        self._judge_configuration()
        self.given = dict(judged.validated_data) if not self.errors else {}
        return self.cleaned_data

    def _judge_configuration(self) -> None:
        """Where something is wrong, look at the others as a whole too: some rules are for all of them together."""
        known: set[str] | None = None
        while known != set(self.errors):
            known = set(self.errors)
            told = self.told["configuration"]
            try:
                self.check_configuration({name: value for name, value in told.items() if PREFIX + name not in known})
            except serializers.ValidationError as error:
                for name, said in flat(error.detail).items():
                    self.refuse(name, said)

    def _told(self) -> dict[str, Any]:
        return {**self.named_told(self.row), "type": self.type, "configuration": dict(self._configuration())}

    def _configuration(self) -> Any:
        """What was typed into those fields that are to be seen."""
        choice = self.cleaned_data.get(PREFIX + self.chooser, "")
        for name, one in self.inputs.items():
            only = self.all_looks[name].only
            if only and choice not in only:
                continue
            if kind := self._row_kind(name):
                self._judge_rows(name, kind)
            try:
                value = told(one, self._typed(name), kind)
            except json_text.BadJSONError as error:
                self.refuse(f"configuration.{name}", str(error))
                continue
            if value is not serializers.empty:
                yield name, value

    def _typed(self, name: str) -> Any:
        """As it came: what is no choice is the serializer's to refuse."""
        field = PREFIX + name
        return self.cleaned_data.get(field, self.data.get(field, ""))

    def _row_kind(self, name: str) -> RowKind | None:
        return row_kind(name, self.inputs[name], self.all_looks[name])

    def _shown(self, name: str, value: Any) -> Any:
        return shown(self.inputs[name], value, self._row_kind(name))

    def _judge_rows(self, name: str, kind: RowKind) -> None:
        """Look at each row by itself, so that what is wrong stands beside it."""
        stored = (self.row.configuration.get(name) if self.row else None) or {}
        wrong = (
            header_rows.wrong(self.pairs, stored) if kind is HEADER else row_fields.wrong(kind, self._typed(name) or [])
        )
        self.row_errors[PREFIX + name] = wrong
        for said in wrong.values():
            self.refuse(f"configuration.{name}", said)

    def refuse(self, name: str, said: Any) -> None:
        """The same by the name that the serializer gives to a field."""
        sentence = first_sentence(said)
        field, _, deeper = name.partition(".")
        if field == "configuration" and deeper:
            field, _, deeper = deeper.partition(".")
            field = PREFIX + field
            sentence = f"{deeper}: {sentence}" if deeper and not deeper.isdigit() else sentence
        if field == "tag":
            field, sentence = self.of_tag(sentence)
        super().refuse(field, sentence)

    def in_the_way(self) -> list[tuple[str, str]]:
        """What is wrong with what it does, whatever it is called, by field: so it cannot be tried out."""
        return [(name, str(said)) for name in self.errors if name not in {"name", "tag"} for said in self.errors[name]]

    @property
    def rows(self) -> list[Row]:
        """The fields that many need, in their order."""
        return [row for row in self._rows() if not row.look.more]

    @property
    def more_rows(self) -> list[Row]:
        """The others."""
        return [row for row in self._rows() if row.look.more]

    @property
    def has_more_set(self) -> bool:
        """Whether one of the others is not as usual, or wrong."""
        new = {PREFIX + name: self._shown(name, begun(one)) for name, one in self.inputs.items()}
        named = [row.field.name for row in self.more_rows]
        return any(name in self.errors or str(self[name].value() or "") != str(new[name]) for name in named)

    def _rows(self) -> list[Row]:
        return [self._row(name) for name in self.inputs if name not in self.joined]

    def _row(self, name: str) -> Row:
        look, field, kind = self.all_looks[name], self[PREFIX + name], self._row_kind(name)
        joined = self[PREFIX + look.joined] if look.joined else None
        row = Row(field, look, self._sort_of(name, kind), joined)
        if kind is None or kind is HEADER:
            return row
        errors = self.row_errors.get(PREFIX + name, {})
        rows = row_fields.shown(kind, list(field.value() or []), errors)
        blank = row_fields.Row(kind, 0, ("",) * len(kind.columns))
        return replace(row, rows=rows, blank=blank, row_types=_row_types(self.inputs[name]))

    def _sort_of(self, name: str, kind: RowKind | None) -> str:
        one = self.inputs[name]
        if kind:
            return "headers" if kind is HEADER else "rows"
        if isinstance(one, serializers.BooleanField):
            return "check"
        return "choice" if isinstance(self.fields[PREFIX + name].widget, forms.RadioSelect) else "plain"


def _row_types(one: Any) -> tuple[str, ...]:
    """What a row may be, where its serializer says so by a choice named `type`."""
    choice = getattr(getattr(one, "child", None), "fields", {}).get("type")
    return tuple(choice.choices) if choice else ()
