"""The fields that Ductape's users know, each over a column that has another name here."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.lib.storable import is_storable
from badgerjobs.runs.serializers import MOST_RUNS
from badgerjobs.web.serializers import MomentField

INPUT_BYTES = 1_000_000
# Numbers below are taken for seconds, or for a slip: as milliseconds they are in 1970.
LEAST_MS = 365 * 86_400_000
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime.fromtimestamp(0, UTC)

SECONDS = "{0} ms since 1970 is {1:%Y-%m-%d}. Give milliseconds: {0} seconds are {2}. Or 0, which is now."
SMALL = "{0} ms since 1970 is {1:%Y-%m-%d}. Give milliseconds since 1970, like 1795395028000; or 0, which is now."
NO_MOMENT = "Give milliseconds since 1970, like 1795395028000, or ISO 8601 with a zone; or 0, which is now."


class ExecutionsField(serializers.IntegerField):
    """How many runs: the number of them, and 0 for no end, which is None here."""

    def __init__(self, **kwargs: Any) -> None:
        said = f"Give a whole number of runs, 0 to {MOST_RUNS:,}; 0 is without end."
        messages: dict[str, Any] = dict.fromkeys(("invalid", "min_value", "max_value", "null"), said)
        super().__init__(min_value=0, max_value=MOST_RUNS, error_messages=messages, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> int | None:
        """None for 0."""
        if isinstance(data, bool):  # which Python takes for a number
            self.fail("invalid")
        value: int | None = super().run_validation(data)
        return value or None

    def get_attribute(self, instance: Any) -> int:
        """0 where there is no end."""
        return getattr(instance, self.source or "") or 0


@extend_schema_field({"oneOf": [{"type": "integer", "nullable": True}, {"type": "string", "format": "date-time"}]})
class StartField(MomentField):
    """A moment: in milliseconds since 1970, as it reads, or in ISO 8601 with its zone. 0 is now, the context's."""

    def to_internal_value(self, data: Any) -> datetime:
        """Raises ValidationError, and says what would be right for a number that is in 1970."""
        if isinstance(data, str) and not data.strip().isdecimal():
            return super().to_internal_value(data)
        if isinstance(data, bool) or not isinstance(data, int | str):
            raise serializers.ValidationError(NO_MOMENT)
        return _moment(int(str(data)[:20]), self.context.get("now") or timezone.now())

    def to_representation(self, value: datetime | None) -> int | None:  # type: ignore[override]  # a number goes out
        """Whole milliseconds, or null."""
        return milliseconds(value) if value else None


def _moment(ms: int, now: datetime) -> datetime:
    if ms == 0:
        # Not before now, or the first run would come late, and the second too soon after it.
        return _EPOCH - (_EPOCH - now) // _MILLISECOND * _MILLISECOND
    try:
        moment = _EPOCH + ms * _MILLISECOND
        if abs(ms) >= LEAST_MS:
            return moment
        is_seconds = ms * 1000 >= LEAST_MS
        said = SECONDS if is_seconds else SMALL
        raise serializers.ValidationError(said.format(ms, moment, ms * 1000))
    except OverflowError:
        raise serializers.ValidationError(NO_MOMENT) from None


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return (moment - _EPOCH) // _MILLISECOND


class InputField(serializers.JSONField):
    """Any JSON, up to 1 MB as it is written, with nothing in it that the database cannot hold."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError."""
        text = json.dumps(super().to_internal_value(data), ensure_ascii=False, separators=(",", ":"))
        size = len(text.encode(errors="surrogatepass"))
        if size > INPUT_BYTES:
            raise serializers.ValidationError(f"The input has {size:,} bytes: at most {INPUT_BYTES:,} are kept.")
        if not is_storable(data):
            raise serializers.ValidationError("An input holds neither null characters nor halves of letters.")
        return data
