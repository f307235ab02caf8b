"""`manage.py create_demo`: fills an empty database, and says how to begin."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from badgerjobs.panel.demo import create_demo, welcome, welcome_back


class Command(BaseCommand):
    help = "Makes the demo when there is no application yet, and prints a sign-in, a token and a curl that works."

    def handle(self, *_: Any, **__: Any) -> None:
        if keys := create_demo(now=timezone.now()):
            self.stdout.write(welcome(keys))
        else:
            self.stdout.write(welcome_back())
