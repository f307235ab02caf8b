"""What a webhook's transform takes out of its body, and how that fills the pattern of a task."""

import json
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from badgerjobs.lib import handlebars, javascript
from badgerjobs.lib.javascript import Line, Result
from badgerjobs.lib.storable import REPLACED, UNSTORABLE, cleaned
from tasks.models import Selection
from tasks.selection import literal

# What a webhook may bring, in bytes; an example of one is no longer.
BODY_BYTES = 1_000_000
NO_BODY = "There is no body: send JSON."
# What the transform sees, by name.
SEEN = ("body", "headers")
LONGEST_PATTERN = 1000
# So many names are told in the place of one that is missing.
TOLD = 10

SHAPES = (
    "The transform must return an object whose `variables` are [{key, value}], [[key, value]], [{key: value}] or "
    "{key: value}"
)


class TransformError(ValueError):
    """Why a transform gave no variables, in a sentence. `console`: what it wrote before.

    `again`: it took too long, which a busy machine may have made it, so that it may go well the next time.
    """

    def __init__(self, sentence: str, console: tuple[Line, ...] = (), *, again: bool = False) -> None:
        super().__init__(sentence)
        self.console = console
        self.again = again


class NoRoomError(Exception):
    """The sandbox could not take it now, which is nobody's fault: it may be tried again."""


@dataclass(frozen=True, slots=True)
class Transformed:
    """The variables that a transform returned, name → text, and what it wrote to the console."""

    variables: dict[str, str]
    console: tuple[Line, ...] = ()


async def variables_of(
    transform: str, body: Any, headers: Mapping[str, str], tenant: Hashable, part: Hashable = None
) -> dict[str, str]:
    """The variables of a webhook: none where there is no transform.

    Raises ValueError with a sentence, and NoRoomError. `tenant` and `part` take turns in the sandbox.
    """
    return (await transformed(transform, body, headers, tenant, part)).variables


async def transformed(
    transform: str, body: Any, headers: Mapping[str, str], tenant: Hashable, part: Hashable = None
) -> Transformed:
    """The same with the console. Raises TransformError and NoRoomError."""
    if not transform.strip():
        return Transformed({})
    asked: Awaitable[Result] = javascript.arun(transform, seen(body, headers), tenant=tenant, part=part)
    return _read(await asked)


def try_transform(
    transform: str, body: Any, headers: Mapping[str, str], tenant: Hashable, part: Hashable = None
) -> Transformed:
    """The same where one may wait."""
    if not transform.strip():
        return Transformed({})
    return _read(javascript.run(transform, seen(body, headers), tenant=tenant, part=part))


def filled_pattern(pattern: str, variables: Mapping[str, str], selection: str = Selection.CONTAINS) -> str:
    """The pattern with the variables in it, which mean nothing but themselves there, as its selection takes it.

    Raises ValueError where one is not given, or is empty: as nothing, it would let the pattern match far too much.
    """
    filled = "".join(
        plain + (literal(selection, _value(path, variables)) if path else "")
        for plain, path in handlebars.split(pattern)
    )
    if len(filled) > LONGEST_PATTERN:
        raise ValueError(f"With the variables in it the pattern is longer than {LONGEST_PATTERN:,} characters.")
    return filled


def filled_name(template: str, variables: Mapping[str, str]) -> str:
    """The name of a key, with the variables in it. Raises ValueError where one is not given, or is empty."""
    return "".join(
        plain + (_value(path, variables, "without it, the name would be another key's") if path else "")
        for plain, path in handlebars.split(template)
    )


def names_in(pattern: str) -> list[str]:
    """The variables that a pattern asks for, each once, in order. Raises ValueError for what is no template."""
    return list(dict.fromkeys(handlebars.names(pattern, "CATEGORY_ID")))


