"""What may refuse a background task before there is one: its definition, `on_before_trigger`, the delay, its input."""

import hashlib
import logging
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from badgerjobs.lib.json_copies import NotJSONError
from badgerjobs.lib.storable import cleaned
from badgerjobs.runs.models import State
from badgerjobs.workspaces.models import Application
from tasks.background import errors
from tasks.background.calling import called, contained
from tasks.background.context import context_of
from tasks.background.definitions import Definition, definition_of, id_of
from tasks.background.errors import BackgroundTaskError, WrongInputError
from tasks.background.faults import error_of, failure_of
from tasks.background.inputs import InvalidInputError, plain_input, validated
from tasks.background.refusing import invalid

logger = logging.getLogger(__name__)

DELAY_BELOW_S = 355 * 24 * 3600
TOO_LONG = "The maximum delay for a task is 355 days."
NO_DEFINITION = 'The definition "{}" does not exist.'
BAD_DELAY = "The delay must be a whole number of seconds, 0 or more."
LONGEST_NAME, LONGEST_KEY = 200, 400

# Whom what code triggers is told of.
CODE = {"id": "code", "displayName": "Code", "type": "system"}


@dataclass(frozen=True, slots=True)
class Parent:
    """Which run triggers a child: in which of its iterations, and as the how many-th there (None: nobody counts)."""

    id: UUID
    iteration: int | None = None
    place: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One to be triggered. `definition`: an id, or what was decorated; `delay` in seconds.

    `due_at`, where that is known already, takes the place of the delay. `id` is that of its run, for who may ask twice:
    where there is one with it, that is the one.
    """

    definition: Any
    input: Any = None
    name: str = ""
    delay: float = 0
    parent: Parent | None = None
    created_by: Mapping[str, Any] | None = None
    due_at: datetime | None = None
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """One that nothing refuses: what its rows are made of."""

    definition: Definition
    input: dict[str, Any]
    name: str
    due_at: datetime
    key: str | None
    parent: Parent | None
    created_by: Mapping[str, Any]
    id: UUID | None = None


def prepared(
    application: Application,
    asked: Asked,
    parents: Mapping[UUID, tuple[str, Mapping[str, Any]]],
    *,
    now: datetime,
    public_only: bool,
) -> Ready:
    """What the rows of one are made of. `parents`: their states and creators. Raises BackgroundTaskError."""
    definition = _definition(asked.definition, public_only=public_only)
    by = creator(asked, parents)
    given = _plain(asked.input)
    _ask_before(definition, application, given)
    due_at = asked.due_at or now + timedelta(seconds=checked_delay(asked.delay))
    whole = _valid(definition, given)
    name = cleaned(asked.name.strip())[:LONGEST_NAME] or definition.title
    return Ready(definition, whole, name, due_at, _key(definition, whole), asked.parent, by, asked.id)


def asked_id(definition: Any) -> str:
    """The id of the definition that is asked for, be there one or not. Raises BackgroundTaskError."""
    try:
        return id_of(definition)
    except TypeError as error:
        raise BackgroundTaskError(errors.NO_DEFINITION, str(error)) from None


def _definition(asked: Any, *, public_only: bool) -> Definition:
    called_so = asked_id(asked)
    definition = definition_of(called_so)
    if definition is None or (public_only and definition.is_private):
        name = cleaned(called_so)[:100]
        raise BackgroundTaskError(errors.NO_DEFINITION, NO_DEFINITION.format(name), {"definition": name})
    return definition


def creator(asked: Asked, parents: Mapping[UUID, tuple[str, Mapping[str, Any]]]) -> Mapping[str, Any]:
    """Who is said to have triggered it: of a child whoever triggered its parent. Raises BackgroundTaskError."""
    if asked.parent is None:
        return asked.created_by or CODE
    if asked.parent.id not in parents:
        raise BackgroundTaskError(errors.NOT_FOUND, f'There is no task "{asked.parent.id}" to be the parent.')
    state, created_by = parents[asked.parent.id]
    if state == State.ABORTED:
        raise BackgroundTaskError(errors.CANNOT_TRIGGER, "The task was aborted: it can trigger no children any more.")
    return created_by


def _plain(given: Any) -> dict[str, Any]:
    try:
        return plain_input(given)
    except (NotJSONError, TypeError) as error:
        raise invalid("input", str(error)) from None


def _ask_before(definition: Definition, application: Application, given: dict[str, Any]) -> None:
    """Let the definition's hook refuse. What it wrote is gone then, and the caller's transaction stands."""
    if not (hook := definition.hook("on_before_trigger")):
        return
    try:
        with contained(), transaction.atomic():
            called(hook, context_of(application), deepcopy(given))
    except BackgroundTaskError:
        raise
    except Exception as error:
        logger.info("on_before_trigger of %s raised", definition.id, exc_info=True)
        said = error_of(error)
        own = getattr(error, "code", None)
        code = own if isinstance(own, str) and own else errors.CANNOT_TRIGGER
        raise BackgroundTaskError(code, said["message"], said["data"]) from error


def checked_delay(delay: Any) -> int:
    """The seconds, if they are some. Raises BackgroundTaskError."""
    is_number = isinstance(delay, int | float) and not isinstance(delay, bool)
    if is_number and delay >= DELAY_BELOW_S:
        raise BackgroundTaskError(errors.MAX_DELAY, TOO_LONG, {"delay": str(delay), "max": DELAY_BELOW_S})
    if not is_number or not delay >= 0 or delay != int(delay):
        raise invalid("delay", BAD_DELAY)
    return int(delay)


def _valid(definition: Definition, given: dict[str, Any]) -> dict[str, Any]:
    try:
        return validated(definition, given)
    except InvalidInputError as error:
        raise WrongInputError(str(error), error.fields) from None


def _key(definition: Definition, given: dict[str, Any]) -> str | None:
    """Of which there may be one that is not over. A long one is told by its digest."""
    if definition.deduplicate is None:
        return None
    try:
        with contained():
            key = definition.deduplicate(deepcopy(given))
    except Exception as error:
        logger.exception("the key of de-duplication of %s cannot be told", definition.id)
        raise BackgroundTaskError(
            errors.CANNOT_TRIGGER, f"Its key cannot be told: {failure_of(error)['message']}"
        ) from error
    if key is None:
        return None
    text = cleaned(str(key))
    return text if len(text) <= LONGEST_KEY else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
