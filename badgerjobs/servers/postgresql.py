"""Somebody's PostgreSQL: signed in to at the other end of a line, its values and its errors read."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, ClassVar

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, abc
from psycopg.adapt import AdaptersMap, Loader
from psycopg.pq import Format
from psycopg.types.json import Jsonb, set_json_loads
from psycopg.types.multirange import MultirangeInfo
from psycopg.types.string import TextLoader

from badgerjobs.lib.finite_numbers import finite, finite_whole
from badgerjobs.lib.json_depth import is_deeper
from badgerjobs.lib.said import quoted
from badgerjobs.outbound.relay import LOOPBACK, Line
from badgerjobs.runs.outcomes import Failed
from badgerjobs.servers.statements import Statement, line_and_column
from badgerjobs.servers.tls import certificates_file
from badgerjobs.web.parsers import MOST_LEVELS

SSL_MODES = {"verify": "verify-full", "unverified": "require", "none": "disable"}
# Whatever it asks for: libpq compares with the authorities of a file that is there, and complains of an odd one.
NOWHERE = "/dev/null/none"
# What PostgreSQL writes better than Python reads: dates before Christ, infinity, every digit of a number.
AS_WRITTEN = ("numeric", "date", "time", "timetz", "timestamp", "timestamptz", "interval", "uuid")
# What holds other values: each of them takes its time to be read. So much of one is read, and of all of them.
HOLDING = ("json", "jsonb", "record")
LONGEST_READ = 256 * 1024
READ_BYTES = 2 * LONGEST_READ
# The classes of SQLSTATE after which another try may help: connections, rollbacks, resources, operators, the system.
PASSING = {"08", "40", "53", "55", "57", "58", "XX"}
READ_ONLY, CANCELLED, WRONG_PASSWORD = "25006", "57014", {"28P01", "28000"}
# What PostgreSQL calls the one place where it counts statements: its words may be in any language.
SYNTAX, PARSING = "42601", "exec_parse_message"
ONE_AT_A_TIME = "One statement at a time: these are several. Make an event of each, or one function in the database."
CLASSES = {"23": "constraint", "22": "data", "42": "sql"}


def mark(number: int) -> str:
    """How the n-th parameter is written."""
    return f"${number}"


class Server(AsyncConnection[Any]):
    """Hangs up on a statement that it gives up, and asks for nothing more.

    To ask the server to cancel it takes a second connection, and the line has one. The server ends the statement by its
    own timeout, and rolls back what a closed connection began.
    """

    unread = READ_BYTES

    def may_read(self, size: int) -> bool:
        """Whether a value of so many bytes, which holds others, is taken apart: neither it nor all of them are long."""
        if size > LONGEST_READ or size > self.unread:
            return False
        self.unread -= size
        return True

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ARG002, ASYNC109  as psycopg has it
        """Called by psycopg for what failed or was cut off halfway."""
        self.pgconn.finish()


@asynccontextmanager
async def connected(
    connection: Mapping[str, Any],
    line: Line,
    timeout_s: int,
    *,
    as_one: type[Server] = Server,
    context: AdaptersMap | None = None,
) -> AsyncIterator[Server]:
    """Signed in, at the other end of a line. Nothing of this machine's own (passwords, keys, services) is offered."""
    with certificates_file(connection) as trusted:
        server = await as_one.connect(
            host=connection["host"],
            hostaddr=LOOPBACK,
            port=line.port,
            dbname=connection["database"],
            user=connection["user"] or "postgres",
            password=connection["password"],
            passfile=NOWHERE,
            sslmode=SSL_MODES[connection["tls"]],
            sslrootcert=trusted if connection["tls"] == "verify" else NOWHERE,
            sslcertmode="disable",
            gssencmode="disable",
            channel_binding="prefer",
            application_name="badger-jobs",
            connect_timeout=timeout_s,
            client_encoding="utf-8",
            autocommit=True,
            prepare_threshold=None,
            cursor_factory=AsyncRawCursor,
            context=context or ADAPTERS,
        )
    try:
        yield server
    finally:
        server.pgconn.finish()  # without a farewell, which could wait


class _Written(TextLoader):
    """Leaves a value as the server wrote it."""


