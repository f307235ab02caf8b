"""Sources as forms. Every rule is the serializers' and the services'; the forms only speak to people."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from badgerjobs.lib.handlebars import NOW, TemplateError
from badgerjobs.sources.looks import AUTHENTICATION, CHOOSER, CHOOSERS, LOOKS, TRANSFORM
from badgerjobs.sources.models import DataSource, SourceFile, SourceType
from badgerjobs.sources.rows.databases import names_in
from badgerjobs.sources.rows.remembering import own_placeholders
from badgerjobs.sources.serializers import SourceSerializer
from badgerjobs.sources.services import configuration_of
from badgerjobs.sources.templates import declared
from badgerjobs.sources.types import type_of
from badgerjobs.web.definitions.form import PREFIX, DefinitionForm, Row
from badgerjobs.web.definitions.looks import Look
from badgerjobs.web.definitions.rows import RowKind
from badgerjobs.web.serializers import StrictSerializer

# Where placeholders stand: of these fields the page tells which variables they declare, while they are typed.
WITH_PLACEHOLDERS = ("url", "query", "headers", "body", "variables")
# The value that a variable is tried with stands in the page under its name, behind this.
VALUE = "value_"


class SourceForm(DefinitionForm):
    """A source of data."""

    no_name = "Give it a name, like products."

    @property
    def chooser(self) -> str:
        """See `looks.CHOOSERS`."""
        return CHOOSERS.get(self.type, CHOOSER)

    @property
    def configuration_serializer(self) -> type[StrictSerializer]:
        return type_of(self.type).serializer

    @property
    def looks(self) -> Mapping[str, Look]:
        return LOOKS.get(self.type, {})

    @property
    def secret_fields(self) -> tuple[str, ...]:
        return type_of(self.type).secrets.fields

    def serializer(self, given: Mapping[str, Any]) -> SourceSerializer:
        """Judge the source as the API would."""
        return SourceSerializer(
            self.row, data=given, partial=self.row is not None, context={"application": self.application}
        )

    def check_configuration(self, given: Mapping[str, Any]) -> None:
        """With what is stored, whose secrets go to nobody else."""
        configuration_of(self.source(), given)

    def source(self) -> DataSource:
        """The source that is stored, or an empty one: what the form says of it is not put in."""
        return self._source

    @cached_property
    def _source(self) -> DataSource:
        return self.row or DataSource(application=self.application, type=self.type)

    @property
    def has_placeholders(self) -> bool:
        """Whether there are fields in which variables may stand."""
        return any(name in self.inputs for name in WITH_PLACEHOLDERS)

    @property
    def has_value(self) -> bool:
        """Whether a key could be made of it."""
        return type_of(self.type).prepare is not None

    @property
    def takes_file(self) -> bool:
        """Whether its rows are in a file that somebody uploads."""
        return type_of(self.type).takes_file

    @property
    def file(self) -> SourceFile | None:
        """The one that was uploaded last."""
        return getattr(self.row, "file", None) if self.takes_file else None

    @cached_property
    def declared(self) -> list[str]:
        """The variables that the placeholders ask for as they were typed; what is no template yet declares none."""
        found: dict[str, None] = {}
        for text in self._templates():
            try:
                found |= dict.fromkeys(names_in(text) if self.type == SourceType.SQL else declared([text]))
            except TemplateError:
                continue
        ours = {NOW, *own_placeholders({"remember": self["configuration_remember"].value()})} if (
            "remember" in self.inputs
        ) else {NOW}  # fmt: skip
        return [name for name in found if name not in ours]

    def _templates(self) -> Iterator[str]:
        for name in WITH_PLACEHOLDERS:
            kind = self._row_kind(name) if name in self.inputs else None
            if name not in self.inputs:
                continue
            if name == "query" and kind is None and self.type != SourceType.SQL:  # GraphQL's has braces of its own
                continue
            value = self[PREFIX + name].value()
            yield from _values(value, kind) if kind else [str(value or "")]

    @property
    def request_rows(self) -> list[Row]:
        """The fields that say what is called."""
        return [row for row in self.rows if self._name(row) not in (*self._authentication, TRANSFORM)]

    @property
    def authentication_rows(self) -> list[Row]:
        """The fields that say who asks."""
        return [row for row in self.rows if self._name(row) in self._authentication]

    @property
    def _authentication(self) -> Mapping[str, Look]:
        """What is not HTTP has a user and a password, and stands together."""
        return AUTHENTICATION if CHOOSER in self.inputs else {}

    @property
    def transform_rows(self) -> list[Row]:
        """The field that says what is made of the answer."""
        return [row for row in self.rows if self._name(row) == TRANSFORM]

    @staticmethod
    def _name(row: Row) -> str:
        return row.field.name.removeprefix(PREFIX)


def _values(rows: Any, kind: RowKind) -> list[str]:
    """The values of rows, each the last of its columns."""
    return [str(row[-1]) for row in rows or () if len(row) == len(kind.columns)]
