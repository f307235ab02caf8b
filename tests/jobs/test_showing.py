"""What the panel says of a job: its schedule, its state and its retries in words."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.lib.backoff import LIST, Retries
from badgerjobs.runs.models import Runnable
from badgerjobs.runs.saying import Saying, next_runs, retries_in_words, saying, state_of
from badgerjobs.runs.schedules import place_of
from jobs.models import Job
from jobs.showing import failures_in_words
from tests.factories import NOW

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"run_every": "PT15M"}, Saying("Every 15 minutes")),
        ({"run_every": "P1M", "run_at": NOW}, Saying("Every month")),
        ({"cron": "0 8 * * 1", "time_zone": "Europe/Zurich"}, Saying("At 08:00 on Monday", code="0 8 * * 1")),
        ({"cron": "0 8 * * 1", "run_at": NOW}, Saying("At 08:00 on Monday", code="0 8 * * 1")),
        ({"preset": "daily"}, Saying("Daily at 08:00 EST", note="preset, 13:00 UTC")),
        ({"preset": "hourly"}, Saying("Hourly at minute 0", note="preset")),
        ({"run_every": "PT1H", "end_at": NOW}, Saying("Every hour", end=f"until {NOW:%Y-%m-%d %H:%M} UTC")),
        (
            {"cron": "0 8 * * 1", "end_at": NOW, "max_runs": 1000, "scheduled_runs": 12},
            Saying(
                "At 08:00 on Monday", code="0 8 * * 1", end=f"until {NOW:%Y-%m-%d %H:%M} UTC, 12 of 1,000 runs made"
            ),
        ),
        ({"preset": "hourly", "max_runs": 1}, Saying("Hourly at minute 0", note="preset", end="0 of 1 run made")),
        ({"run_at": NOW}, Saying("Once")),
        ({}, Saying("By hand only")),
        ({"cron": "0 8 * * 1", "time_zone": "Atlantis/Capital"}, Saying("At 08:00 on Monday", code="0 8 * * 1")),
    ],
    ids=str,
)
def test_a_schedule_is_said_in_few_words(fields: dict[str, Any], said: Saying) -> None:
    assert saying(Runnable(anchor=NOW, **fields)) == said


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"next_run_at": NOW, "run_every": "PT1H"}, "enabled"),
        ({"enabled": False, "run_every": "PT1H"}, "paused"),
        ({"run_at": NOW}, "ended"),
        ({"run_at": NOW, "next_run_at": NOW}, "enabled"),
        ({}, "enabled"),
    ],
    ids=str,
)
def test_a_job_is_enabled_paused_or_ended(fields: dict[str, Any], state: str) -> None:
    assert state_of(Runnable(anchor=NOW, **fields)) == state


def test_a_zone_that_is_none_any_more_is_told_and_breaks_nothing() -> None:
    runnable = Runnable(anchor=NOW, cron="0 8 * * *", time_zone="Atlantis/Capital", next_run_at=NOW)
    assert str(place_of(runnable)) == "UTC"
    assert "Atlantis/Capital" in " ".join(next_runs(runnable, NOW).errors)


def test_the_next_runs_are_those_that_the_dispatcher_plans_with_a_word_where_clocks_change() -> None:
    before = NOW.replace(month=3, day=7, hour=13)
    runnable = Runnable(anchor=NOW, cron="0 8 * * *", time_zone="America/New_York", next_run_at=before)
    with timezone.override("Europe/Zurich"):
        rows = next_runs(runnable, NOW).rows
    assert [row.moment for row in rows] == [before, *(before - HOUR + timedelta(days=day) for day in range(1, 5))]
    assert [len(row.shifts) for row in rows] == [0, 1, 0, 0, 0]
    assert "New York" in rows[1].shifts[0]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (Retries(retries=0), ""),
        (Retries(retries=1), "1 more time, after 10 s"),
        (Retries(), "3 more times, after 10 s, 20 s and 30 s"),
        (Retries(retries=6, step_s=60), "6 more times, after 1 min, 2 min, … and 6 min"),
        (Retries("exponential", for_s=3600), "3 more times, after 10 s, 20 s and 40 s, within 1 h"),
        (Retries(LIST, retries=2, delays=(5, 90)), "2 more times, after 5 s and 1 min 30 s"),
    ],
)
def test_retries_are_said_with_how_long_each_waits(policy: Retries, said: str) -> None:
    assert retries_in_words(policy) == said


@pytest.mark.parametrize(
    ("fail", "again", "said"),
    [
        ("400-599", "", "a status of 400 or more fails"),
        ("500-599", "", "statuses that fail: 500-599"),
        ("400-599", "429,503", "a status of 400 or more fails; tried again: 429,503"),
    ],
)
def test_which_answers_fail_is_said(fail: str, again: str, said: str) -> None:
    assert failures_in_words(Job(fail_statuses=fail, retry_statuses=again)) == said
