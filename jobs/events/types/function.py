"""A function: the customer's JavaScript, in the sandbox, with the job's input."""

import asyncio
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from badgerjobs.lib import javascript
from badgerjobs.runs.outcomes import Done, Failed, Later, Outcome
from badgerjobs.web.serializers import StrictSerializer
from jobs.events.means import Means
from jobs.events.types import Occasion, Type

# What is returned is kept with the attempt.
KEEP_BYTES = 256 * 1024
# What goes wrong with the sandbox and not with the code may go well the next time.
PASSING = {"timeout", "unavailable", "crashed"}
SCRIPT = "script"
CLASSES = {"timeout": "timeout", "memory": "memory", "unavailable": "internal"}


LONGEST_CODE = 200_000


class FunctionConfiguration(StrictSerializer):
    """What to run."""

    code = serializers.CharField(
        max_length=LONGEST_CODE,
        trim_whitespace=False,
        help_text="A function's body in JavaScript: it sees `input` and `run`, and returns the result.",
    )
    timeout_ms = serializers.IntegerField(
        default=250, min_value=10, max_value=5000, help_text="Milliseconds that each attempt may take: 10 to 5000."
    )


def faults(configuration: Mapping[str, Any], workspace: int, owner: int) -> Mapping[str, str]:
    """Why the code cannot even be compiled. How long it may be, its field says."""
    code = configuration.get("code")
    if not isinstance(code, str) or not 0 < len(code) <= LONGEST_CODE:
        return {}
    fault = javascript.fault(code, ("input", "run"), tenant=workspace, part=owner)
    return {"code": str(fault)} if fault else {}


def prepare(occasion: Occasion) -> Mapping[str, Any]:
    """What the code sees."""
    return dict(occasion.values)


async def perform(occasion: Occasion, seen: Mapping[str, Any], means: Means) -> Outcome:
    """Run it once. What it returns is the run's output; where it went wrong, its line and column are in the result.

    What the sandbox has no room for was not run: that is our crowd, and nobody's failure.
    """
    given = occasion.configuration
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


FUNCTION = Type(FunctionConfiguration, prepare, perform, faults=faults)
