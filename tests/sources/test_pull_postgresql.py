"""Rows of a query on a real PostgreSQL: what comes of its values, how much is held, and how each failure is told."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as django_connection
from django.test import override_settings

from badgerjobs.sources.means import open_means
from badgerjobs.sources.rows.pulling import Given, PullError, pull
from tests.factories import NOW
from tests.sources.fetching import source_of
from tests.sources.pulling import Pulled, pulled
from tests.stand_ins import Door, Silent
from tests.waiting import until

Query = Callable[..., Pulled]


@pytest.fixture
def server(postgres: Door) -> dict[str, Any]:
    """The tests' PostgreSQL, as a source names it."""
    settings = django_connection.settings_dict
    return {
        "host": "127.0.0.1", "port": postgres.port, "database": settings["NAME"], "user": settings["USER"],
        "password": settings["PASSWORD"], "tls": "none",
    }  # fmt: skip


@pytest.fixture
def query(server: dict[str, Any]) -> Query:
    def ask(text: str, values: Any = None, *, remembered: Any = None, **more: Any) -> Pulled:
        return pulled(source_of("SQL", **{**server, "query": text, **more}), values, remembered=remembered)

    return ask


@pytest.fixture
def fails(query: Query) -> Callable[..., PullError]:
    def ask(text: str, values: Any = None, **more: Any) -> PullError:
        with pytest.raises(PullError) as raised:
            query(text, values, **more)
        return raised.value

    return ask


pytestmark = pytest.mark.django_db(transaction=True)

VALUES = {
    "1::int8": 1,
    "true": True,
    "'x'::text": "x",
    "NULL::int": None,
    "1.5::float8": 1.5,
    "'NaN'::float8": None,
    "'-Infinity'::float8": None,
    "12.50::numeric": 12.5,
    "20::numeric": 20,
    "123456789012345678901234567890::numeric": 123456789012345678901234567890,
    "0.1234567890123456789::numeric": "0.1234567890123456789",
    "'NaN'::numeric": None,
    "DATE '2026-02-03'": "2026-02-03",
    "TIMESTAMP '2026-02-03 04:05:06'": "2026-02-03T04:05:06",
    "TIMESTAMPTZ '2026-02-03 04:05:06.5+02'": "2026-02-03T02:05:06.5+00:00",
    "'infinity'::timestamptz": "infinity",
    "TIMESTAMP '0044-03-15 10:00:00 BC'": "0044-03-15 10:00:00 BC",
    "TIME '04:05'": "04:05:00",
    "INTERVAL '1 day 2 hours'": "P1DT2H",
    "'6f1e0d3e-5ac3-4d3a-9a61-0d6a3b2f4c11'::uuid": "6f1e0d3e-5ac3-4d3a-9a61-0d6a3b2f4c11",
    "'\\x00ff'::bytea": "AP8=",
    """'{"a": [1, 2.5, null]}'::jsonb""": {"a": [1, 2.5, None]},
    "'1e400'::jsonb": "1" + "0" * 400,
    "ARRAY[TIMESTAMP '2026-02-03 04:05']": ["2026-02-03T04:05:00"],
    "ARRAY[1.5::float8, 'NaN']": [1.5, None],
    "ARRAY[1.5, NULL]::numeric[]": [1.5, None],
    "ARRAY[['a', 'b']]": [["a", "b"]],
    "'10.0.0.1'::inet": "10.0.0.1",
    "ROW(1, 'x')": ["1", "x"],
    "int4range(1, 3)": "[1, 3)",
}


@pytest.mark.parametrize(("written", "expected"), VALUES.items(), ids=VALUES)
def test_values_are_json(query: Query, written: str, expected: Any) -> None:
    assert query(f"SELECT {written} AS it").rows == [{"it": expected}]


def test_no_password_is_looked_for_on_this_machine_and_nothing_is_said_of_it(
    server: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PullError):
        pulled(source_of("SQL", **{**server, "user": "nobody", "password": "", "query": "SELECT 1"}))
    assert capfd.readouterr() == ("", "")


def test_many_rows_come_in_batches(query: Query) -> None:
    found = query("SELECT g AS id, 'x' || g AS name FROM generate_series(1, 12345) g ORDER BY g")
    assert [row["id"] for row in found.rows] == list(range(1, 12346))
    assert found.rows[-1] == {"id": 12345, "name": "x12345"}
    assert max(map(len, found.batches)) <= 1000


