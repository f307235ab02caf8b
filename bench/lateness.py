"""How long after its time a call is on the wire: from due to its first bytes at the receiver, in milliseconds."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import quantiles

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs import fleet
from badgerjobs.runs.models import Run
from badgerjobs.workspaces.audit import OPERATOR
from bench.rows import BODY, copy_jobs
from bench.stack import Receiver, wait_until
from jobs.models import Job
from jobs.services import create_job

GIVE_UP_S = 60


@dataclass(frozen=True)
class Lateness:
    """Of so many calls, due over so many seconds; p50, p99 and the most in milliseconds."""

    calls: int
    seconds: float
    p50: float
    p99: float
    most: float

    @property
    def per_second(self) -> float:
        return self.calls / self.seconds


def of_planned(*, job: Job, rate: int, seconds: int, receiver: Receiver) -> Lateness:
    """Jobs that were planned before, one due every 1/`rate` s."""
    calls = rate * seconds
    receiver.arrivals()
    start = fleet.database_now() + timedelta(seconds=2 + calls / 5000)
    due = f"timestamptz '{start.isoformat()}' + n * interval '{1 / rate:.6f} s'"
    copy_jobs(job, names=f"planned-{start:%H%M%S}", count=calls, next_run_at=due)
    time.sleep(max(0.0, (start - fleet.database_now()).total_seconds()) + seconds)
    return _summed(since=start, calls=calls, seconds=seconds, receiver=receiver)


def of_created(*, job: Job, rate: int, seconds: int, receiver: Receiver) -> Lateness:
    """Jobs created with `run_at` = now, one every 1/`rate` s as far as one process can."""
    receiver.arrivals()
    start = fleet.database_now()
    clock = time.monotonic()
    calls = 0
    while calls < rate * seconds and time.monotonic() - clock < seconds:
        time.sleep(max(0.0, clock + calls / rate - time.monotonic()))
        _create(job, tag=f"created-{start:%H%M%S}-{calls}", now=datetime.now(UTC))
        calls += 1
    return _summed(since=start, calls=calls, seconds=time.monotonic() - clock, receiver=receiver)


def _create(job: Job, *, tag: str, now: datetime) -> None:
    create_job(
        application=job.application,
        tag=tag,
        by=OPERATOR,
        now=now,
        run_at=now,
        endpoint=job.endpoint,
        verb=job.verb,
        body=BODY,
    )


def _summed(*, since: datetime, calls: int, seconds: float, receiver: Receiver) -> Lateness:
    runs = Run.objects.filter(id__gte=uuid7_floor(since))
    wait_until(
        lambda: runs.filter(state="succeeded").count() >= calls, seconds=GIVE_UP_S, what=f"{calls} runs", every=0.5
    )
    due = {str(run_id): moment.timestamp() for run_id, moment in runs.values_list("id", "due_at")}
    late = sorted((times[0] - due[run_id]) * 1000 for run_id, times in receiver.arrivals().items())
    if len(late) != calls:
        raise RuntimeError(f"{calls} runs were due, and {len(late)} were called")
    hundredths = quantiles(late, n=100, method="inclusive")
    return Lateness(calls, seconds, hundredths[49], hundredths[98], late[-1])
