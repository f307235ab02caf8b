"""A form for what has a type: its name, its tag, and a field for each of the configuration of that type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.forms import BoundField
from django.http import QueryDict
from rest_framework import serializers

from badgerjobs.web.definitions import header_rows, json_text
from badgerjobs.web.definitions.inputs import begun, flat, form_field, has_rows, shown, told
from badgerjobs.web.definitions.looks import Look, arranged, look_of
from badgerjobs.web.definitions.named_form import NamedForm, typed
from badgerjobs.web.serializer_forms import first_sentence
from badgerjobs.web.serializers import StrictSerializer
from badgerjobs.workspaces.models import Application

# Fields of the configuration stand in the form as `configuration_NAME`: it has a name of its own.
PREFIX = "configuration_"


@dataclass(frozen=True, slots=True)
class Row:
    """A field of the configuration, as the page shows it. `sort`: `rows`, `check`, `choice`, `joined` or `plain`."""

    field: BoundField
    look: Look
    sort: str

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
        for name, one in self.inputs.items():
            look = look_of(self.looks, name, one)
            self.fields[PREFIX + name] = form_field(name, one, look, is_secret=name in self.secret_fields)
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
        filled = {PREFIX + name: shown(name, one, values.get(name)) for name, one in self.inputs.items()}
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
            only = look_of(self.looks, name, one).only
            if only and choice not in only:
                continue
            if has_rows(name, one):
                self._judge_rows(name)
            try:
                value = told(name, one, self._typed(name))
            except json_text.BadJSONError as error:
                self.refuse(f"configuration.{name}", str(error))
                continue
            if value is not serializers.empty:
                yield name, value

    def _typed(self, name: str) -> Any:
        """As it came: what is no choice is the serializer's to refuse."""
        field = PREFIX + name
        return self.cleaned_data.get(field, self.data.get(field, ""))

    def _judge_rows(self, name: str) -> None:
        stored = (self.row.configuration.get(name) if self.row else None) or {}
        self.row_errors = header_rows.wrong(self.pairs, stored)
        for said in self.row_errors.values():
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
        new = {PREFIX + name: shown(name, one, begun(one)) for name, one in self.inputs.items()}
        named = [row.field.name for row in self.more_rows]
        return any(name in self.errors or str(self[name].value() or "") != str(new[name]) for name in named)

    def _rows(self) -> list[Row]:
        names = [name for name in self.inputs if not (name == "verb" and "endpoint" in self.inputs)]
        return [Row(self[PREFIX + n], look_of(self.looks, n, self.inputs[n]), self._sort_of(n)) for n in names]

    def _sort_of(self, name: str) -> str:
        one = self.inputs[name]
        if has_rows(name, one):
            return "rows"
        if name == "endpoint" and "verb" in self.inputs:
            return "joined"
        if isinstance(one, serializers.BooleanField):
            return "check"
        return "choice" if isinstance(one, serializers.ChoiceField) else "plain"

    @property
    def verb(self) -> BoundField:
        return self[f"{PREFIX}verb"]
