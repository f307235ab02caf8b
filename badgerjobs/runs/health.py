"""Whether the whole works: for load balancers, for people, and for Prometheus."""

from dataclasses import asdict, dataclass
from datetime import timedelta

from django.db import Error, connection
from redis.exceptions import RedisError

from badgerjobs.runs import broker

# Beat that is later than this has stopped, or cannot keep up.
WORST_LAG = timedelta(seconds=10)
# A worker that was not seen for so long is not there.
WORKER_SEEN = timedelta(seconds=30)

# The database's clock, when the first occurrence is or was due, and how many workers there are.
_LOOK = """
SELECT clock_timestamp(), (SELECT min(next_run_at) FROM runs_runnable WHERE next_run_at IS NOT NULL),
       (SELECT count(DISTINCT name) FROM runs_worker WHERE seen_at > clock_timestamp() - interval '1 s' * %s)
"""


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
        lag, workers = _look()
    except Error:
        return Health("failing", "down", broker, None, None)
    well = broker == "ok" and lag <= WORST_LAG and workers > 0
    return Health("ok" if well else "failing", "ok", broker, round(lag / timedelta(milliseconds=1)), workers)


def _look() -> tuple[timedelta, int]:
    """How long the occurrence that is due first has been waiting to be dispatched, and how many workers are seen."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, [WORKER_SEEN.total_seconds()])
        now, first, workers = cursor.fetchone()
    return max(timedelta(0), now - first) if first else timedelta(0), workers


def _broker() -> str:
    try:
        broker.connection().ping()
    except RedisError:
        return "down"
    return "ok"


def as_dict(found: Health) -> dict[str, object]:
    """The same, ready for JSON."""
    return asdict(found)
