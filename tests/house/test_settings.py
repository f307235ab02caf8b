"""The settings as they come out of an environment: what cannot be used stops the start, by name."""

import base64
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from kombu import Connection

from badgerjobs.embedded.layout import broker_url_of
from badgerjobs.lib.env import BadSettingError
from badgerjobs.runs import checks

ROOT = Path(__file__).resolve().parents[2]
# The same in every process of the tests: their names hold it.
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
PRODUCTION = {
    "DATABASE_URL": "postgres://u:p@db.example:5432/jobs",
    "REDIS_URL": "redis://:p@redis.example:6379/0",
    "SECRET_KEY": "s" * 50,
    "ENCRYPTION_KEYS": KEY,
}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Reads the settings from an environment that holds the given variables."""
    for name in (*PRODUCTION, "HOST", "ALLOWED_HOSTS", "LOG_LEVEL", "HSTS_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BADGERJOBS_DATA_DIR", str(tmp_path))

    def settings_of(**variables: str) -> dict[str, Any]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "badgerjobs" / "settings.py"))

    return settings_of


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENCRYPTION_KEYS", "abc"),
        ("ENCRYPTION_KEYS", f"{KEY},abc"),
        ("ENCRYPTION_KEYS", ","),
        ("DATABASE_URL", "foo"),
        ("DATABASE_URL", "sqlite:///x"),
        ("DATABASE_URL", "mysql://u:p@host/name"),
        ("DATABASE_URL", "postgres://u:p@host"),
        ("DATABASE_URL", "postgres://u:p@host:port/name"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "foo"),
        ("REDIS_URL", "redis://host:port/0"),
        ("REDIS_URL", "redis://host:6379/0?db=1"),
        ("REDIS_URL", "redis://host:6379/0?socket_timeout=1"),
        ("REDIS_URL", "redis://host:6379/0?ssl_cert_reqs=required"),
        ("REDIS_URL", "rediss://host:6379/0?ssl_cert_reqs=perhaps"),
        ("LOG_LEVEL", "foo"),
        ("PORT", "65536"),
        ("DEMO", "perhaps"),
        ("HSTS_SECONDS", "-1"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, value: str, read: Any) -> None:
    with pytest.raises(BadSettingError, match=name):
        read(**PRODUCTION | {name: value})


@pytest.mark.parametrize(
    "url", ["postgres://u:hunter2@host:port/name", "sqlite://u:hunter2@host/name", "redis://:hun/ter2@host:1/0"]
)
def test_a_refusal_repeats_no_password(url: str, read: Any) -> None:
    name = "REDIS_URL" if url.startswith("redis") else "DATABASE_URL"
    with pytest.raises(BadSettingError) as told:
        read(**PRODUCTION | {name: url})
    assert "hun" not in str(told.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://host/name"),
        ("DATABASE_URL", "postgres://u:p@%2Fvar%2Frun%2Fpostgresql/name?sslmode=require"),
        ("DATABASE_URL", "postgres://?service=jobs"),
        ("REDIS_URL", "redis://host"),
        ("REDIS_URL", "rediss://:p@host:6380/1?ssl_ca_certs=/ca.pem"),
        ("REDIS_URL", "unix://:p@/run/redis.sock?db=3"),
        ("ENCRYPTION_KEYS", f"{KEY}, {KEY} ,"),
        ("LOG_LEVEL", "warning"),
    ],
)
def test_what_can_be_used_is_taken_and_celery_understands_it(name: str, value: str, read: Any) -> None:
    found = read(**PRODUCTION | {name: value})
    assert Connection(found["CELERY_BROKER_URL"]).transport_cls in {"redis", "rediss", "redis+socket"}


def test_a_bad_setting_is_one_sentence_and_status_2() -> None:
    told = manage("check", LOG_LEVEL="foo")
    assert (told.returncode, told.stderr) == (
        2,
        "manage.py: LOG_LEVEL='foo': must be one of DEBUG, INFO, WARNING, ERROR.\n",
    )


@pytest.mark.parametrize(
    ("allowed", "errors"), [(["bad entry!!"], 1), (["x:99999"], 1), (["localhost:9000", "10.0.0.0/8"], 0), ([], 0)]
)
def test_what_may_be_called_is_checked_at_the_start(allowed: list[str], errors: int, settings: Any) -> None:
    settings.EGRESS_ALLOW = allowed
    found = checks.what_may_be_called_is_understood()
    assert len(found) == errors
    assert all("EGRESS_ALLOW" in error.msg and allowed[0] in error.msg for error in found)


@pytest.mark.parametrize("command", ["up", "web", "worker", "beat"])
def test_every_command_that_starts_something_makes_the_checks_first(command: str, tmp_path: Path) -> None:
    told = manage(command, EGRESS_ALLOW="bad entry!!", BADGERJOBS_DATA_DIR=str(tmp_path / "data"))
    assert told.returncode != 0
    assert "EGRESS_ALLOW: 'bad entry!!' is none of" in told.stderr
    assert "Traceback" not in told.stderr
    assert told.stdout == ""
    assert not (tmp_path / "data" / "postgres").exists()


def test_a_server_that_vanished_is_noticed_and_the_url_goes_first(read: Any) -> None:
    plain = read(**PRODUCTION)["DATABASES"]["default"]["OPTIONS"]
    assert {name: value for name, value in plain.items() if name != "options"} == {
        "connect_timeout": 5,
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
    }
    url = PRODUCTION["DATABASE_URL"] + "?connect_timeout=20&sslmode=require"
    given = read(DATABASE_URL=url)["DATABASES"]["default"]["OPTIONS"]
    assert given == plain | {"connect_timeout": 20, "sslmode": "require"}


def test_options_in_the_url_come_after_our_time_outs_not_in_their_place(read: Any) -> None:
    url = PRODUCTION["DATABASE_URL"] + "?options=-c%20statement_timeout%3D5s"
    found = read(**PRODUCTION | {"DATABASE_URL": url})["DATABASES"]["default"]["OPTIONS"]["options"]
    assert found == ("-c statement_timeout=60s -c idle_in_transaction_session_timeout=60s -c statement_timeout=5s")


def limits() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')"
        )
        return list(cursor.fetchone())


@pytest.mark.django_db(transaction=True)
def test_statements_have_limits_but_for_those_of_a_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    assert limits() == ["1min", "1min"]
    monkeypatch.setattr(
        "django.core.management.commands.migrate.Command.handle", lambda *_, **__: seen.append(limits())
    )
    call_command("migrate", verbosity=0)
    assert seen == [["0", "0"]]
    assert limits() == ["1min", "1min"]


@pytest.mark.parametrize(
    ("url", "verified"),
    [
        ("rediss://:p@host:6380/1", True),
        ("rediss://:p@host:6380/1?ssl_ca_certs=/ca.pem", True),
        ("rediss://:p@host:6380/1?ssl_cert_reqs=required", True),
        ("rediss://:p@host:6380/1?ssl_cert_reqs=none", False),
    ],
)
def test_celery_verifies_the_brokers_certificate_unless_told_not_to(url: str, verified: bool) -> None:
    ssl: Any = Connection(broker_url_of(url)).ssl
    assert (ssl["ssl_cert_reqs"] != 0) is verified
    assert broker_url_of(url).startswith(url)


@pytest.mark.parametrize("given", [{}, PRODUCTION], ids=["embedded", "given"])
@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("127.0.0.1", {"localhost", "127.0.0.1", "[::1]"}),
        ("::1", {"localhost", "127.0.0.1", "[::1]"}),
        ("192.0.2.7", {"localhost", "127.0.0.1", "[::1]", "192.0.2.7"}),
        ("jobs.example", {"localhost", "127.0.0.1", "[::1]", "jobs.example"}),
    ],
)
def test_only_names_of_this_machine_are_answered_to(
    given: dict[str, str], host: str, names: set[str], read: Any
) -> None:
    assert set(read(**given, HOST=host)["ALLOWED_HOSTS"]) == names


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_on_every_address_every_name_is_answered_to_when_embedded_only(host: str, read: Any) -> None:
    assert read(HOST=host)["ALLOWED_HOSTS"] == ["*"]
    assert "*" not in read(HOST=host, **PRODUCTION)["ALLOWED_HOSTS"]
    assert read(HOST=host, ALLOWED_HOSTS="a.example, b.example")["ALLOWED_HOSTS"] == ["a.example", "b.example"]


@pytest.mark.parametrize(("behind", "seconds"), [("1", 3600), ("0", None)])
def test_browsers_are_held_to_tls_only_behind_a_proxy_that_ends_it(behind: str, seconds: int | None, read: Any) -> None:
    assert read(BEHIND_PROXY=behind, HSTS_SECONDS="3600").get("SECURE_HSTS_SECONDS") == seconds
