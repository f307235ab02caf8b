"""What can be run: its schedule, its policies, and when it is due next."""

from django.db import models
from django.db.models import Q

from badgerjobs.lib.schedule import Schedule
from badgerjobs.runs.models.states import Breaker, CatchUp, Overlap, Preset, Queue
from badgerjobs.runs.querysets import RunnableQuerySet
from badgerjobs.runs.schedules import schedule_of
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.retry_policy import RetryPolicy


class Runnable(RetryPolicy):
    """Anything that the engine can run: its schedule, its policies, and when it is due next.

    `next_run_at` is null while it is disabled and when nothing is planned any more; it is the next occurrence plus
    `offset_ms`, its own place in the window of `spread_s` seconds. `next_occurrence` is that occurrence where it was
    past already when it was planned, and due at once; else null. `planned_at` is the clock by which it was planned
    last, by a tick or by somebody who changed it. `scheduled_runs` counts the occurrences that became runs since the
    schedule was set, and ends it at `max_runs`. `catch_up_within_s` is how old, in seconds, a missed
    occurrence may be to be caught up; null: any age. While it is paused, the occurrences later than
    `unaccounted_since` are in no ledger yet: they get their row when it is resumed. `title` is what people call it,
    where `shown.entitle` has looked that up; its `name` never changes.
    """

    title = ""

    application = models.ForeignKey(Application, models.CASCADE, related_name="runnables")
    kind = models.CharField(max_length=40)
    queue = models.CharField(max_length=10, choices=Queue.choices, default=Queue.IO)
    name = models.CharField(max_length=200)
    enabled = models.BooleanField(default=True)

    run_at = models.DateTimeField(null=True, blank=True)
    run_every = models.CharField(max_length=100, blank=True)
    cron = models.CharField(max_length=200, blank=True)
    preset = models.CharField(max_length=10, choices=Preset.choices, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    anchor = models.DateTimeField()
    end_at = models.DateTimeField(null=True, blank=True)
    max_runs = models.PositiveIntegerField(null=True, blank=True)

    priority = models.PositiveSmallIntegerField(default=50)
    overlap = models.CharField(max_length=14, choices=Overlap.choices, default=Overlap.SKIP)
    catch_up = models.CharField(max_length=6, choices=CatchUp.choices, default=CatchUp.LATEST)
    catch_up_within_s = models.PositiveIntegerField(null=True, blank=True)
    spread_s = models.PositiveIntegerField(default=0)
    offset_ms = models.PositiveIntegerField(default=0)

    paused_at = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=300, blank=True)
    unaccounted_since = models.DateTimeField(null=True, blank=True)
    failures_in_row = models.PositiveIntegerField(default=0)
    breaker = models.CharField(max_length=9, choices=Breaker.choices, blank=True, default=Breaker.CLOSED)

    next_run_at = models.DateTimeField(null=True, blank=True)
    next_occurrence = models.DateTimeField(null=True, blank=True)
    planned_at = models.DateTimeField(null=True, blank=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    runs_made = models.BigIntegerField(default=0)
    scheduled_runs = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = RunnableQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(priority__lte=100), name="priority_is_0_to_100"),
            models.CheckConstraint(condition=Q(next_run_at=None) | Q(enabled=True), name="disabled_is_never_due"),
            models.CheckConstraint(
                condition=Q(run_every="", cron="") | Q(run_every="", preset="") | Q(cron="", preset=""),
                name="at_most_one_recurrence",
            ),
            models.CheckConstraint(condition=Q(paused_until=None) | Q(enabled=False), name="enabled_is_not_paused"),
        ]
        indexes = [
            models.Index(fields=["next_run_at"], name="runnable_due", condition=Q(next_run_at__isnull=False)),
            models.Index(
                fields=["application", "next_run_at"],
                name="runnable_application_due",
                condition=Q(next_run_at__isnull=False),
            ),
            models.Index(fields=["paused_until"], name="runnable_resumes", condition=Q(paused_until__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def schedule(self) -> Schedule:
        """The planned times, as a value that can be asked for the next ones."""
        return schedule_of(
            self.run_at, self.run_every, self.cron, self.preset, self.time_zone, self.anchor, self.end_at
        )
