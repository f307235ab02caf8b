"""What of the schema follows from tables and definitions: by what lists are narrowed and sorted, and the enum."""

import json
import re
from collections.abc import Iterable, Mapping

from tasks.background.definitions import Definition
from tasks.background.reading import SORTS

# What GraphQL can have as a value of an enum.
_NAME = re.compile(r"[_A-Za-z]\w*", re.ASCII)
# An enum has to have one. Webiny says so where there are no definitions.
EMPTY = "Empty"

_CHOSEN = {"id": "ID", "definitionId": "String", "taskStatus": "String", "parentId": "String", "createdBy": "String"}
_MOMENTS = ("createdOn", "savedOn", "startedOn", "finishedOn")
_COMPARED = ("gt", "gte", "lt", "lte")


def sdl_of_inputs() -> str:
    """What tasks and logs are narrowed and sorted by."""
    of_tasks = [*_fields({**_CHOSEN, "name": "String"}), "name_contains: String"]
    of_tasks += [f"{name}_{way}: DateTime" for name in _MOMENTS for way in _COMPARED]
    of_logs = [*_fields({"task": "String"}), "iteration: Number", "iteration_not: Number"]
    of_logs += [f"iteration_{way}: Number" for way in _COMPARED]
    return "".join(
        [
            _block("input WebinyBackgroundTaskListWhereInput", of_tasks, "Which tasks: all that is given has to hold."),
            _block("input WebinyBackgroundTaskLogListWhereInput", of_logs, "Which logs: all given has to hold."),
            _block("enum WebinyBackgroundTaskListSorter", _ways(SORTS), "What tasks are sorted by."),
            _block("enum WebinyBackgroundTaskLogListSorter", _ways(["createdOn"]), "What logs are sorted by."),
        ]
    )


def sdl_of_enum(definitions: Iterable[Definition]) -> str:
    """The enum of the definitions that may be triggered: their ids, without those that GraphQL cannot name."""
    names = [f"{json.dumps(one.title)} {one.id}" for one in definitions if _NAME.fullmatch(one.id)]
    return _block("enum WebinyBackgroundTaskDefinitionEnum", names or [EMPTY], "What may be triggered.")


def _fields(kinds: Mapping[str, str]) -> list[str]:
    return [
        field
        for name, kind in kinds.items()
        for field in (f"{name}: {kind}", f"{name}_not: {kind}", f"{name}_in: [{kind}!]", f"{name}_not_in: [{kind}!]")
    ]


def _ways(names: Iterable[str]) -> list[str]:
    return [f"{name}_{way}" for name in names for way in ("ASC", "DESC")]


def _block(head: str, lines: Iterable[str], words: str) -> str:
    return "\n".join(["", f'"{words}"', f"{head} {{", *(f"  {line}" for line in lines), "}", ""])
