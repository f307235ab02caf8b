"""How failed attempts are repeated: the columns that applications have as a default and runnables as their own."""

from typing import Any

from django.db import models

from badgerjobs.lib.backoff import Retries

RETRY_COLUMNS = ("retries", "retry_step_s", "backoff", "retry_delays", "retry_for_s")


class Backoff(models.TextChoices):
    """How the waits between attempts grow. `lib/backoff.py` computes them."""

    INCREMENTAL = "incremental", "Step x attempt"
    EXPONENTIAL = "exponential", "Step x 2^(attempt - 1)"
    POLYNOMIAL = "polynomial", "Step x attempt^4"
    LIST = "list", "A list of waits"


class RetryPolicy(models.Model):
    """`retries` are the attempts after the first; `retry_step_s`, `retry_delays` and `retry_for_s` are in seconds.

    `retry_delays` is used by LIST alone, one wait for each retry. `retry_for_s` is how long after the first attempt
    began another may begin; null: for ever.
    """

    retries = models.PositiveSmallIntegerField(default=3)
    retry_step_s = models.PositiveIntegerField(default=10)
    backoff = models.CharField(max_length=12, choices=Backoff.choices, default=Backoff.INCREMENTAL)
    retry_delays = models.JSONField(default=list, blank=True)
    retry_for_s = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def policy(self) -> Retries:
        """The same as a value that can be asked for its waits."""
        return Retries(self.backoff, self.retries, self.retry_step_s, tuple(self.retry_delays), self.retry_for_s)


def columns_of(policy: Retries) -> dict[str, Any]:
    """A policy as RETRY_COLUMNS hold it."""
    values = (policy.retries, policy.step_s, policy.backoff, list(policy.delays), policy.for_s)
    return dict(zip(RETRY_COLUMNS, values, strict=True))
