"""A slurper: which sources are pulled in, and what is made of their rows."""

from django.db import models

from badgerjobs.sources.models import DataSource
from badgerjobs.workspaces.models import Application
from slurps.querysets import SlurperQuerySet


class Language(models.TextChoices):
    """What makes rows of what came. Each is a row in `slurps/slurping/languages.py`."""

    NONE = "none", "As they come"
    JAVASCRIPT = "javascript", "JavaScript, over all rows"
    JAVASCRIPT_BATCHES = "javascript_batches", "JavaScript, batch by batch"
    PYTHON = "python", "Python of this installation"


class Slurper(models.Model):
    """`tag` is its identity in the application, for ever.

    `code` is a body of JavaScript: over `ctx` and `dataMap` (a source's tag → its rows), or over `ctx`, `rows` and
    `source` for each batch; it returns rows. `function` is the id of a slurper in Python that an operator registered.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="slurpers")
    tag = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=20, choices=Language.choices, default=Language.NONE)
    code = models.TextField(blank=True, default="")
    function = models.CharField(max_length=100, blank=True, default="")
    sources = models.ManyToManyField(DataSource, through="collections.SlurperSource", related_name="slurpers")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SlurperQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "tag"], name="one_slurper_for_a_tag")]

    def __str__(self) -> str:
        return self.tag


class SlurperSource(models.Model):
    """One of the sources of a slurper, the `place`-th: they are pulled in this order."""

    slurper = models.ForeignKey(Slurper, models.CASCADE, db_index=False, related_name="places")
    source = models.ForeignKey(DataSource, models.RESTRICT)
    place = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["slurper", "source"], name="each_source_once_in_a_slurper")]
        ordering = ["place"]

    def __str__(self) -> str:
        return f"{self.slurper_id}: {self.source_id}"
