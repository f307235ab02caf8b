"""What the pages of sources tell: what is called, which variables it asks for, and who uses it."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from badgerjobs.sources.looks import CHOOSER, CHOOSERS, LOOKS
from badgerjobs.sources.models import DataSource, SourceFile
from badgerjobs.sources.serializers import SourceSerializer
from badgerjobs.sources.types import type_of
from badgerjobs.sources.uses import USES, use_of
from badgerjobs.web.definitions.facts import Fact
from badgerjobs.web.definitions.inputs import begun
from badgerjobs.web.definitions.looks import Look
from badgerjobs.web.definitions.page import DefinitionPage
from badgerjobs.web.serializers import StrictSerializer

# What few sources say otherwise is told of these only.
USUAL = {
    "pages", "page_start", "page_size", "most_pages", "cursor_variable", "delimiter", "header", "decimal", "ragged",
    "values",
}  # fmt: skip


class Row(NamedTuple):
    """A source in the list, and when it was used last, if that is known."""

    source: DataSource
    used_at: datetime | None


class SourcePage(DefinitionPage):
    """The page of a source."""

    serializer = SourceSerializer

    @property
    def chooser(self) -> str:
        """See `looks.CHOOSERS`."""
        return CHOOSERS.get(self.row.type, CHOOSER)

    @property
    def looks(self) -> Mapping[str, Look]:
        return LOOKS.get(self.row.type, {})

    @property
    def configuration_serializer(self) -> type[StrictSerializer]:
        return type_of(self.row.type).serializer

    @property
    def configuration(self) -> dict[str, Any]:
        """Without what says of rows what is usual."""
        fields = self.configuration_serializer().fields
        whole = super().configuration
        return {name: value for name, value in whole.items() if name not in USUAL or value != begun(fields[name])}

    @property
    def facts(self) -> list[Fact]:
        """With the method in front of the URL."""
        said = [fact for fact in super().facts if fact.label != "Method"]
        method = self.configuration.get("method")
        return [f._replace(text=f"{method} {f.text}") if method and f.label == "URL" else f for f in said]

    @property
    def has_value(self) -> bool:
        """Whether a key could be made of it."""
        return type_of(self.row.type).prepare is not None

    @property
    def takes_file(self) -> bool:
        """Whether its rows are in a file that somebody uploads."""
        return type_of(self.row.type).takes_file

    @cached_property
    def file(self) -> SourceFile | None:
        """The one that was uploaded last."""
        return getattr(self.row, "file", None)

    def uses(self) -> list[tuple[str, Any]]:
        """Template and what it shows of each use that there may be."""
        found = [use_of(name) for name in USES if self.has_value or name != "keys"]
        return [(use.template, use.of(self.row, self.now)) for use in found]
