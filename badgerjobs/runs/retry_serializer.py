"""The retry policy of what runs, as REST shows and takes it: flat fields, in seconds."""

from typing import Any

from rest_framework import serializers

from badgerjobs.lib import retry_fields
from badgerjobs.lib.backoff import Retries
from badgerjobs.lib.retry_fields import (
    FIELDS,
    MOST_DELAY_S,
    MOST_FOR_S,
    MOST_RETRIES,
    MOST_STEP_S,
    POLICIES,
    SHORTHAND,
    RetryFieldsError,
)
from badgerjobs.web.serializers import BoundedListField, StrictSerializer
from badgerjobs.workspaces.retry_policy import RetryPolicy, columns_of


class PolicyField(serializers.ChoiceField):
    """The name of a policy. `repeater` comes in, and goes out as what it stands for."""

    default_error_messages = {"invalid_choice": f"“{{input}}” is none of {', '.join(POLICIES)} and {SHORTHAND}."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__([*POLICIES, SHORTHAND], **kwargs)


class RetryFieldsSerializer(StrictSerializer):
    """How a failed attempt is repeated."""

    retry_policy = PolicyField(
        required=False,
        help_text=f"How the waits grow: {', '.join(POLICIES)}. {SHORTHAND} is short for polynomial, 1 s, 24 retries.",
    )
    retries = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_RETRIES,
        error_messages={"invalid": "A whole number of retries is required: an integer, 0 for none."},
        help_text=f"Attempts after the first: 0 to {MOST_RETRIES}. With a list, as many as it has waits.",
    )
    retry_step = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_STEP_S,
        error_messages={"invalid": "A whole number of seconds is required: an integer, like 10."},
        help_text=f"Seconds: 1 to {MOST_STEP_S:,}. A list has none.",
    )
    retry_delays = BoundedListField(
        child=serializers.IntegerField(
            min_value=1,
            max_value=MOST_DELAY_S,
            error_messages={"invalid": "Each wait is a whole number of seconds, like 60."},
        ),
        required=False,
        max_length=MOST_RETRIES,
        help_text="For the policy list: the seconds to wait before each retry. Empty for all others.",
    )
    retry_for = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MOST_FOR_S,
        error_messages={"invalid": "Give a whole number of seconds, like 3600, or none."},
        help_text="No attempt begins later than so many seconds after the first one began. Null: there is no such end.",
    )

    def with_retries(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The columns of the runnable in the place of these fields, for what is always tried again.

        What is left out is as it was where it is changed in part, and as the application has it otherwise; where none
        is given, nothing changes, and a new one has those of its application. Raises ValidationError.
        """
        given = {name: attrs[name] for name in FIELDS if name in self.initial_data and name in attrs}
        others = {name: value for name, value in attrs.items() if name not in FIELDS}
        if not given:
            return others
        stored = self.instance.runnable.policy if self.instance else None
        base = stored if stored and self.partial else self.context["application"].policy
        chosen = chosen_or_refused(given, base=base, retryable=True, had_none=True, stored=stored)
        return {**others, **columns_of(chosen.policy)}


class RetrySerializer(RetryFieldsSerializer):
    """Whether and how a failed attempt is repeated. What is left out is as the application has it for new ones."""

    retryable = serializers.BooleanField(default=True, help_text="Try again after a failure, as the fields below say.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Put what is given over what there was, and give the columns of the runnable in its place.

        A new one of which nothing is said but whether it is retryable gets its policy from the service.
        """
        attrs = super().validate(attrs)
        names = [name for name in ("retryable", *FIELDS) if name in self.initial_data]
        given = {name: value for name, value in attrs.items() if name in names}
        others = {name: value for name, value in attrs.items() if name not in FIELDS}
        if given.keys() <= {"retryable"} and (self.partial or self.instance is None):
            return others
        policy, retryable = self._base()
        before: Any = self.instance
        had_none = before is not None and before.retryable and not before.runnable.retries
        stored = before.runnable.policy if before else None
        chosen = chosen_or_refused(given, base=policy, retryable=retryable, had_none=had_none, stored=stored)
        return {**others, "retryable": chosen.retryable, **columns_of(chosen.policy)}

    def _base(self) -> tuple[Retries, bool]:
        """What there was: its own policy where it is changed in part, and that of its application otherwise."""
        before: Any = self.instance if self.partial else None
        if before and before.retryable:
            return before.runnable.policy, True
        application: RetryPolicy | None = self.context.get("application")
        return application.policy if application else Retries(), before is None


def chosen_or_refused(given: dict[str, Any], **base: Any) -> retry_fields.Chosen:
    """`retry_fields.chosen`, whose errors are those of the fields. Raises ValidationError."""
    try:
        return retry_fields.chosen(given, **base)
    except RetryFieldsError as error:
        raise serializers.ValidationError({field: [said] for field, said in error.errors.items()}) from None


def shown(owner: RetryPolicy) -> dict[str, Any]:
    """The stored policy of a runnable or of an application, by the names that REST has."""
    return retry_fields.by_name(owner.policy)
