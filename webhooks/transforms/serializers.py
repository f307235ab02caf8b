"""The versions and the examples of a transform as REST takes and shows them."""

import json
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from badgerjobs.web.serializers import BoundedDictField, StrictSerializer
from webhooks.models import Delivery, TransformVersion
from webhooks.models.hook import MOST_BODY_BYTES
from webhooks.transforms.example_services import example_of

MOST_HEADERS = 100
NO_DELIVERY = "There is no delivery with this id among those of this hook."
NO_TEXT = "The body of this delivery is no text: an example has only what can be typed."
EITHER = "Give either a delivery or what would come, not both."


class VersionRowSerializer(serializers.ModelSerializer[TransformVersion]):
    """A transform that was saved."""

    class Meta:
        model = TransformVersion
        fields = ("number", "made_by", "made_at")
        extra_kwargs = {
            "number": {"help_text": "Counted from 1."},
            "made_by": {"help_text": "Who saved it; empty where nobody knows."},
            "made_at": {"help_text": "When it was saved."},
        }


class VersionSerializer(VersionRowSerializer):
    """The same with its code."""

    class Meta(VersionRowSerializer.Meta):
        fields = (*VersionRowSerializer.Meta.fields, "code")  # type: ignore[assignment]
        extra_kwargs = {**VersionRowSerializer.Meta.extra_kwargs, "code": {"help_text": "All of it."}}


class ExampleBodyField(serializers.JSONField):
    """A body as it would come: a text as it is, all other JSON as it is written."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError."""
        value: Any = super().to_internal_value(data)
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        size = len(text.encode(errors="surrogatepass"))
        if size > MOST_BODY_BYTES:
            raise serializers.ValidationError(f"The body has {size:,} bytes: a webhook may have {MOST_BODY_BYTES:,}.")
        return text


def _headers(**more: Any) -> BoundedDictField:
    child = serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=8000)
    return BoundedDictField(child=child, most=MOST_HEADERS, **more)


class GivenSerializer(StrictSerializer):
    """What would come to a hook: a body and headers, or those of something that came."""

    body = ExampleBodyField(
        required=False,
        help_text="A body: a text is taken as it is, all other JSON as it is written. Empty, unless given.",
    )
    headers = _headers(required=False, help_text="Its headers, by names in any case.")
    delivery = serializers.UUIDField(
        required=False, help_text="In their place, the id of a delivery to this hook: its body and headers are taken."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either what is given, or what came."""
        if "delivery" in attrs and attrs.keys() & {"body", "headers"}:
            raise serializers.ValidationError({"delivery": [EITHER]})
        checked: dict[str, Any] = super().validate(attrs)
        return checked


class ExampleSerializer(GivenSerializer):
    """A payload that the transform is tried with, and what it must return."""

    name = serializers.CharField(read_only=True, help_text="What it is called among those of its hook.")
    body = ExampleBodyField(
        required=False, help_text="The body, as text. Given otherwise than as a text, it is kept as it is written."
    )
    headers = _headers(required=False, help_text="Its headers, by names in lower case.")
    expected = serializers.JSONField(
        default=None,
        allow_null=True,
        help_text="What the transform must return. Null: anything, as long as it does not fail.",
    )
    delivery = serializers.UUIDField(
        required=False,
        write_only=True,
        help_text="In place of body and headers, the id of a delivery to this hook: a copy of it is kept.",
    )
    created_at = serializers.DateTimeField(read_only=True, help_text="When it was made.")


def given_by(deliveries: QuerySet[Delivery], fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, with the body and the headers of the delivery that they name, without its credentials.

    Raises ValidationError.
    """
    delivery_id = fields.pop("delivery", None)
    if delivery_id is None:
        return fields
    found = deliveries.filter(pk=delivery_id).first()
    if found is None:
        raise serializers.ValidationError({"delivery": [NO_DELIVERY]})
    example = example_of(found)
    if example["body"] is None:
        raise serializers.ValidationError({"delivery": [NO_TEXT]})
    return {**fields, **example}
