"""A server that events speak to, with the credentials for it: one row, and any number of events that share it."""

from django.db import models

from badgerjobs.workspaces.fields import EncryptedJSONField
from badgerjobs.workspaces.models import Application
from jobs.querysets import ConnectionQuerySet


class ConnectionType(models.TextChoices):
    SMTP = "SMTP", "Mail server"
    DATABASE = "DATABASE", "Database"
    BROKER = "BROKER", "Message broker"


def connection_types() -> list[tuple[str, str]]:
    """The choices of the column, named and not listed there: so a new type needs no migration."""
    return ConnectionType.choices


class Connection(models.Model):
    """`tag` is its identity in the application, for ever. The configuration is encrypted: it holds the password."""

    application = models.ForeignKey(Application, models.CASCADE, related_name="connections")
    tag = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=20, choices=connection_types)
    configuration = EncryptedJSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "tag"], name="one_connection_for_a_tag")]

    def __str__(self) -> str:
        return self.tag
