"""Fields that configurations of servers are made of: hosts and certificates."""

import ssl
from ipaddress import ip_address
from typing import Any

from rest_framework import serializers

from badgerjobs.outbound.addresses import NAME


class HostField(serializers.CharField):
    """A host name or an address: one, as it is looked up and as its certificate says it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=253, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Lower case, without a dot at the end."""
        host = super().to_internal_value(data).lower().rstrip(".")
        try:
            return str(ip_address(host))
        except ValueError:
            pass
        if not NAME.fullmatch(host) or host.rpartition(".")[2].isdigit():
            raise serializers.ValidationError(
                "Give a host name, like db.example.com, or an address; no scheme, no port."
            )
        return host


class CertificatesField(serializers.CharField):
    """Certificates of authorities as PEM: trusted in place of the usual ones, for servers that sign their own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"default": "", "allow_blank": True, "max_length": 100_000, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        """Refuse what holds no certificate."""
        pem = super().to_internal_value(data)
        if pem:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
            except (ssl.SSLError, ValueError, TypeError):  # the last for what is not ASCII
                raise serializers.ValidationError(
                    "This is no certificate in PEM: it begins with -----BEGIN CERTIFICATE-----."
                ) from None
        return pem
