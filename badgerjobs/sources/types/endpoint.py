"""What sources that are called by HTTP have in common: URL, headers, who asks, time limit, transform."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from badgerjobs.outbound.targets import PORTS, UnsendableError, target_of
from badgerjobs.sources.authentication import AuthenticationConfiguration
from badgerjobs.sources.templates import SourceHeadersField, SourceTemplateField
from badgerjobs.web.definitions.fields import timeout_field
from badgerjobs.web.definitions.request_templates import check_url_template

LONGEST_CODE = 200_000
# Of databases and brokers.
USUAL_PORTS = {1433, 1521, 3306, 5432, 5671, 5672, 6379}


def host_of(configuration: Mapping[str, Any]) -> str:
    """The host that is called, with its port where that is not the usual one; empty where it cannot be told."""
    if host := configuration.get("host"):
        port = configuration["port"]
        return str(host) if port in USUAL_PORTS else f"{host}:{port}"
    try:
        target = target_of(str(configuration.get("url", "")).partition("{{")[0])
    except UnsendableError:
        return ""
    return target.host if target.port == PORTS[target.scheme] else f"{target.host}:{target.port}"


class CalledConfiguration(AuthenticationConfiguration):
    """Where it is called, and as whom."""

    url = SourceTemplateField(
        max_length=2000,
        help_text="Absolute, http or https. Placeholders like {{PRODUCT_ID}} in path and query, percent-encoded.",
    )
    headers = SourceHeadersField(
        default=dict, help_text="Name → value, with placeholders. Credentials read back as stars."
    )
    timeout = timeout_field()

    def validate_url(self, url: str) -> str:
        """Something that can be called, whoever it is for."""
        check_url_template(url)
        return url


class EndpointConfiguration(CalledConfiguration):
    """The same, and what is made of its answer."""

    transform = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=LONGEST_CODE,
        trim_whitespace=False,
        help_text="A function's body in JavaScript: it sees `response`, `headers` and `variables`, and returns the "
        "value to keep. Empty: the answer as it is.",
    )
