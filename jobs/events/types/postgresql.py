"""One statement on somebody's PostgreSQL, in a transaction of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from badgerjobs.lib.said import quoted
from badgerjobs.outbound.relay import Line
from badgerjobs.runs.outcomes import Done, Failed
from badgerjobs.servers.postgresql import Server, adapted, connected, distinct, failed, mark
from badgerjobs.servers.statements import Statement
from jobs.events.types.rows import kept

# What PostgreSQL has for one.
SECOND_MS = 1000


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
        async with connected(connection, line, timeout_s) as server:
            await server.set_read_only(not writes)
            async with server.transaction():
                await server.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(timeout_s * SECOND_MS))
                query, given = statement.written(mark), [adapted(one) for one in parameters]
                result = await (_changed if writes else _read)(server, query, given, rows)
        return Done(result)
    except _Enough as enough:
        return Done(enough.result)
    except psycopg.Error as error:
        if line.is_full:
            return Failed("too_large", f"{host} answered with more than 16 MB: ask for less.", retry=False)
        return failed(error, statement, text, connection, timeout_s)
    except (ValueError, ArithmeticError, LookupError, TypeError, RecursionError) as error:  # somebody plays PostgreSQL
        said = quoted(str(error), [connection["password"]])
        return Failed("data", f"{host} answered with a value that cannot be read: {said}", retry=False)


class _Enough(Exception):  # noqa: N818  no error: the rest is not asked for
    def __init__(self, result: dict[str, Any]) -> None:
        self.result = result


async def _read(server: Server, query: str, given: Sequence[Any], most: int) -> dict[str, Any]:
    """Row by row, so that what is not kept is not fetched. Raises _Enough when there is more."""
    cursor = server.cursor()
    found: list[Any] = []
    columns: list[str] = []
    async for row in cursor.stream(query, given):
        columns = columns or [column.name for column in cursor.description or ()]
        found.append(row)
        result = kept(distinct(columns), found, most) if len(found) > most else None
        if result:
            server.pgconn.finish()
            raise _Enough(result)
    return kept(distinct(columns), found, most)


async def _changed(server: Server, query: str, given: Sequence[Any], most: int) -> dict[str, Any]:
    """To its end, whatever it returns. In a pipeline, where two statements in one are refused."""
    cursor = server.cursor()
    async with server.pipeline():
        await cursor.execute(query, given)
    if cursor.description is None:
        return {"rows_affected": max(0, cursor.rowcount)}
    columns = distinct([column.name for column in cursor.description])
    return {"rows_affected": cursor.rowcount, **kept(columns, await cursor.fetchmany(most + 1), most)}
