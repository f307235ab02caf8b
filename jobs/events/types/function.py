"""A function: the customer's JavaScript, in the sandbox, with the job's input; or code of the installation's own.

That is a background task: the event triggers it, and does not wait for it.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from badgerjobs.lib import javascript
from badgerjobs.lib.handlebars import Filling, TemplateError
from badgerjobs.lib.ids import derived
from badgerjobs.lib.json_copies import word_of
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Cause
from badgerjobs.runs.outcomes import Done, Failed, Later, Outcome
from badgerjobs.web.definitions.fields import JSONTemplateField
from badgerjobs.web.serializers import StrictSerializer
from badgerjobs.workspaces.models import Application
from jobs.events.means import Means
from jobs.events.task_inputs import NO_OBJECT, WHOLE, fault_of_event
from jobs.events.triggering_run import creator_of
from jobs.events.types import Occasion, Type
from tasks.background import errors
from tasks.background.definitions import definition_of
from tasks.background.errors import BackgroundTaskError
from tasks.background.preparing import Asked
from tasks.background.saying import said_of
from tasks.background.snapshot import BackgroundTask
from tasks.background.triggering import trigger_all

# What is returned is kept with the attempt.
KEEP_BYTES = 256 * 1024
# What goes wrong with the sandbox and not with the code may go well the next time.
PASSING = {"timeout", "unavailable", "crashed"}
SCRIPT = "script"
CLASSES = {"timeout": "timeout", "memory": "memory", "unavailable": "internal"}

LONGEST_CODE = 200_000
# What a template fills may be as long as what a task takes.
INPUT_CHARACTERS = 1024 * 1024

# Fields of one of the two: what is given beside the other is refused.
OF_CODE, OF_TASK = ("code", "timeout_ms"), ("background_task", "input")
ONE_OF_BOTH = "Give the code of a function, or the ID of a background task."
NOT_BOTH = "Give either code or a background task, not both."
NO_DEFINITION = "There is no background task with the ID “{}” that may be triggered from outside."
# How long it may take until a task is triggered, in seconds: its definition's code may be asked whether it lets it.
TRIGGER_S = 30.0
TOO_LONG = "The background task was not triggered within {:g} s."


def _code(**more: Any) -> serializers.CharField:
    return serializers.CharField(
        max_length=LONGEST_CODE,
        trim_whitespace=False,
        help_text="A function's body in JavaScript: it sees `input` and `run`, and returns the result.",
        **more,
    )


def _background_task(**more: Any) -> serializers.CharField:
    return serializers.CharField(
        max_length=100,
        help_text="In place of code: the ID of a public definition of a background task, like syncArticles.",
        **more,
    )


class CodeConfiguration(StrictSerializer):
    """A function of code, for the reference."""

    code = _code()
    timeout_ms = serializers.IntegerField(
        default=250, min_value=10, max_value=5000, help_text="Milliseconds that each attempt may take: 10 to 5000."
    )


class TaskConfiguration(StrictSerializer):
    """A function that triggers a background task, for the reference."""

    background_task = _background_task()
    input = JSONTemplateField(
        default=lambda: WHOLE,  # type: ignore[arg-type,return-value]  # the stubs want an object
        allow_null=True,
        help_text="What the background task is given: an object, with placeholders; unless given, the input.",
    )


class FunctionConfiguration(CodeConfiguration, TaskConfiguration):
    """What to run: code, or a background task."""

    documented_as = (CodeConfiguration, TaskConfiguration)

    code = _code(default="", allow_blank=True)
    background_task = _background_task(default="", allow_blank=True)

    def validate_background_task(self, given: str) -> str:
        """One that is there, and that not code alone may trigger."""
        found = definition_of(given) if given else None
        if given and (found is None or found.is_private):
            raise serializers.ValidationError(NO_DEFINITION.format(given))
        return given

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of both, and nothing of the other."""
        if attrs["code"] and attrs["background_task"]:
            raise serializers.ValidationError({"background_task": [NOT_BOTH]})
        if not attrs["code"] and not attrs["background_task"]:
            raise serializers.ValidationError({"code": [ONE_OF_BOTH]})
        kept = {name: attrs[name] for name in (OF_CODE if attrs["code"] else OF_TASK)}
        if attrs["background_task"] and (fault := fault_of_event(kept)):
            raise serializers.ValidationError({"input": [fault]})
        return kept

    def to_representation(self, instance: Mapping[str, Any]) -> dict[str, Any]:
        """Only the fields of what it runs."""
        shown = super().to_representation(instance)
        return {name: shown[name] for name in (OF_TASK if instance.get("background_task") else OF_CODE)}


