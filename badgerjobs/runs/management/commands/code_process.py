"""`manage.py code_process`: a process that runs code for a worker. Workers start it, and nobody else."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from badgerjobs.runs.processes import serving


class Command(BaseCommand):
    help = "Runs the code of background tasks and of slurpers, for the worker that started it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pipe", type=int, help="the descriptor of a socket to the worker")
        parser.add_argument("parent", type=int, help="the worker's process id")

    def handle(self, *_: Any, pipe: int, parent: int, **__: Any) -> None:
        serving.bind_to(parent)
        serving.serve(pipe)
