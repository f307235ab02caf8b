"""Databases that are not PostgreSQL: through SQLAlchemy, where the operator of this installation added it."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from badgerjobs.lib.said import quoted
from badgerjobs.outbound.relay import LOOPBACK, Line
from badgerjobs.runs.outcomes import Failed
from badgerjobs.servers import tls
from badgerjobs.servers.statements import Statement

POSTGRESQL = "postgresql"
# MySQL's and MariaDB's numbers: of a user or a database that is none, and of what the driver says of the connection.
NOBODY, AWAY = (1044, 1045, 1049), range(2000, 3000)
# And of what may not be so the next time, by the class that it is told as: locks and what somebody ended; too many
# connections, a server that stops or only reads (after a failover), a connection that it ended; its own time-outs.
PASSING: Mapping[int, str] = {
    **dict.fromkeys((1205, 1213, 1317), "sql"),
    **dict.fromkeys((1040, 1053, 1203, 1226, 1290, 1836, 1927, 4031), "connect"),
    **dict.fromkeys((1969, 3024), "timeout"),
}


class _Named(ssl.SSLContext):
    """Checks a certificate by the server's own name, whatever port on loopback leads there, and whoever forbids it."""

    host = ""

    def wrap_socket(self, sock: Any, *args: Any, **kwargs: Any) -> Any:
        if self.verify_mode is ssl.CERT_REQUIRED:
            self.check_hostname = True
        return super().wrap_socket(sock, *args, **{**kwargs, "server_hostname": self.host})


def pymysql_arguments(connection: Mapping[str, Any], timeout_s: int) -> dict[str, Any]:
    given: dict[str, Any] = {"connect_timeout": timeout_s, "read_timeout": timeout_s, "write_timeout": timeout_s}
    if connection["tls"] == "none":
        return {**given, "ssl_disabled": True}
    return {**given, "ssl": named_context(connection), "local_infile": False}


def named_context(connection: Mapping[str, Any]) -> ssl.SSLContext:
    """For a driver of one connection, which knows the server by a port on loopback."""
    context = _Named(ssl.PROTOCOL_TLS_CLIENT)
    context.host = connection["host"]
    trusted = tls.context_of(connection)
    if connection["tls"] == "verify":
        context.load_verify_locations(
            cadata="".join(map(ssl.DER_cert_to_PEM_cert, trusted.get_ca_certs(binary_form=True)))
        )
    else:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True)
class Driver:
    """How SQLAlchemy reaches a database: its name for it, the driver's module and what that is told."""

    dialect: str
    module: str
    package: str
    arguments: Callable[[Mapping[str, Any], int], dict[str, Any]]


DRIVERS: Mapping[str, Driver] = {
    "mysql": Driver("mysql+pymysql", "pymysql", "PyMySQL", pymysql_arguments),
    "mariadb": Driver("mariadb+pymysql", "pymysql", "PyMySQL", pymysql_arguments),
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


def engine_of(connection: Mapping[str, Any], line: Line, timeout_s: int) -> Any:
    """SQLAlchemy's engine at the other end of a line. It keeps no connection."""
    sqlalchemy = import_module("sqlalchemy")  # only where the operator installed it

    driver = DRIVERS[connection["engine"]]
    url = sqlalchemy.URL.create(
        driver.dialect, connection["user"], connection["password"], LOOPBACK, line.port, connection["database"]
    )
    return sqlalchemy.create_engine(
        url, poolclass=sqlalchemy.NullPool, connect_args=driver.arguments(connection, timeout_s)
    )


def clause_of(statement: Statement) -> Any:
    """SQLAlchemy's text of a statement. A colon in it is its own: only ours, as `mark` has them, are parameters."""
    escaped = Statement([piece.replace(":", r"\:") for piece in statement.pieces], statement.paths, statement.ends)
    return import_module("sqlalchemy").text(escaped.written(mark))


def values_of(parameters: Sequence[Any]) -> dict[str, Any]:
    """What is bound, by the names that `mark` gives."""
    return {f"p{at}": value for at, value in enumerate(parameters, 1)}


def failed(error: Exception, connection: Mapping[str, Any]) -> Failed:
    """What one of SQLAlchemy's errors says, for people."""
    errors = import_module("sqlalchemy").exc
    original = getattr(error, "orig", None) or error
    if isinstance(error, errors.IntegrityError):
        return Failed("constraint", _said(original, connection), retry=False)
    return failed_at(original, connection)


def failed_at(error: BaseException, connection: Mapping[str, Any]) -> Failed:
    """The same of what the driver said, by its number: it has one class for all that goes wrong at a server."""
    number, host = error.args[0] if error.args else None, connection["host"]
    if isinstance(error.__context__, TimeoutError):
        return Failed("timeout", f"{host} did not answer in time.")
    if number in NOBODY:
        return Failed("auth", f"{host} did not take the user and password, or the database.", retry=False)
    is_away = isinstance(number, int) and number in AWAY
    passing = "connect" if is_away else passing_class(error)
    return Failed(passing or "sql", _said(error, connection), retry=passing is not None)


def passing_class(error: BaseException) -> str | None:
    """As which class is told what MySQL or MariaDB says by this number, where it may not be so the next time."""
    number = error.args[0] if error.args else None
    return PASSING.get(number) if isinstance(number, int) else None


def words_of(error: BaseException) -> str:
    """What a driver says, without the number that it has beside it."""
    match error.args:
        case (int() | str(), str() as words):
            return words
    return str(error)


def _said(error: BaseException, connection: Mapping[str, Any]) -> str:
    return f"The database says: {quoted(words_of(error), [connection['password']])}"
