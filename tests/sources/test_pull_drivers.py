"""Rows by drivers that an operator installs: here by that of SQLite, which Python brings, behind a line to nobody."""

import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from time import process_time
from types import MappingProxyType, SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings
from rest_framework.exceptions import ValidationError

from badgerjobs.lib.handlebars import TemplateError
from badgerjobs.outbound.only_there import SentAwayError, only_to
from badgerjobs.outbound.relay import Line
from badgerjobs.servers import drivers, mysql
from badgerjobs.servers.drivers import Driver, odbc_string
from badgerjobs.servers.statements import Statement, read
from badgerjobs.sources.rows import drivers as rows
from badgerjobs.sources.rows.drivers import _told, _written
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.sql_values import number, plain
from tests.in_turn import in_turn
from tests.sources.fetching import source_of
from tests.sources.pulling import Pulled, pulled
from tests.stand_ins import Silent
from tests.waiting import until

Query = Callable[..., Pulled]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with 2,500 products, that is said to be Oracle: its parameters have names as well."""
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as made:
        made.execute("CREATE TABLE product (id INTEGER, name TEXT, price REAL, picture BLOB)")
        rows = ((at, f"product {at}", at / 2, b"\x00\xff") for at in range(2500))
        made.executemany("INSERT INTO product VALUES (?, ?, ?, ?)", rows)
    made.close()
    driver = Driver(
        "sqlite3", "SQLite", lambda module, *_: module.connect(file), lambda _, server: server.cursor(),
        lambda at: f":p{at}", begins="BEGIN", end=lambda _, given_up: given_up.interrupt(),
    )  # fmt: skip
    monkeypatch.setattr(drivers, "DRIVERS", MappingProxyType({**drivers.DRIVERS, "oracle": driver}))
    monkeypatch.setattr("badgerjobs.sources.rows.drivers.DRIVERS", {"oracle": driver})
    return file


@pytest.fixture
def server() -> Iterator[dict[str, Any]]:
    with Silent() as silent:
        yield {"engine": "oracle", "host": "db.example.com", "port": silent.port, "database": "shop", "tls": "none",
               "user": "reader", "password": "hunter2"}  # fmt: skip


@pytest.fixture
def query(shop: Path, server: dict[str, Any]) -> Query:
    def ask(text: str, values: Any = None, *, most: int | None = None, **more: Any) -> Pulled:
        return pulled(source_of("SQL", **{**server, "query": text, **more}), values, most=most)

    return ask


def test_rows_come_in_batches(query: Query) -> None:
    found = query("SELECT * FROM product WHERE id >= {{FROM}} AND name <> {{NOT}} ORDER BY id", {"FROM": 5, "NOT": "x"})
    assert [row["id"] for row in found.rows] == list(range(5, 2500))
    assert found.rows[0] == {"id": 5, "name": "product 5", "price": 2.5, "picture": "AP8="}
    assert max(map(len, found.batches)) <= 1000


def test_who_stops_in_the_middle_is_not_waited_for(query: Query) -> None:
    text = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    assert len(query(text, most=2).rows) == 2000


def test_what_a_query_changes_is_not_kept(query: Query, shop: Path) -> None:
    with pytest.raises(PullError, match="The query gives no rows: it is none that reads"):
        query("WITH x AS (SELECT 1) DELETE FROM product")
    with sqlite3.connect(shop) as looked:
        assert looked.execute("SELECT count(*) FROM product").fetchone() == (2500,)
    looked.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [("SELECT nme FROM product", "The database says: no such column: nme"),
     ("SELECT * FROM hunter2", "The database says: no such table: "),
     ("SELECT 1; SELECT 2", "The database says: You can only execute one statement at a time.")],
)  # fmt: skip
def test_what_the_database_says_is_told_without_the_password(query: Query, text: str, said: str) -> None:
    with pytest.raises(PullError) as raised:
        query(text)
    assert raised.value.error_class == "sql"
    assert raised.value.sentence.startswith(said)
    assert "hunter2" not in raised.value.sentence


def test_a_query_that_takes_too_long_is_given_up(query: Query) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000000) SELECT max(i) FROM n"
    with pytest.raises(PullError) as raised:
        query(endless, timeout=1)
    assert (raised.value.error_class, raised.value.retry) == ("timeout", True)


def test_what_is_given_up_is_ended_at_the_server(query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "GRACE_S", -0.9)
    monkeypatch.setattr(rows, "STOPS_S", 0)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(PullError):
        query(endless, timeout=1)
    until(lambda: all(thread.name != "rows" for thread in threading.enumerate()))


def test_pymysql_is_told_what_rows_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever form it has them: numbers of types, and what reads each of them."""
    types = SimpleNamespace(BIT=16, JSON=245, LONG=3)
    converters = SimpleNamespace(conversions={3: int, 16: bytes, str: repr})
    monkeypatch.setitem(sys.modules, "itsql.constants.FIELD_TYPE", types)
    monkeypatch.setitem(sys.modules, "itsql.converters", converters)
    monkeypatch.setitem(sys.modules, "itsql.constants", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "itsql", SimpleNamespace())
    module = SimpleNamespace(__name__="itsql", connect=lambda **given: given)
    given = {"user": "me", "password": "secret", "database": "shop", "tls": "none", "host": "db.example.com"}
    told = mysql.connected(module, given, Line(4711, 0), 7)
    assert (told["host"], told["port"], told["read_timeout"]) == ("127.0.0.1", 4711, 7)
    assert told["init_command"] == "SET SESSION time_zone = '+00:00', net_write_timeout = 3600"
    conv = told["conv"]
    assert (conv[16](b"\x08\x01"), conv[245]('{"a": [1]}'), conv[3], conv[str]) == (2049, {"a": [1]}, int, repr)
    assert conv[245]("9" * 400) == "9" * 400


