"""What an HTTP job is: a call to make. When it is made, its runnable says."""

from django.db import models

from badgerjobs.lib import statuses
from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.fields import EncryptedJSONField
from badgerjobs.workspaces.models import Application
from jobs.querysets import JobQuerySet

# The row of `RUN_KINDS` that performs jobs.
KIND = "http"


class Verb(models.TextChoices):
    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"


class Job(models.Model):
    """A call to a URL. `tag` is its identity in the application, for ever; `timeout` is in seconds, for each attempt.

    The headers may hold credentials and are encrypted at rest. Answers with one of `fail_statuses` fail; with one of
    `retry_statuses` the call is made again, or with any that fails where that is empty (`lib/statuses.py`).
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="jobs")
    runnable = models.OneToOneField(Runnable, models.CASCADE, related_name="job")
    tag = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    endpoint = models.URLField(max_length=2000)
    verb = models.CharField(max_length=10, choices=Verb.choices)
    headers = EncryptedJSONField(default=dict, blank=True)
    body = models.TextField(blank=True)
    retryable = models.BooleanField(default=True)
    timeout = models.PositiveIntegerField(default=30)
    fail_statuses = models.CharField(max_length=200, default=statuses.FAILURES)
    retry_statuses = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "tag"], name="one_job_for_a_tag")]

    def __str__(self) -> str:
        return self.tag
