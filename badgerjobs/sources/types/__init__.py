"""What a source may be: a literal table, type → where its `Type` is. A new one is a row here and a file beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from django.utils.module_loading import import_string

from badgerjobs.outbound.calls import Answer, Call
from badgerjobs.sources.answers import Reading
from badgerjobs.sources.models import DataSource, SourceType
from badgerjobs.web.definitions.configurations import NO_SECRETS, Secrets
from badgerjobs.web.serializers import StrictSerializer

if TYPE_CHECKING:
    from badgerjobs.sources.means import Means
    from badgerjobs.sources.rows.pulling import Given, Pulling

SOURCE_TYPES: Mapping[str, str] = {
    SourceType.REST: "badgerjobs.sources.types.rest.REST",
    SourceType.GRAPHQL: "badgerjobs.sources.types.graphql.GRAPHQL",
    SourceType.JSONL: "badgerjobs.sources.types.json_lines.JSONL",
    SourceType.CSV: "badgerjobs.sources.types.csv_files.CSV",
    SourceType.XML: "badgerjobs.sources.types.xml_documents.XML",
    SourceType.SQL: "badgerjobs.sources.types.sql.SQL",
    SourceType.COLLECTION: "slurps.of_collections.COLLECTION",
    SourceType.STREAM: "badgerjobs.sources.types.stream.STREAM",
    SourceType.CSV_FILE: "badgerjobs.sources.types.uploaded.CSV_FILE",
    SourceType.JSONL_FILE: "badgerjobs.sources.types.uploaded.JSONL_FILE",
}

# What is read of an answer: a transform may make less of it. Of a value, `fetch.VALUE_BYTES` are kept at most.
ANSWER_BYTES = 3 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Type:
    """How sources of a type are checked and called.

    `serializer` checks the configuration. `variables` gives the names that its placeholders ask for, in order, of a
    checked one. `prepare` fills them: configuration, values and the clock → the call to make, but for its credentials;
    it raises ValueError for what cannot be filled. `read` takes a good answer to JSON: it raises AnswerError for one
    that is no success all the same. Both are None where a source holds no single value, which a key could keep.
    `pull` begins a pull of its rows (`rows.pulling`); None where it gives none. `takes_file`: its rows are in a file
    that somebody uploads.
    """

    serializer: type[StrictSerializer]
    variables: Callable[[Mapping[str, Any]], list[str]]
    prepare: Callable[[Mapping[str, Any], Mapping[str, Any], datetime], Call] | None
    read: Callable[[Answer], Reading] | None
    secrets: Secrets = NO_SECRETS
    pull: "Callable[[DataSource, Given, Means], Pulling] | None" = None
    takes_file: bool = False


def types_with_values() -> list[str]:
    """Those whose sources have a single value each, which a key may keep."""
    return [name for name in SOURCE_TYPES if type_of(name).prepare]


def no_value_of(source: DataSource) -> str:
    """Why a source has no single value that could be kept under a key; empty where it has one."""
    if type_of(source.type).prepare is not None:
        return ""
    return f"The source “{source.tag}” is {source.get_type_display()}: it gives rows, and no single value to keep."


@cache
def type_of(name: str) -> Type:
    """The type with this name. Raises KeyError for an unknown one, ImportError for a row that leads nowhere."""
    found = import_string(SOURCE_TYPES[name])
    if not isinstance(found, Type):
        raise ImportError(f"{SOURCE_TYPES[name]} is not a Type.")  # noqa: TRY004  the row is wrong, not a value
    return found
