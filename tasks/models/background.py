"""What a background task's run has beside what every run has. No foreign key is enforced (docs/adr/0005)."""

from django.db import models
from django.db.models import Q

from badgerjobs.runs.models import Run
from badgerjobs.workspaces.models import Application
from tasks.querysets import BackgroundRunQuerySet


class BackgroundRun(models.Model):
    """A run of a definition in code: which one, why, for whom, and how far it is.

    `run` has its state, input, output and times. `given` is the input that it was triggered with, before any iteration
    changed it. `created_by`: {id, displayName, type}. `iterations` were begun so far. The one that triggered it is
    `parent_id`, in its iteration `parent_iteration`, as the `parent_place`-th of that. `key` is that of
    de-duplication, while it is not over. `progress` is a fraction, 0 to 1. One that `has_place` counts among those of
    its definition that may be under way at once, from its first iteration until it is over; one that `is_parked` waits
    for a place.
    """

    run = models.OneToOneField(Run, models.DO_NOTHING, primary_key=True, related_name="background", db_constraint=False)
    application = models.ForeignKey(
        Application, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    definition = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    given = models.JSONField(default=dict)
    created_by = models.JSONField(default=dict)
    parent_id = models.UUIDField(null=True)
    parent_iteration = models.PositiveSmallIntegerField(null=True)
    parent_place = models.PositiveIntegerField(null=True)
    key = models.CharField(max_length=400, null=True)  # noqa: DJ001  none differs from an empty one
    iterations = models.PositiveSmallIntegerField(default=0, db_default=0)
    progress = models.FloatField(null=True)
    progress_message = models.CharField(max_length=500, blank=True, default="", db_default="")
    is_parked = models.BooleanField(default=False, db_default=False)
    has_place = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField()
    saved_at = models.DateTimeField()

    objects = BackgroundRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["parent_id", "parent_iteration", "parent_place"],
                name="one_child_in_place",
                condition=Q(parent_place__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["application", "definition", "key"],
                name="one_unfinished_with_a_key",
                condition=Q(key__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["application", "run"], name="background_of_application"),
            models.Index(fields=["application", "definition", "run"], name="background_of_definition"),
            models.Index(fields=["parent_id"], name="background_child", condition=Q(parent_id__isnull=False)),
            models.Index(
                fields=["application", "definition", "run"], name="background_parked", condition=Q(is_parked=True)
            ),
            models.Index(
                fields=["application", "definition"], name="background_with_place", condition=Q(has_place=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.definition} {self.run_id}"