def test_pymysql_does_not_read_on_when_nobody_wants_more() -> None:
    result = SimpleNamespace(unbuffered_active=True, has_next=True)
    closed: list[bool] = []
    server = SimpleNamespace(close=lambda: closed.append(result.unbuffered_active or result.has_next))
    mysql.hang_up(server, SimpleNamespace(_result=result))
    mysql.hang_up(server, SimpleNamespace(_result=None))
    assert closed == [False, False]


class Results:
    """What a procedure gives, one result after the other: columns and rows, or an error."""

    def __init__(self, results: list[Any]) -> None:
        self._results = results
        self._at = 0

    @property
    def description(self) -> Any:
        names = self._results[self._at][0]
        return [(name,) for name in names] if names else None

    def execute(self, *_: Any) -> None:
        """Nothing to do: they are there."""

    def fetchone(self) -> Any:
        rows = self._results[self._at][1]
        return rows.pop(0) if rows else None

    def nextset(self) -> bool:
        self._at += 1
        if self._at < len(self._results) and isinstance(self._results[self._at], Exception):
            raise self._results[self._at]
        return self._at < len(self._results)


@pytest.fixture
def called(query: Query, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Pulled]:
    """Asks for what a procedure gives."""

    def call(*results: Any) -> Pulled:
        driver = replace(drivers.DRIVERS["oracle"], cursor=lambda *_: Results(list(results)), begins="")
        monkeypatch.setattr(rows, "DRIVERS", {"oracle": driver})
        return query("SELECT 1")

    return call


def test_rows_of_a_procedure_are_those_of_its_first_result_that_has_some(called: Callable[..., Pulled]) -> None:
    changed: Any = ((), [])
    first, second = (("id",), [(1,), (2,)]), (("other",), [(3,)])
    assert called(changed, first, second, changed).rows == [{"id": 1}, {"id": 2}]
    with pytest.raises(PullError, match="The query gives no rows"):
        called(changed, changed)


def test_a_procedure_that_fails_after_its_rows_fails_the_pull(called: Callable[..., Pulled]) -> None:
    with pytest.raises(PullError, match="The database says: it was all wrong"):
        called((("id",), [(1,)]), ValueError("it was all wrong"))


@in_turn(
    "text",
    [
        "SELECT 'it\\'s {{A}}'", "SELECT 1 # '\n, '{{A}}'", "SELECT `'`, '{{A}}'", "SELECT 'a\\', {{A}}, '\\'",
        "SELECT /*! ' */ {{A}} /* ' */", 'SELECT {{B}}, "\\"", {{A}}, 1', "SELECT 1 --1 /*!99999\n, {{A}} */",
        "SELECT 1 --1 /*M!\n, {{A}} */", "SELECT 1 /*!99999 /* */ , {{A}} */", "SELECT 1 /*! -- */ , {{A}}\n*/",
        "SELECT 1 /*! # */ , {{A}}\n*/", "SELECT 1 --1 /*! '*/'\n, {{A}} /*'*/", "SELECT /*! 'a\\' */, {{A}}, ' */ 1 '",
        "SELECT /*+ QB_NAME(`a*/ 1, {{A}}, /*`) */ 1", """SELECT 'it\\'s', "a'\\", " {{A}} \"""",
        """SELECT "it\\"s", 'a"\\', ' {{A}} '""", "SELECT 1 --\u00a0'\n, {{A}}, '", "SELECT 1 --\x7f`\n, `{{A}}`",
    ],
)  # fmt: skip
def test_what_stands_in_quotes_to_mysql_alone_is_refused(text: str) -> None:
    with pytest.raises(
        TemplateError, match=r"^\{\{A\}\} stands in quotes or in a comment, as MySQL and MariaDB read it"
    ):
        mysql.check(read(text))


