"""`manage.py background_process`: a process that runs definitions' code. Workers start it, and nobody else."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tasks.background import process


class Command(BaseCommand):
    help = "Runs the code of background tasks, for the worker that started it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pipe", type=int, help="the descriptor of a socket to the worker")
        parser.add_argument("parent", type=int, help="the worker's process id")

    def handle(self, *_: Any, pipe: int, parent: int, **__: Any) -> None:
        process.bind_to(parent)
        process.serve(pipe)
