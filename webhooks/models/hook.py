"""A hook: the address that others call, whom it believes, and what is done with what comes."""

from django.db import models
from django.db.models import Q

from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.fields import EncryptedJSONField, EncryptedTextField
from badgerjobs.workspaces.models import Application
from tasks.models import Task
from webhooks.querysets import HookQuerySet

# The row of `RUN_KINDS`: what a delivery leads to.
KIND = "delivery"

METHODS = ("POST", "PUT", "GET")
BODY_BYTES = 1_000_000
MOST_BODY_BYTES = 5_000_000
# In seconds: a provider that repeats a call does so within a day or two.
REPEATS_WINDOW_S = 86_400
# Of fixed responses: none of them is more than text to a browser.
RESPONSE_TYPES = ("text/plain", "application/json", "application/xml", "text/xml")
# Before the tag of a task: the tag of its hook. No other begins like this.
OF_TASK = "task:"


def only_post() -> list[str]:
    """Of METHODS: where nobody has chosen."""
    return ["POST"]


class Verification(models.TextChoices):
    """How a caller proves who it is. Each is a row in `webhooks/verification/__init__.py`."""

    NONE = "none", "None"
    STANDARD = "standard", "Standard Webhooks"
    GITHUB = "github", "GitHub"
    GITLAB = "gitlab", "GitLab"
    STRIPE = "stripe", "Stripe"
    SHOPIFY = "shopify", "Shopify"
    SLACK = "slack", "Slack"
    HMAC = "hmac", "HMAC signature"
    BASIC = "basic", "User name and password"
    BEARER = "bearer", "Bearer token"
    ADDRESSES = "addresses", "Source addresses"


def verifications() -> list[tuple[str, str]]:
    """The choices of the column, named and not listed there: so a new one needs no migration."""
    return Verification.choices


class Repeats(models.TextChoices):
    """By what a delivery is known that came before."""

    NONE = "none", "Not looked for"
    PROVIDER = "provider", "The provider's id"
    HEADER = "header", "A header"
    BODY = "body", "The body"


class Response(models.TextChoices):
    """What whoever calls is answered, once what came is stored."""

    ID = "id", "202 with the id"
    EMPTY = "empty", "200, empty"
    FIXED = "fixed", "A fixed body"


class Challenge(models.TextChoices):
    """How a provider tries, before its first call, whether the address is ours."""

    NONE = "none", "None"
    HUB = "hub", "hub.challenge (Meta, WebSub)"
    ECHO = "echo", "challenge (Dropbox)"
    TOKEN = "token", "validationToken (Microsoft)"
    HEADER = "header", "X-Okta-Verification-Challenge (Okta)"


class Hook(models.Model):
    """`/hooks/SECRET`: found by the digest of the secret, which is kept encrypted so that its page can show it again.

    `tag` is its identity in the application, for ever. Whether it is enabled, and how what fails is tried again, its
    runnable says; while that is paused, what comes is held. The secret before this one leads here until
    `previous_until`.

    `settings` are those of its `verification`, and may hold secrets. `methods` are those of METHODS that it takes,
    `rate` how many calls in a second (null: as many as the application may have), `max_bytes` how long a body may be.
    A call that `repeats` an earlier one of the last `repeats_window_s` seconds is a duplicate; `repeats_header` names
    the header that tells. `response_status`, `response_type` and `response_body` are those of a fixed response.

    `transform` is JavaScript over `body` and `headers`; `transform_version` counts how often it was changed. `actions`
    are a list of {name, type, …}, whose fields are those of their type (`webhooks/actions/__init__.py`).

    One with a `task` belongs to it: it runs that task, with the task's transform.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="hooks")
    runnable = models.OneToOneField(Runnable, models.CASCADE, related_name="hook")
    task = models.OneToOneField(Task, models.CASCADE, related_name="hook", null=True, blank=True)
    tag = models.CharField(max_length=200 + len(OF_TASK))
    name = models.CharField(max_length=200)
    secret = EncryptedTextField()
    digest = models.CharField(max_length=64, unique=True)
    previous_digest = models.CharField(max_length=64, unique=True, null=True, blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)

    methods = models.JSONField(default=only_post, blank=True)
    rate = models.PositiveIntegerField(null=True, blank=True)
    max_bytes = models.PositiveIntegerField(default=BODY_BYTES)
    challenge = models.CharField(max_length=10, choices=Challenge.choices, default=Challenge.NONE)
    verification = models.CharField(max_length=20, choices=verifications, default=Verification.NONE)
    settings = EncryptedJSONField(default=dict, blank=True)
    repeats = models.CharField(max_length=10, choices=Repeats.choices, default=Repeats.NONE)
    repeats_header = models.CharField(max_length=100, blank=True, default="")
    repeats_window_s = models.PositiveIntegerField(default=REPEATS_WINDOW_S)
    response = models.CharField(max_length=10, choices=Response.choices, default=Response.ID)
    response_status = models.PositiveSmallIntegerField(default=200)
    response_type = models.CharField(max_length=100, blank=True, default="text/plain")
    response_body = models.TextField(blank=True, default="")

    transform = models.TextField(blank=True, default="")
    transform_version = models.PositiveIntegerField(default=0)
    actions = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = HookQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "tag"], name="one_hook_for_a_tag"),
            models.CheckConstraint(
                condition=Q(previous_digest=None, previous_until=None)
                | Q(previous_digest__isnull=False, previous_until__isnull=False),
                name="a_previous_secret_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.tag
