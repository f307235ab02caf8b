"""Rows of a query on somebody's PostgreSQL: by a cursor of the server's, in a transaction that only reads."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import AsyncConnection

from badgerjobs.lib.said import quoted
from badgerjobs.outbound.relay import Line
from badgerjobs.servers.postgresql import (
    ADAPTERS,
    ONE_AT_A_TIME,
    READ_ONLY,
    Server,
    adapted,
    connected,
    distinct,
    failed,
    mark,
)
from badgerjobs.servers.statements import Statement
from badgerjobs.sources.rows.batches import MOST_BYTES, MOST_ROWS
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.pulls import Chunk
from badgerjobs.sources.rows.reaching import LATE, Meter, of_failed
from badgerjobs.sources.rows.sql_values import moment, number, plain

DECLARE = "DECLARE pulled NO SCROLL CURSOR WITHOUT HOLD FOR "
# How it writes values, in this transaction; and that all rows will be wanted, not the first few.
SETTINGS: Mapping[str, str] = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "cursor_tuple_fraction": "1",
}
# What the server has beyond the time for a step, to say itself that it was too long.
GRACE_S = 1
SECOND_MS = 1000
FIRST_ROWS = 100
# So often it looks whether anybody is there still, where it can: else what was given up goes on to its time-out.
LOOKS_MS = 3000

CHANGES = "The query changes something: {} A source only reads."
SEVERAL = "One query at a time: these are several statements."
# What events say besides: a source has no connection that somebody else made.
NAMED_BY = " The connection names it."

# What is right as it is loaded; and what of the others is not to be made by `plain`.
AS_LOADED = ("bool", "int2", "int4", "int8", "oid", "text", "varchar", "bpchar", "name", "date", "interval", "uuid",
             "json", "jsonb", "xml")  # fmt: skip
MADE: Mapping[str, Callable[[str], Any]] = {
    "numeric": number, "timestamp": moment, "timestamptz": moment, "timetz": moment,
}  # fmt: skip
Make = Callable[[Any], Any]


class _Reading(Server):
    """Takes all values apart: a pull has a process of its own, and rows come one by one."""

    def may_read(self, size: int) -> bool:  # noqa: ARG002
        """Always."""
        return True


def _makes() -> dict[int, Make | None]:
    """Type → what makes JSON of its values; None where they are."""
    found: dict[int, Make | None] = {ADAPTERS.types[name].oid: None for name in AS_LOADED}
    for name, make in MADE.items():
        info = ADAPTERS.types[name]
        found[info.oid] = make
        found[info.array_oid] = lambda value, make=make: _each(value, make)  # type: ignore[misc]  # a default of its own
    return found


def _each(value: Any, make: Make) -> Any:
    """The same of what is in lists, however deep."""
    if isinstance(value, list):
        return [None if one is None else _each(one, make) for one in value]
    return make(value)


MAKES = _makes()


async def rows_of(
    statement: Statement, parameters: Sequence[Any], configuration: Mapping[str, Any], line: Line
) -> AsyncGenerator[Chunk, None]:
    """All rows, in pieces of about 1 MB at most. Raises PullError."""
    host, timeout_s = configuration["host"], configuration["timeout"]
    meter = Meter(line, host)
    try:
        async with (
            asyncio.timeout(timeout_s + GRACE_S) as limit,
            connected(configuration, line, timeout_s, as_one=_Reading) as server,
        ):
            await _begun(server, statement.written(mark), [adapted(one) for one in parameters], timeout_s)
            async with aclosing(_fetched(server, meter)) as chunks:
                async for chunk in _in_time(chunks, limit, timeout_s + GRACE_S):
                    yield chunk
    except TimeoutError:
        raise PullError("timeout", LATE.format(host, timeout_s)) from None
    except psycopg.Error as error:
        raise meter.fault() or _told(error, statement, configuration) from None
    except (ValueError, ArithmeticError, LookupError, TypeError, RecursionError) as error:  # somebody plays PostgreSQL
        said = quoted(str(error), [configuration["password"]])
        raise PullError("data", f"{host} answered with a value that cannot be read: {said}", retry=False) from None


async def _in_time(
    chunks: AsyncGenerator[Chunk, None], limit: asyncio.Timeout, timeout_s: float
) -> AsyncIterator[Chunk]:
    """Each has so much time to come: what is done with it in between does not count."""
    loop = asyncio.get_running_loop()
    async for chunk in chunks:
        limit.reschedule(None)
        yield chunk
        limit.reschedule(loop.time() + timeout_s)


async def _begun(server: AsyncConnection[Any], query: str, parameters: Sequence[Any], timeout_s: int) -> None:
    """A cursor, which has read nothing yet. In a pipeline two statements in one are refused."""
    await server.set_autocommit(False)
    await server.set_read_only(True)
    settings = {**SETTINGS, "statement_timeout": str(timeout_s * SECOND_MS)}
    each = ", ".join(f"set_config(${at}, ${at + 1}, true)" for at in range(1, 2 * len(settings), 2))
    await server.execute(f"SELECT {each}".encode(), [part for pair in settings.items() for part in pair])
    with suppress(psycopg.Error):  # an old server, or one that cannot look: a savepoint takes it back
        async with server.transaction():
            await server.execute(f"SET LOCAL client_connection_check_interval = {LOOKS_MS}".encode())
    async with server.pipeline():
        await server.execute(f"{DECLARE}{query}".encode(), parameters)


async def _fetched(server: AsyncConnection[Any], meter: Meter) -> AsyncGenerator[Chunk, None]:
    """Row by row off the line: so many are asked for at once as make about 1 MB, if they go on like this."""
    asked = FIRST_ROWS
    meter.taken()
    while True:
        count = length = 0
        cursor = server.cursor()
        stream = cursor.stream(f"FETCH {asked} FROM pulled".encode())
        async with aclosing(stream) as rows:  # type: ignore[type-var]
            read: Callable[[Sequence[Any]], dict[str, Any]] | None = None
            found: list[Any] = []
            async for row in rows:
                read = read or _reader(cursor.description or ())
                found.append(read(row))
                if meter.came >= MOST_BYTES:
                    came = meter.taken()
                    count, length = count + len(found), length + came
                    yield found, came
                    found = []
            came = meter.taken()
            count, length = count + len(found), length + came
            yield found, came
        if count < asked:
            return
        asked = max(1, min(MOST_ROWS, MOST_BYTES * count // max(1, length)))


def _reader(columns: Sequence[Any]) -> Callable[[Sequence[Any]], dict[str, Any]]:
    """What makes objects of rows."""
    names = distinct([column.name for column in columns])
    makes = [(at, MAKES.get(column.type_code, plain)) for at, column in enumerate(columns)]
    others = [(at, make) for at, make in makes if make is not None]

    def read(row: Sequence[Any]) -> dict[str, Any]:
        found = list(row)
        for at, make in others:
            if found[at] is not None:
                found[at] = make(found[at])
        return dict(zip(names, found, strict=True))

    return read


def _told(error: psycopg.Error, statement: Statement, configuration: Mapping[str, Any]) -> PullError:
    if error.sqlstate == READ_ONLY:
        said = quoted(error.diag.message_primary or "", [configuration["password"]])
        return PullError("sql", CHANGES.format(said), retry=False)
    told = failed(error, statement, configuration["query"], configuration, configuration["timeout"], start=len(DECLARE))
    if told.error == ONE_AT_A_TIME:
        return PullError("sql", SEVERAL, retry=False)
    return of_failed(replace(told, error=told.error.removesuffix(NAMED_BY)))
