"""What the API has to remember of requests."""

from django.db import models

from badgerjobs.workspaces.fields import EncryptedJSONField
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.querysets import OwnedQuerySet


class KeyedRequest(models.Model):
    """A creating request that came with an `Idempotency-Key`, and the answer that it got.

    The answer may show what is encrypted where it comes from, a job's headers for one, so it is encrypted too.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = EncryptedJSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "key"], name="one_request_for_a_key")]

    def __str__(self) -> str:
        return self.key
