"""What an action gives to what it starts."""

import json
from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices
from rest_framework import serializers

from badgerjobs.web.serializers import OneOfField
from webhooks.actions import MISSING, Doing


class Input(TextChoices):
    NOTHING = "nothing", "Nothing"
    VARIABLES = "variables", "The variables"
    VALUE = "value", "The value of the transform"
    BODY = "body", "The body"


NO_VALUE = "The transform returned no `value`, which this action gives: return one beside the variables."


def input_field(help_text: str) -> serializers.ChoiceField:
    """The field that says what is given: of Input, nothing unless told otherwise."""
    return OneOfField(Input.choices, default=Input.NOTHING.value, help_text=help_text)


def chosen(doing: Doing) -> str:
    """What the action was told to give."""
    return str(doing.fields.get("input") or Input.NOTHING.value)


def takes_body(fields: Mapping[str, Any], has_value: bool) -> bool:  # noqa: ARG001  as all types are asked
    """Whether an action gives the body."""
    return fields.get("input") == Input.BODY


def given(doing: Doing) -> str | None:
    """JSON that can be kept, as text; None for nothing. Raises ValueError, with a sentence, for what is not there."""
    match chosen(doing):
        case Input.VARIABLES:
            return json.dumps(dict(doing.variables))
        case Input.VALUE:
            if doing.value is MISSING:
                raise ValueError(NO_VALUE)
            return json.dumps(doing.value)
        case Input.BODY:
            return doing.body()
    return None
