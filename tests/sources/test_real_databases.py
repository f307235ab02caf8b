"""Rows of real servers, where there are some: what stands in for them elsewhere says only what we think they say."""

import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.test import override_settings

from badgerjobs.sources.rows.pulling import PullError
from tests.in_turn import in_turn
from tests.sources.fetching import source_of
from tests.sources.pulling import Pulled, pulled
from tests.waiting import until

Query = Callable[..., Pulled]

MARIADB_URL, ODBC_URL = os.environ.get("MARIADB_URL", ""), os.environ.get("ODBC_URL", "")
of_mariadb = pytest.mark.skipif(
    not MARIADB_URL,
    reason="it needs PyMySQL, and a MariaDB or MySQL: set MARIADB_URL, like mysql://user:password@127.0.0.1:3306/shop",
)
of_odbc = pytest.mark.skipif(
    not ODBC_URL,
    reason="it needs pyodbc, and a PostgreSQL or MariaDB with a driver: set ODBC_URL,"
    " like odbc://user:password@127.0.0.1:5432/shop?driver=PostgreSQL+Unicode",
)
# A thousand rows, and as many times as many.
THOUSAND = "(SELECT a.n + 10 * b.n + 100 * c.n AS n FROM digit a, digit b, digit c) t"
# It takes minutes, and gives nothing meanwhile.
LONG = f"SELECT count(*) FROM {THOUSAND}1, {THOUSAND}2, {THOUSAND}3, {THOUSAND}4 WHERE t1.n + t2.n * t3.n = t4.n + 0.5"


def at(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "host": parts.hostname, "port": parts.port, "database": unquote(parts.path[1:]), "tls": "none",
        "user": unquote(parts.username or ""), "password": unquote(parts.password or ""),
    }  # fmt: skip


def fails(query: Query, text: str, **how: Any) -> PullError:
    with pytest.raises(PullError) as raised:
        query(text, **how)
    return raised.value


@pytest.fixture
def mariadb() -> Iterator[Any]:
    """Somebody's database, to look into it and to change it. What a test makes there is gone with the test."""
    pymysql = pytest.importorskip("pymysql")
    given = at(MARIADB_URL)
    name = f"{given['database']}_rows"
    with pymysql.connect(
        host=given["host"], port=given["port"], user=given["user"], password=given["password"], autocommit=True
    ) as server, server.cursor() as cursor:  # fmt: skip
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(f"USE {name}")
        cursor.execute("CREATE TABLE digit (n integer)")
        cursor.execute("INSERT INTO digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)")
        yield cursor
        cursor.execute(f"DROP DATABASE {name}")


@pytest.fixture
def query(mariadb: Any) -> Query:
    given = at(MARIADB_URL)

    def ask(text: str, values: Any = None, *, most: int | None = None, **more: Any) -> Pulled:
        whole = {"engine": "mariadb", **given, "database": f"{given['database']}_rows", "query": text, **more}
        return pulled(source_of("SQL", **whole), values, most=most, allow=[given["host"]])

    return ask


