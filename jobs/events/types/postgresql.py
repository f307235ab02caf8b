"""One statement on somebody's PostgreSQL, in a transaction of its own."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, sql
from psycopg.types.json import Jsonb, set_json_loads
from psycopg.types.string import TextLoader

from badgerjobs.lib.json_depth import is_deeper
from badgerjobs.outbound.relay import LOOPBACK, Line
from badgerjobs.runs.outcomes import Done, Failed
from badgerjobs.web.parsers import MOST_LEVELS
from jobs.events.types.rows import kept
from jobs.events.types.said import quoted
from jobs.events.types.statements import Statement, line_and_column
from jobs.events.types.tls import certificates_file

SSL_MODES = {"verify": "verify-full", "unverified": "require", "none": "disable"}
# What PostgreSQL writes better than Python reads: dates before Christ, infinity, every digit of a number.
AS_WRITTEN = ("numeric", "date", "time", "timetz", "timestamp", "timestamptz", "interval", "uuid")
# The classes of SQLSTATE after which another try may help: connections, rollbacks, resources, operators, the system.
PASSING = {"08", "40", "53", "55", "57", "58", "XX"}
READ_ONLY, CANCELLED, WRONG_PASSWORD = "25006", "57014", {"28P01", "28000"}
CLASSES = {"23": "constraint", "22": "data", "42": "sql"}


def mark(number: int) -> str:
    """How the n-th parameter is written."""
    return f"${number}"


async def run(  # noqa: PLR0913
    statement: Statement,
    parameters: Sequence[Any],
    connection: Mapping[str, Any],
    line: Line,
    *,
    text: str,
    writes: bool,
    rows: int,
    timeout_s: int,
) -> Done | Failed:
    """Run it, and keep at most so many rows. `text` is the statement as it was written, to which errors point."""
    host = connection["host"]
    try:
        async with _connected(connection, line, timeout_s) as server:
            await server.set_read_only(not writes)
            async with server.transaction():
                await server.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(timeout_s * 1000))
                query, given = statement.written(mark), [_adapted(one) for one in parameters]
                result = await (_changed if writes else _read)(server, query, given, rows)
        return Done(result)
    except _Enough as enough:
        return Done(enough.result)
    except psycopg.Error as error:
        if line.is_full:
            return Failed("too_large", f"{host} answered with more than 16 MB: ask for less.", retry=False)
        return _failed(error, statement, text, connection, timeout_s)
    except (ValueError, ArithmeticError, LookupError, TypeError, RecursionError) as error:  # somebody plays PostgreSQL
        said = quoted(str(error), [connection["password"]])
        return Failed("data", f"{host} answered with a value that cannot be read: {said}", retry=False)


class _Enough(Exception):  # noqa: N818  no error: the rest is not asked for
    def __init__(self, result: dict[str, Any]) -> None:
        self.result = result


class _Server(AsyncConnection[Any]):
    """Hangs up on a statement that it gives up, and asks for nothing more.

    To ask the server to cancel it takes a second connection, and the line has one. The server ends the statement by its
    own timeout, and rolls back what a closed connection began.
    """

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ARG002, ASYNC109  as psycopg has it
        """Called by psycopg for what failed or was cut off halfway."""
        self.pgconn.finish()


@asynccontextmanager
async def _connected(connection: Mapping[str, Any], line: Line, timeout_s: int) -> AsyncIterator[_Server]:
    """Signed in, at the other end of a line. Nothing of this machine's own (passwords, keys, services) is offered."""
    with certificates_file(connection) as trusted:
        server = await _Server.connect(
            host=connection["host"],
            hostaddr=LOOPBACK,
            port=line.port,
            dbname=connection["database"],
            user=connection["user"] or "postgres",
            password=connection["password"],
            passfile="/dev/null",
            sslmode=SSL_MODES[connection["tls"]],
            sslrootcert=trusted,
            sslcertmode="disable",
            gssencmode="disable",
            channel_binding="prefer",
            application_name="badger-jobs",
            connect_timeout=timeout_s,
            client_encoding="utf-8",
            autocommit=True,
            prepare_threshold=None,
            cursor_factory=AsyncRawCursor,
        )
    for name in AS_WRITTEN:
        server.adapters.register_loader(name, _Written)
    set_json_loads(_read_json, server)
    try:
        yield server
    finally:
        server.pgconn.finish()  # without a farewell, which could wait


class _Written(TextLoader):
    """Leaves a value as the server wrote it."""


def _read_json(written: str | bytes) -> Any:
    """The value; its text where it is deeper than others could read it, or has a number of too many digits."""
    try:
        value = json.loads(written)
        if not is_deeper(value, MOST_LEVELS):
            return value
    except (ValueError, RecursionError):
        pass
    return written if isinstance(written, str) else bytes(written).decode(errors="replace")


