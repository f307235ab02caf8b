"""Events and connections as forms. Every rule is the serializers' and the services'; the forms only speak to people."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from django import forms

from badgerjobs.servers.configurations import SECRETS
from badgerjobs.web.definitions.configurations import checked
from badgerjobs.web.definitions.form import PREFIX, DefinitionForm
from badgerjobs.web.definitions.looks import Look
from badgerjobs.web.serializer_forms import LENIENT
from badgerjobs.web.serializers import StrictSerializer
from jobs.events.looks import CHOICES, TASK, configuration_serializer, connection_types, looks_of
from jobs.events.serializers import ConnectionSerializer, EventSerializer
from jobs.events.services import configuration_of, connection_configuration
from jobs.events.types import type_of
from jobs.models import Connection, Event
from tasks.background.definitions import Definition, public_definitions

NEEDS_ONE = "This needs a connection: choose one."
NEEDS_TO_BE_MADE = "This needs a connection, and there is none yet that fits: make one first."


class ConnectionSelect(forms.Select):
    """Names of connections. `classes`: tag → with which choices of the form it is to be seen."""

    classes: Mapping[str, str] = {}

    def create_option(self, *given: Any, **more: Any) -> dict[str, Any]:
        """With its class, where it has one."""
        option = super().create_option(*given, **more)
        if shown_with := self.classes.get(str(option["value"])):
            option["attrs"]["class"] = shown_with
        return option


class ConnectionChoice(forms.ChoiceField):
    """One of the application's connections, by its tag."""

    widget = ConnectionSelect

    def validate(self, value: Any) -> None:
        """Whether there is one, the serializer says."""


class TypedForm(DefinitionForm):
    """An event or a connection: its type is a row in the tables of both."""

    @property
    def configuration_serializer(self) -> type[StrictSerializer]:
        return configuration_serializer(self.type)

    @property
    def looks(self) -> Mapping[str, Look]:
        return looks_of(self.type)

    @property
    def chooser(self) -> str:
        return CHOICES.get(self.type, "")


class EventForm(TypedForm):
    """An event."""

    no_name = "Give it a name, like low-stock."

    connection = ConnectionChoice(label="Connection", **LENIENT)

    def __init__(self, *given: Any, **more: Any) -> None:
        self.connection_types = connection_types(more["type_name"])
        super().__init__(*given, **more)
        if field := self.fields.get(PREFIX + TASK):
            field.widget.attrs["list"] = "definitions"
        if not self.connection_types:
            del self.fields["connection"]
            return
        self.connections = self._offered()
        self._offer(self.fields["connection"])
        if self.row and self.row.connection:
            self.initial.setdefault("connection", self.row.connection.tag)
        elif not self.row and len(fitting := self._fitting(self.initial.get(PREFIX + self.chooser, ""))) == 1:
            self.initial.setdefault("connection", fitting[0].tag)

    @property
    def definitions(self) -> list[Definition]:
        """The background tasks that it may trigger; none where it is of another type."""
        return public_definitions() if PREFIX + TASK in self.fields else []

    def _offered(self) -> list[Connection]:
        """Those that fit something that can be chosen here, by name. What they are is read where that decides."""
        rows = Connection.objects.for_application(self.application).filter(type__in=self.connection_types)
        rows = (rows if self.chooser else rows.in_rows()).order_by("name", "pk")
        return [one for one in rows if any(self._fits(one, choice) for choice in self.needing)]

    def _offer(self, field: Any) -> None:
        names = [(one.tag, one.name if one.name == one.tag else f"{one.name} ({one.tag})") for one in self.connections]
        field.choices = [("", "Choose one"), *names]
        for one in self.connections:
            choices = [choice for choice in self.needing if self._fits(one, choice)]
            if choices != self.needing:
                field.widget.classes = {**field.widget.classes, one.tag: _with(choices)}

    def _fits(self, connection: Connection, choice: str) -> bool:
        try:
            self._ensure_fits(connection, choice)
        except ValueError:
            return False
        return True

    def _ensure_fits(self, connection: Connection, choice: str) -> None:
        """Raise ValueError for a connection of the right type that is not for what is chosen."""
        if self.chooser:
            type_of(self.type).fits({self.chooser: choice}, connection.configuration)

    def _fitting(self, choice: str) -> list[Connection]:
        return [one for one in self.connections if choice in self.needing and self._fits(one, choice)]

    @cached_property
    def needing(self) -> list[str]:
        """The choices that need a connection; one without a name where nothing is chosen."""
        choices = self.inputs[self.chooser].choices if self.chooser else [""]  # type: ignore[attr-defined]
        return [choice for choice in choices if type_of(self.type).connection({self.chooser: choice})]

    @property
    def secret_fields(self) -> tuple[str, ...]:
        return type_of(self.type).secrets.fields

    def serializer(self, given: Mapping[str, Any]) -> EventSerializer:
        """Judge the event as the API would."""
        context = {"application": self.application}
        return EventSerializer(self.row, data=given, partial=self.row is not None, context=context)

    def check_configuration(self, given: Mapping[str, Any]) -> None:
        """With its connection: what fits one does not fit another. Without one by itself: all is said at once."""
        self._judge_connection()
        if "connection" not in self.errors:
            configuration_of(self.event(), given)
            return
        found = type_of(self.type)
        checked(found.serializer, given, found.secrets, self.row.configuration if self.row else None)

    def _judge_connection(self) -> None:
        choice = self._choice()
        if not self.connection_types or choice not in self.needing or "connection" in self.errors:
            return
        event = self.event()
        if event.connection is None:
            self.refuse("connection", NEEDS_ONE if self._fitting(choice) else NEEDS_TO_BE_MADE)
            return
        try:
            self._ensure_fits(event.connection, choice)
        except ValueError as error:
            self.refuse("connection", str(error))

    def event(self) -> Event:
        """The event as the form has it, but for its configuration: to be tried out, not to be saved."""
        event = self.row or Event(application=self.application, type=self.type)
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
        return (self.cleaned_data.get("connection") or None) if self._choice() in self.needing else None

    def _choice(self) -> str:
        return str(self.cleaned_data.get(PREFIX + self.chooser, "")) if self.chooser else ""

    @property
    def has_choice(self) -> bool:
        """Whether something is chosen first, which decides whether there is a connection."""
        return bool(self.chooser)

    @property
    def connection_classes(self) -> str:
        """With which choices the connection is to be seen; empty for with all of them."""
        if not self.chooser or len(self.needing) == len(self.inputs[self.chooser].choices):  # type: ignore[attr-defined]
            return ""
        return _with(self.needing)

    @property
    def missing_classes(self) -> str:
        """With which choices it is to be said that no connection fits; empty where one does, or nothing is chosen."""
        missing = [choice for choice in self.needing if not self._fitting(choice)]
        return _with(missing) if missing and self.chooser and self.connections else ""


def _with(choices: Sequence[str]) -> str:
    """The classes of what is to be seen with these choices only."""
    return " ".join(["only", *(f"with-{choice}" for choice in choices)])


class ConnectionForm(TypedForm):
    """A connection."""

    no_name = "Give it a name, like shop-database."

    def serializer(self, given: Mapping[str, Any]) -> ConnectionSerializer:
        """Judge the connection as the API would."""
        return ConnectionSerializer(self.row, data=given, partial=self.row is not None)

    def check_configuration(self, given: Mapping[str, Any]) -> None:
        """Its password goes to nobody else."""
        connection_configuration(self.row or Connection(application=self.application, type=self.type), given)

    @property
    def secret_fields(self) -> tuple[str, ...]:
        return SECRETS.fields
