"""Fields that events and connections are made of: types, templates, hosts, certificates."""

import ssl
from ipaddress import ip_address
from typing import Any

from rest_framework import serializers

from badgerjobs.lib import handlebars
from badgerjobs.outbound.addresses import NAME


class TypeField(serializers.ChoiceField):
    """A type, in any case; upper case when it comes out."""

    def to_internal_value(self, data: Any) -> str:
        """Upper case; a blank or a hyphen is an underscore. Raises ValidationError that names all there are."""
        name = data.strip().upper().replace(" ", "_").replace("-", "_") if isinstance(data, str) else data
        if not isinstance(name, str) or name not in self.choices:
            raise serializers.ValidationError(f"“{data}” is none of {', '.join(self.choices)}.")
        return name


def check_template(text: str) -> None:
    """Refuse what is no template."""
    try:
        handlebars.check(text)
    except handlebars.TemplateError as error:
        raise serializers.ValidationError(str(error)) from None


class TemplateField(serializers.CharField):
    """A text with placeholders."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "max_length": 100_000, **kwargs})
        self.validators.append(check_template)


class JSONTemplateField(serializers.JSONField):
    """Any JSON, with placeholders in its texts and keys."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what is no template, however deep."""
        value = super().to_internal_value(data)
        try:
            handlebars.check_all(value)
        except handlebars.TemplateError as error:
            raise serializers.ValidationError(str(error)) from None
        except RecursionError:
            raise serializers.ValidationError("This is nested too deeply.") from None
        return value


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


def timeout_field(most: int = 300, default: int = 30) -> serializers.IntegerField:
    """How long an attempt may take."""
    words = f"Seconds that each attempt may take: 1 to {most}."
    return serializers.IntegerField(default=default, min_value=1, max_value=most, help_text=words)
