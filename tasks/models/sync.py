"""What came of fetching one key in one run. Written by thousands, so no foreign key is enforced (docs/adr/0005)."""

from django.db import models
from django.db.models import Q

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.models import Run
from badgerjobs.workspaces.models import Application
from tasks.querysets import KeySyncQuerySet


class SyncState(models.TextChoices):
    """A key waits for its first or for its next attempt, and then it is over, for good or bad."""

    WAITING = "waiting", "Waiting"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"


class KeySync(models.Model):
    """One key of one run: how often it was tried, and with what result.

    `key_id` may lead to a key that is gone: `key_name` is what it was called. `runnable_id` is the task's, null for a
    key that was fetched by itself. `due_at` is when a waiting one may be tried next. `duration_ms` is of the last
    attempt, in milliseconds; `bytes` of what was stored; `changed` whether that differed from before. `status` is what
    the source answered, where it did.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    application = models.ForeignKey(
        Application, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    run = models.ForeignKey(Run, models.DO_NOTHING, related_name="syncs", db_constraint=False, db_index=False)
    runnable_id = models.BigIntegerField(null=True)
    key_id = models.BigIntegerField()
    key_name = models.CharField(max_length=400)
    state = models.CharField(max_length=10, choices=SyncState.choices, default=SyncState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    bytes = models.PositiveIntegerField(null=True)
    etag = models.CharField(max_length=64, blank=True, default="")
    changed = models.BooleanField(null=True)
    error_class = models.CharField(max_length=20, blank=True, default="")
    error = models.TextField(blank=True, default="")

    objects = KeySyncQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "key_id"], name="one_sync_for_a_key")]
        indexes = [
            models.Index(fields=["run", "due_at"], name="sync_waiting", condition=Q(state="waiting")),
            models.Index(fields=["run", "state", "id"], name="sync_of_run"),
            models.Index(fields=["key_id", "id"], name="sync_of_key"),
            models.Index(fields=["runnable_id", "id"], name="sync_of_runnable"),
            models.Index(fields=["application", "id"], name="sync_of_application"),
            models.Index(fields=["application", "id"], name="failed_sync", condition=Q(state="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.key_name}: {self.state}"
