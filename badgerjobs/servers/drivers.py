"""Databases whose drivers Python programs share a way to talk to (DB-API): where the operator installed the driver."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from django.conf import settings

from badgerjobs.outbound.relay import LOOPBACK, Line
from badgerjobs.servers import mysql
from badgerjobs.servers.databases import POSTGRESQL, named_context
from badgerjobs.servers.statements import Statement

ODBC = "odbc"
READ_ONLY = "SET TRANSACTION READ ONLY"
# So many rows are read ahead by a driver that reads more than one.
ROWS_AHEAD = 25

# What an ODBC driver takes as it stands.
PLAIN = re.compile(r"[A-Za-z0-9_.-]+")

MISSING = "This installation has no {}, which {} needs. Its operator can install it."
NO_ODBC = "The ODBC driver “{}” is none of those that the operator of this installation lists in ODBC_DRIVERS: {}."
NO_TLS = "How “{}” is told to use TLS is not known here: of ODBC, it is for drivers for SQL Server."


@dataclass(frozen=True, slots=True)
class Driver:
    """How rows are read by a driver: its module and package, and how it connects to the other end of a line.

    `mark` is how the n-th parameter is written; where the same mark stands for all, `by_place`, each place has its own.
    `doubled` is what a statement's own signs of that kind are written twice. `begins` makes its transaction read.
    `check` raises TemplateError for a statement that the driver would not bind as it is meant. `end` has the server end
    what another connection asked for, where it does not see by itself that nobody waits. `hang_up` waits for nothing.
    """

    module: str
    package: str
    connect: Callable[[Any, Mapping[str, Any], Line, int], Any]
    cursor: Callable[[Any, Any], Any]
    mark: Callable[[int], str]
    by_place: bool = False
    doubled: str = ""
    begins: str = ""
    check: Callable[[Statement], None] = lambda _: None
    end: Callable[[Any, Any], None] | None = None
    hang_up: Callable[[Any, Any], None] = lambda server, _: server.close()


def _oracle(module: Any, given: Mapping[str, Any], line: Line, timeout_s: int) -> Any:
    module.defaults.fetch_lobs = False
    module.defaults.fetch_decimals = True
    secure: dict[str, Any] = {}
    if given["tls"] != "none":
        # By our own context: the driver's own check would be for the name of the line's end here.
        secure = {"protocol": "tcps", "ssl_context": named_context(given), "ssl_server_dn_match": False}
    server = module.connect(
        host=LOOPBACK,
        port=line.port,
        user=given["user"],
        password=given["password"],
        service_name=given["database"],
        tcp_connect_timeout=timeout_s,
        disable_oob=True,
        **secure,
    )
    server.call_timeout = timeout_s * 1000
    return server


def _ahead(_module: Any, server: Any) -> Any:
    cursor = server.cursor()
    cursor.arraysize = cursor.prefetchrows = ROWS_AHEAD
    return cursor


def _odbc(module: Any, given: Mapping[str, Any], line: Line, timeout_s: int) -> Any:
    module.pooling = False
    server = module.connect(odbc_string(given, line.port), timeout=timeout_s, autocommit=False, readonly=True)
    with suppress(module.Error):  # not all know of it; the line is cut in any case
        server.timeout = timeout_s
    if begins := _known(given["driver"]).begins:
        server.execute(begins.format(timeout_s * 1000))
        server.commit()
    return server


@dataclass(frozen=True, slots=True)
class _Known:
    """Drivers of ODBC with such words in their names.

    `told`: what has them give rows as they come (of the others, some keep all of them first), and values as they are.
    `begins` as of a `Driver`, for all transactions; and how many milliseconds a step may take, where that is one.
    """

    words: Sequence[str] = ()
    told: Mapping[str, str] = field(default_factory=dict)
    begins: str = ""


KNOWN = (
    _Known(
        ("postgres", "psqlodbc"), {"UseDeclareFetch": "1", "Fetch": str(ROWS_AHEAD), "BoolsAsChar": "0"},
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET statement_timeout = {}",
    ),
    _Known(("mysql", "mariadb", "maodbc"), begins=mysql.READ_ONLY),
)  # fmt: skip


def odbc_string(given: Mapping[str, Any], port: int) -> str:
    """What an ODBC driver is told: values in braces where that is needed, so that none says more than its own."""
    is_of_microsoft = "sql server" in given["driver"].lower()
    where = {"Server": f"{LOOPBACK},{port}"} if is_of_microsoft else {"Server": LOOPBACK, "Port": str(port)}
    parts = {"Driver": f"{{{given['driver']}}}", **where, "Database": _braced(given["database"])}
    if given["user"]:
        parts |= {"UID": _braced(given["user"]), "PWD": _braced(given["password"])}
    if is_of_microsoft:
        trusts = "no" if given["tls"] == "verify" else "yes"
        parts["Encrypt"] = "no" if given["tls"] == "none" else "yes"
        parts |= {"TrustServerCertificate": trusts, "HostNameInCertificate": given["host"]}
    return ";".join(f"{name}={value}" for name, value in {**parts, **_known(given["driver"]).told}.items())


def _braced(value: str) -> str:
    """Some drivers take braces for a part of the value, where none are needed."""
    return value if PLAIN.fullmatch(value) else f"{{{value.replace('}', '}}')}}}"


def _known(driver: str) -> "_Known":
    return next((one for one in KNOWN if any(word in driver.lower() for word in one.words)), _Known())


_MYSQL = Driver(
    "pymysql", "PyMySQL", mysql.connected, mysql.cursor, lambda _: "%s", by_place=True, doubled="%",
    begins=mysql.READ_ONLY, check=mysql.check, end=mysql.end, hang_up=mysql.hang_up,
)  # fmt: skip
DRIVERS: Mapping[str, Driver] = {
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "oracle": Driver("oracledb", "oracledb", _oracle, _ahead, lambda number: f":p{number}", begins=READ_ONLY),
    ODBC: Driver("pyodbc", "pyodbc", _odbc, lambda _, server: server.cursor(), lambda _: "?", by_place=True),
}  # fmt: skip
ENGINES = (POSTGRESQL, *DRIVERS)


def check(engine: str, statement: Statement) -> None:
    """Raise TemplateError for a statement whose parameters this database would not take for such."""
    if engine in DRIVERS:
        DRIVERS[engine].check(statement)


def lack_of_driver(engine: str, odbc_driver: str = "", tls: str = "none") -> str:
    """Why a database cannot be spoken to here, and who can help; empty where it can."""
    if engine == POSTGRESQL:
        return ""
    driver = DRIVERS[engine]
    if not find_spec(driver.module):
        return MISSING.format(driver.package, "ODBC" if engine == ODBC else engine)
    if engine == ODBC:
        if odbc_driver not in settings.ODBC_DRIVERS:
            return NO_ODBC.format(odbc_driver, ", ".join(settings.ODBC_DRIVERS) or "it lists none")
        if tls != "none" and "sql server" not in odbc_driver.lower():
            return NO_TLS.format(odbc_driver)
    return ""
