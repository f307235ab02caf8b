"""What says where a server is, who signs in to it and whom to believe, whatever speaks to it."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from badgerjobs.servers.databases import check_engine
from badgerjobs.servers.fields import CertificatesField, HostField
from badgerjobs.web.definitions.configurations import Secrets
from badgerjobs.web.serializers import StrictSerializer

# Those that there is a driver for, here or where an operator adds it (`databases.py`).
ENGINES = ("postgresql", "mysql", "mariadb")
TLS = ("verify", "unverified", "none")
TLS_WORDS = "verify: by TLS, to the server that its certificate names. unverified: by TLS, to whoever answers. none."


def party(configuration: Mapping[str, Any]) -> Any:
    """Whom a password is sent to, and how well we make sure of it."""
    return tuple(configuration.get(name) for name in ("protocol", "host", "port", "tls", "certificates"))


SECRETS = Secrets(fields=("password",), party=party)


class ServerConfiguration(StrictSerializer):
    host = HostField(help_text="The server's name, as its certificate says it.")
    user = serializers.CharField(default="", allow_blank=True, max_length=300, help_text="Who signs in.")
    password = serializers.CharField(
        default="",
        allow_blank=True,
        trim_whitespace=False,
        max_length=4000,
        help_text="Encrypted, and reads back as stars; stars that come back keep the stored one.",
    )
    certificates = CertificatesField(
        help_text="PEM of the authorities to trust in place of the usual ones, for a server that signs its own."
    )


class DatabaseConfiguration(ServerConfiguration):
    """A database."""

    engine = serializers.ChoiceField(
        ENGINES,
        default="postgresql",
        error_messages={"invalid_choice": f"“{{input}}” is none of {', '.join(ENGINES)}."},
        help_text="postgresql; or mysql, mariadb where the operator installed SQLAlchemy and PyMySQL.",
    )
    port = serializers.IntegerField(default=5432, min_value=1, max_value=65535, help_text="5432 unless given.")
    database = serializers.CharField(max_length=200, help_text="The database's name.")
    tls = serializers.ChoiceField(TLS, default="verify", help_text=TLS_WORDS)

    def validate_engine(self, engine: str) -> str:
        """One that there is a driver for, here."""
        try:
            check_engine(engine)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None
        return engine


class BrokerConfiguration(ServerConfiguration):
    """A message broker: AMQP 0-9-1, as RabbitMQ speaks it, or Redis and Valkey."""

    protocol = serializers.ChoiceField(["amqp", "redis"], help_text="amqp (RabbitMQ), or redis (Redis and Valkey).")
    port = serializers.IntegerField(
        required=False, min_value=1, max_value=65535, help_text="5671 or 5672 for AMQP, 6379 for Redis unless given."
    )
    tls = serializers.ChoiceField(TLS, default="verify", help_text=TLS_WORDS)
    virtual_host = serializers.CharField(default="/", max_length=200, help_text="AMQP: the virtual host.")
    database = serializers.IntegerField(default=0, min_value=0, max_value=1_000_000, help_text="Redis: the database.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The port that each protocol usually has."""
        usual = 6379 if attrs["protocol"] == "redis" else 5672 if attrs["tls"] == "none" else 5671
        return {"port": usual, **attrs}
