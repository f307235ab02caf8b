"""Lengths of time in REST: ISO 8601 to whoever reads and writes, seconds or a schedule's own text in the row."""

from datetime import timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.lib import durations

LONGEST_S = durations.LONGEST // timedelta(seconds=1)


class LengthField(serializers.CharField):
    """An ISO 8601 duration on the clock, as whole seconds: `PT5M` is 300. Null and empty are `nothing`.

    `PT0S` is 0 where `nothing` is, and refused where that means that there is no limit: it would be the opposite. Days
    and months are not taken: they are longer on some days than on others.
    """

    default_error_messages = {
        "calendar": "Give hours, minutes and seconds, like PT24H: days and months differ in length.",
        "fraction": "Give whole seconds, like PT5M or PT90S.",
        "zero": "PT0S is no time at all: give PT1S at least, or null for no limit.",
    }

    def __init__(self, *, nothing: int | None, **kwargs: Any) -> None:
        self.nothing = nothing
        super().__init__(**{"allow_null": True, "allow_blank": True, "required": False, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Null and the empty text are nothing."""
        return self.nothing if data is None or data == "" else super().run_validation(data)

    def to_internal_value(self, data: Any) -> int | None:  # type: ignore[override]  # a text comes in, a number is kept
        """Whole seconds. Raises ValidationError."""
        text = super().to_internal_value(data)
        if text.upper() == "PT0S":
            return self.nothing if self.nothing is not None else self.fail("zero")
        try:
            duration = durations.parse(text[:100])
        except durations.BadDurationError as error:
            raise serializers.ValidationError(str(error)) from None
        if duration.is_calendar:
            self.fail("calendar")
        seconds, rest = divmod(duration.exact, timedelta(seconds=1))
        if rest:
            self.fail("fraction")
        return seconds

    def to_representation(self, value: int | None) -> str | None:  # type: ignore[override]
        """ISO 8601; null where there is nothing."""
        return durations.of_milliseconds(value * 1000) if value else None


@extend_schema_field(OpenApiTypes.INT)
class MillisecondsField(serializers.Field[Any, Any, Any, Any]):
    """The same interval as `run_every`, in milliseconds: another way to write it, and to read it where it can be."""

    default_error_messages = {"invalid": "Give whole milliseconds, like 90000 for a minute and a half."}

    def to_internal_value(self, data: Any) -> str:
        """As ISO 8601. Raises ValidationError."""
        if isinstance(data, bool) or not isinstance(data, int | str) or not str(data).strip().isdecimal():
            self.fail("invalid")
        try:
            return durations.of_milliseconds(int(str(data)[:20]))
        except durations.BadDurationError as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: str) -> int | None:
        """Null for what is counted on a calendar."""
        try:
            return durations.parse(value).milliseconds if value else None
        except durations.BadDurationError:
            return None
