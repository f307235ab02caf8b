"""`manage.py migrate`: Django's, with as much time for each statement as it takes."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections


class Command(migrate.Command):
    def handle(self, *args: Any, database: str, **options: Any) -> None:
        """Migrate. An index on a table of millions takes longer than any page may."""
        connection: Any = connections[database]
        limit, connection.limit = connection.limit, "0"
        try:
            if not connection.is_pooled:  # there it would stay, for whoever has the pooler's connection next
                with connection.cursor() as cursor:
                    cursor.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
            super().handle(*args, database=database, **options)
        finally:
            connection.limit = limit
            connection.close()  # whoever is next in this process gets one with the limits of the settings
