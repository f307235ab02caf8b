"""A cache-sync task: which keys it fetches again, and what makes it run. When, its runnable says."""

from django.db import models

from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.models import Application
from tasks.models.key import CacheKey
from tasks.querysets import TaskQuerySet

# The rows of `RUN_KINDS`: the keys of a task, and one key by itself.
KIND = "sync"
REFRESH_KIND = "refresh"


class TaskType(models.TextChoices):
    ON_DEMAND = "on_demand", "On demand"
    SCHEDULED = "scheduled", "Scheduled"
    WEBHOOK = "webhook", "Webhook"


class Selection(models.TextChoices):
    """How a task says which keys it means. All but `exact` use its pattern, each time anew."""

    EXACT = "exact", "Exact keys"
    CONTAINS = "contains", "Names that contain"
    PREFIX = "prefix", "Names that begin with"
    GLOB = "glob", "Names that match"
    TAG = "tag", "Keys with the tag"


class Task(models.Model):
    """`tag` is its identity in the application, for ever. Whether it is enabled, its runnable says.

    `pattern` may hold placeholders, `{{CATEGORY_ID}}`, in a webhook task: the variables that `transform`, a body of
    JavaScript over `body` and `headers`, returns.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="tasks")
    runnable = models.OneToOneField(Runnable, models.CASCADE, related_name="task")
    tag = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=10, choices=TaskType.choices)
    selection = models.CharField(max_length=10, choices=Selection.choices)
    pattern = models.CharField(max_length=500, blank=True, default="")
    transform = models.TextField(blank=True, default="")
    keys = models.ManyToManyField(CacheKey, through="tasks.TaskKey", related_name="tasks")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "tag"], name="one_task_for_a_tag")]

    def __str__(self) -> str:
        return self.tag


class TaskKey(models.Model):
    """One of the keys that a task names exactly."""

    task = models.ForeignKey(Task, models.CASCADE, db_index=False)
    key = models.ForeignKey(CacheKey, models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "key"], name="each_key_once_in_a_task")]

    def __str__(self) -> str:
        return f"{self.task_id}: {self.key_id}"
