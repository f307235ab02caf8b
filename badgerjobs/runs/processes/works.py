"""What such a process may do: a literal table, the kind of a work → the function that does it."""

import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.utils.module_loading import import_string

from badgerjobs.runs.processes.beside import Beside
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pipe import Work

# Whatever comes, each answers, unless its code ends the process. The event is set when the work is to be given up.
Performer = Callable[[Work, Beside, threading.Event], Came]

WORKS: Mapping[str, str] = {
    "iteration": "tasks.background.process.performed",
    "hook": "tasks.background.process.performed",
    "slurp": "slurps.slurping.process.performed",
    "slurp_trial": "slurps.slurping.apart.performed",
}


@cache
def performer_of(kind: str) -> Performer:
    """What does such a work. Raises KeyError for an unknown kind, ImportError for a row that leads nowhere."""
    found: Any = import_string(WORKS[kind])
    return found  # type: ignore[no-any-return]
