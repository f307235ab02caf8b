"""Rows of a query on databases that are not PostgreSQL, by the drivers that the operator installed."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from badgerjobs.lib.said import quoted
from badgerjobs.outbound.only_there import SentAwayError, only_to
from badgerjobs.outbound.relay import Line
from badgerjobs.servers import tls
from badgerjobs.servers.drivers import DRIVERS, Driver
from badgerjobs.servers.postgresql import distinct
from badgerjobs.servers.statements import Statement
from badgerjobs.sources.rows.batches import MOST_BYTES, MOST_ROWS
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.pulls import Chunk
from badgerjobs.sources.rows.reaching import LATE, Meter
from badgerjobs.sources.rows.sql_values import plain
from badgerjobs.sources.rows.threads import Give, read_in_thread

GRACE_S = 1.0

SENT_AWAY = "{} sends its callers on to another address, where nobody follows it."
NO_ROWS = "The query gives no rows: it is none that reads."
# What drivers say by number: MySQL's is the error's own, those of Oracle and ODBC stand in its text.
CLASSES: Mapping[str, Sequence[str]] = {
    "auth": ("1044", "1045", "1049", "ORA-01017", "ORA-28000", "'28000'", "Login failed"),
    "tls": ("2026",),
    "connect": ("2002", "2003", "2006", "2013", "DPY-6000", "DPY-6001", "DPY-6005", "DPY-4011", "'08001'", "'08S01'"),
    "timeout": ("DPY-4024", "'HYT00'", "'HYT01'"),
}
# Of what is wrong with a query, MySQL's numbers that may not be so the next time: too many connections, and locks.
PASSING = ("1040", "1205", "1213", "1317")
RETRIED = {"tls", "connect", "timeout"}


async def rows_of(
    statement: Statement, parameters: Sequence[Any], configuration: Mapping[str, Any], line: Line
) -> AsyncGenerator[Chunk, None]:
    """All rows, in pieces of about 1 MB at most. Raises PullError."""
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
        raise meter.fault() or _told(error, configuration) from None


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

    def read(self, query: str, values: Any, give: Give) -> None:
        """Give all rows, and nothing that they changed is kept."""
        module = import_module(self._driver.module)  # only where the operator installed it
        server = self._driver.connect(module, self._configuration, self._line, self._configuration["timeout"])
        try:
            cursor = self._driver.cursor(module, server)
            if self._driver.begins:
                cursor.execute(self._driver.begins)
            cursor.execute(query, values)
            if cursor.description is None:
                raise PullError("sql", NO_ROWS, retry=False)
            self._give(cursor, give)
        finally:
            with suppress(Exception):
                server.rollback()
            with suppress(Exception):
                server.close()

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


def _told(error: Exception, configuration: Mapping[str, Any]) -> PullError:
    host = configuration["host"]
    if fault := tls.fault_in(error):
        return PullError("tls", tls.sentence(fault, host))
    if _was_sent_away(error):
        return PullError("refused", SENT_AWAY.format(host), retry=False)
    said = quoted(str(error), [configuration["password"]])
    error_class = _class_of(error)
    passes = error_class in RETRIED or _number_of(error) in PASSING
    if error_class == "auth":
        return PullError("auth", f"{host} did not take the user and password, or the database: {said}", retry=False)
    return PullError(error_class, f"The database says: {said}", retry=passes)


def _was_sent_away(error: BaseException | None) -> bool:
    """Also where the driver has said it in words of its own."""
    while error is not None and not isinstance(error, SentAwayError):
        error = error.__cause__ or error.__context__
    return error is not None


def _class_of(error: Exception) -> str:
    number, said = _number_of(error), str(error)
    for name, marks in CLASSES.items():
        if any(mark == number or (not mark.isdigit() and mark in said) for mark in marks):
            return name
    return "connect" if isinstance(error, OSError) else "sql"


def _number_of(error: Exception) -> str:
    return str(error.args[0]) if error.args else ""
