"""How PostgreSQL means to find rows, in a table that is worth an index and that it has looked at.

A table of few rows, or one of which it believes what another test left there, is read in whatever way is cheap.
"""

from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet


def plan_of(rows: QuerySet[Any]) -> str:
    """The plan of this query. Fill the table before: some thousands of rows, of which the query wants few."""
    look_at(rows.model)
    return rows.explain()


def look_at(model: type[Model]) -> None:
    """Let the planner know what the table holds, and take an index wherever one will do; until the test ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {model._meta.db_table}")
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