async def _read(server: _Server, query: str, given: Sequence[Any], most: int) -> dict[str, Any]:
    """Row by row, so that what is not kept is not fetched. Raises _Enough when there is more."""
    cursor = server.cursor()
    found: list[Any] = []
    columns: list[str] = []
    async for row in cursor.stream(query, given):
        columns = columns or [column.name for column in cursor.description or ()]
        found.append(row)
        result = kept(_distinct(columns), found, most) if len(found) > most else None
        if result:
            server.pgconn.finish()
            raise _Enough(result)
    return kept(_distinct(columns), found, most)


async def _changed(server: _Server, query: str, given: Sequence[Any], most: int) -> dict[str, Any]:
    """To its end, whatever it returns. In a pipeline, where two statements in one are refused."""
    cursor = server.cursor()
    async with server.pipeline():
        await cursor.execute(query, given)
    if cursor.description is None:
        return {"rows_affected": max(0, cursor.rowcount)}
    columns = _distinct([column.name for column in cursor.description])
    return {"rows_affected": cursor.rowcount, **kept(columns, await cursor.fetchmany(most + 1), most)}


def _distinct(columns: Sequence[str]) -> list[str]:
    """Names for a row's object: a second `count` is `count_2`, or what is free beyond."""
    taken, names = {*columns}, dict.fromkeys(columns[:1])
    for place, name in enumerate(columns[1:], 2):
        others = (f"{name}_{number}" for number in count(place))
        given = next(one for one in others if one not in taken) if name in names else name
        taken.add(given)
        names[given] = None
    return list(names)


def _adapted(value: Any) -> Any:
    """Lists of one kind of value are arrays; objects, and all other lists, are jsonb."""
    if (
        isinstance(value, list)
        and value
        and len({type(one) for one in value}) == 1
        and not isinstance(value[0], dict | list)
    ):
        return value
    return Jsonb(value) if isinstance(value, dict | list) else value


def _failed(
    error: psycopg.Error, statement: Statement, text: str, connection: Mapping[str, Any], timeout_s: int
) -> Failed:
    state = error.sqlstate or ""
    if not error.diag.message_primary:
        return _not_connected(str(error), connection)
    said = quoted(error.diag.message_primary, [connection["password"]])
    if state == CANCELLED:
        return Failed("timeout", f"The statement took longer than {timeout_s} s: {said}")
    if state in WRONG_PASSWORD:
        return Failed("auth", f"{connection['host']} did not take the user and password: {said}", retry=False)
    if state == READ_ONLY:
        return Failed("sql", f"The statement changes something: {said} Let the event write, if it may.", retry=False)
    more = " ".join(quoted(one) for one in (error.diag.message_detail, error.diag.message_hint) if one)
    place = _place(error, statement, text)
    sentence = f"The database says{place}: {said} {more}".rstrip()
    return Failed(CLASSES.get(state[:2], "sql"), sentence, retry=state[:2] in PASSING)


def _place(error: psycopg.Error, statement: Statement, text: str) -> str:
    position = error.diag.statement_position
    if not position:
        return ""
    return f", at {line_and_column(text, statement.place_of(int(position) - 1, mark))}"


NO_POSTGRESQL = "The connection to {host} broke: it may be no PostgreSQL, or it stopped."
# What libpq and psycopg say before a statement runs, told apart by their words, since they give no code: what it holds,
# the class, the sentence and whether another try may help.
BEFORE = (
    ("expected authentication request", "connect", NO_POSTGRESQL, True),
    ("produce a result", "sql", "The statement returns no rows, and may change nothing: let the event write.", False),
    ("cannot be converted", "data", "A parameter cannot be bound: {said}", False),
    ("cannot adapt", "data", "A parameter cannot be bound: {said}", False),
    ("does not support ssl", "tls", "{host} does not speak TLS: it has none, or is another kind of server.", False),
    ("certificate", "tls", "{host} has a certificate that is not trusted: {said}", True),
    ("ssl", "tls", "No secure connection to {host} could be agreed on (TLS): {said}", True),
    ("password", "auth", "{host} did not take the user and password: {said}", False),
    ("authentication", "auth", "{host} did not take the user and password: {said}", False),
    ("pg_hba", "auth", "{host} does not let us in: {said}", False),
    ("does not exist", "sql", "{host} says: {said}", False),
    ("timeout", "timeout", "{host} did not answer in time when it was signed in to.", True),
    ("", "connect", NO_POSTGRESQL, True),
)


def _not_connected(message: str, connection: Mapping[str, Any]) -> Failed:
    low = message.lower()
    _, error_class, sentence, retry = next(row for row in BEFORE if row[0] in low)
    said = message.rpartition("FATAL:")[2] if "FATAL:" in message else message.rpartition("failed: ")[2]
    words = quoted(said, [connection["password"]])
    return Failed(error_class, sentence.format(host=connection["host"], said=words), retry=retry)
