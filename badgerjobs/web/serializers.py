"""What every serializer that takes something has in common: typing errors are told, not swallowed."""

import difflib
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

# Nobody reads more of them, and each costs a comparison with all the names there are.
MOST_ERRORS = 20
LONGEST_NAME = 100


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, and names the nearest that it does.

    Fields that are only read are known and ignored, so that what was read can be changed and sent back.
    """

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError, for unknown fields and for wrong values together."""
        names = data if isinstance(data, Mapping) else ()
        others = [str(name)[:LONGEST_NAME] for name in islice((n for n in names if n not in self.fields), MOST_ERRORS)]
        errors: dict[str, Any] = {name: [self._unknown(name)] for name in others}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **errors}) from None  # type: ignore[dict-item]  # a dict of fields here
        if errors:
            raise serializers.ValidationError(errors)
        return value

    def _unknown(self, name: str) -> str:
        return unknown("field", name, [field for field, details in self.fields.items() if not details.read_only])


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """A sentence about a name that means nothing: which one was meant, or which there are."""
    near = difflib.get_close_matches(name.lower(), known, n=1)
    return f"There is no such {what}: did you mean {near[0]}?" if near else f"There are only {', '.join(known)}."


@extend_schema_field(
    {"type": "object", "nullable": True, "properties": {"class": {"type": "string"}, "message": {"type": "string"}}}
)
class ErrorField(serializers.JSONField):
    """A word for machines and a sentence."""


class BoundedListField(serializers.ListField):
    """A list that is counted before any of its values is looked at, and of which only the first wrong ones are told.

    A request may bring a million of them. `max_length` must be given.
    """

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        """Raises ValidationError."""
        if isinstance(data, list):
            self.run_validators(data)
        values: list[Any] = super().to_internal_value(data)
        return values

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        """Each value, checked. Raises ValidationError: place → what is wrong there."""
        values: list[Any] = []
        errors: dict[Any, Any] = {}
        for place, value in enumerate(data):
            try:
                values.append(self.child.run_validation(value))
            except serializers.ValidationError as error:
                errors[place] = error.detail
            if len(errors) == MOST_ERRORS:
                break
        if errors:
            raise serializers.ValidationError(errors)
        return values


class BoundedDictField(serializers.DictField):
    """Name → value, counted before any of them is looked at. `most` is how many there may be."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Raises ValidationError."""
        if isinstance(data, dict) and len(data) > self.most:
            raise serializers.ValidationError(f"Give at most {self.most:,} of them: these are {len(data):,}.")
        values: dict[str, Any] = super().to_internal_value(data)
        return values


class OneOfField(serializers.ChoiceField):
    """One of a few words, all of which are named where it is none of them."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(choices, **kwargs)
        said = f"“{{input}}” is none of {', '.join(map(str, self.choices))}."
        self.error_messages = {**self.error_messages, "invalid_choice": said, **kwargs.get("error_messages", {})}


class MomentField(serializers.DateTimeField):
    """A moment: ISO 8601 with its zone. Wall time without one is refused, since we would have to guess where."""

    default_error_messages = {
        "naive": "Say where that time is: end it with Z for UTC or with an offset, like 2026-11-21T22:50:28+01:00."
    }

    def enforce_timezone(self, value: datetime) -> datetime:
        """Raises ValidationError for what has no zone."""
        if value.utcoffset() is None:
            self.fail("naive")
        return super().enforce_timezone(value)
