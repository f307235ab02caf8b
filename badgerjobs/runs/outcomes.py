"""What `perform` answers. A value for everything that was foreseen; an exception is a bug, logged and retried."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """A line for the run's log, written together with what became of the attempt: `data` is any JSON."""

    message: str
    data: Any = None


@dataclass(frozen=True, slots=True)
class Done:
    """The work is done. `result` is kept with the attempt, `output` with the run.

    `began_at`: when the attempt began, where it was put off in its middle; None: when this worker took it. `said` goes
    into the run's log. `input` takes the place of the run's, where the work changed it.
    """

    result: dict[str, Any] | None = None
    output: Any = None
    began_at: datetime | None = None
    said: Said | None = None
    input: Any = None


@dataclass(frozen=True, slots=True)
class Continue:
    """This iteration is over, and another one follows, after so many seconds: the same run, with this `input`.

    `input` and `output` take the place of the run's. Whatever an attempt of an iteration changed is kept here or not at
    all: one that is repeated begins with what the iteration before it left.
    """

    wait_s: float = 0.0
    input: Any = None
    output: Any = None
    result: dict[str, Any] | None = None
    said: Said | None = None


@dataclass(frozen=True, slots=True)
class Aborted:
    """The work was given up by itself, for this reason."""

    reason: str
    output: Any = None
    input: Any = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed: one word for machines, one sentence for people. `retry` says whether another try may help.

    `retry_after` is how long the other side wants to be left alone. `pauses` says that no later run can do better:
    what it belongs to is paused, and the sentence is the reason. `output` and `began_at` are as in `Done`. `in_part`:
    the other part of the work was done, so that this is no reason to pause what it belongs to. `data` goes with the
    sentence into the run's log. `input` is as in `Done`, unless there is another try: that begins with what was there.
    `iteration` is the one that the log tells it of; None: this one.
    """

    error_class: str
    error: str
    result: dict[str, Any] | None = None
    retry: bool = True
    retry_after: timedelta | None = None
    pauses: bool = False
    output: Any = None
    began_at: datetime | None = None
    in_part: bool = False
    data: Any = None
    input: Any = None
    iteration: int | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing was tried: there is no room for it now, and in so many seconds there may be. It uses up no attempt.

    `is_begun`: part of it was done, and the rest waits for its time, without a slot. The attempt goes on then.
    """

    seconds: float
    is_begun: bool = False


Outcome = Done | Continue | Aborted | Failed | Later

# What is written down of an exception.
BUG = Failed("internal", "Something went wrong inside Badger Jobs. It has been logged, and the attempt is repeated.")
