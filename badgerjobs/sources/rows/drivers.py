"""Rows of a query on databases that are not PostgreSQL, by the drivers that the operator installed."""

import asyncio
import re
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from badgerjobs.lib.said import quoted
from badgerjobs.outbound.only_there import SentAwayError, only_to
from badgerjobs.outbound.relay import LOOPBACK, Line
from badgerjobs.servers import tls
from badgerjobs.servers.databases import passing_class, words_of
from badgerjobs.servers.drivers import DRIVERS, ODBC, Driver
from badgerjobs.servers.postgresql import distinct
from badgerjobs.servers.statements import Statement
from badgerjobs.sources.rows.batches import MOST_BYTES, MOST_ROWS
from badgerjobs.sources.rows.postgresql import CHANGES
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.pulls import Chunk
from badgerjobs.sources.rows.reaching import AHEAD_BYTES, LATE, Meter
from badgerjobs.sources.rows.sql_values import plain
from badgerjobs.sources.rows.threads import Give, read_in_thread

GRACE_S = 1.0
# How long a reader that is to stop may take, and how long its server to hear that it may stop, too.
STOPS_S, END_S = 0.5, 5

SENT_AWAY = "{} sends its callers on to another address, where nobody follows it."
KEPT = "“{}” reads more than {} MB at once: it keeps all rows before it gives any, or a row is too long. Ask for less."
NO_ROWS = "The query gives no rows: it is none that reads."
# What drivers say by number: MySQL's is the error's own, those of Oracle and ODBC stand in its text.
CLASSES: Mapping[str, Sequence[str]] = {
    "auth": (
        "1044", "1045", "1049", "(1049)", "ORA-01017", "ORA-28000", "'28000'", "Login failed",
        "password authentication failed", '" does not exist (101)',
    ),
    "tls": ("2026",),
    "connect": ("2002", "2003", "2006", "2013", "DPY-6000", "DPY-6001", "DPY-6005", "DPY-4011", "'08001'", "'08S01'"),
    "timeout": ("DPY-4024", "'HYT00'", "'HYT01'", "canceling statement due to statement timeout"),
    "protocol": ("Packet sequence number wrong",),
    "changes": ("1792", "(1792)", "ORA-01456", "'25006'"),
}  # fmt: skip
# Of no use to people: the port here by which psqlODBC and oracledb know the server, and where oracledb leads them to.
NEAR = re.compile(
    rf'connection to server at "{re.escape(LOOPBACK)}", port \d+ failed: | at host "{re.escape(LOOPBACK)}" port \d+'
    r"| \(CONNECTION_ID=[^)]*\)|\s+Help: https://\S+"
)
SAYS = "The database says: {}"
# The classes that are told in another way: as which class, and how.
SENTENCES: Mapping[str, tuple[str, str]] = {
    "auth": ("auth", "{host} did not take the user and password, or the database: {}"),
    "changes": ("sql", CHANGES),
    "protocol": ("protocol", "{host} may be another kind of server, or want TLS: {}"),
}
RETRIED = {"tls", "connect", "timeout", "protocol"}


# A line to the same server.
Again = Callable[[], AbstractAsyncContextManager[Line]]


async def rows_of(
    statement: Statement, parameters: Sequence[Any], configuration: Mapping[str, Any], line: Line, again: Again
) -> AsyncGenerator[Chunk, None]:
    """All rows, in pieces of about 1 MB at most. What is given up is ended by another line. Raises PullError."""
    driver = DRIVERS[configuration["engine"]]
    meter = Meter(line, configuration["host"])
    reading = _Reading(driver, configuration, line, meter)

    def read(give: Give) -> None:
        with only_to(line.port):
            reading.read(*_written(driver, statement, parameters), give)

    timeout_s = configuration["timeout"]
    try:
        async with aclosing(read_in_thread(read, timeout_s + GRACE_S)) as chunks:
            async for chunk in chunks:
                yield chunk
    except TimeoutError:
        raise PullError("timeout", LATE.format(configuration["host"], timeout_s)) from None
    except PullError:
        raise
    except Exception as error:
        raise _too_much(meter, configuration) or _told(error, configuration) from None
    finally:
        await reading.end(again)


def _written(driver: Driver, statement: Statement, parameters: Sequence[Any]) -> tuple[str, Any]:
    """The query as the driver has it, and what is bound: in their places, or by their names."""
    values = [_bound(value) for value in parameters]
    pieces = [piece.replace(driver.doubled, 2 * driver.doubled) for piece in statement.pieces] if driver.doubled else (
        statement.pieces
    )  # fmt: skip
    text = Statement(pieces, statement.paths, statement.ends).written(driver.mark)
    if not driver.by_place:
        return text, {f"p{at}": value for at, value in enumerate(values, 1)}
    by_name = dict(zip(statement.names, values, strict=True))
    return text, [by_name[path] for path in statement.paths]


