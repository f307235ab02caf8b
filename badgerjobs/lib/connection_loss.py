"""A database that is away: recognised in what psycopg or Django raises, and said in a few words."""

import psycopg

# SQLSTATEs of a server that ends a connection or takes none now. One that is gone without a word leaves none at all.
_AWAY = ("08", "57P01", "57P02", "57P03")


def reason_of(error: BaseException | None) -> str | None:
    """Why there is no connection to the database, on one line; None when the error says something else."""
    if not isinstance(error, psycopg.Error):
        error = error.__cause__ if error else None  # Django's own stands before psycopg's
    if not isinstance(error, psycopg.OperationalError):
        return None
    if error.sqlstate and not error.sqlstate.startswith(_AWAY):
        return None
    # libpq goes on with advice, and with each address that it tried; the last words of its first line say what it is.
    return str(error).partition("\n")[0].rpartition(" failed: ")[2]
