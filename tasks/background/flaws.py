"""What is wrong with a definition of a background task, in sentences: all of it, and before anything starts."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from badgerjobs.lib.backoff import GROWTH
from badgerjobs.lib.camel_case import is_camel_case
from badgerjobs.lib.retry_fields import MOST_RETRIES, MOST_STEP_S
from badgerjobs.lib.storable import UNSTORABLE
from tasks.background.cleanup_words import ALWAYS, CLEANUPS, NEVER, cleanup_of

LONGEST_ID, LONGEST_TITLE, LONGEST_DESCRIPTION = 100, 200, 2000
# GraphQL has no such values in an enum.
RESERVED = ("true", "false", "null")
MOST_ITERATIONS = 30_000
MOST_TIMEOUT_S = 86_400
MOST_RETENTION_DAYS = 3650
MOST_CONCURRENCY = 10_000

# Each hook, and what it is given.
HOOKS = {
    "on_before_trigger": ("context", "input"),
    "on_done": ("context", "task"),
    "on_error": ("context", "task"),
    "on_abort": ("context", "task"),
    "on_max_iterations": ("context", "task"),
}
FIELDS = (
    "id", "title", "description", "max_iterations", "input", "database_logs", "self_cleanup", "retention_days",
    "timeout_s", "retries", "retry_step_s", "backoff", "concurrency", "deduplicate", *HOOKS,
)  # fmt: skip

# Whole numbers, with their bounds; the last may be None.
_WHOLE: dict[str, tuple[int, int]] = {
    "max_iterations": (1, MOST_ITERATIONS),
    "retries": (0, MOST_RETRIES),
    "retention_days": (0, MOST_RETENTION_DAYS),
    "concurrency": (1, MOST_CONCURRENCY),
}
_MAY_BE_NONE = ("retention_days", "concurrency")
_SECONDS: dict[str, tuple[int, int]] = {"timeout_s": (1, MOST_TIMEOUT_S), "retry_step_s": (1, MOST_STEP_S)}


def found(target: Any, fields: Mapping[str, Any]) -> list[str]:
    """Sentences, none when all is well."""
    return [*_unknown(fields), *_texts(fields), *_numbers(fields), *_others(fields), *_code(target, fields)]


def _unknown(fields: Mapping[str, Any]) -> Iterator[str]:
    for name in fields:
        if name not in FIELDS:
            what = "hook" if name.startswith("on_") else "field"
            among = HOOKS if name.startswith("on_") else FIELDS
            yield f"there is no {what} `{name}`. There are {', '.join(among)}."


def _texts(fields: Mapping[str, Any]) -> Iterator[str]:
    yield from _id(fields.get("id"))
    title, description = fields.get("title"), fields.get("description", "")
    if not isinstance(title, str) or not title.strip():
        yield "it needs a title, which is what people read."
    elif len(title) > LONGEST_TITLE or UNSTORABLE.search(title):
        yield f"its title must have at most {LONGEST_TITLE} characters, and no null character."
    if not isinstance(description, str) or len(description) > LONGEST_DESCRIPTION or UNSTORABLE.search(description):
        yield f"its description must be a text of at most {LONGEST_DESCRIPTION:,} characters, with no null character."


def _id(id: Any) -> Iterator[str]:  # noqa: A002  it is called so
    if id is None:
        yield 'it needs an id, for example: id="myCustomTask".'
    elif not isinstance(id, str) or not is_camel_case(id) or not id[0].isalpha():
        yield f'Task ID "{id}" is invalid. It must be in camelCase format, for example: "myCustomTask".'
    elif id in RESERVED:
        yield f'Task ID "{id}" is invalid. GraphQL reserves it: choose another one.'
    elif len(id) > LONGEST_ID:
        yield f'Task ID "{id[:20]}…" is invalid. It must have at most {LONGEST_ID} characters.'


def _numbers(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, (least, most) in _WHOLE.items():
        value = fields.get(name, least)
        if value is None and name in _MAY_BE_NONE:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            none = ", or None" if name in _MAY_BE_NONE else ""
            yield f"{name} must be a whole number from {least} to {most:,}{none}, and is {_said(value)}."
    for name, (least, most) in _SECONDS.items():
        value = fields.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            yield f"{name} must be a number of seconds from {least} to {most:,}, and is {_said(value)}."


def _others(fields: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(fields.get("database_logs", True), bool):
        yield f"database_logs must be True or False, and is {_said(fields['database_logs'])}."
    if (backoff := fields.get("backoff", "incremental")) not in list(GROWTH):  # it may be unhashable
        yield f"backoff must be one of {', '.join(GROWTH)}, and is {_said(backoff)}."
    try:
        cleanup_of(fields.get("self_cleanup", NEVER))
    except (KeyError, TypeError):
        words = ", ".join((ALWAYS, NEVER, *CLEANUPS))
        given = _said(fields["self_cleanup"])
        yield f"self_cleanup must be one of {words}, or a list of the last three, and is {given}."
    if (taken := fields.get("input")) is not None and not is_input_class(taken):
        yield f"input must be a class of serializers, or a pydantic model's, and is {_said(taken)}."
    if (deduplicate := fields.get("deduplicate")) is not None:
        yield from _called("deduplicate", deduplicate, ("input",), may_wait=False)


def is_input_class(given: Any) -> bool:
    """Whether it is a class that can say what is wrong with an input."""
    return inspect.isclass(given) and (is_model(given) or is_serializer(given))


def is_model(given: type[Any]) -> bool:
    """Whether a class is a pydantic model, or speaks as one does."""
    return hasattr(given, "model_validate") and hasattr(given, "model_json_schema")


def is_serializer(given: type[Any]) -> bool:
    """Whether a class is one of DRF's serializers, or speaks as one does."""
    return hasattr(given, "is_valid") and hasattr(given, "run_validation")


