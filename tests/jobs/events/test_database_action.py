"""A database action on a real PostgreSQL: what it gives back, what it must not do, and how each failure is told."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection as django_connection
from rest_framework.exceptions import ValidationError

from badgerjobs.outbound import relay
from badgerjobs.runs.outcomes import Outcome
from badgerjobs.servers import databases, postgresql
from jobs.events.types import database_action
from jobs.events.types.rows import LONGEST_VALUE
from tests.jobs.events.performing import done, failed, perform
from tests.stand_ins import Door, Silent

CHANGES = (
    "The statement changes something: cannot execute INSERT in a read-only transaction. Let the event write, if it may."
)
Query = Callable[..., Outcome]


@pytest.fixture
def server(postgres: Door) -> dict[str, Any]:
    """A connection to the tests' PostgreSQL."""
    settings = django_connection.settings_dict
    return {
        "host": "db.example.com", "port": postgres.port, "database": settings["NAME"], "user": settings["USER"],
        "password": settings["PASSWORD"], "tls": "none",
    }  # fmt: skip


@pytest.fixture
def run(server: dict[str, Any]) -> Query:
    def query(statement: str, given: Any = None, *, server: dict[str, Any] = server, **more: Any) -> Outcome:
        return perform("DATABASE_ACTION", {"statement": statement, **more}, ("DATABASE", server), given)

    return query


@pytest.fixture
def table(transactional_db: None) -> Iterator[str]:
    """A table of somebody's, with one row."""
    with django_connection.cursor() as cursor:
        cursor.execute("CREATE TABLE stock (id int PRIMARY KEY, name text NOT NULL)")
        cursor.execute("INSERT INTO stock VALUES (1, 'Lamp')")
    yield "stock"
    with django_connection.cursor() as cursor:
        cursor.execute("DROP TABLE stock")


def rows() -> list[Any]:
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM stock ORDER BY id")
        return list(cursor.fetchall())


pytestmark = pytest.mark.django_db(transaction=True)


def test_it_gives_rows_as_json(run: Query) -> None:
    result = done(
        run(
            """SELECT {{input.id}}::int AS id, %(name)s AS name, 1.10::numeric AS price, DATE '-infinity' AS day,
            NULL AS nothing, ARRAY[1,2] AS list, '{"a": 1}'::jsonb AS doc, 'NaN'::float8 AS nan,
            '\\x00ff'::bytea AS raw""",
            {"id": 7, "name": "x'); DROP TABLE users; --"},
        )
    )
    assert result == {
        "rows_returned": 1,
        "columns": ["id", "name", "price", "day", "nothing", "list", "doc", "nan", "raw"],
        "rows": [
            {
                "id": 7, "name": "x'); DROP TABLE users; --", "price": "1.10", "day": "-infinity", "nothing": None,
                "list": [1, 2], "doc": {"a": 1}, "nan": "nan", "raw": "AP8=",
            }
        ],
        "truncated": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("a'b", "text", "a'b"),
        (2**40, "bigint", 2**40),
        (True, "boolean", True),
        (None, "text", None),
        (1.5, "float8", 1.5),
        ({"a": [1]}, "jsonb", {"a": [1]}),
        ([1, 2], "int[]", [1, 2]),
        (["a"], "text[]", ["a"]),
        ([1, "a"], "jsonb", [1, "a"]),
    ],
)
def test_every_kind_of_input_can_be_bound(run: Query, value: Any, kind: str, expected: Any) -> None:
    assert done(run(f"SELECT {{{{input}}}}::{kind} AS it", value))["rows"] == [{"it": expected}]


def test_two_columns_of_one_name_are_both_there(run: Query) -> None:
    assert done(run("SELECT 1 AS a, 2 AS a"))["rows"] == [{"a": 1, "a_2": 2}]


def test_a_column_that_is_called_like_a_second_one_is_there_too(run: Query) -> None:
    assert done(run("SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a, 5 AS a_3"))["rows"] == [
        {"a": 1, "a_4": 2, "a_2": 3, "a_5": 4, "a_3": 5}
    ]


