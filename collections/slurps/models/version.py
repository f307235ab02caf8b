"""A version: what one run left of a collection's rows, and what one that is not done has left so far."""

from collections.abc import Sequence

from django.db import models
from django.db.models import Q

from badgerjobs.workspaces.models import Application
from slurps.models.collection import Collection
from slurps.querysets import VersionQuerySet


class Stage(models.TextChoices):
    STAGING = "staging", "Being loaded"
    HELD = "held", "Waits for approval"
    READY = "ready", "Ready"
    RETIRED = "retired", "Being removed"


class Version(models.Model):
    """Readers see the rows whose generations are from `floor` to `generation`, and that were not closed before it.

    Where a run replaces all rows its floor is its own generation, else 1. `starts_at` is a position before which it has
    no row, and from `ends_at` on it has none either. `number` is null until it is ready: who fails uses none. `run_id`
    made it, in the attempt whose worker is `worker`; null for one that was rolled back to.

    `rows` it has; of what came, `read` rows were read, `written` were to be stored, `added`, `changed` and `unchanged`
    say what they were to those that were there, `removed` which are there no more, and `dropped` what guards left out.
    `bytes` is the length of what came, as JSON. `columns`: [{name, types: {type: count}}], in the order in which they
    were first seen; `known` is the same of all loads that its rows come from. `flagged`: why it is held,
    [{guard, message}]; `approved_at` is when somebody had it shown all the same.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="+", db_index=False)
    collection = models.ForeignKey(Collection, models.CASCADE, related_name="versions", db_index=False)
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.STAGING)
    number = models.IntegerField(null=True)
    generation = models.IntegerField()
    floor = models.IntegerField()
    starts_at = models.BigIntegerField(default=0)
    ends_at = models.BigIntegerField(default=0)
    run_id = models.UUIDField(null=True)
    worker = models.UUIDField(null=True)
    rolled_back_to = models.IntegerField(null=True)
    rows = models.BigIntegerField(default=0)
    read = models.BigIntegerField(default=0)
    written = models.BigIntegerField(default=0)
    added = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    removed = models.BigIntegerField(default=0)
    dropped = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    columns = models.JSONField(default=list)
    known = models.JSONField(default=list)
    flagged = models.JSONField(default=list)
    remembered = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True)

    # The numbers of the runs whose results waited, and whose place it took just now. It is not stored.
    overtook: Sequence[int] = ()

    objects = VersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["collection", "number"], name="one_collection_version_for_a_number"),
        ]
        indexes = [
            models.Index(fields=["run_id"], name="version_of_run"),
            # The few that a tick of the system looks for, among all that are kept.
            models.Index(fields=["stage", "collection"], name="version_not_ready", condition=~Q(stage=Stage.READY)),
        ]

    def __str__(self) -> str:
        return f"{self.collection_id} v{self.number}"