# A type, a value of it as SQL has it, and as JSON does.
KINDS = [
    ("tinyint", "-128", -128), ("boolean", "true", 1), ("bigint unsigned", "18446744073709551615", 2**64 - 1),
    ("decimal(30, 20)", "0.12345678901234567890", "0.12345678901234567890"), ("decimal(9, 2)", "12.50", 12.5),
    ("double", "1e300", 1e300), ("year", "2026", 2026), ("bit(12)", "b'100000000001'", 2049), ("bit", "b'1'", 1),
    ("date", "'2026-02-03'", "2026-02-03"), ("datetime(6)", "'2026-02-03 04:05:06.07'", "2026-02-03T04:05:06.070000"),
    ("datetime", "'2026-02-03 04:05:06'", "2026-02-03T04:05:06"), ("time", "'04:05:06'", "PT4H5M6S"),
    ("timestamp NULL", "'2026-02-03 04:05:06'", "2026-02-03T02:05:06"), ("time(3)", "'-101:00:01.500'", "-P4DT5H1.5S"),
    ("date", "'0000-00-00'", "0000-00-00"), ("datetime", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00"),
    ("date", "'2026-00-00'", "2026-00-00"), ("blob", "x'00ff'", "AP8="), ("binary(3)", "'ab'", "YWIA"),
    ("text CHARACTER SET utf8mb4", "'🦡 é'", "🦡 é"), ("varchar(9) CHARACTER SET latin1", "'é'", "é"),
    ("enum('a', 'b')", "'b'", "b"), ("set('a', 'b')", "'a,b'", "a,b"), ("integer", "NULL", None),
    ("blob", "NULL", None), ("time", "NULL", None), ("bit", "NULL", None),
]  # fmt: skip


@of_mariadb
def test_values_of_mariadb_are_json(mariadb: Any, query: Query) -> None:
    mariadb.execute("SET sql_mode = '', time_zone = '+02:00'")
    columns = ", ".join(f"c{at} {kind}" for at, (kind, _, _) in enumerate(KINDS))
    mariadb.execute(f"CREATE TABLE kinds ({columns})")
    mariadb.execute(f"INSERT INTO kinds VALUES ({', '.join(value for _, value, _ in KINDS)})")
    [row] = query("SELECT * FROM kinds").rows
    assert list(row.values()) == [expected for _, _, expected in KINDS]


@of_mariadb
def test_rows_of_mariadb_come_while_it_has_more(query: Query) -> None:
    text = f"SELECT t1.n, repeat('x', 20000) AS said FROM {THOUSAND}1, {THOUSAND}2"
    tracemalloc.start()
    found = query(text, most=20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    came = sum(len(row["said"]) for row in found.rows)
    assert 10_000_000 < came < 30_000_000
    assert peak < came + 10_000_000


@of_mariadb
def test_values_are_bound_in_their_places(query: Query) -> None:
    hostile = "x' OR '1' = '1"
    text = "SELECT {{A}} AS a, {{A}} AS b, '100%' AS c, 7 % 4 AS d, {{B}} AS e"
    assert query(text, {"A": hostile, "B": "\\' 🦡"}).rows == [
        {"a": hostile, "b": hostile, "c": "100%", "d": 3, "e": "\\' 🦡"}
    ]


@of_mariadb
@in_turn("text", ["SELECT 'it\\'s {{A}}'", "SELECT 1 # '\n, '{{A}}'", "SELECT '\\', {{A}}, '"])
def test_no_value_gets_into_quotes(text: str, query: Query) -> None:
    with pytest.raises(Exception, match="stands in quotes"):
        query(text, {"A": " OR 1 = 1 -- "})


@of_mariadb
def test_what_a_query_changes_in_mariadb_is_refused(mariadb: Any, query: Query) -> None:
    mariadb.execute("CREATE FUNCTION grow() RETURNS integer BEGIN INSERT INTO digit VALUES (10); RETURN 1; END")
    for name, body in {
        "grown": "INSERT INTO digit VALUES (10); SELECT 1;",
        "kept": "SELECT 1; COMMIT; INSERT INTO digit VALUES (10); COMMIT;",
        "made": "CREATE TABLE other (n integer); SELECT 1;",
        "emptied": "TRUNCATE digit; SELECT 1;",
    }.items():
        mariadb.execute(f"CREATE PROCEDURE {name}() BEGIN {body} END")
    for text in ("SELECT grow()", "CALL grown()", "CALL kept()", "CALL made()", "CALL emptied()"):
        error = fails(query, text)
        assert (error.error_class, error.retry) == ("sql", False), text
        assert error.sentence.startswith("The query changes something: "), text
    mariadb.execute("SELECT count(*) FROM digit")
    assert mariadb.fetchone() == (10,)


@of_mariadb
def test_a_procedure_that_fails_after_its_rows_fails_the_pull(mariadb: Any, query: Query) -> None:
    mariadb.execute("CREATE PROCEDURE fine() BEGIN SELECT n FROM digit; SELECT 'more'; END")
    mariadb.execute("CREATE PROCEDURE wrong() BEGIN SELECT n FROM digit; SIGNAL SQLSTATE '45000'; END")
    assert len(query("CALL fine()").rows) == 10
    assert fails(query, "CALL wrong()").error_class == "sql"


@of_mariadb
def test_what_goes_wrong_with_mariadb_is_said(query: Query) -> None:
    for text, how, expected in (
        ("SELECT nme FROM digit", {}, ("sql", False, "The database says: Unknown column 'nme' in")),
        ("SELECT * FROM nowhere", {}, ("sql", False, "The database says: Table ")),
        ("SELECT FROM digit", {}, ("sql", False, "The database says: You have an error in your SQL syntax; ")),
        ("SELECT 1; SELECT 2", {}, ("sql", False, "The database says: You have an error in your SQL syntax; ")),
        ("SELECT 1", {"password": "wrong"}, ("auth", False, "127.0.0.1 did not take the user and password")),
        ("SELECT 1", {"database": "nowhere"}, ("auth", False, "127.0.0.1 did not take the user and password")),
        ("SELECT sleep(3)", {"timeout": 1}, ("timeout", True, "127.0.0.1 gave no more rows within 1 s.")),
    ):
        error = fails(query, text, **how)
        assert (error.error_class, error.retry, error.sentence[: len(expected[2])]) == expected, error.sentence


@of_mariadb
def test_mariadb_ends_what_nobody_waits_for(mariadb: Any, query: Query) -> None:
    assert fails(query, LONG, timeout=1).error_class == "timeout"

    def is_ended() -> bool:
        mariadb.execute("SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'SELECT count(*) FROM (%'")
        return bool(mariadb.fetchone() == (0,))

    until(is_ended)


@of_mariadb
def test_mariadb_may_have_tls(query: Query) -> None:
    said = parse_qs(urlsplit(MARIADB_URL).query)
    if "ca" not in said:
        assert fails(query, "SELECT 1", tls="verify").error_class == "tls"
        pytest.skip("MARIADB_URL does not say whom to trust, and under which name: …?ca=ca.pem&name=db.example.com")
    [file], [name] = said["ca"], said["name"]
    secure = {"host": name, "certificates": Path(file).read_text()}
    text = "SHOW STATUS LIKE 'Ssl_version'"
    assert query(text, tls="verify", **secure).rows[0]["Value"].startswith("TLS")
    assert query(text, tls="unverified").rows[0]["Value"].startswith("TLS")
    assert query(text).rows[0]["Value"] == ""
    error = fails(query, text, tls="verify", host=name)
    assert error.sentence == f"The certificate of {name} is signed by an authority that is not known."
    error = fails(query, text, tls="verify", **{**secure, "host": "other.example.com"})
    assert error.sentence == "The certificate of other.example.com belongs to another host name."


@pytest.fixture
def odbc() -> Iterator[Query]:
    """A database by a driver of ODBC."""
    given, driver = at(ODBC_URL), parse_qs(urlsplit(ODBC_URL).query)["driver"][0]
    with override_settings(ODBC_DRIVERS=[driver]):

        def ask(text: str, values: Any = None, *, most: int | None = None, **more: Any) -> Pulled:
            whole = {"engine": "odbc", "driver": driver, **given, "query": text, **more}
            return pulled(source_of("SQL", **whole), values, most=most, allow=[given["host"]])

        yield ask


@of_odbc
def test_rows_come_by_odbc_while_the_server_has_more(odbc: Query) -> None:
    digits = "(SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4) AS "
    text = f"SELECT repeat('x', 20000) AS said FROM {', '.join(f'{digits} t{at}' for at in range(6))}"
    if "PostgreSQL" not in ODBC_URL:  # that for MariaDB keeps all rows first, whatever it is told
        assert "reads more than 32 MB at once: it keeps all rows before it gives any" in fails(odbc, text).sentence
        return
    found = odbc(text, most=20)
    assert {row["said"] for row in found.rows} == {"x" * 20_000}
    assert 400 < len(found.rows) < 3000


@of_odbc
def test_values_of_odbc_are_json(odbc: Query) -> None:
    text = (
        "SELECT 7 AS whole, CAST(12.50 AS decimal(9, 2)) AS price, CAST('2026-02-03' AS date) AS day, 'é🦡' AS said,"
        " NULL AS nothing, CAST({{A}} AS char(30)) AS given, {{B}} + 1 AS more"
    )
    [row] = odbc(text, {"A": "x' OR '1' = '1", "B": 2}).rows
    assert {**row, "given": row["given"].strip()} == {
        "whole": 7, "price": 12.5, "day": "2026-02-03", "said": "é🦡", "nothing": None, "given": "x' OR '1' = '1",
        "more": 3,
    }  # fmt: skip


@of_odbc
def test_what_goes_wrong_with_odbc_is_said(odbc: Query) -> None:
    for text, how, error_class, retry in (
        ("SELECT nme FROM nowhere", {}, "sql", False),
        ("SELECT FROM FROM", {}, "sql", False),
        ("SELECT 1", {"password": "wrong"}, "auth", False),
        ("SELECT 1", {"database": "nowhere"}, "auth", False),
    ):
        error = fails(odbc, text, **how)
        assert (error.error_class, error.retry) == (error_class, retry), error.sentence
        assert "('" not in error.sentence
