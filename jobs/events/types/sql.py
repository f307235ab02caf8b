"""Databases that are not PostgreSQL: through SQLAlchemy, where the operator of this installation added it."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from badgerjobs.lib.said import quoted
from badgerjobs.outbound.relay import LOOPBACK, Line
from badgerjobs.runs.outcomes import Done, Failed
from jobs.events.types import tls
from jobs.events.types.rows import kept
from jobs.events.types.statements import Statement

POSTGRESQL = "postgresql"


class _Named(ssl.SSLContext):
    """Checks a certificate by the server's own name, whatever port on loopback leads there."""

    host = ""

    def wrap_socket(self, sock: Any, *args: Any, **kwargs: Any) -> Any:
        return super().wrap_socket(sock, *args, **{**kwargs, "server_hostname": self.host})


def _pymysql(connection: Mapping[str, Any], timeout_s: int) -> dict[str, Any]:
    given: dict[str, Any] = {"connect_timeout": timeout_s, "read_timeout": timeout_s, "write_timeout": timeout_s}
    if connection["tls"] == "none":
        return {**given, "ssl_disabled": True}
    context = _Named(ssl.PROTOCOL_TLS_CLIENT)
    context.host = connection["host"]
    trusted = tls.context_of(connection)
    if connection["tls"] == "verify":
        context.load_verify_locations(
            cadata="".join(map(ssl.DER_cert_to_PEM_cert, trusted.get_ca_certs(binary_form=True)))
        )
    else:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return {**given, "ssl": context, "local_infile": False}


@dataclass(frozen=True, slots=True)
class Driver:
    """How SQLAlchemy reaches a database: its name for it, the driver's module and what that is told."""

    dialect: str
    module: str
    package: str
    arguments: Callable[[Mapping[str, Any], int], dict[str, Any]]


DRIVERS: Mapping[str, Driver] = {
    "mysql": Driver("mysql+pymysql", "pymysql", "PyMySQL", _pymysql),
    "mariadb": Driver("mariadb+pymysql", "pymysql", "PyMySQL", _pymysql),
}


def check_engine(engine: str) -> None:
    """Raise ValueError for a database that cannot be spoken to here, and say who can help."""
    if engine == POSTGRESQL:
        return
    driver = DRIVERS.get(engine)
    if driver is None:
        raise ValueError(f"“{engine}” is none of {', '.join([POSTGRESQL, *DRIVERS])}.")
    missing = [
        package
        for module, package in (("sqlalchemy", "SQLAlchemy"), (driver.module, driver.package))
        if not find_spec(module)
    ]
    if missing:
        raise ValueError(
            f"This installation has no {' and no '.join(missing)}, which {engine} needs. Its operator can install it."
        )


def mark(number: int) -> str:
    """How the n-th parameter is written."""
    return f":p{number}"


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
    sqlalchemy = import_module("sqlalchemy")  # only where the operator installed it

    driver = DRIVERS[connection["engine"]]
    url = sqlalchemy.URL.create(
        driver.dialect, connection["user"], connection["password"], LOOPBACK, line.port, connection["database"]
    )
    engine = sqlalchemy.create_engine(
        url, poolclass=sqlalchemy.NullPool, connect_args=driver.arguments(connection, timeout_s)
    )
    # A colon in the statement is its own: only ours are parameters.
    escaped = Statement([piece.replace(":", r"\:") for piece in statement.pieces], statement.paths, statement.ends)
    values = {f"p{at}": value for at, value in enumerate(parameters, 1)}
    try:
        with engine.connect() as server:
            if not writes:
                server.exec_driver_sql("SET TRANSACTION READ ONLY")
            result = server.execute(sqlalchemy.text(escaped.written(mark)), values)
            found = {} if not result.returns_rows else kept(list(result.keys()), result.fetchmany(rows + 1), rows)
            affected = {"rows_affected": max(0, result.rowcount)} if writes else {}
            if writes:
                server.commit()
    except sqlalchemy.exc.IntegrityError as error:
        return Failed("constraint", _said(error, connection), retry=False)
    except sqlalchemy.exc.OperationalError as error:
        said = _said(error, connection)
        if "password" in said.lower() or "access denied" in said.lower():
            return Failed("auth", f"{connection['host']} did not take the user and password.", retry=False)
        return Failed("connect", said)
    except sqlalchemy.exc.SQLAlchemyError as error:
        return Failed("sql", _said(error, connection), retry=False)
    return Done({**affected, **found})


def _said(error: Exception, connection: Mapping[str, Any]) -> str:
    original = getattr(error, "orig", None) or error
    return f"The database says: {quoted(str(original), [connection['password']])}"