def in_lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as a transform sees them, whoever gives them: a webhook, or somebody by hand."""
    return {name.lower(): value for name, value in headers.items()}


def seen(body: Any, headers: Mapping[str, str]) -> dict[str, Any]:
    """What the transform is given, by name. `body` is JSON, or Written."""
    return dict(zip(SEEN, (body, in_lower_case(headers)), strict=True))


# What goes wrong with the sandbox and not with the code.
_PASSING = {"busy", "unavailable", "crashed"}

T = TypeVar("T")


def read(came: Result, how: Callable[[Any], T]) -> T:
    """What the transform returned, read like this. Raises TransformError with its console, and NoRoomError."""
    if came.error and came.error.word in _PASSING:
        raise NoRoomError(str(came.error))
    if came.error:
        again = came.error.word == "timeout"
        raise TransformError(f"The transform failed: {came.error}", came.console, again=again)
    try:
        return how(cleaned(came.value))
    except TransformError as error:
        raise TransformError(str(error), came.console) from None


def _read(came: Result) -> Transformed:
    return Transformed(read(came, _variables), came.console)


def _variables(returned: Any) -> dict[str, str]:
    """What was returned in one of the shapes, as texts. Raises TransformError."""
    if not isinstance(returned, Mapping) or "variables" not in returned:
        raise TransformError(f"{SHAPES}: it returned {what(returned)}.")
    return texts_of(returned["variables"])


def texts_of(variables: Any) -> dict[str, str]:
    """Variables in one of the shapes, as texts, by name. Raises TransformError."""
    found: dict[str, str] = {}
    for name, value in _pairs(variables):
        text = _text(name, value)
        if found.get(name, text) != text:
            both = f"“{found[name][:99]}” and “{text[:99]}”"
            raise TransformError(f"The transform returned {name[:99]} twice, as {both}.")
        found[name] = text
    return found


def _pairs(variables: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(variables, Mapping):
        yield from variables.items()
    elif isinstance(variables, list):
        for one in variables:
            yield from _of_one(one)
    else:
        raise TransformError(f"{SHAPES}: there, `variables` is {what(variables, named=False)}.")


def _of_one(one: Any) -> Iterator[tuple[str, Any]]:
    """What one row of a list gives. A key without a value is what JavaScript makes of an undefined one."""
    if isinstance(one, Mapping) and one.keys() <= {"key", "value"} and isinstance(one.get("key"), str):
        yield one["key"], one.get("value")
    elif isinstance(one, Mapping) and one and "key" not in one:
        yield from one.items()
    elif isinstance(one, list) and len(one) == 2 and isinstance(one[0], str):
        yield one[0], one[1]
    else:
        said = json.dumps(one, ensure_ascii=False)
        raise TransformError(f"{SHAPES}: among them is {said[:99]}{'…' if len(said) > 99 else ''}.")


def _text(name: str, value: Any) -> str:
    """A value as text: what is nothing is empty. Raises TransformError."""
    if value is None:
        return ""
    if isinstance(value, Mapping | list):
        kind = "a list" if isinstance(value, list) else "an object"
        raise TransformError(f"The transform returned {kind} as {name[:99]}: return a text or a number.")
    return value if isinstance(value, str) else json.dumps(value)


def _value(
    path: str, variables: Mapping[str, str], empty: str = "without it, the pattern would match other keys as well"
) -> str:
    if path not in variables:
        told = ", ".join(str(name)[:50] for name in list(variables)[:TOLD])
        more = " and more" if len(variables) > TOLD else ""
        raise ValueError(f"{path} is not among the variables: {told or 'there are none'}{more}.")
    value = variables[path]
    if not value.strip():
        raise ValueError(f"{path} is empty: {empty}.")
    if UNSTORABLE.search(value) or REPLACED in value:  # such as a body or a transform brought, which is cleaned
        raise ValueError(f"{path} holds characters that no name has: null characters, or halves of letters.")
    return value


def what(value: Any, *, named: bool = True) -> str:
    """A value in a few words: `an object with ID, SHOP`; without the names it holds, where they are not `named`."""
    if isinstance(value, Mapping):
        names = ", ".join(str(name)[:50] for name in list(value)[:TOLD])
        return f"an object with {names}" if named and names else "an empty object" if not value else "an object"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    return "a text" if isinstance(value, str) else json.dumps(value)
