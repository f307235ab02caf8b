"""`manage.py create_application NAME --workspace W [--owner EMAIL]`: prints a token, and nothing else, on stdout."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.utils import timezone

from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.issuing import issue_token
from badgerjobs.workspaces.models import Scope
from badgerjobs.workspaces.services import AmbiguousError, create_application

MOST_DAYS = 3650


class Command(BaseCommand):
    help = "Makes what is missing of a workspace and an application, and prints a new token."

    def add_arguments(self, parser: CommandParser) -> None:
        scopes = ",".join(Scope.values)
        parser.add_argument("name", help="the application's name")
        parser.add_argument("--workspace", required=True, help="the workspace's name; made when there is none")
        parser.add_argument("--owner", default="", metavar="EMAIL", help="who owns the workspace")
        parser.add_argument("--scopes", default=scopes, help=f"what the token may do, with commas; by default {scopes}")
        parser.add_argument("--expires", metavar="DAYS", help="after how many days the token ends; by default, never")

    def handle(self, *args: Any, name: str, workspace: str, owner: str, **options: Any) -> None:
        for option, value in (("NAME", name), ("--workspace", workspace)):
            if not (value.strip() and value.isprintable()) or len(value) > 100:
                raise CommandError(f"{option} must have 1 to 100 characters, and no control characters.")
        if owner:
            try:
                validate_email(owner)
            except ValidationError:
                raise CommandError(f"--owner {owner!r} is not an e-mail address.") from None
        scopes, expires_at = _scopes(options["scopes"]), _expires_at(options["expires"])
        now = timezone.now()
        try:
            application = create_application(
                name=name.strip(), workspace=workspace.strip(), owner=owner, by=OPERATOR, now=now
            )
        except AmbiguousError as error:
            raise CommandError(str(error)) from None
        _, secret = issue_token(
            application=application,
            label="create_application",
            by=OPERATOR,
            now=now,
            scopes=scopes,
            expires_at=expires_at,
        )
        self.stdout.write(secret)


def _scopes(given: str) -> list[str]:
    scopes = [scope.strip() for scope in given.split(",")]
    if unknown := [scope for scope in scopes if scope not in Scope.values]:
        raise CommandError(f"--scopes: there is no scope {unknown[0]!r}. There are {', '.join(Scope.values)}.")
    return scopes


def _expires_at(days: str | None) -> datetime | None:
    if days is None:
        return None
    if not (days.isascii() and days.isdigit() and 1 <= int(days[:9]) <= MOST_DAYS):
        raise CommandError(f"--expires must be a whole number of days, from 1 to {MOST_DAYS}.")
    return timezone.now() + timedelta(days=int(days))
