"""CSV and JSON lines out of a file that somebody uploaded."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from badgerjobs.sources.files.reading import file_of
from badgerjobs.sources.rows.csv_tables import CSVConfiguration, CSVPull
from badgerjobs.sources.rows.lines import LinesPull
from badgerjobs.sources.rows.streams import Body
from badgerjobs.sources.types import Type
from badgerjobs.web.serializers import StrictSerializer


class UploadedCSVConfiguration(CSVConfiguration, StrictSerializer):
    """How the table in the file is written."""


class UploadedJSONLConfiguration(StrictSerializer):
    """There is nothing to say of it."""


class UploadedCSVPull(CSVPull):
    """The records of the file."""

    def body(self) -> AbstractAsyncContextManager[Body]:
        """The file. Raises PullError."""
        return file_of(self.source)


class UploadedLinesPull(LinesPull):
    """The lines of the file."""

    def body(self) -> AbstractAsyncContextManager[Body]:
        """The file. Raises PullError."""
        return file_of(self.source)


def variables(_: Mapping[str, Any]) -> list[str]:
    """None: nothing is called."""
    return []


CSV_FILE = Type(UploadedCSVConfiguration, variables, None, None, pull=UploadedCSVPull, takes_file=True)
JSONL_FILE = Type(UploadedJSONLConfiguration, variables, None, None, pull=UploadedLinesPull, takes_file=True)