@pytest.mark.parametrize("kind", ["json", "jsonb"])
@pytest.mark.parametrize("text", ["repeat('[', 900) || repeat(']', 900)", "repeat('9', 5000)"], ids=["deep", "digits"])
def test_json_that_python_cannot_read_is_text(run: Query, kind: str, text: str) -> None:
    [row] = done(run(f"SELECT ({text})::{kind} AS it, '[[1]]'::{kind} AS other"))["rows"]
    assert (row["it"][0], len(row["it"]) >= 1800, row["other"]) == (row["it"][-1].replace("]", "["), True, [[1]])


HELD = {
    "json": "('[' || repeat('[],', {n}) || '1]')::json",
    "jsonb": "jsonb_build_array(repeat('x', {n}), repeat('x', {n}), repeat('x', {n}))",
    "array": "array_fill(1000, ARRAY[{n}])",
    "array of json": "array_fill('[]'::json, ARRAY[{n}])",
    "record": "ROW(array_fill(1000, ARRAY[{n}]))",
    "array of records": "array_fill(ROW(1), ARRAY[{n}])",
    "multirange": "(SELECT range_agg(int4range(3 * g, 3 * g + 1)) FROM generate_series(1, {n}) g)",
}


@pytest.fixture
def taken_apart(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each value had that was not left as it came."""
    sizes: list[int] = []
    may_read = postgresql.Server.may_read

    def noted(server: Any, size: int) -> bool:
        if may := may_read(server, size):
            sizes.append(size)
        return may

    monkeypatch.setattr(postgresql.Server, "may_read", noted)
    return sizes


@pytest.mark.parametrize("value", HELD.values(), ids=HELD)
def test_a_long_value_that_holds_others_is_text_and_not_taken_apart(
    run: Query, taken_apart: list[int], value: str
) -> None:
    [row] = done(run(f"SELECT {value.format(n=2)} AS it"))["rows"]
    assert isinstance(row["it"], list) or row["it"].startswith("{[")
    assert taken_apart
    taken_apart.clear()
    [row] = done(run(f"SELECT {value.format(n=100_000)} AS it"))["rows"]
    assert isinstance(row["it"], str)
    assert (len(row["it"]), taken_apart) == (LONGEST_VALUE + 1, [])


@pytest.mark.parametrize("writes", [False, True])
def test_of_many_values_that_hold_others_only_so_much_is_taken_apart(
    run: Query, taken_apart: list[int], writes: bool
) -> None:
    each = HELD["json"].format(n=60_000)
    done(run("SELECT " + ", ".join([each] * 30), writes=writes))
    assert sum(taken_apart) <= postgresql.READ_BYTES
    assert len(taken_apart) == postgresql.READ_BYTES // (3 * 60_000 + 3)


@pytest.mark.parametrize("value", ["\ud800", "a\0b", ["\ud800"], {"\0": 1}], ids=["half", "null", "list", "object"])
def test_what_no_text_may_hold_is_wrong_data(run: Query, postgres: Door, value: Any) -> None:
    error_class, sentence, retry = failed(run("SELECT {{input}}::text", value))
    assert (error_class, retry, postgres.opened) == ("data", False, 0)
    assert sentence.startswith("A parameter cannot be bound: it holds null characters or halves of letters")


def test_an_answer_that_cannot_be_read_is_wrong_data(run: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever plays PostgreSQL may send anything."""
    monkeypatch.setattr("jobs.events.types.postgresql.kept", lambda *_: int("9" * 5000))
    error_class, sentence, retry = failed(run("SELECT 1"))
    assert (error_class, retry) == ("data", False)
    assert sentence.startswith("db.example.com answered with a value that cannot be read: Exceeds the limit")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of a statement's time is over in 20 ms: PostgreSQL says so long before we would."""
    monkeypatch.setattr("jobs.events.types.postgresql.SECOND_MS", 20)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout of a second is over in 50 ms."""
    monkeypatch.setattr(database_action, "GRACE_S", -0.95)


@pytest.mark.parametrize(
    ("statement", "timeout"),
    [("SELECT 1/0", 250), ("SELECT * FROM generate_series(1, 100000)", 250), ("SELECT pg_sleep(20)", 1)],
    ids=["failed", "cut", "late"],
)
@pytest.mark.usefixtures("hasty")
def test_no_second_connection_is_made_to_cancel_a_statement(
    run: Query, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, statement: str, timeout: int
) -> None:
    """The line's port is not ours any more when it comes to that."""
    cancels: list[object] = []
    monkeypatch.setattr(psycopg.AsyncConnection, "_cancel_gen", lambda *_: cancels.append(1))
    monkeypatch.setattr(psycopg.AsyncConnection, "cancel", lambda *_: cancels.append(1))
    run(statement, timeout=timeout, max_rows=1)
    assert (cancels, caplog.text) == ([], "")


def test_it_keeps_so_many_rows_and_says_that_there_were_more(run: Query) -> None:
    result = done(run("SELECT * FROM generate_series(1, 100000) AS n", max_rows=3))
    assert (result["rows_returned"], result["rows"][-1], result["truncated"]) == (3, {"n": 3}, True)


def test_it_keeps_so_many_bytes_and_cuts_long_texts(run: Query) -> None:
    result = done(run("SELECT repeat('x', 100000) AS long FROM generate_series(1, 20)"))
    assert result["truncated"]
    assert len(result["rows"]) == 3
    assert len(result["rows"][0]["long"]) < 66_000


def test_what_would_fill_the_memory_is_cut_off(run: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "MOST_BYTES", 200_000)
    monkeypatch.setitem(relay.relayed.__wrapped__.__kwdefaults__, "most_bytes", 200_000)  # type: ignore[attr-defined]
    error_class, sentence, retry = failed(run("SELECT repeat('x', 5000000)"))
    assert (error_class, retry) == ("too_large", False)
    assert "db.example.com answered with more than 16 MB" in sentence


def test_without_a_tick_nothing_is_written(run: Query, table: str) -> None:
    assert failed(run("INSERT INTO stock VALUES (2, 'Chair')")) == (
        "sql",
        CHANGES,
        False,
    )
    assert (
        "read-write mode must be set before any query"
        in failed(run("SELECT set_config('transaction_read_only', 'off', false)"))[1]
    )
    assert rows() == [(1, "Lamp")]


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "; -- by night\n /* a /* nested */ one */\tcopy (SELECT 1) TO PROGRAM 'true'",
        "DO $$ BEGIN COPY (SELECT 1) TO PROGRAM 'true'; END $$",
    ],
    ids=["plain", "hidden", "in a block"],
)
def test_what_a_read_only_transaction_does_not_hold_needs_the_tick(run: Query, tmp_path: Path, statement: str) -> None:
    tmp_path.chmod(0o777)
    made = statement.replace("true", f"touch {tmp_path}/made")
    with pytest.raises(ValidationError, match="COPY and DO can do more than a read-only transaction forbids"):
        run(made)
    assert not list(tmp_path.iterdir())
    assert done(run("/* copy */ SELECT 1 AS copy"))["rows"] == [{"copy": 1}]


