"""How much of the engine an application may have at once."""

from django.db import models

from badgerjobs.workspaces.models import Application


class Quota(models.Model):
    """An application that has a limit: at most `concurrent_runs` at once, `runs_per_minute` begun; null: no such limit.

    `tokens` is what is left of the bucket of a minute's runs, as of `filled_at`. Applications without limits have no
    row: what they start costs nothing more.
    """

    application = models.OneToOneField(Application, models.CASCADE, primary_key=True, related_name="quota")
    concurrent_runs = models.PositiveIntegerField(null=True, blank=True)
    runs_per_minute = models.PositiveIntegerField(null=True, blank=True)
    tokens = models.FloatField(default=0)
    filled_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.concurrent_runs} at once, {self.runs_per_minute} a minute"
