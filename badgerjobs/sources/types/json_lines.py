"""JSON lines: one call, whose answer has a JSON value on each line, a row."""

from collections.abc import Mapping
from typing import Any

from badgerjobs.sources.authentication import SECRETS
from badgerjobs.sources.rows.lines import LinesPull
from badgerjobs.sources.rows.remembering import RememberingConfiguration, own_placeholders
from badgerjobs.sources.templates import declared
from badgerjobs.sources.types import Type
from badgerjobs.sources.types.endpoint import CalledConfiguration
from badgerjobs.sources.types.requests import RequestConfiguration, templates


class JSONLConfiguration(CalledConfiguration, RequestConfiguration, RememberingConfiguration):
    """An HTTP request whose answer is JSON lines."""


def variables(configuration: Mapping[str, Any]) -> list[str]:
    """The names that its placeholders ask for, in order."""
    ours = own_placeholders(configuration)
    return [name for name in declared(templates(configuration)) if name not in ours]


JSONL = Type(JSONLConfiguration, variables, None, None, SECRETS, LinesPull)
