"""The largest value of a column, which the next pull goes on from."""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from badgerjobs.lib.json_paths import first_at, parse
from badgerjobs.sources.rows.paths import PathField
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.web.serializers import StrictSerializer

# What stands for it in placeholders.
REMEMBERED = "remembered"
_WHOLE = re.compile(r"-?\d{1,30}")
LONGEST = 1000

NEVER = "No row has a value at “{}”, which is to be remembered."
MIXED = "Some values at “{}”, the largest of which is to be remembered, are texts and others numbers."
STRANGE = "A value at “{}”, the largest of which is to be remembered, is neither a number nor a short text."


class RememberingConfiguration(StrictSerializer):
    """What the next pull goes on from."""

    remember = PathField(
        default="",
        help_text="A column, like updated_at: its largest value is what {{remembered}} stands for in the next pull.",
    )
    remember_start = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=LONGEST,
        trim_whitespace=False,
        help_text="What {{remembered}} stands for before there was a pull, like 2026-01-01T00:00:00Z.",
    )


def start_of(configuration: Mapping[str, Any], remembered: Any) -> Mapping[str, Any]:
    """What `{{remembered}}` is; nothing where nothing is remembered."""
    if not configuration.get("remember"):
        return {}
    return {REMEMBERED: configuration.get("remember_start", "") if remembered is None else remembered}


def own_placeholders(configuration: Mapping[str, Any]) -> set[str]:
    """Those that pulls fill themselves, for what is remembered."""
    return {REMEMBERED} if configuration.get("remember") else set()


class Memory:
    """Sees all rows of a pull."""

    def __init__(self, configuration: Mapping[str, Any], remembered: Any) -> None:
        self._column = str(configuration.get("remember") or "")
        self._steps = parse(self._column)
        self._name = self._steps[0][1] if len(self._steps) == 1 else None
        self._before, self._largest, self._has_rows = remembered, None, False

    def see(self, rows: list[Any]) -> None:
        """Raises PullError for values that cannot be compared."""
        if not self._column:
            return
        self._has_rows = self._has_rows or bool(rows)
        for row in rows:
            value = row.get(self._name) if self._name and isinstance(row, dict) else first_at(row, self._steps)
            if value is not None:
                self._largest = self._larger(self._largest, value)

    def value(self) -> Any:
        """What to go on from. Raises PullError where there were rows, and none had a value."""
        if not self._column:
            return None
        if self._largest is None:
            if self._has_rows:
                raise PullError("remember", NEVER.format(self._column), retry=False)
            return self._before
        if self._before is not None and _is_text(self._before) == _is_text(self._largest):
            return self._larger(self._before, self._largest)
        return self._largest

    def _larger(self, one: Any, other: Any) -> Any:
        if isinstance(other, bool | dict | list) or (isinstance(other, str) and len(other) > LONGEST):
            raise PullError("remember", STRANGE.format(self._column), retry=False)
        if one is None:
            return other
        if _is_text(one) != _is_text(other):
            raise PullError("remember", MIXED.format(self._column), retry=False)
        if isinstance(one, str) and _WHOLE.fullmatch(one) and _WHOLE.fullmatch(other):
            return max(one, other, key=int)
        return max(one, other)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
