"""A cache key and the value under it: two rows, so that what changes with every sync touches no index of names."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q

from badgerjobs.sources.models import DataSource
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.querysets import OwnedQuerySet
from tasks.querysets import CacheKeyQuerySet

LONGEST_NAME = 400


class CacheKey(models.Model):
    """`name` is its identity in the application, for ever. `variables` fill the placeholders of its source.

    A value is fresh for `ttl_s` seconds after it was fetched (null: until a task brings another). After that it is
    served stale for `stale_while_revalidate_s` seconds while it is fetched again, and for `stale_if_error_s` when that
    fails (null: as long as it takes; 0: not at all). A source that has keys cannot be deleted before them.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="keys", db_index=False)
    source = models.ForeignKey(DataSource, models.RESTRICT, related_name="keys", db_index=False)
    # Sorted by its bytes, in any database: the index of it then finds how names begin.
    name = models.CharField(max_length=LONGEST_NAME, db_collation="C")
    variables = models.JSONField(default=dict, blank=True)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    ttl_s = models.PositiveIntegerField(null=True, blank=True)
    stale_while_revalidate_s = models.PositiveIntegerField(null=True, blank=True)
    stale_if_error_s = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = CacheKeyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "name"], name="one_key_for_a_name")]
        indexes = [
            # The newest of an application, and those of a source.
            models.Index(fields=["application", "id"], name="key_of_application"),
            models.Index(fields=["source", "id"], name="key_of_source"),
            # "Contains" by trigrams, of one application alone (btree_gin).
            GinIndex(
                F("application"), OpClass(F("name"), name="gin_trgm_ops"), name="key_by_trigrams", fastupdate=False
            ),
            GinIndex(F("application"), F("tags"), name="key_by_tags", fastupdate=False),
        ]

    def __str__(self) -> str:
        return self.name


class CachedValue(models.Model):
    """What stands under a key: `body` is JSON as it is served, null until it was fetched once.

    `etag` is the hash of it, in hex. `started_at`: when it was asked for, `fetched_at`: when that answer came,
    `changed_at`: when it last differed from the one before. `tried_at` is the last try, good or bad, whose `error` is
    empty if it was good. `asked_at`: when a reader last had it fetched, so that many at once do not all ask.
    """

    key = models.OneToOneField(CacheKey, models.CASCADE, primary_key=True, related_name="value")
    body = models.TextField(null=True)  # noqa: DJ001  no value is not an empty value
    bytes = models.PositiveIntegerField(default=0)
    etag = models.CharField(max_length=64, blank=True, default="")
    started_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    error_class = models.CharField(max_length=20, blank=True, default="")
    error = models.TextField(blank=True, default="")
    asked_at = models.DateTimeField(null=True)

    objects = models.Manager()

    class Meta:
        # Few: a sync that goes well, as it did before, touches no index.
        indexes = [models.Index(fields=["key"], name="value_failing", condition=Q(error_class__gt=""))]

    def __str__(self) -> str:
        return f"{self.bytes} bytes"


class CacheReads(models.Model):
    """How often an application's values were read in an hour, and how that went."""

    application = models.ForeignKey(Application, models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField()
    hits = models.PositiveBigIntegerField(default=0)
    stale = models.PositiveBigIntegerField(default=0)
    misses = models.PositiveBigIntegerField(default=0)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "hour"], name="one_count_for_an_hour")]

    def __str__(self) -> str:
        return f"{self.hits} hits, {self.stale} stale, {self.misses} misses"