def faults(configuration: Mapping[str, Any], workspace: int, owner: int) -> Mapping[str, str]:
    """Why the code cannot even be compiled. How long it may be, its field says."""
    code = configuration.get("code")
    if not isinstance(code, str) or not 0 < len(code) <= LONGEST_CODE:
        return {}
    fault = javascript.fault(code, ("input", "run"), tenant=workspace, part=owner)
    return {"code": str(fault)} if fault else {}


def prepare(occasion: Occasion) -> Mapping[str, Any]:
    """What the code sees, or the input of the task. Raises TemplateError."""
    given, values = occasion.configuration, occasion.values
    if not given.get("background_task"):
        return dict(values)
    filled = Filling(values, most=INPUT_CHARACTERS, what="the input").fill(given["input"])
    if not isinstance(filled, Mapping | None):
        raise TemplateError(NO_OBJECT.format(word_of(filled)))
    return filled or {}


async def perform(occasion: Occasion, seen: Mapping[str, Any], means: Means) -> Outcome:
    """Run it once. What it returns is the run's output; where it went wrong, its line and column are in the result.

    What the sandbox has no room for was not run: that is our crowd, and nobody's failure.
    """
    given = occasion.configuration
    if given.get("background_task"):
        return await _triggered(occasion, seen, means)
    limits = {"timeout_s": given["timeout_ms"] / 1000, "output_bytes": KEEP_BYTES}
    came = await javascript.arun(given["code"], seen, tenant=occasion.workspace, part=occasion.owner, **limits)
    console = [{"level": line.level, "text": line.text} for line in came.console]
    error = came.error
    if error is None:
        return Done({"value": came.value, "console": console}, output=came.value)
    if error.word == "busy":
        return Later(means.functions.next(str(occasion.workspace), asyncio.get_running_loop().time()))
    place = {"word": error.word, "line": error.line, "column": error.column}
    return Failed(
        CLASSES.get(error.word, SCRIPT),
        str(error),
        result={"value": None, "console": console, "error": place},
        retry=error.word in PASSING,
    )


async def _triggered(occasion: Occasion, given: Mapping[str, Any], means: Means) -> Outcome:
    """Trigger the task. What its definition or its input is wrong with stays so; that a hook refuses it may pass.

    What takes too long goes on, and the next attempt finds the task that it made.
    """
    try:
        async with asyncio.timeout(TRIGGER_S):
            task = await means.triggers.run(_trigger, occasion, given)
    except TimeoutError:
        return Failed("timeout", TOO_LONG.format(TRIGGER_S), retry=True)
    except BackgroundTaskError as error:
        return Failed("input", said_of(error), retry=error.code == errors.CANNOT_TRIGGER)
    made = {"id": str(task.id), "definition": task.definition_id, "name": task.name}
    return Done({"background_task": made["id"], "value": made, "console": []}, output=made)


def _trigger(occasion: Occasion, given: Mapping[str, Any]) -> BackgroundTask:
    """Its run; where an attempt of the same run has made it already, or one with the same key is not over, that one."""
    application = Application.objects.select_related("workspace").get(pk=occasion.owner)
    asked = Asked(
        definition=occasion.configuration["background_task"], input=dict(given),
        created_by=creator_of(occasion.owner, occasion.run_id), id=derived(occasion.run_id, "background_task"),
    )  # fmt: skip
    [made] = trigger_all(application, [asked], now=database_now(), cause=Cause.CODE, public_only=True)
    if isinstance(made, BackgroundTaskError):
        raise made
    return made


FUNCTION = Type(FunctionConfiguration, prepare, perform, faults=faults)
