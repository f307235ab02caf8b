"""Events and connections as forms. Every rule is the serializers' and the services'; the forms only speak to people."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.http import QueryDict
from rest_framework import serializers

from badgerjobs.runs.forms import LENIENT, first_sentence
from badgerjobs.web.serializers import StrictSerializer
from badgerjobs.workspaces.models import Application
from jobs import header_rows, json_text
from jobs.events.connections import SECRETS
from jobs.events.inputs import begun, flat, form_field, has_rows, shown, told
from jobs.events.looks import CHOICES, Look, configuration_fields, connection_types, look_of
from jobs.events.serializers import ConnectionSerializer, EventSerializer
from jobs.events.services import configuration_of, connection_configuration
from jobs.events.types import type_of
from jobs.header_rows import HeaderRow
from jobs.models import Connection, Event

# Fields of the configuration stand in the form as `configuration_NAME`: it has a name of its own.
PREFIX = "configuration_"
CHANGED_MEANWHILE = "Somebody else changed this while the form was open. Save again to have it your way."
NO_NAME = "Give it a name, like {}."


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


class DefinitionForm(forms.Form):
    """An event or a connection of the type `kind`. `row` is the one being changed, None for a new one."""

    name = forms.CharField(widget=forms.TextInput({"class": "short", "autocomplete": "off"}), **LENIENT)
    tag = forms.CharField(
        widget=forms.TextInput({"class": "mono short", "autocomplete": "off"}),
        help_text="Its identity in addresses and in the API: unique, and never changed. The name, unless you give one.",
        **LENIENT,
    )
    like = "low-stock"

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        application: Application,
        kind: str,
        row: Any = None,
        typed: QueryDict | None = None,
    ) -> None:
        super().__init__(data, auto_id="%s")
        self.application, self.kind, self.row = application, kind, row
        self.inputs = configuration_fields(kind)
        self.row_errors: dict[int, str] = {}
        self.focused = ""
        for name, one in self.inputs.items():
            look = look_of(kind, name, one)
            self.fields[PREFIX + name] = form_field(name, one, look, is_secret=name in self.secret_fields)
        self.initial = self.typed(typed) if typed is not None else self.begins()

    @property
    def secret_fields(self) -> tuple[str, ...]:
        """Those of which only stars are shown."""
        return SECRETS.fields

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

    def typed(self, data: QueryDict) -> dict[str, Any]:
        """What was typed so far, as a beginning: shown again, and not judged yet."""
        return {name: field.widget.value_from_datadict(data, {}, name) for name, field in self.fields.items()}

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
        name, tag = (self.cleaned_data.get(field, "").strip() for field in ("name", "tag"))
        named = {"name": name or self.row.tag} if self.row else {"name": name, "tag": tag}
        return {
            **{field: text for field, text in named.items() if text},
            "type": self.kind,
            "configuration": dict(self._configuration()),
        }

    def _configuration(self) -> Any:
        """What was typed into those fields that are to be seen."""
        choice = self.cleaned_data.get(PREFIX + CHOICES.get(self.kind, ""), "")
        for name, one in self.inputs.items():
            only = look_of(self.kind, name, one).only
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
        """Put a sentence beside the field that the serializer calls so, unless there is one already."""
        sentence = first_sentence(said)
        field, _, deeper = name.partition(".")
        if field == "configuration" and deeper:
            field, _, deeper = deeper.partition(".")
            field = PREFIX + field
            sentence = f"{deeper}: {sentence}" if deeper and not deeper.isdigit() else sentence
        if field == "tag" and not self.cleaned_data.get("tag"):
            if not self.cleaned_data.get("name"):
                field, sentence = "name", NO_NAME.format(self.like)
            elif near := re.sub(r"[^\w.:-]+", "-", self.cleaned_data["name"]).strip("-."):
                sentence = f"The name stands in addresses too, unless you give a tag. Did you mean {near}?"
        if field not in self.errors:
            self.add_error(field if field in self.fields else None, sentence)

    def in_the_way(self) -> list[str]:
        """What is wrong with what it does, whatever it is called: so it cannot be tried out."""
        return [str(said) for name in self.errors if name not in {"name", "tag"} for said in self.errors[name]]

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
        return [Row(self[PREFIX + n], look_of(self.kind, n, self.inputs[n]), self._sort_of(n)) for n in names]

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

    @property
    def pairs(self) -> header_rows.Pairs:
        """The rows of headers as they were typed, or as they begin; none where the type has no headers."""
        field = f"{PREFIX}headers"
        return list(self[field].value() or []) if field in self.fields else []

    def header_rows(self) -> list[HeaderRow]:
        """The rows of headers, to show."""
        return header_rows.rows(self.pairs, self.row_errors)

    def blank_row(self) -> HeaderRow:
        """A row that scripts copy: they number it."""
        return HeaderRow(0, "", "")

    def wrong(self) -> list[tuple[str, str]]:
        """Id and label of each field that needs a change, in their order on the page."""
        found: list[tuple[str, str]] = []
        for name in self.fields:
            if name == f"{PREFIX}headers" and self.row_errors:
                found += [(f"header_name_{number}", f"Header {number}") for number in self.row_errors]
            elif name in self.errors:
                found.append((name, str(self[name].label)))
        return found

    def focus(self, name: str) -> None:
        """Let a field have the keyboard when the page is there: by its widget, or a row of headers by its id."""
        self.focused = "header_name_1" if name == f"{PREFIX}headers" else name
        if name in self.fields:
            self.fields[name].widget.attrs["autofocus"] = True


class ConnectionSelect(forms.ChoiceField):
    """One of the application's connections, by its tag."""

    def validate(self, value: Any) -> None:
        """Whether there is one, the serializer says."""


