"""The line at the foot of the side: whether the whole works. Looked up once in a while for all who look."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from badgerjobs.lib import words
from badgerjobs.runs import health
from badgerjobs.web import remembering

# How long one look serves everybody.
SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class HealthLine:
    """A sentence, and whether it wants a person."""

    is_well: bool
    sentence: str


def health_line(now: float) -> HealthLine:
    """How the whole is, at most five seconds ago; `now` is a Unix time."""
    found: dict[str, Any] = remembering.shared("health", SECONDS, lambda: health.as_dict(health.health()), now)
    return HealthLine(found["status"] == "ok", _sentence(found))


def _sentence(found: dict[str, Any]) -> str:
    late = found["dispatcher_lag_ms"] or 0
    if found["database"] != "ok":
        return "The database is away"
    if not found["workers"]:
        return "No worker is running"
    if late > health.WORST_LAG / timedelta(milliseconds=1):
        return f"Runs begin {words.duration(late)} late"
    if found["broker"] != "ok":
        return "The broker is away"
    return f"Healthy, {words.duration(late)} late" if late >= 1 else "Healthy, on time"
