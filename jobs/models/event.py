"""A definition that jobs perform: what type of work, and all that it needs to be told beforehand."""

from django.db import models

from badgerjobs.workspaces.fields import EncryptedJSONField
from badgerjobs.workspaces.models import Application
from jobs.models.connection import Connection
from jobs.querysets import EventQuerySet


class EventType(models.TextChoices):
    """Each is a row in `jobs/events/types/__init__.py`, which leads to how it is checked and performed."""

    ACTION = "ACTION", "Action"
    NOTIFICATION = "NOTIFICATION", "Notification"
    DATABASE_ACTION = "DATABASE_ACTION", "Database action"
    FUNCTION = "FUNCTION", "Function"
    MESSAGEBROKER = "MESSAGEBROKER", "Broker message"


def event_types() -> list[tuple[str, str]]:
    """The choices of the column, named and not listed there: so a new type needs no migration."""
    return EventType.choices


class Event(models.Model):
    """`tag` is its identity in the application, for ever. The configuration may hold credentials and is encrypted.

    An event that jobs perform, and a connection that events use, cannot be deleted before them; an application takes
    all of them with it (RESTRICT and not PROTECT, which would keep the application too).
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="events")
    connection = models.ForeignKey(Connection, models.RESTRICT, related_name="events", null=True, blank=True)
    tag = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=20, choices=event_types)
    configuration = EncryptedJSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "tag"], name="one_event_for_a_tag")]

    def __str__(self) -> str:
        return self.tag
