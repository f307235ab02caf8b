"""Who owns what: a workspace has members and applications; an application owns everything below it."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower

from badgerjobs.lib import signatures
from badgerjobs.workspaces.fields import EncryptedTextField
from badgerjobs.workspaces.querysets import ApplicationQuerySet, TokenQuerySet, WorkspaceQuerySet


class Role(models.TextChoices):
    """What a member may do. Each role may do all that the ones after it may."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    EDITOR = "editor", "Editor"
    VIEWER = "viewer", "Viewer"


class Scope(models.TextChoices):
    """What a token may do."""

    READ = "read", "Read"
    WRITE = "write", "Write"
    CACHE_READ = "cache:read", "Read cached values"


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

    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """A person in a workspace, with a role."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="members")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="one_membership_each")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class Application(models.Model):
    """Belongs to a workspace and owns jobs, tasks, runs and all else. Its signing key signs every call made for it."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="applications")
    name = models.CharField(max_length=100)
    signing_key = EncryptedTextField(default=signatures.make_secret)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint("workspace", Lower("name"), name="one_application_name_each")]

    def __str__(self) -> str:
        return self.name


class Token(models.Model):
    """A bearer secret of an application: stored as a digest, known again by its prefix, shown once."""

    application = models.ForeignKey(Application, models.CASCADE, related_name="tokens")
    label = models.CharField(max_length=100)
    prefix = models.CharField(max_length=20, db_index=True)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.label} ({self.prefix}…)"

    def may(self, scope: str) -> bool:
        """Whether the token has this scope."""
        return scope in self.scopes
