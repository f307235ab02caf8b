"""Addresses of ours that others call, and what they lead to."""

from django.db import models

from badgerjobs.workspaces.fields import EncryptedTextField
from badgerjobs.workspaces.models import Application
from tasks.models import Task
from webhooks.querysets import HookQuerySet


class Hook(models.Model):
    """`/hooks/SECRET`: found by the digest of the secret, which is kept encrypted so that its page can show it again.

    What is called there runs `task`.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="hooks")
    task = models.OneToOneField(Task, models.CASCADE, related_name="hook", null=True, blank=True)
    secret = EncryptedTextField()
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = HookQuerySet.as_manager()

    def __str__(self) -> str:
        return f"hook of {self.task}"
