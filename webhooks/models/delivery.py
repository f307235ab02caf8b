"""A request to a hook, and what it led to. Written by thousands, so no foreign key is enforced (docs/adr/0005)."""

from django.db import models
from django.db.models import Q

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.querysets import OwnedQuerySet
from webhooks.querysets import DeliveryQuerySet


class Standing(models.TextChoices):
    """What was decided when it came. Whether what was accepted succeeded, its run says."""

    ACCEPTED = "accepted", "Accepted"  # it has a run
    STORED = "stored", "Stored"  # its hook does nothing
    HELD = "held", "Held"  # its hook was paused: it gets a run when that is resumed
    DUPLICATE = "duplicate", "Duplicate"  # as `duplicate_of` came before
    REFUSED = "refused", "Refused"  # its caller did not prove who it is


# How most stand: what an index may leave out.
USUAL = (Standing.ACCEPTED, Standing.STORED)


class Delivery(models.Model):
    """One request: what came, byte for byte, and what was decided.

    Its hook is that of the `runnable`. `run_id` is that of its newest run, null without any; a run that was stored with
    it has the delivery's own id. `reason` says why it was refused. `headers` are name → value as they came, secrets
    masked; `body` is what came, `packed` with zlib where it is long, `bytes` how long it was. `event_id` is the id by
    which it is known again, `verified` the scheme that found its caller right, empty where none was asked for.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    application = models.ForeignKey(
        Application, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    runnable = models.ForeignKey(
        Runnable, models.DO_NOTHING, related_name="deliveries", db_constraint=False, db_index=False
    )
    run_id = models.UUIDField(null=True)
    standing = models.CharField(max_length=10, choices=Standing.choices)
    reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    duplicate_of = models.UUIDField(null=True)
    event_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    verified = models.CharField(max_length=20, blank=True, default="", db_default="")
    method = models.CharField(max_length=7)
    query = models.TextField(blank=True, default="", db_default="")
    headers = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    body = models.BinaryField(default=b"")
    packed = models.BooleanField(default=False, db_default=False)
    bytes = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField()

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["runnable", "id"], name="delivery_of_hook"),
            models.Index(fields=["application", "id"], name="delivery_of_application"),
            models.Index(
                fields=["runnable", "standing", "id"], name="unusual_delivery", condition=~Q(standing__in=USUAL)
            ),
            models.Index(fields=["run_id"], name="delivery_of_run", condition=Q(run_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Seen(models.Model):
    """By what a delivery of a hook is known again: the digest of its id, and when it came."""

    runnable_id = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    delivery_id = models.UUIDField()
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "seen"
        constraints = [models.UniqueConstraint(fields=["runnable_id", "digest"], name="seen_once")]
        indexes = [models.Index(fields=["seen_at"], name="seen_at")]

    def __str__(self) -> str:
        return self.digest


class ActState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    SKIPPED = "skipped", "Skipped"
    FAILED = "failed", "Failed"


class Act(models.Model):
    """One thing that a run of a delivery is to do, and did: what it caused, once, however often the run is tried.

    `name` and `type` are those of the hook's action, `target` what people call what it acts upon; `given` is what the
    transform gave it: {"variables": {…}} and perhaps {"value": …}. `caused` is the run that it made. `said` tells what
    was done, or why it was not.
    """

    application = models.ForeignKey(
        Application, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    runnable_id = models.BigIntegerField()
    delivery_id = models.UUIDField()
    run_id = models.UUIDField()
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=100)
    type = models.CharField(max_length=40)
    target = models.CharField(max_length=400, blank=True, default="", db_default="")
    given = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=ActState.choices)
    caused = models.UUIDField(null=True)
    said = models.TextField(blank=True, default="", db_default="")
    made_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["run_id", "position"]
        constraints = [models.UniqueConstraint(fields=["run_id", "position"], name="one_act_for_a_position")]
        indexes = [
            models.Index(fields=["delivery_id"], name="act_of_delivery"),
            models.Index(fields=["caused"], name="act_that_caused", condition=Q(caused__isnull=False)),
            models.Index(fields=["application", "made_at"], name="act_of_application"),
            models.Index(fields=["runnable_id"], name="act_of_runnable"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"
