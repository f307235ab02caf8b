"""`manage.py revoke_token PREFIX`: ends a token at once, and says whose it was."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.issuing import revoke_token
from badgerjobs.workspaces.models import Token


class Command(BaseCommand):
    help = "Ends a token at once, and says which application's it was."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prefix", help="the eight characters that follow bj_ in the token")

    def handle(self, *args: Any, prefix: str, **options: Any) -> None:
        # As it stands in a token is right too. Of two with one prefix both end: one too many is better than none.
        found = Token.objects.filter(prefix=prefix.removeprefix("bj_").partition("_")[0])
        if not found:
            raise CommandError(
                f"There is no token with the prefix {prefix!r}: it is what follows bj_, up to the next _."
            )
        for token in found.select_related("application__workspace"):
            revoke_token(token=token, by=OPERATOR, now=timezone.now())
            was = f"is over since {token.revoked_at:%Y-%m-%d %H:%M:%S} UTC" if token.revoked_at else "is over now"
            place = f"the application “{token.application}” in the workspace “{token.application.workspace}”"
            self.stdout.write(f"The token “{token.label}” ({token.prefix}…) of {place} {was}.")
