"""Background tasks that are defined in code, and who has them: the decorators, and all that were found at start."""

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Required, TypedDict, TypeVar, Unpack

from badgerjobs.lib.backoff import Retries
from tasks.background import flaws
from tasks.background.cleanup_words import cleanup_of

Target = TypeVar("Target")
Hook = Callable[[Any, Any], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Definition:
    """A background task: what it is called, what it may take, and its code.

    `run(params)` makes one iteration; it may be a coroutine function, and so may each of `hooks`, by name (HOOKS).
    `input_class` is a DRF serializer or a pydantic model, or None: any JSON object. `self_cleanup` holds those of the
    words done, error and abort after which the run is deleted; then there are no `database_logs`. `timeout_s` and
    `retries` are of one iteration. `concurrency`: how many of its runs may be running in an application; None: any
    number. `deduplicate(input)` is a text of which there is one unfinished run in an application, or None.
    `target` is what was decorated, and `where` its place in the code.
    """

    id: str
    title: str
    run: Callable[[Any], Any]
    description: str = ""
    is_private: bool = False
    max_iterations: int = 500
    input_class: type[Any] | None = None
    database_logs: bool = True
    self_cleanup: frozenset[str] = frozenset()
    retention_days: int | None = None
    timeout_s: float = 900
    retries: int = 0
    retry_step_s: float = 10
    backoff: str = "incremental"
    concurrency: int | None = None
    deduplicate: Callable[[Any], str | None] | None = None
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    target: object = None
    where: str = ""

    def hook(self, name: str) -> Hook | None:
        """The hook of this name, if it has one."""
        return self.hooks.get(name)

    @property
    def policy(self) -> Retries:
        """When a failed iteration is tried again."""
        return Retries(self.backoff, self.retries, self.retry_step_s)


class Fields(TypedDict, total=False):
    """What the decorators take. Definition says what each of them is; hooks are for functions, classes have methods."""

    id: Required[str]
    title: Required[str]
    description: str
    max_iterations: int
    input: type[Any] | None
    database_logs: bool
    self_cleanup: str | Iterable[str]
    retention_days: int | None
    timeout_s: float
    retries: int
    retry_step_s: float
    backoff: str
    concurrency: int | None
    deduplicate: Callable[[Any], str | None] | None
    on_before_trigger: Hook
    on_done: Hook
    on_error: Hook
    on_abort: Hook
    on_max_iterations: Hook


@dataclass(frozen=True, slots=True)
class Registry:
    """The definitions of this process by their ids, and sentences about those that are wrong."""

    by_id: dict[str, Definition] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, definition: Definition) -> None:
        """Take one. A second one of the same id is a problem, and the first stays."""
        first = self.by_id.setdefault(definition.id, definition)
        if first is not definition:
            self.problems.append(
                f'{definition.where}: there is a task with the ID "{definition.id}" already: {first.where}.'
            )


REGISTRY = Registry()


def background_task(target: object = None, /, **fields: Unpack[Fields]) -> Callable[[Target], Target]:
    """Define a public background task: anybody who may write in an application may trigger it.

    Decorates a function `run(params)`, or a class with such a method and, if it wants, hooks. What is wrong is no
    error here: it is said, all of it, when something starts.
    """
    decorator: Callable[[Target], Target] = _decorator(target, dict(fields), is_private=False)
    return decorator


def private_background_task(target: object = None, /, **fields: Unpack[Fields]) -> Callable[[Target], Target]:
    """Define a private background task: only code may trigger it. All else is as with `background_task`."""
    decorator: Callable[[Target], Target] = _decorator(target, dict(fields), is_private=True)
    return decorator


def definition_of(id: str) -> Definition | None:  # noqa: A002  it is called so
    """The definition with this id, public or private."""
    return REGISTRY.by_id.get(id)


def definitions() -> list[Definition]:
    """All of them, by id."""
    return [REGISTRY.by_id[id] for id in sorted(REGISTRY.by_id)]  # noqa: A001


def public_definitions() -> list[Definition]:
    """Those that are listed, and may be triggered from outside, by id."""
    return [definition for definition in definitions() if not definition.is_private]


def id_of(definition: Any) -> str:
    """The id of a definition that is named by it, by itself, or by what was decorated. Raises TypeError."""
    if isinstance(definition, str):
        return definition
    found = definition if isinstance(definition, Definition) or definition is None else _by_target(definition)
    if found is None:
        raise TypeError("A background task is named by its ID, or by the function or class that was decorated.")
    return found.id


def load(names: Iterable[str]) -> None:
    """Import the modules and packages of these names, which define tasks as they are imported.

    One that cannot be imported is a problem; one in which nothing is defined, rightly or not, is worth a warning.
    """
    for name in names:
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:
            REGISTRY.problems.append(
                f"BACKGROUND_TASKS: {name!r} cannot be imported: {type(error).__name__}: {error}".rstrip(": ")
            )
            continue
        # Those that are wrong are said beside their place, and are there, too.
        places = [*(f"{definition.where}." for definition in REGISTRY.by_id.values()), *REGISTRY.problems]
        if not any(place.startswith(f"{name}.") for place in places):
            REGISTRY.warnings.append(f"BACKGROUND_TASKS: {name!r} defines no background task.")


def _decorator(target: object, fields: dict[str, Any], *, is_private: bool) -> Any:
    def define(target: Target) -> Target:
        _define(target, fields, is_private=is_private)
        return target

    return define if target is None else define(target)


def _define(target: Any, fields: dict[str, Any], *, is_private: bool) -> None:
    where = f"{getattr(target, '__module__', '?')}.{getattr(target, '__qualname__', repr(target))}"
    if found := flaws.found(target, fields):
        REGISTRY.problems.extend(f"{where}: {sentence}" for sentence in found)
        return
    REGISTRY.add(_made(target, fields, is_private=is_private, where=where))


def _made(target: Any, fields: dict[str, Any], *, is_private: bool, where: str) -> Definition:
    hooks = {name: _hook(target, name) for name in flaws.HOOKS if isinstance(target, type) and hasattr(target, name)}
    hooks |= {name: hook for name, hook in fields.items() if name in flaws.HOOKS and hook is not None}
    own = {name: value for name, value in fields.items() if name not in {*flaws.HOOKS, "input", "self_cleanup"}}
    cleanup = cleanup_of(fields.get("self_cleanup", "never"))
    own["database_logs"] = own.get("database_logs", True) and not cleanup
    return Definition(
        **own,
        run=_hook(target, "run") if isinstance(target, type) else target,
        input_class=fields.get("input"),
        self_cleanup=cleanup,
        hooks=hooks,
        is_private=is_private,
        target=target,
        where=where,
    )


def _hook(target: type[Any], name: str) -> Callable[..., Any]:
    """A method of a new object each time: no call finds what another one left in it."""

    def call(*arguments: Any) -> Any:
        return getattr(target(), name)(*arguments)

    return call


def _by_target(target: Any) -> Definition | None:
    return next((definition for definition in REGISTRY.by_id.values() if definition.target is target), None)
