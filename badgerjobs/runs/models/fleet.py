"""The processes that do the work, as they last said of themselves."""

import uuid

from django.db import models

from badgerjobs.runs.models.states import Queue


class Worker(models.Model):
    """A worker process, as it last said of itself. While it is seen, what it claimed is believed to be in its hands."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    queue = models.CharField(max_length=10, choices=Queue.choices)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name


class Leader(models.Model):
    """Which of several beats sends the system's ticks, and until when the others believe it."""

    role = models.CharField(max_length=40, primary_key=True)
    holder = models.UUIDField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.role


class Beat(models.Model):
    """A beat process, as it last said of itself."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name
