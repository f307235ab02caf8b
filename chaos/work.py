"""The tenants and their jobs: every sort of schedule, quick and slow, well and ill, under every policy."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.issuing import issue_token
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.services import create_application
from chaos.eras import Era, Promise, Promises
from jobs.models import Job
from jobs.services import create_job

TENANTS = ("red", "blue")
TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Tenant:
    """An application, and its token."""

    name: str
    application: Application
    token: str


@dataclass(frozen=True, slots=True)
class Sort:
    """So many jobs of a kind, in each tenant. `after` and `fails` are how the receiver answers them.

    `policy` are columns of the runnable; `lasts_s` is when the schedule ends, counted from its beginning.
    """

    name: str
    count: int
    every_s: tuple[float, float] | None = None
    cron: str = ""
    is_once: bool = False
    after: float = 0
    fails: int = 0
    lasts_s: float = 0
    policy: dict[str, Any] = field(default_factory=dict)

    @property
    def is_quick(self) -> bool:
        """Whether what it runs is called at its time: nothing is slow, tried again, or spread."""
        return not (self.after or self.fails or "spread_s" in self.policy)


SORTS = (
    Sort("second", 15, every_s=(1, 1)),
    Sort("often", 35, every_s=(2, 5)),
    Sort("minute", 8, cron="* * * * *"),
    Sort("once", 40, is_once=True),
    Sort("by-hand", 8),
    Sort("by-hook", 1, policy={"overlap": "allow"}),
    Sort("skip", 6, every_s=(1, 2), after=2.5, policy={"overlap": "skip"}),
    Sort("queue-one", 6, every_s=(2, 3), after=2.5, policy={"overlap": "queue_one"}),
    Sort("queue-all", 6, every_s=(3, 4), after=2, policy={"overlap": "queue_all"}),
    Sort("allow", 6, every_s=(1, 2), after=3, policy={"overlap": "allow"}),
    Sort("cancel", 4, every_s=(2, 4), after=3, policy={"overlap": "cancel_running"}),
    Sort("catch-up", 6, every_s=(2, 4), policy={"overlap": "allow", "catch_up": "all"}),
    Sort("forgo", 6, every_s=(2, 4), policy={"catch_up": "none"}),
    Sort("spread", 6, every_s=(2, 4), policy={"spread_s": 1}),
    Sort("counted", 4, every_s=(1, 2), policy={"max_runs": 12}),
    Sort("ended", 4, every_s=(1, 2), lasts_s=25),
    Sort("broken", 3, every_s=(1, 2), fails=100, policy={"retries": 0}),
    Sort("failing", 10, every_s=(6, 9), fails=50, policy={"retries": 2, "retry_step_s": 1}),
    Sort("flaky", 10, every_s=(2, 4), fails=10, policy={"retries": 3, "retry_step_s": 1}),
)


# The breaker: soon enough to be seen in a minute.
PAUSE_AFTER, PROBE_AFTER_S = 8, 5


def make_tenants(now: datetime) -> list[Tenant]:
    """Each with a workspace, an application and a token. What fails eight times in a row is paused for five seconds."""
    made = []
    for name in TENANTS:
        application = create_application(name=name, workspace=name, by=OPERATOR, now=now)
        Application.objects.filter(pk=application.pk).update(pause_after=PAUSE_AFTER, probe_after_s=PROBE_AFTER_S)
        _, secret = issue_token(application=application, label="chaos", by=OPERATOR, now=now)
        made.append(Tenant(name, application, secret))
    return made


def make_jobs(tenants: list[Tenant], *, url: str, begins: datetime, seconds: float, rng: Random) -> Promises:
    """All jobs of all tenants; their schedules begin within a few seconds after `begins`."""
    promises = Promises()
    for tenant in tenants:
        for sort in SORTS:
            for number in range(1, sort.count + 1):
                promises.add(_make(tenant, sort, number, url, _schedule(sort, begins, seconds, rng)))
    return promises


def _make(tenant: Tenant, sort: Sort, number: int, url: str, schedule: dict[str, Any]) -> Promise:
    tag = f"{sort.name}-{number}"
    job = create_job(
        application=tenant.application,
        tag=tag,
        by=OPERATOR,
        now=schedule.pop("now"),
        endpoint=f"{url}{tenant.name}/{tag}?after={sort.after}&fails={sort.fails}",
        verb="POST",
        body="x" * 100,
        timeout=TIMEOUT_S,
        **schedule,
        **sort.policy,
    )
    return promised(job, f"{tenant.name}/{tag}", sort)


def promised(job: Job, name: str, sort: Sort) -> Promise:
    """What such a job promises from its beginning on."""
    runnable = job.runnable
    promise = Promise(
        name,
        runnable.pk,
        overlap=sort.policy.get("overlap", "skip"),
        is_quick=sort.is_quick,
        max_runs=sort.policy.get("max_runs"),
    )
    if era := Era.of(runnable.schedule, runnable.anchor):
        promise.eras.append(era)
    return promise


def _schedule(sort: Sort, begins: datetime, seconds: float, rng: Random) -> dict[str, Any]:
    """The fields of a schedule. All begin in the future: nothing is due before there is a beat."""
    fields: dict[str, Any] = {"now": begins - timedelta(seconds=1)}
    if sort.is_once:
        return {**fields, "run_at": begins + timedelta(seconds=rng.uniform(1, seconds))}
    if sort.cron:
        return {**fields, "cron": sort.cron}
    if sort.every_s:
        start = begins + timedelta(milliseconds=rng.randrange(3000))
        end = {"end_at": start + timedelta(seconds=sort.lasts_s)} if sort.lasts_s else {}
        return {**fields, **end, "run_at": start, "run_every": every(sort.every_s, rng)}
    return fields


def every(bounds: tuple[float, float], rng: Random) -> str:
    """A duration between two, in tenths of a second."""
    return f"PT{rng.randint(round(bounds[0] * 10), round(bounds[1] * 10)) / 10:g}S"


def sorted_out(promises: Promises, *names: str) -> Iterator[Promise]:
    """Those of these sorts whose jobs are there."""
    return (promise for promise in promises.kept() if promise.name.split("/")[1].rpartition("-")[0] in names)
