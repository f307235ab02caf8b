"""A collection: rows that an async job fills and readers query."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from badgerjobs.workspaces.models import Application
from slurps.models.async_job import AsyncJob
from slurps.querysets import CollectionQuerySet


class Mode(models.TextChoices):
    """What a run's rows do to those that are there. Each is a row in `slurps/modes.py`."""

    NORMAL = "normal", "Normal"
    UPSERTED = "upserted", "Upserted"
    ACCUMULATIVE = "accumulative", "Accumulative"
    VERSIONED = "versioned", "Versioned"
    UPSERTED_VERSIONED = "upserted_versioned", "Upserted and versioned"
    ACCUMULATIVE_VERSIONED = "accumulative_versioned", "Accumulative and versioned"


class Collection(models.Model):
    """`name` is its endpoint: readers find it under that in the application, and it stays.

    `key` are the columns by which rows are known again where the mode is an upserted one, `keep` how many versions are
    kept where it is a versioned one. `indexed` are the fields that are found quickly, one for each slot of a row.
    `guards` are the rules that hold a result for approval, by their names.

    `readers` are the labels of the tokens that may read it; null: every token that may read collections at all.

    `filling` is the position from which on rows lack what the slots are to hold, since `indexed` was changed; null:
    none does, and slots may be believed.

    `current` is what readers see, `pinned` what they see in its stead. `generation` counts what was ever begun to be
    loaded, `numbered` the versions that came of it, `positions` the places that were given to rows.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="collections")
    async_job = models.ForeignKey(AsyncJob, models.CASCADE, related_name="collections")
    name = models.CharField(max_length=200)
    mode = models.CharField(max_length=30, choices=Mode.choices)
    key = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    keep = models.PositiveSmallIntegerField(default=1)
    indexed = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    filling = models.BigIntegerField(null=True)
    readers = ArrayField(models.CharField(max_length=100), null=True, blank=True)
    guards = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=False)
    current = models.ForeignKey("collections.Version", models.SET_NULL, null=True, related_name="+")
    pinned = models.ForeignKey("collections.Version", models.SET_NULL, null=True, related_name="+")
    generation = models.IntegerField(default=0, db_default=0)
    numbered = models.IntegerField(default=0, db_default=0)
    positions = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "name"], name="one_collection_for_a_name"),
            models.UniqueConstraint(
                fields=["async_job"], name="one_active_collection_of_a_job", condition=Q(is_active=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name
