"""Who owns what: a workspace has members and applications; an application owns everything below it."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower

from badgerjobs.lib import signatures
from badgerjobs.lib.ids import slug, uuid7
from badgerjobs.workspaces.fields import EncryptedTextField
from badgerjobs.workspaces.querysets import (
    ApplicationQuerySet,
    AuditQuerySet,
    InvitationQuerySet,
    MemberQuerySet,
    TokenQuerySet,
    WorkspaceQuerySet,
)
from badgerjobs.workspaces.retry_policy import RetryPolicy


class Role(models.TextChoices):
    """What a member may do. Each role may do all that the ones after it may."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    EDITOR = "editor", "Editor"
    VIEWER = "viewer", "Viewer"

    def reaches(self, least: "Role") -> bool:
        """Whether this role may do what needs at least that one."""
        order = list(Role)
        return order.index(self) <= order.index(least)


class Scope(models.TextChoices):
    """What a token may do."""

    READ = "read", "Read"
    WRITE = "write", "Write"
    CACHE_READ = "cache:read", "Read cached values"
    COLLECTIONS_READ = "collections:read", "Read collections"
    BACKGROUND_DELETE = "background:delete", "Delete background tasks"


class People(BaseUserManager["User"]):
    """Makes users known by their e-mail address alone."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user with this address, kept in lower case. Without a password nobody can sign in as them."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user who may do anything, for `manage.py createsuperuser`."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """A person. The e-mail address is the name they sign in with."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = People()  # type: ignore[misc,assignment]

    def __str__(self) -> str:
        return self.email


class Workspace(models.Model):
    """The tenant. Names may repeat: that a name is taken would tell one tenant of another."""

    slug = models.CharField(max_length=20, unique=True, default=slug, editable=False)
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """A person in a workspace, with a role."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="members")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    slug = models.CharField(max_length=20, unique=True, default=slug, editable=False)
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="one_membership_each")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    def may(self, least: Role) -> bool:
        """Whether the member's role is at least this one."""
        return Role(self.role).reaches(least)


class Invitation(models.Model):
    """An open door into a workspace for one e-mail address: its secret is stored as a digest and works once."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations")
    slug = models.CharField(max_length=20, unique=True, default=slug, editable=False)
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"


class Application(RetryPolicy):
    """Belongs to a workspace and owns jobs, tasks, runs and all else. Its signing key signs every call made for it.

    While a key is being rotated, calls bear the signatures of both, until `previous_key_until`. Its retry policy is
    what new jobs begin with. Null in `retention_days`, in `background_retention_days` (0: for ever) and in
    `requests_per_second` means: what the installation has. After `warn_after` runs of a job that failed in a row
    somebody is told, after `pause_after` it is paused (null: never), and `probe_after_s` seconds later one run tries
    whether it is well again. When work is later than `late_after_s` seconds, somebody is told (null: never).
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="applications")
    slug = models.CharField(max_length=20, unique=True, default=slug, editable=False)
    name = models.CharField(max_length=100)
    signing_key = EncryptedTextField(default=signatures.make_secret)
    previous_signing_key = EncryptedTextField(blank=True, default="")
    previous_key_until = models.DateTimeField(null=True, blank=True)
    retention_days = models.PositiveSmallIntegerField(null=True, blank=True)
    background_retention_days = models.PositiveSmallIntegerField(null=True, blank=True)
    requests_per_second = models.PositiveIntegerField(null=True, blank=True)
    warn_after = models.PositiveSmallIntegerField(null=True, blank=True, default=5)
    pause_after = models.PositiveSmallIntegerField(null=True, blank=True, default=20)
    probe_after_s = models.PositiveIntegerField(default=900)
    late_after_s = models.PositiveIntegerField(null=True, blank=True, default=300)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint("workspace", Lower("name"), name="one_application_name_each")]

    def __str__(self) -> str:
        return self.name


class Token(models.Model):
    """A bearer secret of an application: stored as a digest, known again by its prefix, shown once.

    With `rotated_at` there is another one in its place, and it works at most until the overlap is over. Null in
    `requests_per_second` means: as many as its application may make.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="tokens")
    slug = models.CharField(max_length=20, unique=True, default=slug, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    label = models.CharField(max_length=100)
    prefix = models.CharField(max_length=20, db_index=True)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    requests_per_second = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.label} ({self.prefix}…)"

    def may(self, scope: str) -> bool:
        """Whether the token has this scope."""
        return scope in self.scopes

    def is_over(self, now: datetime) -> bool:
        """Whether it was revoked or has expired."""
        return self.revoked_at is not None or (self.expires_at is not None and self.expires_at <= now)


class Via(models.TextChoices):
    """Which way in somebody used."""

    PANEL = "panel", "Panel"
    API = "api", "API"
    COMMAND = "command", "Command"


class AuditEntry(models.Model):
    """Who did what, when and from where, and what it changed. Names are kept as they were: what they name may go.

    `action` is `thing.verb` (`job.update`); `changes` is field → [before, after], secrets as stars.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="audit_entries", db_index=False)
    # It may be gone: its entries stay as they are, however many there are. So the database does not check it.
    application = models.ForeignKey(
        Application, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    application_name = models.CharField(max_length=100, blank=True)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    actor = models.CharField(max_length=300)
    via = models.CharField(max_length=10, choices=Via.choices)
    address = models.CharField(max_length=45, blank=True)
    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=300)
    changes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    objects = AuditQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "id"], name="entry_of_workspace")]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.subject}"
