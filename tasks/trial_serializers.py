"""What REST takes to try a pattern and a transform out before a task is saved, to run one, and to retry its keys."""

import json
from typing import Any

from rest_framework import serializers

from badgerjobs.lib.storable import cleaned
from badgerjobs.sources.serializers import LineSerializer
from badgerjobs.web.serializers import BoundedDictField, OneOfField, StrictSerializer
from tasks.models import Selection
from tasks.selection import PATTERN_CHOICES
from tasks.serializers import LONGEST_CODE, LONGEST_PATTERN
from tasks.webhook_variables import BODY_BYTES

MOST_VALUES = 100
# The same as of other webhooks.
MOST_OVERLAP_S = 7 * 86_400


class BodyField(serializers.JSONField):
    """Any JSON, up to 1 MB as it is written. What the database cannot hold is replaced, as hooks do."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError."""
        text = json.dumps(super().to_internal_value(data), ensure_ascii=False, separators=(",", ":"))
        size = len(text.encode(errors="surrogatepass"))
        if size > BODY_BYTES:
            raise serializers.ValidationError(f"The body has {size:,} bytes: a webhook may have {BODY_BYTES:,}.")
        return cleaned(data)


def _texts(help_text: str) -> BoundedDictField:
    child = serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=8000)
    return BoundedDictField(child=child, most=MOST_VALUES, required=False, help_text=help_text)


class PatternSerializer(StrictSerializer):
    """A pattern, how it matches, and values for its placeholders."""

    selection = OneOfField(
        PATTERN_CHOICES,
        default=Selection.CONTAINS.value,
        help_text="How it says which keys: contains, prefix, glob or tag.",
    )
    pattern = serializers.CharField(
        max_length=LONGEST_PATTERN,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Literal for contains, prefix and tag; in a glob, * is any text and ? is one character.",
    )
    variables = _texts("Name → value, for the {{NAME}} in it.")


class RunTaskSerializer(StrictSerializer):
    """An example of what a webhook would bring."""

    body = BodyField(required=False, allow_null=True, help_text="For a webhook task: its body, any JSON up to 1 MB.")
    headers = _texts("Its headers, by names in lower case.")


class RetrySyncsSerializer(StrictSerializer):
    """Of which run the keys that failed are fetched again."""

    run = serializers.UUIDField(help_text="The id of a run of this task that is over.")


class RotateWebhookSerializer(StrictSerializer):
    """For how long the address of now leads to the task too."""

    overlap_s = serializers.IntegerField(
        default=0,
        min_value=0,
        max_value=MOST_OVERLAP_S,
        help_text=f"Seconds: 0 to {MOST_OVERLAP_S:,}. 0, unless given: it leads nowhere at once.",
    )


class WebhookTrialSerializer(StrictSerializer):
    """A transform, an example for it, and a pattern that it fills."""

    transform = serializers.CharField(
        max_length=LONGEST_CODE,
        trim_whitespace=False,
        help_text="A function's body in JavaScript: it sees `body` and `headers`, and returns `variables`.",
    )
    body = BodyField(required=False, allow_null=True, default=None, help_text="An example body, any JSON up to 1 MB.")
    headers = _texts("Example headers, by names in lower case.")
    selection = OneOfField(
        PATTERN_CHOICES,
        default=Selection.CONTAINS.value,
        help_text="How the pattern says which keys: contains, prefix, glob or tag.",
    )
    pattern = serializers.CharField(
        max_length=LONGEST_PATTERN,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="A pattern for the variables to fill; without one, no keys are looked up.",
    )


class WebhookTriedSerializer(serializers.Serializer[Any]):
    """What came of it."""

    ok = serializers.BooleanField(help_text="Whether there are variables, and they fill the pattern.")
    error = serializers.CharField(allow_null=True, help_text="What was wrong, in a sentence. Null when nothing was.")
    variables = serializers.DictField(
        child=serializers.CharField(allow_blank=True), allow_null=True, help_text="Name → value. Null where it failed."
    )
    console = LineSerializer(many=True, help_text="What it wrote to the console.")
    pattern = serializers.CharField(
        allow_null=True, allow_blank=True, help_text="The pattern as it was filled. Null where there was none."
    )
    names = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="The first 1,000 keys that it means, by name."
    )
    total = serializers.IntegerField(allow_null=True, help_text="How many keys it means.")
