"""The engine's rows. The row is the truth: what the broker carries may be lost or doubled at any moment.

Run, Attempt and LogLine are written thousands of times a second, so their foreign keys are not enforced by the
database: each check would lock the application's row and the runnable's (docs/adr/0005). Nor does Django follow them
when it deletes: it would load the largest tables there are. Services delete what belongs together.
"""

import uuid

from django.db import models
from django.db.models import Q

from badgerjobs.lib.ids import uuid7
from badgerjobs.lib.schedule import Schedule
from badgerjobs.runs.querysets import AttemptQuerySet, RunnableQuerySet, RunQuerySet
from badgerjobs.runs.schedules import schedule_of
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.querysets import OwnedQuerySet


class State(models.TextChoices):
    """Where a run is. docs/run-life-cycle.md draws who moves it on; only `lifecycle.py` does."""

    SCHEDULED = "scheduled", "Scheduled"  # its time has not come
    QUEUED = "queued", "Queued"  # due: the next free slot takes it
    RUNNING = "running", "Running"  # a worker has it
    RETRYING = "retrying", "Retrying"  # an attempt failed, the next one waits for its time
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    ABORTED = "aborted", "Aborted"
    SKIPPED = "skipped", "Skipped"  # an occurrence that was not run, with the reason


FINAL = (State.SUCCEEDED, State.FAILED, State.ABORTED, State.SKIPPED)
WAITING = (State.SCHEDULED, State.RETRYING)
# How few runs end: what an index may hold without costing those that succeed anything.
RARE = (State.FAILED, State.ABORTED, State.SKIPPED)


class Cause(models.TextChoices):
    """Why there is a run."""

    SCHEDULE = "schedule", "Its time came"
    MANUAL = "manual", "Somebody ran it"
    CODE = "code", "Code started it"
    REPLAY = "replay", "Somebody replayed another run"


class Queue(models.TextChoices):
    """What work costs: waiting for the network, or computing."""

    IO = "io", "Waits for the network"
    COMPUTE = "compute", "Computes"


class Preset(models.TextChoices):
    HOURLY = "hourly", "Hourly"
    DAILY = "daily", "Daily"
    WEEKLY = "weekly", "Weekly"


class Runnable(models.Model):
    """Anything that the engine can run: its schedule, its policies, and when it is due next.

    `next_run_at` is null while it is disabled and when nothing is planned any more. `title` is what people call it,
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

    priority = models.PositiveSmallIntegerField(default=50)
    retries = models.PositiveSmallIntegerField(default=3)
    retry_step_s = models.PositiveIntegerField(default=10)

    next_run_at = models.DateTimeField(null=True, blank=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    runs_made = models.BigIntegerField(default=0)
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
        ]
        indexes = [
            models.Index(fields=["next_run_at"], name="runnable_due", condition=Q(next_run_at__isnull=False)),
            models.Index(
                fields=["application", "next_run_at"],
                name="runnable_application_due",
                condition=Q(next_run_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def schedule(self) -> Schedule:
        """The planned times, as a value that can be asked for the next ones."""
        return schedule_of(self.run_at, self.run_every, self.cron, self.preset, self.time_zone, self.anchor)


class Run(models.Model):
    """One execution: why, when it was due, how far it is, and how it ended.

    `number` counts the runs of a runnable. `attempts` counts the results so far. `due_at` is when it may be taken: its
    occurrence at first, then the time of the next attempt. `worker` holds it while it runs. `replay_of` is the id of
    the run that this one repeats.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    application = models.ForeignKey(
        Application, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    runnable = models.ForeignKey(
        Runnable, models.DO_NOTHING, related_name="runs", null=True, db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=40)
    queue = models.CharField(max_length=10, choices=Queue.choices)
    priority = models.PositiveSmallIntegerField(default=50)
    cause = models.CharField(max_length=10, choices=Cause.choices)
    occurrence = models.DateTimeField(null=True)
    number = models.BigIntegerField(default=0)
    replay_of = models.UUIDField(null=True)

    state = models.CharField(max_length=10, choices=State.choices)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    rescues = models.PositiveSmallIntegerField(default=0)
    worker = models.UUIDField(null=True)
    input = models.JSONField(null=True)
    output = models.JSONField(null=True)
    error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["runnable", "occurrence"], name="one_run_for_an_occurrence"),
        ]
        indexes = [
            models.Index(fields=["application", "id"], name="run_of_application"),
            models.Index(fields=["runnable", "id"], name="run_of_runnable"),
            models.Index(
                "queue", "application", "priority", "due_at", name="run_queued", condition=Q(state=State.QUEUED)
            ),
            models.Index(fields=["due_at"], name="run_waiting", condition=Q(state__in=WAITING)),
            models.Index(fields=["runnable"], name="run_retrying", condition=Q(state=State.RETRYING)),
            models.Index(fields=["worker"], name="run_running", condition=Q(state=State.RUNNING)),
            models.Index(fields=["application", "state", "id"], name="run_ended_badly", condition=Q(state__in=RARE)),
            models.Index(fields=["runnable", "state", "id"], name="runnable_ended_badly", condition=Q(state__in=RARE)),
            models.Index(fields=["replay_of"], name="run_replayed", condition=Q(replay_of__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Attempt(models.Model):
    """One try in a run, with its own result or error. What `result` holds is the kind's: status, headers, body, …

    `duration_ms` is in milliseconds; `error_class` is one word for machines, `error` a sentence for people.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.ForeignKey(Run, models.DO_NOTHING, related_name="tries", db_constraint=False, db_index=False)
    application = models.ForeignKey(
        Application, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    runnable = models.ForeignKey(
        Runnable, models.DO_NOTHING, related_name="+", null=True, db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField()
    run_number = models.BigIntegerField()
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    ok = models.BooleanField()
    error_class = models.CharField(max_length=20, blank=True)
    error = models.TextField(blank=True)
    result = models.JSONField(null=True)
    created_at = models.DateTimeField()

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_attempt_for_a_number")]
        indexes = [
            models.Index(fields=["application", "id"], name="attempt_of_application"),
            models.Index(fields=["runnable", "ok", "id"], name="attempt_of_runnable"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} #{self.number}"


class LogLine(models.Model):
    """Something said about a run: by the engine or by what it performed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.ForeignKey(Run, models.DO_NOTHING, related_name="log", db_constraint=False, db_index=False)
    application = models.ForeignKey(
        Application, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    attempt = models.PositiveSmallIntegerField(default=0)
    level = models.CharField(max_length=10, choices=[("info", "Info"), ("warning", "Warning"), ("error", "Error")])
    message = models.TextField()
    data = models.JSONField(null=True)
    created_at = models.DateTimeField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["run", "id"], name="line_of_run")]

    def __str__(self) -> str:
        return self.message


class Worker(models.Model):
    """A worker process, as it last said of itself. While it is seen, what it claimed is believed to be in its hands."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    queue = models.CharField(max_length=10, choices=Queue.choices)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name


class Leader(models.Model):
    """Which of several beats sends the system's ticks, and until when the others believe it."""

    role = models.CharField(max_length=40, primary_key=True)
    holder = models.UUIDField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.role


class Gone(models.Model):
    """A deleted runnable, or a whole application, of which finished runs are left: prune deletes them, then this."""

    runnable_id = models.BigIntegerField(null=True)
    application_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(runnable_id=None, application_id__isnull=False)
                | Q(runnable_id__isnull=False, application_id=None),
                name="one_of_either",
            )
        ]

    def __str__(self) -> str:
        return f"runnable {self.runnable_id}" if self.runnable_id else f"application {self.application_id}"
