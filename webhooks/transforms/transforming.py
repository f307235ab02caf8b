"""What a hook's transform makes of a delivery: variables, a verdict that nothing is to be done, or several acts."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from badgerjobs.lib import javascript
from badgerjobs.lib.heavy import Heavy
from badgerjobs.lib.javascript import Line, Written
from tasks.webhook_variables import NoRoomError, TransformError, read, seen, texts_of, what
from webhooks.actions import MISSING
from webhooks.performing.bodies import BadBodyError, body_of

__all__ = ["NoRoomError", "Returned", "TransformError", "Wanted", "transformed", "try_transform"]

# What is longer, of a body or of what is returned, is read beside the loop, one at a time.
LONG_BYTES = 8 * 1024
# So many acts may come of one delivery.
MOST_ACTS = 100
LONGEST_REASON = 300

SHAPES = (
    "The transform must return {variables: …}, {actions: [{name, variables}]}, {filtered: “why”} or null: "
    "it returned {what}."
)
NULL = "The transform returned {}."
NO_REASON = "The transform filtered it out."
ONLY_NOT_FILTERED = (
    "The transform returned nothing but `filtered`, as {what}: return why, or true; or what is to be done, such as "
    "{variables: …}."
)
NO_ACTIONS = "The transform returned no actions."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done: the action of this name, of which None means all there are. `value` may be MISSING."""

    name: str | None
    variables: Mapping[str, str]
    value: Any = MISSING


@dataclass(frozen=True, slots=True)
class Returned:
    """What a transform returned. `filtered` says why nothing is done; None where something is.

    `variables` are those for all acts.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    filtered: str | None = None
    acts: Sequence[Wanted] = ()
    console: tuple[Line, ...] = ()


# Without a transform all actions are done, with nothing given.
UNTRANSFORMED = Returned(acts=(Wanted(None, {}),))


async def transformed(  # noqa: PLR0913
    code: str,
    headers: Mapping[str, str],
    raw: bytes,
    tenant: Hashable,
    part: Hashable = None,
    *,
    heavy: Heavy | None = None,
) -> Returned:
    """What the transform returns for a delivery. `tenant` and `part` take turns in the sandbox.

    What is long is read by `heavy`, where one is given. Raises TransformError, for a body that cannot be read too, and
    NoRoomError.
    """
    if not code.strip():
        return UNTRANSFORMED
    body = await heavy.do(partial(_body, headers, raw)) if heavy and len(raw) > LONG_BYTES else _body(headers, raw)
    came = await javascript.arun(code, seen(body, headers), tenant=tenant, part=part)
    reading = partial(read, came, partial(returned_of, console=came.console))
    return await heavy.do(reading) if heavy and came.length > LONG_BYTES else reading()


def try_transform(
    code: str, headers: Mapping[str, str], raw: bytes, tenant: Hashable, part: Hashable = None
) -> Returned:
    """The same where one may wait."""
    if not code.strip():
        return UNTRANSFORMED
    came = javascript.run(code, seen(_body(headers, raw), headers), tenant=tenant, part=part)
    return read(came, partial(returned_of, console=came.console))


def _body(headers: Mapping[str, str], raw: bytes) -> Written | str:
    try:
        return body_of(headers, raw)
    except BadBodyError as error:
        raise TransformError(str(error)) from None


def returned_of(value: Any, console: tuple[Line, ...] = ()) -> Returned:
    """What a transform means that returns this. Raises TransformError."""
    if value is None or value is False:
        return Returned(filtered=NULL.format("null" if value is None else "false"), console=console)
    if not isinstance(value, Mapping) or not value.keys() & {"variables", "actions", "filtered", "value"}:
        raise TransformError(SHAPES.replace("{what}", what(value)))
    variables = texts_of(value["variables"]) if "variables" in value else {}
    filtered = value.get("filtered")
    if filtered is not None and filtered is not False:
        return Returned(variables, _reason(filtered), console=console)
    if value.keys() == {"filtered"}:
        raise TransformError(ONLY_NOT_FILTERED.replace("{what}", what(filtered)))
    given = value.get("value", MISSING)
    acts = _acts(value["actions"], variables, given) if "actions" in value else [Wanted(None, variables, given)]
    return Returned(variables, None if acts else NO_ACTIONS, tuple(acts), console)


def _reason(filtered: Any) -> str:
    if isinstance(filtered, str) and filtered.strip():
        return f"{filtered[:LONGEST_REASON]}…" if len(filtered) > LONGEST_REASON else filtered
    if filtered is True or isinstance(filtered, str):
        return NO_REASON
    raise TransformError(f"The transform returned `filtered` as {what(filtered)}: return why, or true.")


def _acts(actions: Any, variables: Mapping[str, str], value: Any) -> list[Wanted]:
    """One for each row. What is given for all of them holds for each that says nothing else."""
    if not isinstance(actions, list):
        raise TransformError(
            f"The transform must return `actions` as a list of {{name, variables}}: it returned {what(actions)}."
        )
    if len(actions) > MOST_ACTS:
        raise TransformError(f"The transform returned {len(actions):,} actions: {MOST_ACTS} may be done at once.")
    return [_act(one, variables, value) for one in actions]


def _act(one: Any, variables: Mapping[str, str], value: Any) -> Wanted:
    if isinstance(one, str):
        one = {"name": one}
    if not isinstance(one, Mapping) or not isinstance(one.get("name"), str):
        raise TransformError(f"Each of the `actions` must be {{name, variables}}: among them is {what(one)}.")
    if unknown := one.keys() - {"name", "variables", "value"}:
        raise TransformError(f"An action has a name, variables and a value, and no {min(unknown)[:99]}.")
    own = texts_of(one["variables"]) if "variables" in one else {}
    return Wanted(one["name"], {**variables, **own}, one.get("value", value))
