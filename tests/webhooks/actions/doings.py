"""What runs of deliveries are to do, as whoever performs them asks for it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.models import Run
from badgerjobs.sources.answers import compact
from badgerjobs.workspaces.models import Application
from tests.factories import NOW
from webhooks.actions import MISSING, Did, Doing, action_of
from webhooks.models import ActState

BODY = {"category": {"id": 7}}


def no_body() -> str:
    """Reads a body that is none."""
    raise ValueError("The body is no JSON.")


def doing(
    application: Application,
    fields: Mapping[str, Any],
    variables: Mapping[str, str] | None = None,
    value: Any = MISSING,
    body: Callable[[], Any] = lambda: BODY,
) -> Doing:
    """An action of a delivery that came now. Its hook is nobody's: no action looks at it."""
    first = uuid7()
    return Doing(application.pk, 1, first, first, 0, fields, variables or {}, value, lambda: compact(body()), NOW)


def again(before: Doing) -> Doing:
    """The same in a run that repeats the first one of its delivery."""
    return replace(before, run_id=uuid7())


def done(kind: str, *doings: Doing) -> list[Did]:
    """What comes of them, done together."""
    with transaction.atomic():
        return action_of(kind).act(doings)


def said(did: Did) -> tuple[ActState, str, bool]:
    """How it ended, in what words, and whether another try may help."""
    return did.state, did.said, did.again


def input_of(run: Run) -> Any:
    """What a run was given."""
    return run.input
