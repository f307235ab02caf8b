"""Rows that somebody pasted to try a slurper over: JSON, JSON lines, or CSV with a first line of names."""

from collections.abc import Mapping, Sequence
from typing import Any

from badgerjobs.lib.csv_texts import delimiter_of
from badgerjobs.lib.json_lines import JSONLines
from badgerjobs.lib.json_rows import JSONRows
from badgerjobs.lib.json_texts import JSONFaultError
from badgerjobs.lib.storable import cleaned
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.rows.csv_tables import CSVConfiguration, Table
from badgerjobs.sources.rows.pulling import PullError
from slurps.trials import MOST_ROWS

# What stands before the tag of a source in the name of its field, and what says that these rows are meant.
ROWS, PASTED = "rows:", "pasted"

NO_JSON = "This is no JSON: {} (at character {:,})."
TOO_MANY = "These are {:,} rows: paste {:,} at most."
NOTHING = "Paste rows of at least one source, or try it over those that they have now."


class NoRowsError(ValueError):
    """What was pasted are no rows: a sentence that says why."""


def pasted_rows(given: Mapping[str, str], sources: Sequence[DataSource]) -> dict[str, list[Any]]:
    """The tag of each source → its rows; none where nothing is pasted for it. Raises NoRowsError."""
    texts = {source.tag: given.get(f"{ROWS}{source.tag}", "") for source in sources}
    if not any(text.strip() for text in texts.values()):
        raise NoRowsError(NOTHING)
    rows = {}
    for source in sources:
        try:
            rows[source.tag] = rows_in(texts[source.tag])
        except NoRowsError as error:
            raise NoRowsError(f"{source.name}: {error}") from None
    return rows


def rows_in(text: str) -> list[Any]:
    """What begins as JSON does is JSON, all else CSV, read as a source of that type reads it. Raises NoRowsError."""
    text = text.removeprefix("\ufeff").strip().replace("\r\n", "\n")
    if not text:
        return []
    rows: list[Any] = cleaned(_json(text) if text[0] in "[{" else _csv(text))
    if len(rows) > MOST_ROWS:
        raise NoRowsError(TOO_MANY.format(len(rows), MOST_ROWS))
    return rows


def _json(text: str) -> list[Any]:
    """A list of rows, one row, or a row on each line."""
    try:
        return _all_of(JSONRows([]), text)
    except JSONFaultError as fault:
        try:
            return _all_of(JSONLines(), text)
        except JSONFaultError:
            raise NoRowsError(NO_JSON.format(fault.clause, fault.at + 1)) from None


def _all_of(reader: JSONRows | JSONLines, text: str) -> list[Any]:
    return [*reader.feed(text)[0], *reader.end()[0]]


def _csv(text: str) -> list[Any]:
    configuration = CSVConfiguration(data={})
    configuration.is_valid(raise_exception=True)
    try:
        table = Table(configuration.validated_data, delimiter_of(text), text, is_all=True)
        return [*table.feed(text)[0], *table.end()[0]]
    except PullError as error:
        raise NoRowsError(error.sentence) from None
