"""CSV: one call, whose answer is a table with a row on each line."""

from collections.abc import Mapping
from typing import Any

from badgerjobs.sources.authentication import SECRETS
from badgerjobs.sources.rows.csv_tables import CSVConfiguration, CSVPull
from badgerjobs.sources.rows.remembering import RememberingConfiguration, own_placeholders
from badgerjobs.sources.templates import declared
from badgerjobs.sources.types import Type
from badgerjobs.sources.types.endpoint import CalledConfiguration
from badgerjobs.sources.types.requests import RequestConfiguration, templates


class CSVFileConfiguration(CalledConfiguration, RequestConfiguration, CSVConfiguration, RememberingConfiguration):
    """An HTTP request, and how the table in its answer is written."""


def variables(configuration: Mapping[str, Any]) -> list[str]:
    """The names that its placeholders ask for, in order."""
    ours = own_placeholders(configuration)
    return [name for name in declared(templates(configuration)) if name not in ours]


CSV = Type(CSVFileConfiguration, variables, None, None, SECRETS, CSVPull)
