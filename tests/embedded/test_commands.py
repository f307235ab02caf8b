"""The commands of this app, but for `manage.py up`, which tests/e2e/test_up.py starts for real."""

import errno
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from redis import ConnectionPool

from badgerjobs.embedded.management.commands.valkey import ask, lines_of
from badgerjobs.embedded.postgres import programs_folder

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]


def manage(*arguments: str, text: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={**os.environ, **environment},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("reply", "lines"),
    [
        (None, ["(nil)"]),
        (7, ["(integer) 7"]),
        (b"", [""]),
        (b"two\nlines", ["two", "lines"]),
        (b"\xff", ["\\xff"]),
        ([], ["(empty)"]),
        ([b"a", [1, None], b"b"], ["1) a", "2) 1) (integer) 1", "   2) (nil)", "3) b"]),
    ],
)
def test_a_reply_of_valkey_is_written_readably(reply: object, lines: list[str]) -> None:
    assert lines_of(reply) == lines


def test_manage_py_valkey_sends_one_command() -> None:
    told = io.StringIO()
    call_command("valkey", "PING", stdout=told)
    assert told.getvalue() == "PONG\n"


def test_manage_py_valkey_reads_commands_from_its_input_until_it_ends() -> None:
    result = manage("valkey", text="SET 'a key' -1\nGET 'a key'\nNO SUCH\n'open\n\nDEL 'a key'\nquit\nGET never\n")
    lines = result.stdout.splitlines()
    assert lines[:2] == ["OK", "-1"]
    assert lines[2].startswith("(error) unknown command")
    assert lines[3] == "(error) No closing quotation"
    assert lines[4:] == ["(integer) 1"]


def test_a_valkey_that_is_not_there_is_said() -> None:
    result = manage("valkey", "PING", REDIS_URL="unix:///not/there.sock")
    assert result.returncode == 1
    assert "Does `make up` run?" in result.stderr


def test_what_valkey_refuses_is_a_reply() -> None:
    pool = ConnectionPool.from_url(settings.REDIS_URL, protocol=2)
    try:
        assert ask(pool.get_connection(), ["INCR"]).startswith("(error) wrong number")
    finally:
        pool.disconnect()


def test_manage_py_dbshell_opens_psql_where_the_machine_has_none(tmp_path: Path) -> None:
    result = manage("dbshell", "--", "-XAtc", "SELECT 6 * 7", PATH=str(tmp_path))
    assert (result.stdout, result.stderr) == ("42\n", "")


@pytest.mark.parametrize(
    "command",
    [["create_application", "shop", "--workspace", "w"], ["revoke_token", "abcdefgh"], ["dbshell"], ["migrate"]],
)
def test_a_database_that_is_not_there_is_one_sentence(command: list[str], tmp_path: Path) -> None:
    result = manage(*command, DATABASE_URL="", BADGERJOBS_DATA_DIR=str(tmp_path / "d"))
    sentence = rf"manage.py: No database answers at \S+: does `make up` run\? \({os.strerror(errno.ENOENT)}\)\n"
    assert re.fullmatch(sentence, result.stderr)
    assert (result.returncode, result.stdout) == (2, "")


def test_a_given_database_that_does_not_answer_is_named_without_its_password() -> None:
    given = {"SECRET_KEY": "x", "ENCRYPTION_KEYS": settings.ENCRYPTION_KEYS[0]}
    result = manage("revoke_token", "abcdefgh", DATABASE_URL="postgres://me:hidden@127.0.0.1:1/x", **given)
    assert result.returncode == 2
    sentence = "manage.py: No database answers at 127.0.0.1:1: is it running, and is DATABASE_URL right?"
    assert result.stderr == f"{sentence} (Connection refused)\n"


def test_what_a_database_refuses_is_no_missing_database() -> None:
    script = (
        "from django.db import connection as c; c.cursor().execute('SET statement_timeout = 1; SELECT pg_sleep(9)')"
    )
    result = manage("shell", "-c", script)
    assert "canceling statement due to statement timeout" in result.stderr
    assert "No database answers" not in result.stderr


def test_a_python_without_our_packages_is_told_which_one_to_use() -> None:
    result = subprocess.run(
        [sys.executable, "-E", "-S", str(ROOT / "manage.py"), "check"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "Use .venv/bin/python manage.py … after `make up` or `.ci/install requirements.txt`.\n" in result.stderr
    assert result.stderr.count("\n") == 1


def test_psql_is_among_the_programs_of_the_wheel() -> None:
    assert (programs_folder() / "psql").exists()


def test_manage_py_with_servers_gives_a_command_servers_of_its_own(tmp_path: Path) -> None:
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); os.environ['DJANGO_SETTINGS_MODULE'] = 'badgerjobs.settings';"
        "import django; django.setup(); from django.db import connection; from django.core.cache import cache;"
        "cache.set('x', 1); connection.ensure_connection(); print(os.environ['BADGERJOBS_DATA_DIR']); sys.exit(5)"
    )
    result = manage("with_servers", "--", sys.executable, "-c", script, str(ROOT), DATABASE_URL="", REDIS_URL="")
    assert result.returncode == 5, result.stderr
    folder = Path(result.stdout.strip())
    assert folder.name == "data"
    assert not folder.exists()
    assert str(folder) != os.environ["BADGERJOBS_DATA_DIR"]


def test_manage_py_with_servers_starts_nothing_when_servers_are_given() -> None:
    given = {"DATABASE_URL": "postgres://x/x", "REDIS_URL": "redis://x", "SECRET_KEY": "x", "ENCRYPTION_KEYS": "x" * 32}
    result = manage("with_servers", "--", "printenv", "DATABASE_URL", **given)
    assert result.stdout == "postgres://x/x\n"


def test_with_servers_wants_to_know_what_to_run() -> None:
    with pytest.raises(CommandError, match="Say what to run"):
        call_command("with_servers")
