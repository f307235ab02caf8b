"""What an event gives to a background task: looked at as soon as it is known, and not only at each run."""

from collections.abc import Mapping
from typing import Any

from badgerjobs.lib.handlebars import TemplateError, fill, split
from badgerjobs.lib.json_copies import word_of
from tasks.background.definitions import definition_of
from tasks.background.inputs import InvalidInputError, validated
from tasks.background.saying import said_of_fields

NO_OBJECT = 'The input of a background task must be an object, like {{"rows": 3}}, and not {}.'
# What is given where nothing else is said: the input of the job, as it is.
WHOLE = "{{input}}"


def fault_of_event(configuration: Mapping[str, Any]) -> str:
    """Why a task could never be triggered with what its event says; empty where that is known only at a run."""
    given = configuration["input"]
    if isinstance(given, str) and _path_of(given):
        return ""
    if not isinstance(given, Mapping | None):
        return NO_OBJECT.format(word_of(given))
    try:
        return _fault(configuration["background_task"], fill(given, {}))
    except TemplateError:  # there are placeholders in it
        return ""


def fault_of_job(configuration: Mapping[str, Any], given: Any) -> str:
    """Why it could never be triggered with the input of a job whose event has this configuration.

    Empty where the event makes something else of that, or runs code.
    """
    its = configuration.get("input")
    if not configuration.get("background_task") or not isinstance(its, str) or _path_of(its) != "input":
        return ""
    return _fault(configuration["background_task"], given)


def _fault(definition: str, given: Any) -> str:
    found = definition_of(definition)
    if found is None or found.is_private:  # that is told where it is named
        return ""
    try:
        validated(found, given)
    except InvalidInputError as error:
        return said_of_fields(error.fields, str(error))
    return ""


def _path_of(text: str) -> str:
    """What a text names that is one placeholder and nothing else; empty for any other. Raises TemplateError."""
    pieces = list(split(text))
    return pieces[0][1] if len(pieces) == 2 and not pieces[0][0] and not pieces[1][0] else ""
