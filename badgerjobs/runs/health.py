"""Whether the whole works: for load balancers, for people, and for Prometheus."""

from dataclasses import asdict, dataclass
from datetime import timedelta

from django.db import Error
from redis.exceptions import RedisError

from badgerjobs.runs import broker, fleet
from badgerjobs.runs.models import Runnable

# Beat that is later than this has stopped, or cannot keep up.
WORST_LAG = timedelta(seconds=10)
# A worker that was not seen for so long is not there.
WORKER_SEEN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Health:
    """`status` is ok or failing; `dispatcher_lag_ms` how late the first due occurrence is; null when unknown."""

    status: str
    database: str
    broker: str
    dispatcher_lag_ms: int | None
    workers: int | None


def health() -> Health:
    """Ask everything once. What cannot be asked is unknown, never an exception."""
    broker = _broker()
    try:
        now = fleet.database_now()
        lag, workers = Runnable.objects.lateness(now), fleet.seen(now - WORKER_SEEN)
    except Error:
        return Health("failing", "down", broker, None, None)
    well = broker == "ok" and lag <= WORST_LAG and workers > 0
    return Health("ok" if well else "failing", "ok", broker, round(lag / timedelta(milliseconds=1)), workers)


def _broker() -> str:
    try:
        broker.connection().ping()
    except RedisError:
        return "down"
    return "ok"


def as_dict(found: Health) -> dict[str, object]:
    """The same, ready for JSON."""
    return asdict(found)
