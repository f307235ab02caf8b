"""What tables hold, to compare: a test that nothing was changed looks at all of them."""

from collections.abc import Iterable, Mapping

from django.db import connection
from django.db.models import Model


def held(models: Iterable[type[Model]]) -> Mapping[str, list[str]]:
    """The rows of each, whole and as text, in the order of the text. One statement, however many there are."""
    quote = connection.ops.quote_name
    tables = sorted({model._meta.db_table for model in models})
    with connection.cursor() as cursor:
        looks = (f"SELECT '{table}', array_agg(r::text ORDER BY r::text) FROM {quote(table)} r" for table in tables)
        cursor.execute(" UNION ALL ".join(looks))
        return {table: rows or [] for table, rows in cursor.fetchall()}
