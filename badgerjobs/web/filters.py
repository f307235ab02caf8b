"""Filters in the address: a table per list, each name → how it narrows the rows, and a 400 for what cannot be read."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from badgerjobs.web.serializers import LONGEST_NAME, MOST_ERRORS, unknown

M = TypeVar("M", bound=Model)

Filter = Callable[[Any, str], Any]

# So many words one filter may name, and so often an address may name one filter: each is a condition to plan.
MOST_WORDS = 100
MOST_TIMES = 10
BACKWARDS = "This is after until, so that nothing lies between: give an earlier time, or a later until."


# What turns the pages of every list.
PAGED = ("limit", "cursor")


def narrow(
    rows: QuerySet[M], request: Request, filters: Mapping[str, Filter], *, besides: Iterable[str] = PAGED
) -> QuerySet[M]:
    """Apply the filters that the address names, and refuse what else it names: mistyped, it would show all there is.

    `besides` are those that whoever calls reads. Raises ValidationError.
    """
    errors = _strangers(request, [*filters, *besides])
    for name, apply in filters.items():
        values = request.query_params.getlist(name)
        if len(values) > MOST_TIMES:
            errors[name] = [f"Give it at most {MOST_TIMES} times: this is {len(values)} times."]
        for value in values[:MOST_TIMES]:
            try:
                rows = apply(rows, _storable(value))
            except ValueError as error:
                errors[name] = [str(error)]
    if errors := errors or _backwards(request, filters):
        raise ValidationError(errors)
    return rows


def _strangers(request: Request, known: list[str]) -> dict[str, list[str]]:
    names = [name for name in request.query_params if name not in known][:MOST_ERRORS]
    return {name[:LONGEST_NAME]: [unknown("filter", name[:LONGEST_NAME], known)] for name in names}


def _backwards(request: Request, filters: Mapping[str, Filter]) -> dict[str, list[str]]:
    """What is wrong with a span of time that ends before it begins. Each end of it, if there is one, can be read."""
    if not {"since", "until"} <= filters.keys():
        return {}
    since, until = ([moment(value) for value in request.query_params.getlist(name)] for name in ("since", "until"))
    return {"since": [BACKWARDS]} if since and until and max(since) > min(until) else {}


def _storable(value: str) -> str:
    if "\0" in value:
        raise ValueError("May hold no null character.")
    return value


def is_true(value: str) -> bool:
    """`true` or `false`. Raises ValueError."""
    if value.lower() in {"true", "1", "yes"}:
        return True
    if value.lower() in {"false", "0", "no"}:
        return False
    raise ValueError(f"“{value}” is neither true nor false.")


def moment(value: str) -> datetime:
    """ISO 8601; UTC where no zone is given; 1970 for all that was before. Raises ValueError."""
    try:
        parsed = parse_datetime(value.replace(" ", "+"))  # a plus sign that was not encoded arrives as a blank
    except ValueError:
        parsed = None
    if parsed is None:
        raise ValueError(f"“{value}” is not a time like 2026-11-21T22:50:28Z.")
    # Ids begin in 1970, and nothing of ours is older.
    first = datetime.fromtimestamp(0, UTC)
    try:
        return max(parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC), first)
    except OverflowError:  # in UTC it is in the year 0, or in 10000
        return first if parsed.year == 1 else datetime.max.replace(tzinfo=UTC)


def words_of(value: str) -> list[str]:
    """A comma-separated list of words, whichever they are. Raises ValueError for more than MOST_WORDS."""
    if value.count(",") >= MOST_WORDS:
        raise ValueError(f"Give at most {MOST_WORDS} words.")
    return [word.strip() for word in value.split(",") if word.strip()]


def one_of(choices: list[str], value: str, meant: Callable[[str], str] = str) -> list[str]:
    """A comma-separated list of known words, each taken as what is `meant` by it. Raises ValueError."""
    words = [meant(word) for word in words_of(value)]
    if unknown := [word for word in words if word not in choices]:
        raise ValueError(f"“{unknown[0]}” is none of {', '.join(choices)}.")
    return words
