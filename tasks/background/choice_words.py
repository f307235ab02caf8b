"""What fields of a definition's serializer say of a wrong choice: no schema of ours lists theirs, so they name them."""

from typing import Any

from rest_framework import serializers

# More than so many nobody reads in a sentence.
MOST_NAMED = 20
ELSEWHERE = "“{input}” is none of its choices: background-tasks/definitions/ lists them, in the schema of the input."
# Both have a sentence for it.
_KINDS = (serializers.ChoiceField, serializers.MultipleChoiceField)


def name_choices(field: Any) -> None:
    """Let each choice in it, however deep, name its own, unless it has words for that."""
    if isinstance(field, serializers.ChoiceField):
        usual = [kind.default_error_messages["invalid_choice"] for kind in _KINDS]
        if field.error_messages.get("invalid_choice") in usual:
            field.error_messages["invalid_choice"] = _said(field)
    elif isinstance(field, serializers.Serializer):
        for one in field.fields.values():
            name_choices(one)
    elif isinstance(child := getattr(field, "child", None), serializers.Field):
        name_choices(child)


def _said(field: Any) -> str:
    named = [str(one) for one in field.choices]
    if len(named) > MOST_NAMED:
        return ELSEWHERE
    among = ", ".join(named).replace("{", "{{").replace("}", "}}")
    return f"“{{input}}” is none of {among}."
