"""What a job is: a call to make, or an event to perform. When, its runnable says."""

from django.db import models

from badgerjobs.lib import statuses
from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.fields import EncryptedJSONField
from badgerjobs.workspaces.models import Application
from jobs.models.event import Event
from jobs.querysets import JobQuerySet

# The rows of `RUN_KINDS` that perform jobs: those that say themselves what to call, and those that have an event.
KIND = "http"
EVENT_KIND = "event"
KINDS = (KIND, EVENT_KIND)


class Verb(models.TextChoices):
    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"


class Job(models.Model):
    """A call to a URL, or an event with its input. `tag` is its identity in the application, for ever.

    `timeout` is in seconds, for each attempt.
    The headers may hold credentials and are encrypted at rest. Answers with one of `fail_statuses` fail; with one of
    `retry_statuses` the call is made again, or with any that fails where that is empty (`lib/statuses.py`).
    With an `event`, what it is called with is `input`, any JSON; endpoint and verb are empty then.
    `cancelled_at` is when somebody last ended it for good, though it may have been resumed since (`standing.py`).
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="jobs")
    runnable = models.OneToOneField(Runnable, models.CASCADE, related_name="job")
    tag = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    event = models.ForeignKey(Event, models.RESTRICT, related_name="jobs", null=True, blank=True)
    input = models.JSONField(null=True, blank=True)
    endpoint = models.URLField(max_length=2000, blank=True)
    verb = models.CharField(max_length=10, choices=Verb.choices, blank=True)
    headers = EncryptedJSONField(default=dict, blank=True)
    body = models.TextField(blank=True)
    retryable = models.BooleanField(default=True)
    timeout = models.PositiveIntegerField(default=30)
    fail_statuses = models.CharField(max_length=200, default=statuses.FAILURES)
    retry_statuses = models.CharField(max_length=200, blank=True, default="")
    cancelled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "tag"], name="one_job_for_a_tag")]

    def __str__(self) -> str:
        return self.tag
