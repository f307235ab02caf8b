"""Errors of background tasks as they are kept: {message, code, data}, and what is said beside a log line."""

from collections.abc import Mapping
from typing import Any

from badgerjobs.lib.json_copies import NotJSONError, copied, length_of
from badgerjobs.lib.storable import cleaned
from tasks.background.errors import BackgroundTaskError

LONGEST_MESSAGE = 1000
LONGEST_CODE = 100
MOST_BYTES = 64 * 1024


def error_of(error: Any) -> dict[str, Any]:
    """An exception, a sentence or a mapping with a `message` as {message, code, data}; `stack`, if it has a text so.

    The code of an exception is its own `code`, or what it is called; None where there is none. Nothing that is said
    wrongly here is an error again: what cannot be JSON stands as a sentence in the place of it.
    """
    if isinstance(error, BaseException):
        code = getattr(error, "code", None)
        said = {"message": _message(error), "code": code if code and isinstance(code, str) else type(error).__name__}
        return _fitted({**said, "data": getattr(error, "data", None)})
    if isinstance(error, Mapping):
        return _fitted(error)
    return _fitted({"message": error})


def failure_of(error: Any) -> dict[str, Any]:
    """The same of what ended code. What it raised is told with its class, `KeyError: 'x'`: the rest alone says little.

    What we refuse in code's place is a sentence for people already.
    """
    said = error_of(error)
    if not isinstance(error, BaseException) or isinstance(error, BackgroundTaskError):
        return said
    name, message = type(error).__name__, said["message"]
    return said if message.startswith(name) else {**said, "message": line(f"{name}: {message}")}


def diagnostic(value: Any) -> Any:
    """A value as it is kept beside a log line: JSON of at most 64 KB, or a sentence in its place."""
    data = _data(value)
    size = length_of(data)
    if size > MOST_BYTES:
        return {"message": "Data size exceeds the maximum allowed size.", "size": size, "max": MOST_BYTES}
    return data


def line(message: Any) -> str:
    """A message as it is kept."""
    return str(cleaned(message if isinstance(message, str) else _shown(message)))[:LONGEST_MESSAGE]


def _fitted(error: Mapping[str, Any]) -> dict[str, Any]:
    code, stack = error.get("code"), error.get("stack")
    fitted = {
        "message": line(error.get("message") or "The task failed, and said nothing."),
        "code": None if code in (None, "") else line(code)[:LONGEST_CODE],
        "data": _data(error.get("data")),
    }
    return {**fitted, "stack": cleaned(stack)} if isinstance(stack, str) else fitted


def _data(value: Any) -> Any:
    try:
        return copied(value, "The data")
    except NotJSONError as error:
        return {"message": cleaned(str(error))}


def _message(error: BaseException) -> str:
    return _shown(error) or type(error).__name__


def _shown(value: Any) -> str:
    try:
        return str(value)
    except Exception:
        return f"{type(value).__name__}, which cannot be shown"
