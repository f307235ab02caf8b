"""`manage.py dbshell`: Django's, which finds the embedded PostgreSQL's psql where the machine has none."""

import os
import shutil
from typing import Any

from django.core.management.commands import dbshell
from django.db import connections

from badgerjobs.embedded.postgres import programs_folder


class Command(dbshell.Command):
    def handle(self, **options: Any) -> None:
        """Open the prompt. Raises OperationalError when no database answers, which manage.py says better than psql."""
        database = connections[options["database"]]
        database.ensure_connection()
        database.close()
        if shutil.which("psql") is None:
            os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{programs_folder()}"
        super().handle(**options)