class _Bounded(Loader):
    """Leaves what is long as the server wrote it: to take it apart would hold up the loop."""

    of: ClassVar[type[abc.Loader]]

    def __init__(self, oid: int, context: abc.AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._loader = self.of(oid, context)

    def load(self, data: abc.Buffer) -> Any:
        """The value, or its text."""
        server = self.connection
        if isinstance(server, Server) and server.may_read(len(data)):
            return self._loader.load(data)
        return bytes(data).decode(errors="replace")


def read_json(written: str | bytes) -> Any:
    """The value; its text where it is deeper than others could read it, or has a number that is too large."""
    try:
        value = json.loads(written, parse_float=finite, parse_int=finite_whole)
        if not is_deeper(value, MOST_LEVELS):
            return value
    except (ValueError, RecursionError):
        pass
    return written if isinstance(written, str) else bytes(written).decode(errors="replace")


def _adapters() -> AdaptersMap:
    """How values are read: psycopg's ways but for what is as written, for JSON, and for all that holds other values."""
    made = AdaptersMap(psycopg.adapters)
    for name in AS_WRITTEN:
        made.register_loader(name, _Written)
    set_json_loads(read_json, made)
    holding = [made.types[name].oid for name in HOLDING]
    arrays = [one.array_oid for one in made.types if one.array_oid]
    for oid in {*holding, *arrays, *(one.oid for one in made.types if isinstance(one, MultirangeInfo))}:
        if of := made.get_loader(oid, Format.TEXT):
            made.register_loader(oid, type(f"Bounded{of.__name__}", (_Bounded,), {"of": of}))
    return made


ADAPTERS = _adapters()


def distinct(columns: Sequence[str]) -> list[str]:
    """Names for a row's object: a second `count` is `count_2`, or what is free beyond."""
    taken, names = {*columns}, dict.fromkeys(columns[:1])
    for place, name in enumerate(columns[1:], 2):
        others = (f"{name}_{number}" for number in count(place))
        given = next(one for one in others if one not in taken) if name in names else name
        taken.add(given)
        names[given] = None
    return list(names)


def adapted(value: Any) -> Any:
    """Lists of one kind of value are arrays; objects, and all other lists, are jsonb."""
    if (
        isinstance(value, list)
        and value
        and len({type(one) for one in value}) == 1
        and not isinstance(value[0], dict | list)
    ):
        return value
    return Jsonb(value) if isinstance(value, dict | list) else value


def failed(  # noqa: PLR0913
    error: psycopg.Error,
    statement: Statement,
    text: str,
    connection: Mapping[str, Any],
    timeout_s: int,
    *,
    start: int = 0,
) -> Failed:
    """What went wrong, for people. `start`: where in what was sent the statement began."""
    state = error.sqlstate or ""
    if not error.diag.message_primary:
        return _not_connected(str(error), connection)
    secrets = [connection["password"]]
    said = quoted(error.diag.message_primary, secrets)
    if state == CANCELLED:
        return Failed("timeout", f"The statement took longer than {timeout_s} s: {said}")
    if state in WRONG_PASSWORD:
        return Failed("auth", f"{connection['host']} did not take the user and password: {said}", retry=False)
    if state == SYNTAX and error.diag.source_function == PARSING:
        return Failed("sql", ONE_AT_A_TIME, retry=False)
    if state == READ_ONLY:
        return Failed("sql", f"The statement changes something: {said} Let the event write, if it may.", retry=False)
    more = " ".join(quoted(one, secrets) for one in (error.diag.message_detail, error.diag.message_hint) if one)
    place = _place(error, statement, text, start)
    sentence = f"The database says{place}: {said} {more}".rstrip()
    return Failed(CLASSES.get(state[:2], "sql"), sentence, retry=state[:2] in PASSING)


def _place(error: psycopg.Error, statement: Statement, text: str, start: int) -> str:
    position = error.diag.statement_position
    if not position:
        return ""
    return f", at {line_and_column(text, statement.place_of(max(0, int(position) - 1 - start), mark))}"


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
    ('role "', "auth", "{host} did not take the user: {said}", False),
    ("does not exist", "auth", "{host} has no such database: {said} The connection names it.", False),
    ("timeout", "timeout", "{host} did not answer in time when it was signed in to.", True),
    ("", "connect", NO_POSTGRESQL, True),
)


def _not_connected(message: str, connection: Mapping[str, Any]) -> Failed:
    low = message.lower()
    _, error_class, sentence, retry = next(row for row in BEFORE if row[0] in low)
    said = message.rpartition("FATAL:")[2] if "FATAL:" in message else message.rpartition("failed: ")[2]
    words = quoted(said, [connection["password"]])
    return Failed(error_class, sentence.format(host=connection["host"], said=words), retry=retry)