def test_with_it_what_is_written_is_counted_and_can_be_returned(run: Query, table: str) -> None:
    assert done(run("INSERT INTO stock VALUES (%(id)s, %(name)s)", {"id": 2, "name": "Chair"}, writes=True)) == {
        "rows_affected": 1
    }
    assert done(run("UPDATE stock SET name = upper(name) RETURNING id", writes=True, max_rows=1)) == {
        "rows_affected": 2, "rows_returned": 1, "columns": ["id"], "rows": [{"id": 1}], "truncated": True,
    }  # fmt: skip
    assert rows() == [(1, "LAMP"), (2, "CHAIR")]


@pytest.mark.parametrize("writes", [False, True])
def test_two_statements_are_refused(run: Query, table: str, writes: bool) -> None:
    assert failed(run("SELECT 1; DELETE FROM stock", writes=writes)) == (
        "sql",
        "One statement at a time: these are several. Make an event of each, or one function in the database.",
        False,
    )
    assert rows() == [(1, "Lamp")]


def test_an_error_of_syntax_says_where(run: Query) -> None:
    assert failed(run("SELECT {{input}}::text,\n  2 FORM stock", "x")) == (
        "sql", 'The database says, at line 2, column 10: syntax error at or near "stock".', False
    )  # fmt: skip


