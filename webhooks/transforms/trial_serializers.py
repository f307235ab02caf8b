"""A transform that is tried as REST takes it, on one payload or on many, and what came of it."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.sources.serializers import LineSerializer
from badgerjobs.web.serializers import StrictSerializer
from tasks.serializers import LONGEST_CODE
from webhooks.transforms.drafts import DELIVERIES, MOST_DELIVERIES, Compared, DraftTrial, Made
from webhooks.transforms.serializers import GivenSerializer
from webhooks.transforms.trials import Tried


class TryHookSerializer(GivenSerializer):
    """A transform, and what it is tried with."""

    transform = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=LONGEST_CODE,
        trim_whitespace=False,
        help_text="Another transform than the stored one, which is not changed.",
    )
    example = serializers.CharField(
        required=False, max_length=100, help_text="In place of body and headers, the name of one of its examples."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of them."""
        if "example" in attrs and attrs.keys() & {"body", "headers", "delivery"}:
            raise serializers.ValidationError({"example": ["Give either an example or what would come, not both."]})
        return super().validate(attrs)


class TriedActSerializer(serializers.Serializer[Any]):
    """An action that would be done."""

    name = serializers.CharField(help_text="The name of the action.")
    type = serializers.CharField(help_text="Its type.")
    target = serializers.CharField(help_text="What it acts upon.", allow_blank=True)
    variables = serializers.DictField(child=serializers.CharField(), help_text="Name → value, as it is given them.")
    value = serializers.JSONField(required=False, help_text="The value that it is given, if any.")


class TriedHookSerializer(serializers.Serializer[Tried]):
    """What came of it. Nothing was done."""

    ok = serializers.BooleanField(help_text="Whether the transform did what it must.")
    error = serializers.CharField(allow_null=True, help_text="What was wrong, in a sentence. Null when nothing was.")
    variables = serializers.DictField(
        child=serializers.CharField(allow_blank=True), allow_null=True, help_text="Name → value. Null where it failed."
    )
    filtered = serializers.CharField(
        allow_null=True, help_text="Why nothing would be done; null where something would."
    )
    acts = TriedActSerializer(many=True, help_text="What would be done, in this order.")
    console = LineSerializer(many=True, help_text="What it wrote to the console.")


class DraftSerializer(StrictSerializer):
    """A draft, and on how many deliveries it is tried."""

    transform = serializers.CharField(
        max_length=LONGEST_CODE,
        allow_blank=True,
        trim_whitespace=False,
        help_text="A function's body in JavaScript: it sees `body` and `headers`. Nothing is saved.",
    )
    deliveries = serializers.IntegerField(
        default=DELIVERIES,
        min_value=0,
        max_value=MOST_DELIVERIES,
        help_text=f"On how many of the last deliveries it is tried: 0 to {MOST_DELIVERIES}. On all examples, always.",
    )


class MadeSerializer(serializers.Serializer[Made]):
    """What a transform makes of a payload."""

    returned = serializers.SerializerMethodField(help_text="What it returned, as it is read. Null where it failed.")
    error = serializers.SerializerMethodField(help_text="What was wrong, in a sentence. Null when nothing was.")
    console = LineSerializer(many=True, help_text="What it wrote to the console.")

    @extend_schema_field({"type": "object", "nullable": True, "additionalProperties": {}})
    def get_returned(self, made: Made) -> Any:
        return None if made.error else made.plain

    @extend_schema_field({"type": "string", "nullable": True})
    def get_error(self, made: Made) -> str | None:
        return made.error or None


class ComparedSerializer(serializers.Serializer[Compared]):
    """An example or a delivery, with what is made of it."""

    example = serializers.CharField(
        source="example.name", default=None, allow_null=True, help_text="Its name, or null."
    )
    delivery = serializers.UUIDField(source="delivery.pk", default=None, allow_null=True, help_text="Its id, or null.")
    differs = serializers.BooleanField(help_text="Whether the draft makes something else of it.")
    fails = serializers.BooleanField(help_text="Whether the draft breaks what the example expects.")
    before = MadeSerializer(
        allow_null=True, help_text="What is made of it now. Null where there was no time to try it."
    )
    after = MadeSerializer(allow_null=True, help_text="What the draft makes of it. Null where there was no time.")
    expected = serializers.SerializerMethodField(help_text="What the example expects. Null where it says nothing.")

    @extend_schema_field({"type": "object", "nullable": True, "additionalProperties": {}})
    def get_expected(self, one: Compared) -> Any:
        return one.expected


class DraftTriedSerializer(serializers.Serializer[DraftTrial]):
    """What came of a draft."""

    differing = serializers.IntegerField(help_text="Of how many payloads the draft makes something else.")
    failing = serializers.ListField(
        child=serializers.CharField(), help_text="The names of the examples that it breaks."
    )
    untried = serializers.IntegerField(help_text="How many payloads were not tried: there was no time left.")
    tried = ComparedSerializer(
        source="all", many=True, help_text="The examples by their names, then the deliveries, newest first."
    )
