"""One look at the database: a version and its rows belong together, whatever is shown or pruned meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from django.db import DataError, OperationalError, connection, transaction
from psycopg.errors import NumericValueOutOfRange, QueryCanceled
from rest_framework.exceptions import APIException

from badgerjobs.web.problems import Conflict

# So long one statement of a reader's may take, in seconds.
STATEMENT_S = 20
# Rows that are fetched at once, and so many bytes of them at most if they are all alike.
BATCH = 1000

TOO_LONG = (
    f"This took longer than {STATEMENT_S} s. Have the collection index the field that narrows it most, leave out"
    " $sort or $search, or ask for fewer rows."
)
TOO_LARGE = "A number in this query has more digits than can be compared."

# Cursors of one connection are told apart by them.
_numbers = count()


class TooLongError(APIException):
    """The query is too much work as it stands."""

    status_code = 422
    default_detail = TOO_LONG


@contextmanager
def one_look() -> Iterator[None]:
    """A transaction that sees one state of the database from its first statement to its last, and changes nothing."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if is_outermost:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_S}s'")
        yield


@contextmanager
def in_words() -> Iterator[None]:
    """What the database refuses because of the query, as a problem. Raises TooLongError and Conflict."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooLongError from None
        raise
    except DataError as error:
        if isinstance(error.__cause__, NumericValueOutOfRange):
            raise Conflict(TOO_LARGE) from None
        raise


def asked(statement: str, values: Any) -> list[tuple[Any, ...]]:
    """All rows of a short answer."""
    with in_words(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def in_batches(statement: str, values: Any, *, batch: int = BATCH) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a long answer, by a cursor of the server's: within the transaction around, however long it takes."""
    name = f"looked_{next(_numbers)}"
    with connection.cursor() as cursor:
        with in_words():
            cursor.execute(f"DECLARE {name} NO SCROLL CURSOR FOR {statement}", values)
        while True:
            with in_words():
                cursor.execute(f"FETCH {batch} FROM {name}")
                found = cursor.fetchall()
            if found:
                yield found
            if len(found) < batch:
                break
        cursor.execute(f"CLOSE {name}")
