"""Which answers fail and after which the call is made again, as REST shows and takes them."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from badgerjobs.lib import statuses
from badgerjobs.runs.serializers import BlankField
from jobs.models import Job


class StatusesField(serializers.CharField):
    """Statuses and ranges of them, in the shortest way to write them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=200, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Raises ValidationError with what would be right."""
        text: str = super().to_internal_value(data)
        try:
            return statuses.written(statuses.parse(text)) if text else ""
        except statuses.StatusesError as error:
            raise serializers.ValidationError(str(error)) from None


class AnyFailureField(BlankField, StatusesField):
    """The same; null means any that fails."""


def wrong_together(attrs: Mapping[str, Any], before: Job | None) -> dict[str, list[str]]:
    """What is tried again must have failed: a sentence beside its field. `before` has what is not given."""
    fail, again = (attrs.get(name, getattr(before, name, "")) for name in ("fail_statuses", "retry_statuses"))
    if not again or not (successes := statuses.parse(again) - statuses.parse(fail)):
        return {}
    said = f"{statuses.written(successes)} is no failure: name it among the answers that fail too, or leave it out."
    return {"retry_statuses": [said]}