class EventForm(DefinitionForm):
    """An event."""

    connection = ConnectionSelect(label="Connection", **LENIENT)

    def __init__(self, *given: Any, **more: Any) -> None:
        self.connection_types = connection_types(more["kind"])
        super().__init__(*given, **more)
        if not self.connection_types:
            del self.fields["connection"]
            return
        fitting = Connection.objects.for_application(self.application).filter(type__in=self.connection_types)
        rows = fitting.order_by("name", "pk").values_list("tag", "name")
        self.connections = [(tag, name if name == tag else f"{name} ({tag})") for tag, name in rows]
        self.fields["connection"].choices = [("", "None"), *self.connections]  # type: ignore[attr-defined]
        if self.row and self.row.connection:
            self.initial.setdefault("connection", self.row.connection.tag)
        elif len(self.connections) == 1 and not self.row:
            self.initial.setdefault("connection", self.connections[0][0])

    @property
    def secret_fields(self) -> tuple[str, ...]:
        return type_of(self.kind).secrets.fields

    def serializer(self, given: Mapping[str, Any]) -> EventSerializer:
        """Judge the event as the API would."""
        context = {"application": self.application}
        return EventSerializer(self.row, data=given, partial=self.row is not None, context=context)

    def check_configuration(self, given: Mapping[str, Any]) -> None:
        """With its connection: what fits one does not fit another."""
        if "connection" not in self.errors:
            configuration_of(self.event(), given)

    def event(self) -> Event:
        """The event as the form has it, but for its configuration: to be tried out, not to be saved."""
        event = self.row or Event(application=self.application, type=self.kind)
        tag = self.told["connection"]
        rows = Connection.objects.for_application(self.application)
        event.connection = rows.filter(tag=tag).first() if tag else None
        return event

    def _told(self) -> dict[str, Any]:
        return {**super()._told(), "connection": self._connection()}

    def _connection(self) -> str | None:
        """Only where the choice above has one."""
        if not self.connection_types:
            return None
        chooser = CHOICES.get(self.kind, "")
        needed = type_of(self.kind).connection({chooser: self.cleaned_data.get(PREFIX + chooser)})
        return (self.cleaned_data.get("connection") or None) if needed else None

    @property
    def has_choice(self) -> bool:
        """Whether something is chosen first, which decides whether there is a connection."""
        return self.kind in CHOICES

    @property
    def connection_classes(self) -> str:
        """With which choices the connection is to be seen; empty for with all of them."""
        chooser = CHOICES.get(self.kind)
        if not chooser:
            return ""
        choices = self.inputs[chooser].choices  # type: ignore[attr-defined]
        needing = [choice for choice in choices if type_of(self.kind).connection({chooser: choice})]
        return "" if len(needing) == len(choices) else " ".join(["only", *(f"with-{choice}" for choice in needing)])


class ConnectionForm(DefinitionForm):
    """A connection."""

    like = "shop-database"

    def serializer(self, given: Mapping[str, Any]) -> ConnectionSerializer:
        """Judge the connection as the API would."""
        return ConnectionSerializer(self.row, data=given, partial=self.row is not None)

    def check_configuration(self, given: Mapping[str, Any]) -> None:
        """Its password goes to nobody else."""
        connection_configuration(self.row or Connection(application=self.application, type=self.kind), given)


def fill_in(data: QueryDict, do: str) -> bool:
    """Put what an error offered into its field, as its button says; whether it said so.

    `fill:name=low-stock`, `fill:header_name_2=X-Team`.
    """
    field, _, value = do.removeprefix("fill:").partition("=")
    name, _, number = field.rpartition("_")
    if not do.startswith("fill:"):
        return False
    if name == header_rows.NAME:
        names, row = data.getlist(name), header_rows.number_of(number)
        if 0 < row <= len(names):
            names[row - 1] = value
        data.setlist(name, names)
    elif field in data:
        data[field] = value
    return True
