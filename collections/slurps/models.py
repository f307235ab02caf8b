"""What is collected."""

from django.db import models

from badgerjobs.workspaces.models import Application
from slurps.querysets import CollectionQuerySet


class Collection(models.Model):
    """A named place for rows. How rows get into it, and how they are read, is added to this app."""

    application = models.ForeignKey(Application, models.CASCADE, related_name="collections")
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "name"], name="one_collection_for_a_name")]

    def __str__(self) -> str:
        return self.name