def test_names_that_come_twice_are_told_apart(query: Query) -> None:
    assert query("SELECT 1 AS a, 2 AS a").rows == [{"a": 1, "a_2": 2}]


def test_no_rows_are_no_batches(query: Query) -> None:
    assert query("SELECT 1 AS it WHERE false").batches == []


def test_long_rows_come_one_by_one(query: Query) -> None:
    """However many short ones came before them."""
    found = query(
        "SELECT repeat('x', CASE WHEN g > 1500 THEN 1500000 ELSE 1 END) AS it FROM generate_series(1, 1506) g"
    )
    assert [len(row["it"]) for row in found.rows] == [1] * 1500 + [1_500_000] * 6
    assert [len(batch) for batch in found.batches][-5:] == [1] * 5


def test_what_is_bound_is_never_text(query: Query) -> None:
    found = query("SELECT {{A}}::text AS a, {{B}}::int + 1 AS b, {{A}}::text AS c", {"A": "x'); --", "B": 41})
    assert found.rows == [{"a": "x'); --", "b": 42, "c": "x'); --"}]


def test_lists_are_arrays_and_objects_jsonb(query: Query) -> None:
    assert query("SELECT 2 = ANY({{IDS}}) AS a, {{O}}->>'k' AS b", {"IDS": [1, 2], "O": {"k": "v"}}).rows == [
        {"a": True, "b": "v"}
    ]


def test_now_is_the_time_of_the_pull(query: Query) -> None:
    assert query("SELECT {{now}}::timestamptz AS it").rows == [{"it": "2026-03-02T12:00:00+00:00"}]


def test_the_largest_value_is_what_the_next_pull_goes_on_from(query: Query) -> None:
    text = (
        "SELECT * FROM (VALUES (TIMESTAMPTZ '2026-01-01 00:00:00Z'), (TIMESTAMPTZ '2026-01-02 00:00:00.5Z'),"
        " (TIMESTAMPTZ '2026-01-02 00:00:00Z')) t(changed) WHERE changed > {{remembered}} ORDER BY changed"
    )
    given = {"remember": "changed", "remember_start": "2000-01-01"}
    first = query(text, **given)
    assert (len(first.rows), first.remembered) == (3, "2026-01-02T00:00:00.5+00:00")
    assert query(text, **given, remembered="2026-01-01T12:00:00+00:00").rows == first.rows[1:]
    again = query(text, **given, remembered=first.remembered)
    assert (again.rows, again.remembered) == ([], first.remembered)


@pytest.mark.parametrize(
    ("text", "error_class", "said"),
    [
        ("SELECT nme FROM pg_class", "sql", 'at line 1, column 8: column "nme" does not exist'),
        ("SELECT 1\n  FORM x", "sql", "at line 2"),
        ("SELECT 1/0", "data", "division by zero"),
        ("SELECT 1; SELECT 2", "sql", "One query at a time: these are several statements."),
        ("SELECT 1; COMMIT; DROP TABLE jobs_job", "sql", "One query at a time"),
        ("SELECT nextval('jobs_job_id_seq')", "sql", "A source only reads."),
        ("WITH x AS (DELETE FROM jobs_job RETURNING 1) SELECT * FROM x", "sql", "must not contain data-modifying"),
        ("SELECT pg_sleep(20)", "timeout", "took longer than 1 s"),
        ("SELECT 1 FROM generate_series(1, 5) g WHERE pg_sleep(0.4) IS NOT NULL", "timeout", "took longer than 1 s"),
        ("SELECT {{A}}::int", "variables", "No value is given for the variable A."),
    ],
)
def test_what_goes_wrong_is_told(fails: Callable[..., PullError], text: str, error_class: str, said: str) -> None:
    error = fails(text, timeout=1)
    assert (error.error_class, said in error.sentence) == (error_class, True), error.sentence


def test_a_value_that_no_text_may_hold_is_refused(fails: Callable[..., PullError], postgres: Door) -> None:
    error = fails("SELECT {{A}}::text", {"A": "\0"})
    assert (error.error_class, error.retry, postgres.opened) == ("variables", False, 0)


def test_a_row_that_is_too_long_for_anybody_is_cut_off(fails: Callable[..., PullError]) -> None:
    error = fails("SELECT repeat('x', 90000000)")
    assert (error.error_class, error.retry) == ("too_large", False)
    assert error.sentence == "127.0.0.1 gave a row of more than 32 MB: ask for less of it."


