"""What needs a person: opened once, closed when it is well again, however often it is seen in between."""

from django.db import models
from django.db.models import Q

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.models.runnable import Runnable
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.querysets import OwnedQuerySet


class Trouble(models.TextChoices):
    """What is wrong."""

    FAILED = "failed", "A run failed for good"
    WARNED = "warned", "It keeps failing"
    PAUSED = "paused", "It was paused because it kept failing"
    LATE = "late", "It did not run when it should have"


class Incident(models.Model):
    """One trouble of one runnable (null: of the whole application), from when it was seen until it was over.

    `run` is the id of the run that showed it; `sentence` is for people. `overdue`: so many occurrences came while
    nothing was dispatched, if that is what it is. `told_at` is when its opening was handed on to those who want to
    know, `closing_told_at` its end.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    application = models.ForeignKey(Application, models.CASCADE, related_name="incidents", db_index=False)
    runnable = models.ForeignKey(Runnable, models.CASCADE, related_name="incidents", null=True)
    trouble = models.CharField(max_length=10, choices=Trouble.choices)
    run = models.UUIDField(null=True)
    sentence = models.TextField()
    overdue = models.PositiveBigIntegerField(default=0, db_default=0)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    closing_told_at = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["runnable", "trouble"], name="one_open_incident_each", condition=Q(closed_at=None)
            ),
            models.UniqueConstraint(
                fields=["application", "trouble"],
                name="one_open_incident_of_the_whole",
                condition=Q(closed_at=None, runnable=None),
            ),
        ]
        indexes = [
            models.Index(fields=["application", "id"], name="incident_of_application"),
            models.Index(fields=["application", "id"], name="incident_of_outage", condition=Q(overdue__gt=0)),
            models.Index(fields=["id"], name="incident_untold", condition=Q(told_at=None)),
            models.Index(
                fields=["id"],
                name="incident_end_untold",
                condition=Q(closed_at__isnull=False, closing_told_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.sentence
