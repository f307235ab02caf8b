"""One statement on a database that is not PostgreSQL: through SQLAlchemy, where the operator added it."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from badgerjobs.outbound.relay import Line
from badgerjobs.runs.outcomes import Done, Failed
from badgerjobs.servers.databases import clause_of, engine_of, failed, values_of
from badgerjobs.servers.mysql import READ_ONLY
from badgerjobs.servers.statements import Statement
from jobs.events.types.rows import kept


def run(  # noqa: PLR0913
    statement: Statement,
    parameters: Sequence[Any],
    connection: Mapping[str, Any],
    line: Line,
    *,
    writes: bool,
    rows: int,
    timeout_s: int,
) -> Done | Failed:
    """Run it in a transaction, which is rolled back unless the event may write. Blocks."""
    errors = import_module("sqlalchemy").exc  # only where the operator installed it
    try:
        with engine_of(connection, line, timeout_s).connect() as server:
            if not writes:
                server.exec_driver_sql(READ_ONLY)
            result = server.execute(clause_of(statement), values_of(parameters))
            found = {} if not result.returns_rows else kept(list(result.keys()), result.fetchmany(rows + 1), rows)
            affected = {"rows_affected": max(0, result.rowcount)} if writes else {}
            if writes:
                server.commit()
    except errors.SQLAlchemyError as error:
        return failed(error, connection)
    return Done({**affected, **found})
