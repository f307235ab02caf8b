"""Fields of configurations that are paths into JSON."""

from typing import Any

from rest_framework import serializers

from badgerjobs.lib.json_paths import LONGEST, PathError, parse


class PathField(serializers.CharField):
    """A path like `$.data.items[*]`; empty where none is needed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_blank": True, "max_length": LONGEST, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        """Raises ValidationError for what is no path."""
        path = super().to_internal_value(data)
        try:
            parse(path)
        except PathError as error:
            raise serializers.ValidationError(str(error)) from None
        return path
