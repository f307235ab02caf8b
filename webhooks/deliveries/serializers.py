"""Deliveries as REST shows them, and which of them it takes for a replay."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.runs.bulk_serializers import NOT_BOTH, NOT_SAID, WordsField, dry_run, per_minute
from badgerjobs.runs.models import Run
from badgerjobs.runs.serializers import BlankField
from badgerjobs.web.filters import BACKWARDS
from badgerjobs.web.serializers import BoundedListField, MomentField, StrictSerializer
from webhooks.deliveries.given import TOLD, value_told
from webhooks.deliveries.services import MOST_AT_ONCE
from webhooks.models import Act, Delivery
from webhooks.querysets import DEAD, MAY_REPLAY, STATES, state_of

STATES_SAID = ", ".join(STATES)


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One request that came to a hook."""

    hook = serializers.CharField(source="hook_tag", help_text="The tag of the hook that it came to.")
    state = serializers.SerializerMethodField(
        help_text="What was decided: held, stored, duplicate or refused; or how its newest run stands: waiting (or "
        "running), succeeded, failed or aborted."
    )
    reason = BlankField(read_only=True, help_text="Why it was refused. Null when it was not.")
    event_id = BlankField(
        read_only=True, help_text="The id by which it is known when it comes again. Null where nobody looks for one."
    )
    verified = BlankField(
        read_only=True, help_text="The verification that found its caller right. Null where none was asked for."
    )
    run = serializers.UUIDField(source="run_id", allow_null=True, help_text="The id of its newest run, if it has one.")

    class Meta:
        model = Delivery
        fields = [
            "id", "hook", "state", "reason", "duplicate_of", "event_id", "verified", "method", "address", "bytes",
            "run", "received_at",
        ]  # fmt: skip
        extra_kwargs = {
            "id": {"help_text": "What whoever called was answered with."},
            "duplicate_of": {"help_text": "The id of the delivery that it repeats. Null for all but duplicates."},
            "method": {"help_text": "GET, POST or PUT."},
            "address": {"help_text": "Who called. Null where nobody knows."},
            "bytes": {"help_text": "How long its body is."},
            "received_at": {"help_text": "When it came."},
        }

    @extend_schema_field({"type": "string", "enum": list(STATES)})
    def get_state(self, delivery: Delivery) -> str:
        """One word of STATES, by what `with_state` found."""
        return state_of(delivery.standing, getattr(delivery, "run_state", None))


class ActSerializer(serializers.ModelSerializer[Act]):
    """One thing that a run of a delivery was to do."""

    variables = serializers.SerializerMethodField(help_text="What the transform gave it: name → value.")
    value = serializers.SerializerMethodField(
        "value_of",
        help_text="What the transform gave it as `value`: any JSON, null where it gave none. Of one whose JSON is "
        f"longer than {TOLD:,} characters the beginning of that, as a text.",
    )
    value_is_cut = serializers.SerializerMethodField(help_text="Whether `value` is only the beginning.")
    state = serializers.CharField(help_text="waiting, done, skipped or failed.")
    said = BlankField(read_only=True, help_text="What was done, or why it was not, in a sentence. Null before that.")
    run = serializers.UUIDField(source="caused", allow_null=True, help_text="The id of the run that it made, or null.")

    class Meta:
        model = Act
        fields = ["name", "type", "target", "state", "said", "run", "variables", "value", "value_is_cut", "done_at"]
        extra_kwargs = {
            "name": {"help_text": "The name of the hook's action."},
            "type": {"help_text": "Its type, like sync or job."},
            "target": {"help_text": "What it acts upon, as people call it."},
            "done_at": {"help_text": "When it was done, or failed last. Null before that."},
        }

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_variables(self, act: Act) -> Any:
        return act.given.get("variables", {})

    def to_representation(self, act: Act) -> Any:
        self._value = value_told(act.given)  # once: it may be long
        return super().to_representation(act)

    @extend_schema_field({"nullable": True})
    def value_of(self, _act: Act) -> Any:
        return self._value[0]

    def get_value_is_cut(self, _act: Act) -> bool:
        return self._value[1]


class DeliveryDetailSerializer(DeliverySerializer):
    """One request as it came, with what its newest run says and did. Its body is at `body/`."""

    headers = serializers.DictField(
        child=serializers.CharField(), help_text="Name → value, as they came; credentials are masked."
    )
    error = serializers.SerializerMethodField(help_text="What was wrong with its newest run. Null when nothing was.")
    output = serializers.SerializerMethodField(
        help_text="What its newest run gave: the transform's variables, why it filtered it out, and its console. Null "
        "before that."
    )
    acts = ActSerializer(many=True, help_text="What its newest run was to do, in order.")

    class Meta(DeliverySerializer.Meta):
        fields = [*DeliverySerializer.Meta.fields, "query", "headers", "error", "output", "acts"]
        extra_kwargs = {
            **DeliverySerializer.Meta.extra_kwargs,
            "query": {"help_text": "What stood behind the question mark of the address."},
        }

    @extend_schema_field({"type": "string", "nullable": True})
    def get_error(self, delivery: Delivery) -> str | None:
        run = self._run(delivery)
        return (run.error or None) if run else None

    @extend_schema_field({"type": "object", "nullable": True, "additionalProperties": {}})
    def get_output(self, delivery: Delivery) -> Any:
        run = self._run(delivery)
        return run.output if run else None

    def _run(self, delivery: Delivery) -> Run | None:
        found: Run | None = getattr(delivery, "newest_run", None)
        return found


class ReplayDeliveriesSerializer(StrictSerializer):
    """Which deliveries are replayed, as far as they were accepted and nobody works on them."""

    ids = BoundedListField(
        child=serializers.UUIDField(),
        required=False,
        allow_empty=False,
        max_length=MOST_AT_ONCE,
        help_text=f"These deliveries, up to {MOST_AT_ONCE:,}. Either ids or filters.",
    )
    state = WordsField(MAY_REPLAY, help_text=f"One or more of {', '.join(MAY_REPLAY)}; {','.join(DEAD)} unless given.")
    hook = serializers.CharField(required=False, max_length=205, help_text="Those of the hook with this tag.")
    event_id = serializers.CharField(required=False, max_length=200, help_text="Those with this id of the provider's.")
    since = MomentField(required=False, help_text="Received at or after this time, ISO 8601 with a zone.")
    until = MomentField(required=False, help_text="Received before this time.")
    per_minute = per_minute()
    dry_run = dry_run()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nobody means all deliveries by saying nothing. Raises ValidationError."""
        filters = attrs.keys() - {"ids", "dry_run", "per_minute"}
        if "ids" in attrs and filters:
            raise serializers.ValidationError({"ids": [NOT_BOTH]})
        if "ids" not in attrs and not filters:
            everything = f'All dead letters are {{"state": "{",".join(DEAD)}"}}.'
            raise serializers.ValidationError({"ids": [NOT_SAID.format("deliveries", "ids", everything)]})
        if "since" in attrs and "until" in attrs and attrs["since"] > attrs["until"]:
            raise serializers.ValidationError({"since": [BACKWARDS]})
        return attrs


class ReplayedSerializer(serializers.Serializer[Any]):
    """How many it were."""

    count = serializers.IntegerField(help_text="How many deliveries; in a dry run, how many it would be.")
