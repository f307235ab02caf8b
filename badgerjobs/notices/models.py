"""Who is told of what, and what they were told last."""

from django.db import models
from django.db.models import Q

from badgerjobs.notices.querysets import NoticeSettingsQuerySet
from badgerjobs.runs.models import Trouble
from badgerjobs.workspaces.fields import EncryptedTextField
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.querysets import OwnedQuerySet

RECOVERED = "recovered"
# What one may want to be told of.
WISHES = (*Trouble.values, RECOVERED)
MOST_ADDRESSES = 20
LONGEST_BASE_URL = 300


def every_wish() -> list[str]:
    """All of WISHES: where nobody has chosen."""
    return list(WISHES)


class NoticeSettings(models.Model):
    """Who wants to be told of an application's troubles, and of which. Applications without a row tell nobody.

    `emails` are at most MOST_ADDRESSES; the URL may hold a secret and is encrypted at rest. Of one trouble of one job a
    notice is sent at most every `quiet_minutes`. `base_url` is how this installation was called when this was saved:
    links in notices begin with it. `tested` are the ids of the runs of the last test.
    """

    application = models.OneToOneField(Application, models.CASCADE, primary_key=True, related_name="notice_settings")
    enabled = models.BooleanField(default=True)
    emails = models.JSONField(default=list, blank=True)
    url = EncryptedTextField(blank=True, default="")
    troubles = models.JSONField(default=every_wish, blank=True)
    quiet_minutes = models.PositiveIntegerField(default=60)
    base_url = models.CharField(max_length=LONGEST_BASE_URL, blank=True, default="")
    tested = models.JSONField(default=list, blank=True)

    objects = NoticeSettingsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "notice settings"

    def __str__(self) -> str:
        return f"notices of {self.application_id}"


class Quiet(models.Model):
    """The time after a notice, until `ends_at`, in which no other one is sent of the same trouble of the same job.

    `runnable_id` 0 is the application as a whole. `told` is the incident whose opening the notice told of, as long as
    its end is still to tell; `held` the one that opened since, and is told of at the end of the quiet if it is open
    then. `more` counts those that opened since and were not told of, the first of them at `more_since`.
    """

    # Not checked by the database: who tells holds the settings, and must wait for nobody who deletes the application.
    application = models.ForeignKey(Application, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    runnable_id = models.BigIntegerField(default=0)
    trouble = models.CharField(max_length=10, choices=Trouble.choices)
    ends_at = models.DateTimeField()
    told = models.UUIDField(null=True)
    held = models.UUIDField(null=True)
    more = models.PositiveIntegerField(default=0)
    more_since = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "runnable_id", "trouble"], name="one_quiet_each"),
        ]
        indexes = [
            models.Index(fields=["ends_at"], name="quiet_ended"),
            models.Index(fields=["ends_at"], name="quiet_holds", condition=Q(held__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.trouble} until {self.ends_at}"