@in_turn(
    "text",
    [
        "SELECT 'it''s', {{A}}", "SELECT `a`, {{A}} -- it's\n", "SELECT a #b\n, {{A}}", "SELECT /* ' */ {{A}}",
        "SELECT 'a\\\\', {{A}}", "SELECT 'a\\n', \"it's\", {{A}}, {{A}}, 'x'", "SELECT 'it\\'s'",
        "SELECT /*!40001 SQL_NO_CACHE */ a / 2 * -b FROM t WHERE id = {{A}} /*M! LIMIT 1 */", "SELECT 5--{{A}}",
        "SELECT /*+ SET_VAR(optimizer_switch = 'mrr=off') MAX_EXECUTION_TIME(1000) */ {{A}}", "SELECT 5 -- x\n, {{A}}",
        "SELECT /*!50000 a*b/c-d, `e`, \"f\" */, {{A}}",
    ],
)  # fmt: skip
def test_what_stands_outside_of_quotes_is_bound(text: str) -> None:
    mysql.check(read(text))


@in_turn(
    "sign", ["'", '"', "`", "'\\", '"\\', "''\"", "/*", "/*!", "/*! */", "/*!'a'", "/*+ -", "--", "-- '", "#'", "\\'\""]
)
def test_quotes_without_end_are_read_once(sign: str) -> None:
    """What would be read again from each place takes minutes and not a part of a second."""
    began = process_time()
    mysql.check(Statement([sign * (100_000 // len(sign))], [], []))
    assert process_time() - began < 5


SAID = [
    ((1045, "Access denied for user 'reader'"), "auth", False),
    ((1049, "Unknown database 'shop'"), "auth", False),
    ((2026, "SSL is required but the server doesn't support it"), "tls", True),
    ((2013, "Lost connection to MySQL server during query"), "connect", True),
    ((1054, "Unknown column 'nme' in 'field list'"), "sql", False),
    ((1213, "Deadlock found when trying to get lock"), "sql", True),
    *(((number, "It passes"), "connect", True) for number in (1040, 1053, 1203, 1226, 1290, 1836, 1927, 4031)),
    *(((number, "It took too long"), "timeout", True) for number in (1969, 3024)),
    (("ORA-01017: invalid credential or not authorized; logon denied",), "auth", False),
    (('ORA-00904: "NME": invalid identifier',), "sql", False),
    (("DPY-6005: cannot connect to database",), "connect", True),
    (("28000", "[28000] [Microsoft] Login failed for user 'reader'. (18456)"), "auth", False),
    (("HYT00", "('HYT00', 'Login timeout expired')"), "timeout", True),
    (("08001", '[08001] FATAL: database "shop" does not exist\n (101) (SQLDriverConnect)'), "auth", False),
    (("42000", "[42000] [ma-3.1.15]Unknown database 'shop' (1049) (SQLDriverConnect)"), "auth", False),
    (("25006", "[25006] Cannot execute statement in a READ ONLY transaction (1792)"), "sql", False),
]


@pytest.mark.parametrize(("said", "error_class", "retry"), SAID, ids=[str(one[0][0])[:20] for one in SAID])
def test_what_drivers_say_by_number_is_known(said: tuple[Any, ...], error_class: str, retry: bool) -> None:
    error = _told(Exception(*said), {"host": "db.example.com", "password": "hunter2"})
    assert (error.error_class, error.retry) == (error_class, retry)


def behind(cause: Exception, error: Exception) -> Exception:
    """An error that a driver made of another one."""
    error.__context__ = cause
    return error


@in_turn(
    "error, error_class, retry, said",
    [
        (Exception(1792, "Cannot execute statement in a READ ONLY transaction"), "sql", False,
         "The query changes something: Cannot execute statement in a READ ONLY transaction. A source only reads."),
        (Exception(1054, "Unknown column 'nme'"), "sql", False, "The database says: Unknown column 'nme'."),
        (Exception("Packet sequence number wrong - got 32"), "protocol", True,
         "db.example.com may be another kind of server, or want TLS: Packet sequence number wrong - got 32."),
        (Exception("08001", '[08001] connection to server at "127.0.0.1", port 4711 failed: FATAL:  no'), "connect",
         True, "The database says: [08001] FATAL: no."),
        (Exception('DPY-6001: No “XE” at host "127.0.0.1" port 4711 (CONNECTION_ID=B/A==).\nHelp: https://oracle/x#dpy'),
         "connect", True, "The database says: DPY-6001: No “XE”."),
        (behind(TimeoutError(), Exception(2013, "Lost connection to MySQL server during query (timed out)")), "timeout",
         True, "db.example.com gave no more rows within 7 s."),
    ],
)  # fmt: skip
def test_what_drivers_say_is_told_to_people(error: Exception, error_class: str, retry: bool, said: str) -> None:
    told = _told(error, {"host": "db.example.com", "password": "hunter2", "timeout": 7})
    assert (told.error_class, told.retry, told.sentence) == (error_class, retry, said)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Decimal("12.50"), 12.5), (Decimal("0.1234567890123456789"), "0.1234567890123456789"), (Decimal(7), 7),
        (Decimal("NaN"), None), (Decimal("1E+3"), 1000.0), (float("nan"), None), (float("inf"), None), (True, True),
        (datetime(2026, 2, 3, 4, 5, tzinfo=UTC), "2026-02-03T04:05:00+00:00"), (date(2026, 2, 3), "2026-02-03"),
        (time(4, 5), "04:05:00"), (timedelta(days=1, hours=2, milliseconds=1500), "P1DT2H1.5S"),
        (-timedelta(minutes=1), "-PT1M"), (timedelta(), "PT0S"), (b"\x00\xff", "AP8="), (bytearray(b"a"), "YQ=="),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"), ({"a": (1, b"a")}, {"a": [1, "YQ=="]}),
    ],
    ids=str,
)  # fmt: skip
def test_values_are_json(given: Any, expected: Any) -> None:
    assert plain(given) == expected


def test_numbers_of_many_digits_are_exact_or_texts() -> None:
    assert number("9" * 300) == int("9" * 300)
    assert number("9" * 301) == "9" * 301
    assert number("1" * 250 + ".5") == "1" * 250 + ".5"
    assert number("1e999") == "1e999"


def test_parameters_stand_in_their_places_where_a_driver_has_no_names() -> None:
    statement = read("SELECT 5 % 2, {{A}}, {{B}}, {{A}}, '100%'")
    assert _written(drivers.DRIVERS["mysql"], statement, [1, datetime(2026, 2, 3, tzinfo=UTC)]) == (
        "SELECT 5 %% 2, %s, %s, %s, '100%%'", [1, datetime(2026, 2, 3), 1],  # noqa: DTZ001  as such columns have it
    )  # fmt: skip
    assert _written(drivers.DRIVERS["oracle"], statement, [1, 2]) == (
        "SELECT 5 % 2, :p1, :p2, :p1, '100%'", {"p1": 1, "p2": 2},
    )  # fmt: skip


@in_turn(
    "given, said",
    [
        ({"driver": "ODBC Driver 18 for SQL Server", "tls": "verify"},
         ["Driver={ODBC Driver 18 for SQL Server}", "Server=127.0.0.1,4711", "Database={a}};Server=10.0.0.1}", "UID=u",
          "PWD={p;}}}", "Encrypt=yes", "TrustServerCertificate=no", "HostNameInCertificate=db.example.com"]),
        ({"driver": "PostgreSQL Unicode", "database": "shop", "tls": "none"},
         ["Driver={PostgreSQL Unicode}", "Server=127.0.0.1", "Port=4711", "Database=shop", "UID=u", "PWD={p;}}}",
          "UseDeclareFetch=1", "Fetch=25", "BoolsAsChar=0"]),
        ({"driver": "Mine", "user": "", "database": "a b", "tls": "none"},
         ["Driver={Mine}", "Server=127.0.0.1", "Port=4711", "Database={a b}"]),
    ],
)  # fmt: skip
def test_nothing_says_more_in_a_string_of_odbc_than_its_own(given: dict[str, Any], said: list[str]) -> None:
    usual = {"database": "a};Server=10.0.0.1", "user": "u", "password": "p;}", "host": "db.example.com"}
    assert odbc_string({**usual, **given}, 4711) == ";".join(said)


PSQLODBC = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"


class ODBCServer:
    """Knows of no time-out for a connection, as psqlODBC does not."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @property
    def timeout(self) -> int:
        return 0

    @timeout.setter
    def timeout(self, _: int) -> None:
        raise sqlite3.Error("Couldn't set unsupported connect attribute 113")

    def execute(self, text: str) -> None:
        self.asked.append(text)

    def commit(self) -> None:
        self.asked.append("COMMIT")


@in_turn(
    "driver, asked",
    [
        ("PostgreSQL Unicode", [f"{PSQLODBC}; SET statement_timeout = 7000", "COMMIT"]),
        ("MariaDB Unicode", ["SET SESSION TRANSACTION READ ONLY", "COMMIT"]),
        ("ODBC Driver 18 for SQL Server", []),
    ],
)
def test_what_is_known_of_a_driver_of_odbc_has_it_only_read(driver: str, asked: list[str]) -> None:
    server = ODBCServer()
    module = SimpleNamespace(Error=sqlite3.Error, connect=lambda *_, **__: server)
    given = {"driver": driver, "database": "shop", "user": "", "password": "", "host": "db.example.com", "tls": "none"}
    assert drivers.DRIVERS["odbc"].connect(module, given, Line(4711, 0), 7) is server
    assert server.asked == asked


REFUSED = [
    ({"engine": "mysql"}, "engine",
     "This installation has no PyMySQL, which mysql needs. Its operator can install it."),
    ({"engine": "db2"}, "engine", "“db2” is none of postgresql, mysql, mariadb, oracle, odbc."),
    ({"engine": "odbc"}, "driver", "Name the driver, as the operator of this installation calls it."),
    ({"engine": "odbc", "driver": "SQLite3"}, "driver",
     "The ODBC driver “SQLite3” is none of those that the operator of this installation lists in ODBC_DRIVERS: Mine."),
    ({"engine": "odbc", "driver": "Mine", "tls": "verify"}, "driver",
     "How “Mine” is told to use TLS is not known here: of ODBC, it is for drivers for SQL Server."),
    ({"query": "DELETE FROM product"}, "query",
     "A query begins with SELECT, WITH, VALUES or TABLE, and this with DELETE."),
    ({"query": "SELECT {{a.b}}"}, "query", "“a.b” is no name of a variable"),
    ({"query": "SELECT '{{A}}'"}, "query", "{{A}} stands in quotes"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "field", "said"), REFUSED, ids=[str(one[0]) for one in REFUSED])
def test_what_cannot_be_asked_is_refused_when_it_is_stored(
    given: dict[str, Any], field: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {"pyodbc", "oracledb"}
    monkeypatch.setattr(drivers, "find_spec", lambda name: name in installed or None)
    whole = {"host": "db.example.com", "database": "shop", "query": "SELECT 1", "tls": "none", **given}
    with override_settings(ODBC_DRIVERS=["Mine"]), pytest.raises(ValidationError) as raised:
        source_of("SQL", **whole)
    assert said in str(raised.value.detail["configuration"][field][0])  # type: ignore[index,call-overload]


@pytest.mark.parametrize(("engine", "port"), [("mysql", 3306), ("oracle", 1521), ("postgresql", 5432)])
def test_each_has_its_port(engine: str, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "find_spec", lambda _: True)
    source = source_of("SQL", engine=engine, host="db.example.com", database="shop", query="SELECT 1")
    assert source.configuration["port"] == port


def test_a_server_that_sends_its_callers_on_is_refused() -> None:
    error = OSError("DPY-6005: cannot connect to database")
    error.__cause__ = SentAwayError("elsewhere")
    told = _told(error, {"host": "db.example.com", "password": ""})
    assert (told.error_class, told.sentence, told.retry) == (
        "refused", "db.example.com sends its callers on to another address, where nobody follows it.", False,
    )  # fmt: skip


def test_a_driver_that_is_sent_away_goes_nowhere() -> None:
    with Silent() as there, Silent() as elsewhere:
        with only_to(there.port):
            socket.create_connection(("127.0.0.1", there.port)).close()
            with pytest.raises(SentAwayError, match="sends its callers on to another address"):
                socket.create_connection(("127.0.0.1", elsewhere.port))
            with pytest.raises(SentAwayError, match="sends its callers on to another name"):
                socket.create_connection(("db.example.com", 1521))
        socket.create_connection(("127.0.0.1", elsewhere.port)).close()
