"""What travels between a worker and a process that runs definitions' code: one message a line, as JSON.

To the process: a `Work`, or STOP, which is about the work before it. From it: READY once, then one `Came` for each
work.
"""

import json
import secrets
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from typing import Any, Literal
from uuid import UUID

from badgerjobs.runs.processes.came import Came

# A message is refused that is longer. What is kept of a run is far below.
MOST_BYTES = 32 * 1024 * 1024

READY = b'{"word": "ready"}\n'
STOP = b'{"word": "stop"}\n'

_NAMES = {one.name for one in fields(Came)}
_WORDS = ("done", "continue", "error", "aborted")


class RubbishError(ValueError):
    """A line that is no message."""


@dataclass(frozen=True, slots=True)
class Work:
    """One iteration of a task, one of its hooks, one attempt of an async job, or one trial; `timeout_s` is in seconds.

    `worker` has the run: None when nobody may ask. `output` is what the iterations before it left. An answer
    bears the `nonce`, so that nothing that was written before is taken for one.
    """

    run_id: UUID
    application_id: int
    definition: str
    name: str
    input: Any
    output: Any
    iteration: int
    attempt: int
    timeout_s: float
    worker: UUID | None = None
    kind: Literal["iteration", "hook", "slurp", "slurp_trial"] = "iteration"
    hook: str = ""
    nonce: str = field(default_factory=partial(secrets.token_hex, 8))

    def line(self) -> bytes:
        """The same for the pipe."""
        ids = {"run_id": str(self.run_id), "worker": self.worker and str(self.worker)}
        return _line({"word": "work", **asdict(self), **ids})


def work_in(line: bytes) -> Work | None:
    """The work that a line brings; None for STOP."""
    message = json.loads(line)
    if message.pop("word") == "stop":
        return None
    message["run_id"] = UUID(message["run_id"])
    message["worker"] = UUID(message["worker"]) if message["worker"] else None
    return Work(**message)


def answer(came: Came, nonce: str) -> bytes:
    """What a process says of the work with this nonce. Raises ValueError and TypeError for what is not JSON."""
    return _line({**came.as_json(), "nonce": nonce})


def came_in(line: bytes, nonce: str) -> Came | None:
    """What a process said of this work; None: it is of another one, whose code had said something before.

    Raises RubbishError: code can write there, too.
    """
    try:
        message = json.loads(line)
    except ValueError:
        raise RubbishError from None
    if isinstance(message, dict) and message.pop("nonce", None) != nonce:
        return None
    if not isinstance(message, dict) or set(message) != _NAMES or message["word"] not in _WORDS:
        raise RubbishError
    if not isinstance(message["message"], str) or not isinstance(message["wait_s"], int | float):
        raise RubbishError
    if not isinstance(message["error"], dict | None):
        raise RubbishError
    return Came(**message)


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, allow_nan=False).encode("ascii") + b"\n"