def _code(target: Any, fields: Mapping[str, Any]) -> Iterator[str]:
    for name, parameters in HOOKS.items():
        if (hook := fields.get(name)) is not None:
            yield from _called(name, hook, parameters)
    if inspect.isclass(target):
        yield from _class(target)
    elif inspect.isroutine(target):
        yield from _called("run", target, ("params",))
    else:
        yield "it must be a function, or a class with a method `run`."


def _class(target: type[Any]) -> Iterator[str]:
    if not _takes(target, 0):
        yield "its class must be made without arguments: give `__init__` none, or defaults."
    if not hasattr(target, "run"):
        yield "its class has no method `run(self, params)`."
    else:
        yield from _called("run", _method(target, "run"), ("params",))
    for name in dir(target):
        if name in HOOKS:
            yield from _called(name, _method(target, name), HOOKS[name])
        elif name.startswith("on_"):
            yield f"there is no hook `{name}`. There are {', '.join(HOOKS)}."


def _method(target: type[Any], name: str) -> Any:
    """It as an object of the class has it, without one being made."""
    given = inspect.getattr_static(target, name)
    return given.__get__(object(), target) if hasattr(given, "__get__") else given


def _called(name: str, code: Any, parameters: tuple[str, ...], *, may_wait: bool = True) -> Iterator[str]:
    taken = f"{name}({', '.join(parameters)})"
    if not callable(code):
        yield f"`{name}` must be a function {taken}."
    elif not _takes(code, len(parameters)):
        yield f"`{name}` must take {' and '.join(parameters)}: {taken}."
    elif inspect.isgeneratorfunction(code) or inspect.isasyncgenfunction(code):
        yield f"`{name}` must return once, and not yield."
    elif not may_wait and inspect.iscoroutinefunction(code):
        yield f"`{name}` must be a plain function, and not an async one."


def _takes(code: Any, count: int) -> bool:
    try:
        inspect.signature(code).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # some of what is written in C does not say
        return True
    return True


def _said(value: Any) -> str:
    return repr(value)[:60]
