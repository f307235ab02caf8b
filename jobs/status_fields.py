"""Which answers fail and after which the call is made again, as REST shows and takes them."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from badgerjobs.lib import statuses
from badgerjobs.lib.retry_fields import IN_VAIN
from badgerjobs.runs.serializers import BlankField
from jobs.models import Job

# Characters, and as many as the row takes.
LONGEST = 200
GONE = "410 is never tried again: it says that the endpoint is gone for good. Leave it out."


class StatusesField(serializers.CharField):
    """Statuses and ranges of them, in the shortest way to write them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Raises ValidationError with what would be right."""
        text: str = super().to_internal_value(data)
        if len(text) > LONGEST:
            return text  # refused by its length, before anybody looks for a million statuses in it
        try:
            return statuses.written(statuses.parse(text)) if text else ""
        except statuses.StatusesError as error:
            raise serializers.ValidationError(str(error)) from None


class AnyFailureField(BlankField, StatusesField):
    """The same; null means any that fails. 410 may lie within a range, and is not named: it is never tried again."""

    def to_internal_value(self, data: Any) -> str:
        """Raises ValidationError for 410, unless the stored job says it."""
        text = super().to_internal_value(data)
        stored = getattr(getattr(self.root, "instance", None), "retry_statuses", None)
        if text != stored and {part.strip() for part in str(data).split(",")} & {"410", "410-410"}:
            raise serializers.ValidationError(GONE)
        return text


def wrong_together(attrs: Mapping[str, Any], before: Job | None) -> dict[str, list[str]]:
    """What is tried again must have failed: a sentence beside its field. `before` has what is not given."""
    fail, again = (attrs.get(name, getattr(before, name, "")) for name in ("fail_statuses", "retry_statuses"))
    if not again or not (successes := statuses.parse(again) - statuses.parse(fail)):
        return {}
    said = f"{statuses.written(successes)} is no failure: name it among the answers that fail too, or leave it out."
    return {"retry_statuses": [said]}


def said_in_vain(attrs: Mapping[str, Any], stored: Job | None) -> dict[str, list[str]]:
    """After which answers it is tried again, said of what is not, and not so stored: a sentence beside its field.

    None at all is no contradiction.
    """
    again = attrs.get("retry_statuses")
    if not again or attrs.get("retryable", getattr(stored, "retryable", True)):
        return {}
    if again in {statuses.NONE, getattr(stored, "retry_statuses", "")}:
        return {}
    return {"retry_statuses": [IN_VAIN]}