def test_a_violated_constraint_says_which(run: Query, table: str) -> None:
    error_class, sentence, retry = failed(run("INSERT INTO stock VALUES (1, 'Again')", writes=True))
    assert (error_class, retry) == ("constraint", False)
    assert 'violates unique constraint "stock_pkey". Key (id)=(1) already exists.' in sentence


def test_a_value_of_the_wrong_kind_is_wrong_data(run: Query) -> None:
    error_class, sentence, retry = failed(run("SELECT {{input}}::int", "seven"))
    assert (error_class, retry) == ("data", False)
    assert 'invalid input syntax for type integer: "seven"' in sentence


def test_a_detail_and_a_hint_are_quoted_without_the_password(run: Query, server: dict[str, Any]) -> None:
    password = server["password"]
    assert password
    raised = f"RAISE 'no %', '{password}' USING DETAIL = 'It is {password}', HINT = 'Not {password}'"
    _, sentence, _ = failed(run(f"DO $$ BEGIN {raised}; END $$", writes=True))
    assert sentence == "The database says: no ********. It is ********. Not ********."


@pytest.mark.usefixtures("hasty")
def test_a_statement_that_takes_too_long_is_ended_by_the_server(run: Query) -> None:
    error_class, sentence, retry = failed(run("SELECT pg_sleep(10)", timeout=1))
    assert (error_class, retry) == ("timeout", True)
    assert sentence.startswith("The statement took longer than 1 s: canceling statement due to statement timeout.")


def test_a_missing_value_is_named_and_nothing_is_connected_to(run: Query, postgres: Door) -> None:
    assert failed(run("SELECT {{input.id}}", {"Id": 1})) == ("input", "There is no input.id: input has Id.", False)
    assert postgres.opened == 0


def test_a_wrong_password_is_said_without_it(run: Query, server: dict[str, Any]) -> None:
    error_class, sentence, retry = failed(run("SELECT 1", server={**server, "password": "hunter2"}))
    assert (error_class, retry) == ("auth", False)
    assert sentence.startswith("db.example.com did not take the user and password: password authentication failed")
    assert "hunter2" not in sentence


def test_a_database_that_is_not_there_is_named(run: Query, server: dict[str, Any]) -> None:
    assert failed(run("SELECT 1", server={**server, "database": "nowhere"})) == (
        "auth",
        'db.example.com has no such database: database "nowhere" does not exist. The connection names it.',
        False,
    )


def test_a_user_that_is_not_there_is_named() -> None:
    said = 'connection failed: connection to server at "127.0.0.1" failed: FATAL:  role "nobody" does not exist'
    assert failed(postgresql._not_connected(said, {"host": "db.example.com", "password": ""})) == (
        "auth", 'db.example.com did not take the user: role "nobody" does not exist.', False
    )  # fmt: skip


def test_a_server_without_tls_is_not_spoken_to_in_plain(run: Query, server: dict[str, Any]) -> None:
    error_class, sentence, retry = failed(run("SELECT 1", server={**server, "tls": "verify"}))
    assert (error_class, retry) == ("tls", False)
    assert sentence.startswith("db.example.com does not speak TLS")


def secure(server: dict[str, Any], door: Door, **more: Any) -> dict[str, Any]:
    return {**server, "host": "server.example.com", "port": door.port, **more}


def test_it_speaks_tls_to_the_server_of_that_name(
    run: Query, server: dict[str, Any], secure_postgres: Door, pem: str
) -> None:
    assert done(run("SELECT 1 AS it", server=secure(server, secure_postgres, tls="verify", certificates=pem)))
    error_class, sentence, _ = failed(run("SELECT 1", server=secure(server, secure_postgres, tls="verify")))
    assert (error_class, "has a certificate that is not trusted" in sentence) == ("tls", True)
    wrong = secure(server, secure_postgres, tls="verify", certificates=pem, host="other.example.com")
    error_class, sentence, _ = failed(run("SELECT 1", server=wrong))
    assert (error_class, "has a certificate that is not trusted" in sentence) == ("tls", True)


