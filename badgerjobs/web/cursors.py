"""Pages of lists by cursor: a page costs the same however far one has read, and new rows shift nothing.

A cursor is what a row is sorted by, encrypted: ids count the rows of all tenants, which are nobody's business.
"""

import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F, Model, Q, QuerySet

from badgerjobs.lib import vault

M = TypeVar("M", bound=Model)


class BadCursorError(ValueError):
    """A cursor that is none of this list's."""


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Rows in their order, how many stand before them, and the cursors of the pages beside this one (or empty)."""

    rows: list[M]
    before: int
    earlier: str
    later: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page begins: after this row, or, backwards, before it. `before` rows stand before the page."""

    backwards: bool
    before: int
    values: list[Any]


def page_of(rows: QuerySet[M], *, order: str, cursor: str, size: int, strict: bool = False) -> Page[M]:
    """Read one page. `order` is a field or an annotation, `-` in front for descending; null comes last.

    Among equals the key decides. A cursor that is none of this list's gives its first page: somebody shortened a link.
    Where a program reads on, that would never end: `strict` raises BadCursorError.
    """
    name, falling = order.removeprefix("-"), order.startswith("-")
    place = _read(cursor, rows, order)
    if strict and cursor and place is None:
        raise BadCursorError
    try:
        found = list(_ordered(_from(rows, place, name, falling), name, falling, place)[: size + 1])
    except (ValidationError, ValueError):
        if strict:
            raise BadCursorError from None
        place = None
        found = list(_ordered(rows, name, falling, place)[: size + 1])
    more, found = len(found) > size, found[:size]
    if place and place.backwards:
        found.reverse()
    before = _before(place, len(found), more)
    has_earlier, has_later = (more, True) if place and place.backwards else (before > 0, more)
    return Page(
        found,
        before,
        _cursor(found[0], order, backwards=True, before=before) if found and has_earlier else "",
        _cursor(found[-1], order, backwards=False, before=before + len(found)) if found and has_later else "",
    )


def _before(place: _Place | None, count: int, more: bool) -> int:
    if place is None:
        return 0
    if not place.backwards:
        return place.before
    # Rows that went meanwhile may make the number too small; on the first page it is 0 whatever was counted.
    return max(1, place.before - count) if more else 0


def _ordered(rows: QuerySet[M], name: str, falling: bool, place: _Place | None) -> QuerySet[M]:
    backwards = bool(place and place.backwards)
    key = F(name)
    if name == "pk":
        return rows.order_by("-pk" if falling != backwards else "pk")
    where: dict[str, Any] = {"nulls_first": True} if backwards else {"nulls_last": True}
    first = key.desc(**where) if falling != backwards else key.asc(**where)
    return rows.order_by(first, "-pk" if falling != backwards else "pk")


def _from(rows: QuerySet[M], place: _Place | None, name: str, falling: bool) -> QuerySet[M]:
    if place is None:
        return rows
    way = "lt" if falling != place.backwards else "gt"
    value, key = place.values
    beyond_key = Q(**{f"pk__{way}": key})
    if name == "pk":
        return rows.filter(beyond_key)
    is_null = Q(**{f"{name}__isnull": True})
    if value is None:
        return rows.filter(~is_null | beyond_key if place.backwards else is_null & beyond_key)
    beyond = Q(**{f"{name}__{way}": value}) | Q(**{name: value}) & beyond_key
    return rows.filter(beyond if place.backwards else beyond | is_null)


def _read(cursor: str, rows: QuerySet[M], order: str) -> _Place | None:
    if not cursor:
        return None
    try:
        list_, backwards, before, *values = json.loads(
            vault.decrypt(cursor + "=" * (-len(cursor) % 4), settings.ENCRYPTION_KEYS)
        )
    except (vault.CannotDecryptError, ValueError, TypeError):
        return None
    return _Place(backwards, before, values) if list_ == _list(rows.model, order) else None


def _cursor(row: Model, order: str, *, backwards: bool, before: int) -> str:
    name = order.removeprefix("-")
    value = None if name == "pk" else _value(row, name)
    told = json.dumps([_list(type(row), order), backwards, before, value, row.pk], default=str)
    return vault.encrypt(told, settings.ENCRYPTION_KEYS).rstrip("=")


def _value(row: Any, name: str) -> Any:
    for part in name.split("__"):
        row = getattr(row, part)
    return row


def _list(model: type[Model], order: str) -> str:
    return f"{model._meta.label} {order}"
