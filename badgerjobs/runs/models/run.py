"""One execution, the tries it took, what was said of it, and what the deleted leave.

Run, Attempt and LogLine are written thousands of times a second, so their foreign keys are not enforced by the
database: each check would lock the application's row and the runnable's (docs/adr/0005). Nor does Django follow them
when it deletes: it would load the largest tables there are. Services delete what belongs together.
"""

from django.db import models
from django.db.models import Q

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.models.loose_key import LooseKey
from badgerjobs.runs.models.runnable import Runnable
from badgerjobs.runs.models.states import ACTIVE, RARE, WAITING, Cause, Queue, SkipReason, State
from badgerjobs.runs.querysets import AttemptQuerySet, RunQuerySet
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.querysets import OwnedQuerySet


class Run(models.Model):
    """One execution: why, when it was due, how far it is, and how it ended.

    `number` counts the runs of a runnable. `attempts` counts the results so far, `attempts_before` those before this
    `iteration`; most kinds have one. `due_at` is when it may be taken: its occurrence at first, then the time of the
    next attempt. `worker` holds it while it runs. `replay_of` is the id of the run that this one repeats, or goes on
    with after a pause. One that is `held` is queued, and waits until the one before it is over. `error_class` is that
    of its last attempt. A skipped one stands for `skipped_count` occurrences, from `occurrence` to `skipped_until`, and
    has no number.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    application = models.ForeignKey(
        Application, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    runnable: "models.ForeignKey[Runnable | None, Runnable | None]" = LooseKey(
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
    held = models.BooleanField(default=False, db_default=False)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    iteration = models.PositiveSmallIntegerField(default=1, db_default=1)
    attempts_before = models.PositiveSmallIntegerField(default=0, db_default=0)
    rescues = models.PositiveSmallIntegerField(default=0)
    worker = models.UUIDField(null=True)
    input = models.JSONField(null=True)
    output = models.JSONField(null=True)
    error = models.TextField(blank=True, default="")
    error_class = models.CharField(max_length=20, blank=True, default="", db_default="")
    skip_reason = models.CharField(max_length=10, choices=SkipReason.choices, blank=True, default="", db_default="")
    skipped_until = models.DateTimeField(null=True)
    skipped_count = models.PositiveBigIntegerField(null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    # What people call it where it has no runnable, once somebody has looked (`shown.entitle_alone`).
    subject = ""

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            # A past occurrence that was skipped may be run later all the same.
            models.UniqueConstraint(
                fields=["runnable", "occurrence"], name="one_run_for_an_occurrence", condition=~Q(state=State.SKIPPED)
            ),
        ]
        indexes = [
            models.Index(fields=["application", "id"], name="run_of_application"),
            models.Index(fields=["runnable", "id"], name="run_of_runnable"),
            models.Index(
                "queue",
                "application",
                "priority",
                "due_at",
                name="run_queued",
                condition=Q(state=State.QUEUED, held=False),
            ),
            models.Index(fields=["runnable"], name="run_active", condition=Q(state__in=ACTIVE, held=False)),
            models.Index(fields=["runnable", "id"], name="run_held", condition=Q(held=True)),
            models.Index(fields=["due_at"], name="run_waiting", condition=Q(state__in=WAITING)),
            models.Index(fields=["runnable"], name="run_waiting_of", condition=Q(state__in=WAITING)),
            models.Index(fields=["worker"], name="run_running", condition=Q(state=State.RUNNING)),
            models.Index(fields=["application", "state", "id"], name="run_ended_badly", condition=Q(state__in=RARE)),
            models.Index(fields=["runnable", "state", "id"], name="runnable_ended_badly", condition=Q(state__in=RARE)),
            models.Index(fields=["replay_of"], name="run_replayed", condition=Q(replay_of__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def words(self) -> str:
        """`run 412`; of one that nobody counted, such as a delivery's, `a run`."""
        return f"run {self.number}" if self.number else "a run"


class Attempt(models.Model):
    """One try in a run, with its own result or error. What `result` holds is the kind's: status, headers, body, …

    `duration_ms` is in milliseconds; `error_class` is one word for machines, `error` a sentence for people.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.ForeignKey(Run, models.DO_NOTHING, related_name="tries", db_constraint=False, db_index=False)
    application = models.ForeignKey(
        Application, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    runnable: "models.ForeignKey[Runnable | None, Runnable | None]" = LooseKey(
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
    """Something said about a run: by the engine or by what it performed.

    `rescues`: how often the run had been taken back from a dead worker in this iteration. An attempt that is made again
    then keeps its number, and is told apart by it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.ForeignKey(Run, models.DO_NOTHING, related_name="log", db_constraint=False, db_index=False)
    application = models.ForeignKey(
        Application, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    attempt = models.PositiveSmallIntegerField(default=0)
    iteration = models.PositiveSmallIntegerField(default=1, db_default=1)
    rescues = models.PositiveSmallIntegerField(default=0, db_default=0)
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
