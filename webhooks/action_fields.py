"""The actions of a hook as they are given: each with a name of its own, a type, and what that type asks for."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rest_framework import serializers

from badgerjobs.web.serializers import BoundedListField
from badgerjobs.workspaces.models import Application
from webhooks.actions import ACTIONS, action_of

MOST_ACTIONS = 20
LONGEST_NAME = 100
NO_TYPE = f"Give it a type: one of {', '.join(ACTIONS)}."
UNKNOWN = f"There is no type “{{}}”: give it one of {', '.join(ACTIONS)}."
NO_LIST = 'Give a list of actions, like [{{"name": "refresh", "type": "sync", "task": "products"}}].'
TWICE = "Another action is called “{}”: give each a name of its own."
NO_NAME = f"Give it a name, as text of 1 to {LONGEST_NAME} characters: a transform chooses by it."


class ActionsField(BoundedListField):
    """A list of {name, type, …}. What each type asks for, `actions_checked` says."""

    default_error_messages = {"not_a_list": NO_LIST}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.DictField(), max_length=MOST_ACTIONS, **kwargs)


def actions_checked(
    given: Sequence[Mapping[str, Any]], application: Application, stored: Collection[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """The actions to store: complete. One without a name is called as its type; one that is stored stays as it is.

    Raises ValidationError: place → field → sentences.
    """
    found: list[dict[str, Any]] = []
    errors: Any = {}
    for place, action in enumerate(given):
        try:
            one = dict(action) if action in stored else _checked(action, application)
        except serializers.ValidationError as error:
            errors[place] = error.detail
            continue
        if any(one["name"] == other["name"] for other in found):
            errors[place] = {"name": [TWICE.format(one["name"])]}
        found.append(one)
    if errors:
        raise serializers.ValidationError(errors)
    return found


def _checked(action: Mapping[str, Any], application: Application) -> dict[str, Any]:
    kind = action.get("type")
    if not isinstance(kind, str) or kind not in ACTIONS:
        said = UNKNOWN.format(kind[:LONGEST_NAME]) if isinstance(kind, str) and kind else NO_TYPE
        raise serializers.ValidationError({"type": [said]})
    name = action.get("name", kind)
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise serializers.ValidationError({"name": [NO_NAME]})
    fields = {key: value for key, value in action.items() if key not in {"name", "type"}}
    checked = action_of(kind).serializer(data=fields, context={"application": application})
    checked.is_valid(raise_exception=True)
    return {"name": name, "type": kind, **checked.validated_data}
