"""`manage.py forget_second_factor EMAIL`: lets somebody in again who has lost their phone and their recovery codes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import User
from badgerjobs.workspaces.people import forget_second_factor


class Command(BaseCommand):
    help = "Turns somebody's second factor off and forgets their passkeys: their password alone lets them in again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the address that they sign in with")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email__iexact=email.strip()).first()
        if user is None:
            raise CommandError(f"There is no account for {email!r}.")
        was_on = forget_second_factor(user=user, by=OPERATOR, now=timezone.now())
        said = "is off: their password alone lets them in" if was_on else "was off already"
        self.stdout.write(f"The second factor of {user.email} {said}.")