@pytest.mark.parametrize("host", ["server.example.com", "other.example.com"])
def test_without_a_check_it_speaks_tls_to_whoever_is_there(
    run: Query, server: dict[str, Any], secure_postgres: Door, host: str
) -> None:
    given = secure(server, secure_postgres, tls="unverified", host=host)
    assert done(run("SELECT 1 AS it", server=given))["rows"] == [{"it": 1}]


def test_a_private_address_is_refused_before_anything_is_sent(postgres: Door, server: dict[str, Any]) -> None:
    outcome = perform("DATABASE_ACTION", {"statement": "SELECT 1"}, ("DATABASE", server), allow=[])
    error_class, sentence, retry = failed(outcome)
    assert (error_class, retry) == ("refused", False)
    assert f"can list db.example.com:{postgres.port} in EGRESS_ALLOW" in sentence
    assert postgres.opened == 0


def test_a_port_where_nothing_listens_is_named(run: Query, server: dict[str, Any], postgres: Door) -> None:
    postgres.server_close()
    assert failed(run("SELECT 1", server=server)) == (
        "connect", f"db.example.com refused the connection: nothing listens on port {postgres.port}.", True
    )  # fmt: skip


@pytest.mark.usefixtures("impatient")
def test_a_server_that_says_nothing_is_given_up(run: Query, server: dict[str, Any]) -> None:
    with Silent() as silent:
        error_class, sentence, retry = failed(run("SELECT 1", server={**server, "port": silent.port}, timeout=1))
    assert (error_class, retry) == ("timeout", True)
    assert "db.example.com" in sentence


def test_what_is_no_postgresql_is_said_to_be_none(run: Query, server: dict[str, Any]) -> None:
    with Silent(b"220 mail.example.com ESMTP\r\n") as other:
        error_class, sentence, _ = failed(run("SELECT 1", server={**server, "port": other.port}))
    assert error_class == "connect"
    assert "it may be no PostgreSQL" in sentence


def test_other_databases_need_what_the_operator_did_not_install(run: Query, server: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="This installation has no SQLAlchemy and no PyMySQL, which mysql needs"):
        run("SELECT 1", server={**server, "engine": "mysql"})
    with pytest.raises(ValidationError, match="“db2” is none of postgresql, mysql, mariadb"):
        run("SELECT 1", server={**server, "engine": "db2"})


def test_no_value_is_put_into_quotes_as_mysql_reads_them(
    run: Query, server: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "find_spec", lambda _: True)
    told = run(
        r"SELECT id FROM users WHERE name <> 'it\'s {{input.id}}'", {"id": 7}, server={**server, "engine": "mysql"}
    )
    error_class, sentence, retry = failed(told)
    assert (error_class, retry) == ("sql", False)
    assert sentence.startswith("{{input.id}} stands in quotes or in a comment, as MySQL and MariaDB read it")


@pytest.mark.parametrize(
    ("said", "error_class", "retry"),
    [
        ((1792, "Cannot execute statement in a READ ONLY transaction"), "sql", False),
        ((1213, "Deadlock found when trying to get lock"), "sql", True),
        *(((number, "It passes"), "connect", True) for number in (1040, 1053, 1203, 1226, 1290, 1836, 1927, 4031)),
        *(((number, "It took too long"), "timeout", True) for number in (1969, 3024)),
        ((1049, "Unknown database 'shop'"), "auth", False),
        ((2013, "Lost connection to MySQL server during query"), "connect", True),
    ],
)
def test_what_mysql_says_is_told_apart_by_its_number(said: tuple[Any, ...], error_class: str, retry: bool) -> None:
    told = databases.failed_at(Exception(*said), {"host": "db.example.com", "password": "hunter2"})
    assert (told.error_class, told.retry) == (error_class, retry)
    assert str(said[0]) not in told.error
