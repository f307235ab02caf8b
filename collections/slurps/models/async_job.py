"""An async job: a slurper that runs by hand, or on a schedule. When, its runnable says."""

from django.db import models

from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.models import Application
from slurps.models.slurper import Slurper
from slurps.querysets import AsyncJobQuerySet

# The row of `RUN_KINDS`.
KIND = "slurp"


class AsyncJob(models.Model):
    """`tag` is its identity in the application, for ever. Where its rows go, its active collection says.

    A run may take `timeout_s`. `remembered` is what each source gave to go on from, by its tag.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="async_jobs")
    runnable = models.OneToOneField(Runnable, models.CASCADE, related_name="async_job")
    slurper = models.ForeignKey(Slurper, models.RESTRICT, related_name="async_jobs")
    tag = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    timeout_s = models.PositiveIntegerField(default=3600)
    remembered = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AsyncJobQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "tag"], name="one_async_job_for_a_tag")]

    def __str__(self) -> str:
        return self.tag
