"""REST: HTTP requests whose answers are JSON: the first one's is the value, and all pages' have the rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from badgerjobs.outbound.calls import Call
from badgerjobs.sources import answers
from badgerjobs.sources.authentication import SECRETS
from badgerjobs.sources.rows.paged import PagedConfiguration, RESTPull, first_of, reserved
from badgerjobs.sources.rows.remembering import RememberingConfiguration
from badgerjobs.sources.templates import declared
from badgerjobs.sources.types import Type
from badgerjobs.sources.types.endpoint import EndpointConfiguration
from badgerjobs.sources.types.requests import RequestConfiguration, templates


class RESTConfiguration(EndpointConfiguration, RequestConfiguration, PagedConfiguration, RememberingConfiguration):
    """An HTTP request, where the rows are in its answer, and how to ask for the next page."""


def variables(configuration: Mapping[str, Any]) -> list[str]:
    """The names that its placeholders ask for, in order."""
    ours = reserved(configuration)
    return [name for name in declared(templates(configuration)) if name not in ours]


def prepare(given: Mapping[str, Any], values: Mapping[str, Any], now: datetime) -> Call:
    """The call, for the first page, with the values in it. Raises TemplateError and UnsendableError."""
    return first_of(given, values, now)


REST = Type(RESTConfiguration, variables, prepare, answers.read, SECRETS, RESTPull)
