"""What the address of a reader asks for: names with a dollar sign are ours, all others are fields of rows."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from django.http import QueryDict

from badgerjobs.web.problems import Invalid

Format = Literal["json", "jsonl", "csv"]

# Rows of a page, unless the address says how many, and the most that it may say.
USUAL, MOST = 100, 10_000
MOST_PAGES = 1_000_000_000
# Conditions, words and fields of one address, and letters of one value.
MOST_FILTERS, MOST_WORDS, MOST_FIELDS, LONGEST = 30, 10, 100, 10_000

OURS = ("$limit", "$page", "$with_meta", "$cursor", "$sort", "$fields", "$search", "$version", "$format")
OPERATORS = ("eq", "ne", "lt", "lte", "gt", "gte", "in", "contains", "startswith", "isnull")
MEDIA: Mapping[str, Format] = {
    "application/json": "json", "*/*": "json", "application/*": "json", "text/csv": "csv",
    "application/x-ndjson": "jsonl", "application/jsonl": "jsonl", "application/x-jsonlines": "jsonl",
}  # fmt: skip

UNKNOWN = "There is no such parameter: there are {}. A field of this name is written with a backslash: \\{}."
NO_OPERATOR = "There is no operator “{}”: there are {}. For a field of this very name write {}__eq."
NO_NAME = "Before this “=” the name of a field is missing."
TWICE = "Give it once."
NULL_CHARACTER = "May hold no null character."


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition. `name` is a field as the address has it, `parameter` the whole name with its operator."""

    name: str
    operator: str
    value: str
    parameter: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for. Without a `limit` it is all rows; `fields` is empty for all of them."""

    format: Format
    version: int | None
    limit: int | None
    page: int | None
    cursor: str | None
    with_meta: bool
    sort: str
    fields: tuple[str, ...]
    words: tuple[str, ...]
    filters: tuple[Filter, ...] = ()

    @property
    def narrows(self) -> bool:
        """Whether it leaves out rows."""
        return bool(self.filters or self.words)


def asked_of(query: QueryDict, accept: str) -> Asked:
    """Read what is ours in an address; its filters are read when the version is known. Raises Invalid."""
    ours = {name: _once(query, name) for name in query if name.startswith("$")}
    for name in ours:
        if name not in OURS:
            raise Invalid(**{name: UNKNOWN.format(", ".join(OURS), name)})
    page, cursor, with_meta = _page(ours), ours.get("$cursor"), _flag(ours, "$with_meta")
    if page is not None and cursor is not None:
        raise Invalid(**{"$cursor": "Give $page or $cursor, and not both."})
    limit = _whole(ours, "$limit", MOST)
    if limit is None and (with_meta or page is not None or cursor is not None):
        limit = USUAL
    form = _format(ours.get("$format"), accept)
    if with_meta and form != "json":
        raise Invalid(**{"$with_meta": "Only JSON has room for it: leave it out, or $format."})
    return Asked(
        format=form,
        version=_version(query, ours),
        limit=limit,
        page=page,
        cursor=cursor,
        with_meta=with_meta,
        sort=ours.get("$sort", ""),
        fields=_words(ours, "$fields", ",", MOST_FIELDS),
        words=_words(ours, "$search", None, MOST_WORDS),
    )


def _once(query: QueryDict, name: str) -> str:
    values = query.getlist(name)
    if len(values) > 1:
        raise Invalid(**{name: TWICE})
    return _storable(name, values[0])


def _storable(name: str, value: str) -> str:
    if "\0" in value or "\0" in name:
        raise Invalid(**{name.replace("\0", ""): NULL_CHARACTER})
    if len(value) > LONGEST:
        raise Invalid(**{name: f"Has at most {LONGEST:,} letters: this has {len(value):,}."})
    return value


def _whole(given: Mapping[str, str], name: str, most: int) -> int | None:
    if (value := given.get(name)) is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(most)) and 1 <= int(value) <= most):
        raise Invalid(**{name: f"Must be a whole number from 1 to {most:,}."})
    return int(value)


def _page(given: Mapping[str, str]) -> int | None:
    return _whole(given, "$page", MOST_PAGES)


def _flag(given: Mapping[str, str], name: str) -> bool:
    value = given.get(name, "false").lower()
    if value not in {"true", "1", "false", "0"}:
        raise Invalid(**{name: "Must be true or false."})
    return value in {"true", "1"}


def _version(query: QueryDict, ours: Mapping[str, str]) -> int | None:
    """`version` is short for `$version`: who asks for a version writes it without thinking."""
    if "version" in query and "$version" in ours:
        raise Invalid(**{"$version": "Give version or $version, and not both. For a field write version__eq."})
    given = {"version": _once(query, "version")} if "version" in query else ours
    return _whole(given, "version" if "version" in query else "$version", 999_999_999)


def _words(given: Mapping[str, str], name: str, sign: str | None, most: int) -> tuple[str, ...]:
    words = [word for word in given.get(name, "").split(sign) if word]
    if len(words) > most:
        raise Invalid(**{name: f"Give at most {most}: these are {len(words)}."})
    return tuple(dict.fromkeys(words))


def _format(given: str | None, accept: str) -> Format:
    if given is not None:
        if given not in {"json", "jsonl", "csv"}:
            raise Invalid(**{"$format": f"“{given}” is none of json, jsonl, csv."})
        return cast("Format", given)
    for part in accept.split(","):
        if form := MEDIA.get(part.partition(";")[0].strip().lower()):
            return form
    return "json"


def filters_of(query: QueryDict, columns: Container[str]) -> tuple[Filter, ...]:
    """The conditions of an address. A column's own name goes before what it could mean. Raises Invalid."""
    found = [
        _filter(name, _storable(name, value), columns)
        for name, values in query.lists()
        if not name.startswith("$") and name != "version"
        for value in values
    ]
    if len(found) > MOST_FILTERS:
        raise Invalid(**{found[-1].parameter: f"An address has at most {MOST_FILTERS} conditions."})
    return tuple(found)


def _filter(parameter: str, value: str, columns: Container[str]) -> Filter:
    if not parameter and parameter not in columns:
        raise Invalid(**{"=": NO_NAME})
    name, _, operator = parameter.rpartition("__")
    if parameter in columns or not name or not operator:
        return Filter(parameter, "eq", value, parameter)
    if operator not in OPERATORS:
        raise Invalid(**{parameter: NO_OPERATOR.format(operator, ", ".join(OPERATORS), parameter)})
    return Filter(name, operator, value, parameter)
