"""What connections are made of: a literal table, type → the serializer that checks it. Passwords are never shown."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from badgerjobs.servers.configurations import BrokerConfiguration, DatabaseConfiguration, ServerConfiguration
from jobs.models import ConnectionType


class SMTPConfiguration(ServerConfiguration):
    """A mail server."""

    port = serializers.IntegerField(default=587, min_value=1, max_value=65535, help_text="587, or 465 with `tls`.")
    security = serializers.ChoiceField(
        ["starttls", "tls", "none"],
        default="starttls",
        help_text="starttls: turns to TLS. tls: TLS from the start. none: no TLS, no password.",
    )
    sender = serializers.CharField(
        max_length=300, help_text="Whom mails are from: an address, or “Example Shop <shop@example.com>”."
    )

    def validate_sender(self, sender: str) -> str:
        """One address that mails may be from."""
        from jobs.events.types.mail import check_address  # noqa: PLC0415  it stands on this module's table

        check_address(sender)
        return sender

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A password never goes out in plain."""
        if attrs["password"] and attrs["security"] == "none":
            raise serializers.ValidationError(
                {"security": ["A password is only sent by TLS: choose starttls or tls, or leave the password out."]}
            )
        return attrs


CONNECTION_TYPES: Mapping[str, type[ServerConfiguration]] = {
    ConnectionType.SMTP: SMTPConfiguration,
    ConnectionType.DATABASE: DatabaseConfiguration,
    ConnectionType.BROKER: BrokerConfiguration,
}
