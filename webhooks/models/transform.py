"""What a hook's transform was, and the examples that it is tried with."""

from django.db import models

from webhooks.models.hook import Hook
from webhooks.querysets import OfHookQuerySet


class TransformVersion(models.Model):
    """A transform as it was once saved. `number` counts from 1; `made_by` is who saved it, as the audit log says it."""

    hook = models.ForeignKey(Hook, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    code = models.TextField(blank=True)
    made_by = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField()

    objects = OfHookQuerySet["TransformVersion"].as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["hook", "number"], name="one_version_for_a_number")]

    def __str__(self) -> str:
        return f"{self.hook} {self.number}"


class Example(models.Model):
    """A payload to try the transform with: what it is sent, and what the transform must return.

    `body` is text, as it would come. `expected` is what must be returned, as JSON; null where nobody said.
    """

    hook = models.ForeignKey(Hook, models.CASCADE, related_name="examples")
    name = models.CharField(max_length=100)
    headers = models.JSONField(default=dict, blank=True)
    body = models.TextField(blank=True)
    expected = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OfHookQuerySet["Example"].as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["hook", "name"], name="one_example_for_a_name")]

    def __str__(self) -> str:
        return self.name
