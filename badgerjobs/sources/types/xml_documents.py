"""XML, and SOAP: one call, whose answer has an element for each row."""

from collections.abc import Mapping
from typing import Any

from badgerjobs.sources.authentication import SECRETS
from badgerjobs.sources.rows.remembering import RememberingConfiguration, own_placeholders
from badgerjobs.sources.rows.xml_elements import ElementsConfiguration, ElementsPull
from badgerjobs.sources.templates import declared
from badgerjobs.sources.types import Type
from badgerjobs.sources.types.endpoint import CalledConfiguration
from badgerjobs.sources.types.requests import RequestConfiguration, templates


class XMLConfiguration(CalledConfiguration, RequestConfiguration, ElementsConfiguration, RememberingConfiguration):
    """An HTTP request, and which elements of its answer are rows."""


def variables(configuration: Mapping[str, Any]) -> list[str]:
    """The names that its placeholders ask for, in order."""
    ours = own_placeholders(configuration)
    return [name for name in declared(templates(configuration)) if name not in ours]


XML = Type(XMLConfiguration, variables, None, None, SECRETS, ElementsPull)
