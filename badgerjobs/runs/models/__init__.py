"""The engine's rows. The row is the truth: what the broker carries may be lost or doubled at any moment."""

from badgerjobs.runs.models.fleet import Beat, Leader, Worker
from badgerjobs.runs.models.incident import Incident, Trouble
from badgerjobs.runs.models.quota import Quota
from badgerjobs.runs.models.run import Attempt, Gone, LogLine, Run
from badgerjobs.runs.models.runnable import Runnable
from badgerjobs.runs.models.states import (
    ACTIVE,
    FINAL,
    RARE,
    WAITING,
    Breaker,
    CatchUp,
    Cause,
    Overlap,
    Preset,
    Queue,
    SkipReason,
    State,
)

__all__ = [
    "ACTIVE",
    "FINAL",
    "RARE",
    "WAITING",
    "Attempt",
    "Beat",
    "Breaker",
    "CatchUp",
    "Cause",
    "Gone",
    "Incident",
    "Leader",
    "LogLine",
    "Overlap",
    "Preset",
    "Queue",
    "Quota",
    "Run",
    "Runnable",
    "SkipReason",
    "State",
    "Trouble",
    "Worker",
]
