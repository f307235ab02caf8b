"""What `perform` answers. A value for everything that was foreseen; an exception is a bug, logged and retried."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Done:
    """The work is done. `result` is kept with the attempt, `output` with the run."""

    result: dict[str, Any] | None = None
    output: Any = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed: one word for machines, one sentence for people. `retry` says whether another try may help."""

    error_class: str
    error: str
    result: dict[str, Any] | None = None
    retry: bool = True


Outcome = Done | Failed