def test_more_than_a_pull_may_read_ends_it(fails: Callable[..., PullError], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("badgerjobs.sources.rows.reaching.MOST_BYTES", 1_000_000)
    error = fails("SELECT repeat('x', 1000) FROM generate_series(1, 2000)")
    assert (error.error_class, error.retry) == ("too_large", False)
    assert "more than 1,000,000 bytes" in error.sentence


def test_who_may_not_read_a_table_is_told(fails: Callable[..., PullError]) -> None:
    with django_connection.cursor() as cursor:
        cursor.execute("CREATE ROLE reader LOGIN PASSWORD 'hunter2'")
    try:
        error = fails("SELECT * FROM jobs_job", user="reader", password="hunter2")
    finally:
        with django_connection.cursor() as cursor:
            cursor.execute("DROP ROLE reader")
    assert (error.error_class, "permission denied for table jobs_job" in error.sentence) == ("sql", True)


def test_a_database_that_is_not_there_is_named(fails: Callable[..., PullError]) -> None:
    error = fails("SELECT 1", database="nowhere")
    assert (error.error_class, error.sentence) == (
        "auth", '127.0.0.1 has no such database: database "nowhere" does not exist.',
    )  # fmt: skip


def test_a_private_address_is_refused_before_anything_is_sent(server: dict[str, Any], postgres: Door) -> None:
    source = source_of("SQL", **server, query="SELECT 1")
    with pytest.raises(PullError) as raised:
        pulled(source, allow=[])
    assert (raised.value.error_class, raised.value.retry, postgres.opened) == ("refused", False, 0)


def test_a_server_that_says_nothing_is_given_up(fails: Callable[..., PullError]) -> None:
    with Silent() as silent:
        error = fails("SELECT 1", port=silent.port, timeout=1)
    assert error.error_class == "timeout"


def test_what_is_no_postgresql_is_said_to_be_none(fails: Callable[..., PullError]) -> None:
    with Silent(b"220 mail.example.com ESMTP\r\n") as other:
        error = fails("SELECT 1", port=other.port)
    assert (error.error_class, "it may be no PostgreSQL" in error.sentence) == ("connect", True)


def test_it_speaks_tls_to_the_server_of_that_name(
    query: Query, fails: Callable[..., PullError], secure_postgres: Door, pem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"host": "server.example.com", "port": secure_postgres.port, "tls": "verify"}
    assert query("SELECT 1 AS it", **named, certificates=pem).rows == [{"it": 1}]
    assert fails("SELECT 1", **named).error_class == "tls"
    assert fails("SELECT 1", **{**named, "host": "other.example.com"}, certificates=pem).error_class == "tls"


def test_who_stops_in_the_middle_leaves_the_server(server: dict[str, Any], postgres: Door) -> None:
    source = source_of("SQL", **server, query="SELECT g, repeat('x', 1000) FROM generate_series(1, 1000000) g")
    assert len(pulled(source, most=1).rows) > 0
    until(lambda: not _asking())


def test_a_query_that_nobody_waits_for_any_more_ends(server: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("badgerjobs.sources.rows.postgresql.LOOKS_MS", 50)
    source = source_of("SQL", **server, query="SELECT pg_sleep(600)", timeout=600)

    async def begun_and_left() -> None:
        async with open_means() as means:
            pulling = asyncio.create_task(anext(pull(source, Given(NOW), means).batches()))
            await asyncio.to_thread(_until_asked)
            pulling.cancel()
            await asyncio.gather(pulling, return_exceptions=True)

    with override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        asyncio.run(begun_and_left())
    until(lambda: not _asking())


def test_a_name_of_a_database_says_nothing_else(fails: Callable[..., PullError]) -> None:
    for name in ("host=10.0.0.1 dbname=x", "postgresql://10.0.0.1/x", "x' host='10.0.0.1"):
        error = fails("SELECT 1", database=name)
        assert f'database "{name}" does not exist' in error.sentence


def _until_asked() -> None:
    until(lambda: "FETCH" in str(_asking()))
    django_connection.close()


def _asking() -> list[Any]:
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT pid, query FROM pg_stat_activity WHERE application_name = 'badger-jobs'")
        return list(cursor.fetchall())
