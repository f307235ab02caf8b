"""Looking for a text in all that the database holds, as somebody with a dump of it would."""

from collections.abc import Iterator

from django.db import connection


def places_of(text: str) -> list[str]:
    """Every `table.column` in which the text stands, whatever the column's type."""
    return [f"{table}.{column}" for table, column in _columns() if _holds(table, column, text)]


def _columns() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
        yield from cursor.fetchall()


def _holds(table: str, column: str, text: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" WHERE position(%s IN "{column}"::text) > 0)', [text])
        (found,) = cursor.fetchone()
    return bool(found)
