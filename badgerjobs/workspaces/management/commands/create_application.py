"""`manage.py create_application NAME --workspace W [--owner EMAIL]`: prints a token, and nothing else, on stdout."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from badgerjobs.workspaces.services import create_application, issue_token


class Command(BaseCommand):
    help = "Makes what is missing of a workspace and an application, and prints a new token with all scopes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the application's name")
        parser.add_argument("--workspace", required=True, help="the workspace's name; made when there is none")
        parser.add_argument("--owner", default="", metavar="EMAIL", help="who owns the workspace")

    def handle(self, *args: Any, name: str, workspace: str, owner: str, **options: Any) -> None:
        for option, value in (("NAME", name), ("--workspace", workspace)):
            if not (value.strip() and value.isprintable()) or len(value) > 100:
                raise CommandError(f"{option} must have 1 to 100 characters, and no control characters.")
        if owner:
            try:
                validate_email(owner)
            except ValidationError:
                raise CommandError(f"--owner {owner!r} is not an e-mail address.") from None
        application = create_application(name=name.strip(), workspace=workspace.strip(), owner=owner)
        _, secret = issue_token(application=application, label="create_application")
        self.stdout.write(secret)
