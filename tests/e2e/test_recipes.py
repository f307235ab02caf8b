"""docs/recipes.md as it stands: each block is run, and in all four ways the same jobs are made."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from tests.e2e.stack import ROOT, Stack

pytestmark = pytest.mark.e2e

PAGE = (ROOT / "docs" / "recipes.md").read_text()
# Way → what its blocks are given to, and the program that must be there.
WAYS = {
    "curl": (["sh", "-eu"], "curl"),
    "Python": ([sys.executable, "-W", "error", "-"], sys.executable),
    "JavaScript": (["node", "--input-type=module", "-"], "node"),
    "GraphQL": (["sh", "-eu"], "curl"),
}
ONCE = "Call in ten minutes, once"
WEEKDAYS = "Every weekday at 8:00"
QUARTERS = "Every 15 minutes, with retries and a body"
FIVE = "Five times, a second apart, and then no more"
CHANGES = "Change one, and delete another, by name"
# Recipe → what each way makes, in the fields of REST; the endpoint is below the service's own address.
MADE: dict[str, dict[str, Any]] = {
    ONCE: {"tag": "reminder", "endpoint": "/echo/reminder", "verb": "POST"},
    WEEKDAYS: {
        "tag": "morning-report", "endpoint": "/echo/report", "verb": "POST", "cron": "0 8 * * 1-5",
        "time_zone": "Europe/Zurich",
    },
    QUARTERS: {
        "tag": "stock-sync", "endpoint": "/echo/stock", "verb": "PUT", "body": '{"full": false}',
        "headers": {"Content-Type": "application/json"}, "run_at": "2026-01-01T00:00:00Z", "run_every": "PT15M",
        "retries": 3, "retry_policy": "incremental", "retry_step": 10,
    },
    FIVE: {"tag": "five-pings", "endpoint": "/echo/ping", "verb": "GET", "run_every": "PT1S", "max_runs": 5},
}  # fmt: skip
# What is another for each job, since it says when the job was made or counts from then.
MOMENTS = {"created_at", "updated_at", "next_run_at"}
COUNTED = {ONCE: {"run_at", "start_at", "schedule"}, FIVE: {"schedule"}}
TEN_MINUTES = timedelta(minutes=10)


def blocks() -> dict[tuple[str, str], str]:
    """Recipe and way → the block that stands there."""
    found = {}
    for section in PAGE.split("\n## ")[1:]:
        title = section.partition("\n")[0]
        for way, _language, block in re.findall(
            r"^\*\*(\w+)\*\*.*?^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL
        ):
            found[title, way] = block
    return found


def run(stack: Stack, recipe: str, way: str, token: str) -> None:
    """Run a block as it stands, with nothing but what the page asks for; its zone is somewhere else."""
    if not is_here(way):
        pytest.skip(f"{WAYS[way][1]} is not here")
    done = subprocess.run(
        WAYS[way][0],
        input=blocks()[recipe, way],
        env={"BADGERJOBS_URL": address(stack), "TOKEN": token, "TZ": "Asia/Kolkata", "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + stack.said()
    assert '"errors"' not in done.stdout, done.stdout  # GraphQL says them with status 200


def is_here(way: str) -> bool:
    return shutil.which(WAYS[way][1]) is not None


def is_completed(stack: Stack, tag: str, token: str) -> bool:
    return bool(shown(stack, tag, token)["status"] == "completed")


def address(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.port}"


@pytest.fixture(scope="module")
def tokens(_whole_stack: Stack) -> dict[str, str]:
    """Way → the token of an application of its own: a tag is taken once in each."""
    create = ("create_application", "--workspace", "tests")
    return {way: _whole_stack.manage(*create, f"by {way}").strip() for way in WAYS}


def shown(stack: Stack, tag: str, token: str) -> Any:
    reply = stack.request("GET", f"jobs/{tag}/", token=token)
    assert reply.status == 200, reply
    return reply.data


def made(stack: Stack, recipe: str, token: str) -> Any:
    """The job of a recipe as these tests make it."""
    tomorrow = {"run_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()} if recipe == ONCE else {}
    fields = MADE[recipe] | tomorrow | {"endpoint": address(stack) + MADE[recipe]["endpoint"]}
    reply = stack.request("POST", "jobs/", fields, token=token)
    assert reply.status == 201, reply
    return shown(stack, fields["tag"], token)


def lasting(job: dict[str, Any], recipe: str) -> dict[str, Any]:
    """What of a job is the same whenever it is made."""
    differ = MOMENTS | COUNTED.get(recipe, set())
    return {name: value for name, value in job.items() if name not in differ}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
def working(stack: Stack) -> Stack:
    """The stack with a beat and a worker."""
    stack.start("beat-1", "worker-1")
    return stack


def test_every_recipe_is_there_in_every_way() -> None:
    assert set(blocks()) == {(recipe, way) for recipe in [*MADE, CHANGES] for way in WAYS}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_makes_the_same_jobs_as_every_other(stack: Stack, tokens: dict[str, str], way: str) -> None:
    for recipe, fields in MADE.items():
        run(stack, recipe, way, tokens[way])
        job = shown(stack, fields["tag"], tokens[way])
        assert lasting(job, recipe) == lasting(made(stack, recipe, stack.token), recipe)
        assert job["next_run_at"]
    # Nothing of what is made in two steps was due, or skipped, between them.
    assert stack.request("GET", "runs/", token=tokens[way]).data["results"] == []


@pytest.mark.parametrize("way", WAYS)
def test_in_ten_minutes_is_ten_minutes_after_it_was_said(stack: Stack, tokens: dict[str, str], way: str) -> None:
    before = datetime.now(UTC).replace(microsecond=0)  # as `date` writes it
    run(stack, ONCE, way, tokens[way])
    after = datetime.now(UTC)

    job = shown(stack, "reminder", tokens[way])
    assert before <= moment(job["run_at"]) - TEN_MINUTES <= after
    assert job["next_run_at"] == job["run_at"]


@pytest.mark.parametrize("way", WAYS)
def test_one_job_is_changed_and_another_deleted_by_name(stack: Stack, tokens: dict[str, str], way: str) -> None:
    token = tokens[way]
    for recipe in (ONCE, QUARTERS):
        made(stack, recipe, token)
    before = shown(stack, "stock-sync", token)
    run(stack, CHANGES, way, token)

    after = shown(stack, "stock-sync", token)
    differ = {name for name in after if after[name] != before[name]} - MOMENTS
    assert differ == {"run_every", "run_every_ms", "intervals", "schedule"}
    assert after["run_every"] == "PT30M"
    assert stack.request("GET", "jobs/reminder/", token=token).status == 404


def test_five_times_are_five_runs_whole_seconds_apart_and_then_it_is_over(
    working: Stack, tokens: dict[str, str]
) -> None:
    asked = [tokens[way] for way in WAYS if is_here(way)]
    for way in filter(is_here, WAYS):
        run(working, FIVE, way, tokens[way])
    for token in asked:
        completed = partial(is_completed, working, "five-pings", token)
        working.until(completed, "all five are over")
        job = shown(working, "five-pings", token)
        assert (job["success_count"], job["failure_count"], job["next_run_at"]) == (5, 0, None)
        runs = working.request("GET", "runs/?state=succeeded", token=token).data["results"]
        occurrences = sorted(moment(each["occurrence"]) for each in runs)
        apart = [(later - earlier).total_seconds() for earlier, later in pairwise(occurrences)]
        assert len(apart) == 4
        assert all(wait >= 1 and wait == int(wait) for wait in apart), apart
