"""Events and connections as REST shows and takes them."""

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from badgerjobs.lib.storable import is_storable
from badgerjobs.servers.configurations import SECRETS
from badgerjobs.web.definitions.configurations import Secrets
from badgerjobs.web.definitions.fields import TypeField
from badgerjobs.web.definitions.serializers import ConfigurationField, ConfiguredSerializer
from badgerjobs.web.serializers import ErrorField, StrictSerializer
from jobs.ductape_fields import InputField
from jobs.events.connections import CONNECTION_TYPES
from jobs.events.types import EVENT_TYPES, type_of
from jobs.models import Connection, ConnectionType, Event, EventType


@extend_schema_field({"type": "string", "nullable": True})
class ConnectionField(serializers.Field[Any, Any, Any, Any]):
    """The tag of one of the application's connections; its row inside."""

    def to_internal_value(self, data: Any) -> Connection:
        """Raises ValidationError for one that is not there, alike whether it is nobody's or another's."""
        if not isinstance(data, str) or not is_storable(data):  # no row has what the database cannot hold
            raise serializers.ValidationError("Give the tag of a connection, as text.")
        rows = Connection.objects.for_application(self.context["application"])
        found = rows.filter(tag=data).first()
        if found is None:
            raise serializers.ValidationError(f"There is no connection with the tag “{data[:99]}” in this application.")
        return found

    def to_representation(self, value: Any) -> str:
        return str(value.tag)


def _documented(serializer: type[StrictSerializer]) -> Sequence[type[StrictSerializer]]:
    """What the reference has for it: one of several, where only some of its fields go together."""
    return getattr(serializer, "documented_as", (serializer,))


EVENT_CONFIGURATION = PolymorphicProxySerializer(
    component_name="EventConfiguration",
    serializers=[one for name in EVENT_TYPES for one in _documented(type_of(name).serializer)],
    resource_type_field_name=None,
)
CONNECTION_CONFIGURATION = PolymorphicProxySerializer(
    component_name="ConnectionConfiguration",
    serializers=list(CONNECTION_TYPES.values()),
    resource_type_field_name=None,
)


@extend_schema_field(EVENT_CONFIGURATION)
class EventConfigurationField(ConfigurationField):
    """In the reference, one of all that there are."""


@extend_schema_field(CONNECTION_CONFIGURATION)
class ConnectionConfigurationField(ConfigurationField):
    """In the reference, one of all that there are."""


class EventSerializer(ConfiguredSerializer):
    """A definition that jobs perform. What its configuration holds depends on its type."""

    reserved = ("try",)

    type = TypeField(EventType.choices, help_text=f"{', '.join(EventType.values)}; in any case. Never changed.")
    connection = ConnectionField(
        default=None,
        allow_null=True,
        help_text="The tag of the connection that it uses: mails, database actions and broker messages need one.",
    )
    configuration = EventConfigurationField(help_text="What it does, by its type. Given whole; secrets read as stars.")
    jobs = serializers.SerializerMethodField(help_text="How many jobs perform it.")

    def faults(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        """Of the code that is new: what was stored before may stay."""
        event, application = self.instance, self.context["application"]
        stored = event.configuration if event else {}
        given = {name: value for name, value in attrs.get("configuration", {}).items() if value != stored.get(name)}
        found = type_of(event.type if event else attrs["type"])
        faults = found.faults(given, application.workspace_id, application.pk)
        return {"configuration": {name: [said] for name, said in faults.items()}} if faults else {}

    def get_jobs(self, event: Event) -> int:
        return int(getattr(event, "users", 0))

    def configured(self, instance: Event) -> tuple[Any, Secrets]:
        """As its type has it."""
        found = type_of(instance.type)
        return found.serializer, found.secrets


class ConnectionSerializer(ConfiguredSerializer):
    """A server that events speak to, with the credentials for it, which are never shown."""

    reserved = ("try",)

    type = TypeField(
        ConnectionType.choices, help_text=f"{', '.join(ConnectionType.values)}; in any case. Never changed."
    )
    configuration = ConnectionConfigurationField(
        help_text="How its server is spoken to, by its type. Given whole; the password reads as stars."
    )
    events = serializers.SerializerMethodField(help_text="How many events use it.")

    def get_events(self, connection: Connection) -> int:
        return int(getattr(connection, "users", 0))

    def configured(self, instance: Connection) -> tuple[Any, Secrets]:
        """As its type has it: the password is the secret of all of them."""
        return CONNECTION_TYPES[instance.type], SECRETS


class SampleSerializer(StrictSerializer):
    """A sample input, and perhaps another configuration, to try an event out with."""

    input = InputField(default=None, allow_null=True, help_text="What a job would give it: any JSON, at most 1 MB.")
    configuration = EventConfigurationField(
        required=False, help_text="Another one than is stored, which is not changed. Stars are what is stored."
    )
    connection = ConnectionField(required=False, allow_null=True, help_text="Another connection than the stored one.")


class NewSampleSerializer(SampleSerializer):
    """An event that is not stored, and a sample input to try it out with."""

    type = TypeField(EventType.choices, help_text=f"{', '.join(EventType.values)}; in any case.")
    configuration = EventConfigurationField(help_text="What it does, by its type.")


class TriedSerializer(serializers.Serializer[Any]):
    """What came of trying an event out."""

    ok = serializers.BooleanField(help_text="Whether it was a success.")
    duration = serializers.IntegerField(help_text="Milliseconds that it took.")
    result = serializers.JSONField(allow_null=True, help_text="What an attempt would keep: it depends on the type.")
    error = ErrorField(help_text="Null for a success; else its `class` and `message`, as an attempt has them.")