def _bound(value: Any) -> Any:
    """Times in UTC, without saying so: that is what such columns have."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


class _Reading:
    """One query, in a thread."""

    def __init__(self, driver: Driver, configuration: Mapping[str, Any], line: Line, meter: Meter) -> None:
        self._driver, self._configuration, self._line, self._meter = driver, configuration, line, meter
        self._server: Any = None
        self._over = threading.Event()
        self._is_answered = False

    def read(self, query: str, values: Any, give: Give) -> None:
        """Give all rows, and nothing that they changed is kept."""
        try:
            self._read(query, values, give)
            self._is_answered = True
        except Exception as error:
            self._is_answered = not _is_behind(OSError, error)
            raise
        finally:
            self._over.set()

    async def end(self, again: Again) -> None:
        """Have the server end what nobody waits for, where it is at it still and would not see that by itself."""
        if not self._is_answered:
            await asyncio.to_thread(self._over.wait, STOPS_S)
        if self._is_answered or not (self._driver.end and self._server):
            return
        with suppress(Exception):  # it was worth a try
            async with asyncio.timeout(END_S), again() as line:
                await asyncio.to_thread(self._end, line)

    def _end(self, line: Line) -> None:
        assert self._driver.end  # noqa: S101
        with only_to(line.port):
            server = self._connected(line, END_S)
            try:
                self._driver.end(server, self._server)
            finally:
                server.close()

    def _connected(self, line: Line, timeout_s: int) -> Any:
        module = import_module(self._driver.module)  # only where the operator installed it
        return self._driver.connect(module, self._configuration, line, timeout_s)

    def _read(self, query: str, values: Any, give: Give) -> None:
        module = import_module(self._driver.module)
        server = self._server = self._connected(self._line, self._configuration["timeout"])
        cursor = self._driver.cursor(module, server)
        try:
            if self._driver.begins:
                cursor.execute(self._driver.begins)
            cursor.execute(query, values)
            while cursor.description is None:  # how many rows a procedure changed, before those that it gives
                if not _next(cursor):
                    raise PullError("sql", NO_ROWS, retry=False)
            self._give(cursor, give)
            self._pass_over(cursor)
        finally:
            with suppress(Exception):  # what it changed goes with it; to roll that back, the driver would read on
                self._driver.hang_up(server, cursor)

    def _give(self, cursor: Any, give: Give) -> None:
        names = distinct([str(column[0]) for column in cursor.description])
        found: list[Any] = []
        self._meter.taken()
        while (row := cursor.fetchone()) is not None:
            found.append(dict(zip(names, map(plain, row), strict=True)))
            if len(found) == MOST_ROWS or self._meter.came >= MOST_BYTES:
                give((found, self._meter.taken()))
                found = []
        if found:
            give((found, self._meter.taken()))

    def _pass_over(self, cursor: Any) -> None:
        """What comes behind the rows, which are the first that a procedure gives: it may fail there."""
        while _next(cursor):
            while cursor.description and cursor.fetchone() is not None:
                self._meter.taken()


def _next(cursor: Any) -> bool:
    """Whether there is more than one result, and here the next one: not all drivers know of such."""
    return hasattr(cursor, "nextset") and bool(cursor.nextset())


def _too_much(meter: Meter, configuration: Mapping[str, Any]) -> PullError | None:
    """Of ODBC it need not be one row: what a driver does with them cannot be seen."""
    fault = meter.fault()
    if fault and configuration["engine"] == ODBC:
        return PullError("too_large", KEPT.format(configuration["driver"], AHEAD_BYTES // 1024 // 1024), retry=False)
    return fault


def _told(error: Exception, configuration: Mapping[str, Any]) -> PullError:
    host = configuration["host"]
    if fault := tls.fault_in(error):
        return PullError("tls", tls.sentence(fault, host))
    if _is_behind(SentAwayError, error):
        return PullError("refused", SENT_AWAY.format(host), retry=False)
    if _is_behind(TimeoutError, error):
        return PullError("timeout", LATE.format(host, configuration["timeout"]))
    error_class, said = _class_of(error), quoted(NEAR.sub("", words_of(error)), [configuration["password"]])
    passes = error_class in RETRIED or passing_class(error) is not None
    named, sentence = SENTENCES.get(error_class, (error_class, SAYS))
    return PullError(named, sentence.format(said, host=host), retry=passes)


def _is_behind(kind: type[BaseException], error: BaseException | None) -> bool:
    """Also where the driver has said it in words of its own."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error is not None


def _class_of(error: Exception) -> str:
    number, said = _number_of(error), f"{error} {' '.join(words_of(error).split())}"
    for name, marks in CLASSES.items():
        if any(mark == number or (not mark.isdigit() and mark in said) for mark in marks):
            return name
    return "connect" if isinstance(error, OSError) else passing_class(error) or "sql"


def _number_of(error: Exception) -> str:
    return str(error.args[0]) if error.args else ""
