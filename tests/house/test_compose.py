"""docker-compose.yml by our own rules, since no Docker runs where the tests do."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker", "beat")
STORES = {"postgres": "/var/lib/postgresql", "valkey": "/data"}
SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "SECRET_KEY", "ENCRYPTION_KEYS", "ALLOWED_HOSTS")
# `/healthz` of web answers 503 when no worker is seen or beat is late; migrate ends.
SPOKEN_FOR = {"worker", "beat", "migrate"}


def test_the_services_are_these() -> None:
    assert set(SERVICES) == {*OURS, *STORES}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_that_lasts_is_restarted_and_has_a_health_check_or_one_that_speaks_for_it(name: str) -> None:
    assert SERVICES[name]["restart"] in ({"on-failure"} if name == "migrate" else {"unless-stopped"})
    assert ("healthcheck" in SERVICES[name]) is (name not in SPOKEN_FOR)


@pytest.mark.parametrize("name", STORES)
def test_what_stores_does_so_in_a_volume_and_opens_no_port(name: str) -> None:
    assert SERVICES[name]["volumes"] == [f"{name}:{STORES[name]}"]
    assert name in COMPOSE["volumes"]
    assert "ports" not in SERVICES[name]


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_has_a_default(name: str) -> None:
    uses = re.findall(rf"\$\{{{name}(.*?)\}}", TEXT)
    assert uses
    assert all(use.startswith(":?") for use in uses)


def test_nothing_that_is_secret_is_written_out() -> None:
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            if re.search(r"KEY|PASSWORD|SECRET|URL|AUTH", name):
                assert "${" in value, name


@pytest.mark.parametrize("name", OURS)
def test_each_of_ours_runs_a_command_that_is_there_and_documented(name: str) -> None:
    python, script, command, *_ = SERVICES[name]["command"]
    assert (python, script, command) == ("python", "manage.py", name)
    assert command in get_commands()
    assert f"| `manage.py {command}` |" in (ROOT / "docs" / "running.md").read_text()


@pytest.mark.parametrize("name", OURS)
def test_each_of_ours_is_given_all_that_it_would_otherwise_embed(name: str) -> None:
    given = SERVICES[name]["environment"]
    assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS"} <= set(given)
    documented = (ROOT / "docs" / "settings.md").read_text()
    assert [variable for variable in given if f"| `{variable}` |" not in documented] == []


@pytest.mark.parametrize("name", OURS)
def test_each_of_ours_waits_for_its_servers_and_for_the_tables(name: str) -> None:
    waits = {service: how["condition"] for service, how in SERVICES[name]["depends_on"].items()}
    tables = {} if name == "migrate" else {"migrate": "service_completed_successfully"}
    assert waits == dict.fromkeys(STORES, "service_healthy") | tables


@pytest.mark.parametrize("name", OURS)
def test_none_of_ours_may_do_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_web_is_open_to_this_host_alone_and_its_health_check_is_let_in() -> None:
    web = SERVICES["web"]
    assert all(port.startswith("127.0.0.1:") for port in web["ports"])
    assert web["environment"]["ALLOWED_HOSTS"].endswith(",localhost")
    assert "http://localhost:8000/healthz" in web["healthcheck"]["test"][-1]


def test_the_database_is_not_taken_for_ready_while_the_image_still_makes_it() -> None:
    asked = SERVICES["postgres"]["healthcheck"]["test"]
    assert asked[asked.index("-h") + 1] == "127.0.0.1"


@pytest.mark.parametrize("name", ["BACKGROUND_TASKS", "SLURPERS", "CODE_PROCESSES", "BACKGROUND_RETENTION_DAYS"])
def test_what_code_of_the_operators_is_told_reaches_all_of_ours(name: str) -> None:
    assert {SERVICES[one]["environment"][name] for one in OURS} == {re.findall(rf"\$\{{{name}:-\w*\}}", TEXT)[0]}


def test_a_worker_has_time_to_let_its_runs_finish() -> None:
    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) > 10


def test_the_image_runs_as_nobody_in_particular_and_takes_no_secrets_along() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER badgerjobs" in lines
    assert lines.index("COPY . .") < lines.index("USER badgerjobs")
    assert {".env", ".data", ".git"} <= set((ROOT / ".dockerignore").read_text().split())
