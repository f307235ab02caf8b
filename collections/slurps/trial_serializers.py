"""What REST takes to try a slurper out, stored or not, and what it answers."""

from typing import Any

from rest_framework import serializers

from badgerjobs.sources.serializers import LineSerializer, ValuesField
from badgerjobs.web.serializers import BoundedDictField, BoundedListField, ErrorField, StrictSerializer
from slurps.slurper_serializers import SlurperSerializer
from slurps.slurper_services import MOST_SOURCES
from slurps.trials import MOST_ROWS

# More than a slurper has.
MOST_FIELDS = 20


class SlurperTrialSerializer(StrictSerializer):
    """Rows to try it over, or none for the first that its sources have now; and what is tried in its stead."""

    rows = BoundedDictField(
        child=BoundedListField(child=serializers.JSONField(allow_null=True), max_length=MOST_ROWS),
        most=MOST_SOURCES,
        required=False,
        allow_null=True,
        help_text="The tag of a source → rows in place of its own: at most 100. Null: the first 100 that each source "
        "has now are pulled.",
    )
    values = ValuesField(required=False, help_text="Name → value, for the placeholders of its sources.")
    definition = BoundedDictField(
        child=serializers.JSONField(allow_null=True),
        most=MOST_FIELDS,
        required=False,
        help_text="Language, code, function and sources to try in place of what is stored, as a PATCH would give them.",
    )


class NewSlurperTrialSerializer(SlurperTrialSerializer):
    """The same of a slurper that is not stored."""

    definition = BoundedDictField(
        child=serializers.JSONField(allow_null=True),
        most=MOST_FIELDS,
        help_text="Language, code, function and sources, as a POST would give them.",
    )


class SlurperTriedSerializer(serializers.Serializer[Any]):
    """What came of it."""

    ok = serializers.BooleanField(help_text="Whether a run would go on with these rows.")
    before = serializers.DictField(
        child=serializers.ListField(child=serializers.JSONField(allow_null=True)),
        help_text="The tag of a source → the rows that came of it.",
    )
    after = serializers.ListField(
        child=serializers.JSONField(allow_null=True), help_text="The first 100 rows that were made of them."
    )
    made = serializers.IntegerField(help_text="How many rows were made.")
    cut = serializers.BooleanField(help_text="Whether some of these rows are not shown.")
    error = ErrorField(help_text="What was wrong: its `class` and `message`. Null when nothing was.")
    failed_source = serializers.CharField(
        allow_null=True, help_text="The tag of the source whose fault that is. Null where it is none's."
    )
    console = LineSerializer(many=True, help_text="What it wrote to the console.")
    duration = serializers.IntegerField(help_text="Milliseconds.")


def definition_of(given: dict[str, Any], stored: Any, application: Any) -> dict[str, Any]:
    """What is to be tried, checked over what is stored. Raises ValidationError by `definition`, a dot and the field."""
    data = {name: value for name, value in given.items() if name != "tag"}
    if stored is None:
        data["tag"] = "new"
    asked = SlurperSerializer(stored, data=data, partial=stored is not None, context={"application": application})
    if not asked.is_valid():
        raise serializers.ValidationError({f"definition.{name}": said for name, said in asked.errors.items()})
    return dict(asked.validated_data)
