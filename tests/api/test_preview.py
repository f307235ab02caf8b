"""What a schedule means before it is used: the same as it will mean, and refused alike."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from jobs.models import Job
from tests.callers import Caller
from tests.in_turn import in_turn

WHERE = "/schedules/preview/"
JOB = {"tag": "t", "endpoint": "https://example.com/", "verb": "GET"}

SCHEDULES: list[dict[str, Any]] = [
    {},
    {"run_at": "2020-01-01T00:00:00Z"},
    {"run_at": (timezone.now() + timedelta(days=3)).isoformat()},
    {"run_every": "PT15M"},
    {"run_every": "P1M", "run_at": "2026-01-31T08:00:00+01:00", "time_zone": "Europe/Zurich"},
    {"run_every": "PT1H", "run_at": (timezone.now() + timedelta(days=3)).isoformat()},
    {"cron": "30 2 * * *", "time_zone": "Europe/Zurich"},
    {"cron": "0 12 L * *"},
    {"preset": "hourly"},
    {"preset": "daily"},
    {"preset": "weekly"},
    {"preset": "weekly", "max_runs": 3, "end_at": (timezone.now() + timedelta(days=30)).isoformat()},
]


def moments(texts: list[str]) -> list[datetime]:
    found = [parse_datetime(text) for text in texts]
    assert all(text.endswith("Z") for text in texts)
    return [moment for moment in found if moment]


@in_turn("schedule", SCHEDULES)
def test_the_first_of_a_preview_is_what_making_the_job_plans(alice: Caller, schedule: dict[str, Any]) -> None:
    began = timezone.now()
    preview = alice.post(WHERE, schedule)
    made = alice.post("/jobs/", {**JOB, **schedule}).body
    at_once = began, timezone.now()
    assert preview.status == 200
    planned = moments([made["next_run_at"]] if made["next_run_at"] else [])
    first = moments(preview.body["next"][:1])
    assert len(first) == len(planned)
    for one, other in zip(first, planned, strict=True):
        assert one == other or at_once[0] <= min(one, other) <= max(one, other) <= at_once[1]
    ours = preview.body["words"].partition(", starting")[0]
    assert made["schedule"].startswith(ours)


REFUSED: list[dict[str, Any]] = [
    {"cron": "0 8 * * *", "run_every": "PT1H"},
    {"cron": "0 0 30 2 *"},
    {"cron": "hello"},
    {"run_every": "P1H"},
    {"preset": "dayly"},
    {"time_zone": "Nowhere/Land"},
    {"run_at": "2026-11-21T22:50:28"},
    {"run_at": "2099-01-01T00:00:00Z"},
    {"run_at": "tomorrow"},
    {"corn": "0 8 * * *"},
    {"cron": "\ud800"},
    {"cron": "0 8 * * *\0"},
    {"cron": "*/5 * * * * *"},
    {"run_every": "PT1H", "run_at": "2030-01-01T00:00:00Z", "end_at": "2020-01-01T00:00:00Z"},
    {"max_runs": 3},
    {"run_every": "PT1H", "max_runs": 0},
    {"run_every": "PT1H", "spread": "PT2H"},
]


@in_turn("schedule", REFUSED)
def test_a_preview_refuses_what_making_a_job_refuses_and_says_the_same(alice: Caller, schedule: dict[str, Any]) -> None:
    preview, made = alice.post(WHERE, schedule), alice.post("/jobs/", {**JOB, **schedule})
    assert (preview.status, made.status) == (400, 400)
    assert preview.errors.keys() == made.errors.keys()
    if "corn" not in schedule:  # the nearest name is among the fields of each
        assert preview.errors == made.errors
    assert not Job.objects.exists()


def test_a_preview_gives_as_many_as_asked_each_later_than_the_last(alice: Caller) -> None:
    for count in (1, 5, 100):
        found = moments(alice.post(WHERE, {"run_every": "PT1H", "count": count}).body["next"])
        assert len(found) == count
        assert all(later - earlier == timedelta(hours=1) for earlier, later in pairwise(found))
    assert len(alice.post(WHERE, {"cron": "0 8 * * *"}).body["next"]) == 5


def test_a_preview_can_look_from_any_moment(alice: Caller) -> None:
    answer = alice.post(
        WHERE, {"cron": "30 2 * * *", "time_zone": "Europe/Zurich", "after": "2026-03-28T00:00:00+01:00", "count": 3}
    )
    # On the 29th clocks are put forward at 2: the run comes at the first moment after the gap.
    assert moments(answer.body["next"]) == [
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
    ]
    assert answer.body["time_zone"] == "Europe/Zurich"


@pytest.mark.parametrize(("schedule", "zone"), [({"preset": "daily"}, "EST"), ({"cron": "0 8 * * *"}, "UTC")])
def test_a_preview_says_in_which_zone_it_reckons(alice: Caller, schedule: dict[str, Any], zone: str) -> None:
    assert alice.post(WHERE, schedule).body["time_zone"] == zone


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"count": 0}, "count"),
        ({"count": 101}, "count"),
        ({"count": "many"}, "count"),
        ({"after": "tomorrow"}, "after"),
        ({"after": "2026-01-01"}, "after"),
        ({"after": None}, "after"),
    ],
)
def test_a_preview_says_what_it_cannot_read(alice: Caller, given: dict[str, Any], field: str) -> None:
    assert set(alice.post(WHERE, {"run_every": "PT1H", **given}).errors) == {field}


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ("0001-01-01T00:00:00Z", "before 1970"),
        ("0001-01-01T00:00:00+14:00", "up to the year 9999"),
        ("1969-12-31T23:59:59Z", "before 1970"),
        ("2999-01-01T00:00:00Z", "within the next ten years"),
        ("9000-01-01T00:00:00Z", "within the next ten years"),
        ("9999-12-31T23:59:59Z", "within the next ten years"),
        ("9999-12-31T23:59:59-14:00", "up to the year 9999"),
    ],
)
@pytest.mark.parametrize("more", [{}, {"max_runs": 5}], ids=["all", "so many"])
def test_no_preview_looks_beyond_what_may_be_planned(
    alice: Caller, more: dict[str, Any], after: str, said: str
) -> None:
    answer = alice.post(WHERE, {"run_every": "P1M", "time_zone": "America/New_York", **more, "after": after})
    assert (answer.status, set(answer.errors)) == (400, {"after"})
    assert said in answer.errors["after"][0]


@pytest.mark.parametrize("days", [-20_000, 3652])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_preview_may_look_from_where_schedules_begin_to_their_horizon(
    alice: Caller, schedule: dict[str, Any], days: int
) -> None:
    after = (timezone.now() + timedelta(days=days)).isoformat()
    assert alice.post(WHERE, {**schedule, "after": after, "count": 100}).status == 200


def test_a_preview_keeps_nothing_and_needs_no_more_than_reading(alice: Caller) -> None:
    assert alice.post(WHERE, {"run_every": "PT1H"}).status == 200
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("fields", "count", "ends"),
    [
        ({}, 5, False),
        ({"max_runs": 2}, 2, True),
        ({"max_runs": 5}, 5, True),
        ({"max_runs": 6}, 5, False),
        ({"end_at": "{end}"}, 3, True),
        ({"end_at": "{end}", "max_runs": 2}, 2, True),
        ({"run_every": None}, 0, True),
        ({"max_runs": 4, "after": "{later}"}, 2, True),
        ({"max_runs": 2, "after": "{later}"}, 0, True),
        ({"max_runs": 2, "after": "2020-01-01T00:00:00Z", "run_at": "{later}"}, 2, True),
    ],
)
def test_a_preview_stops_where_the_schedule_ends(alice: Caller, fields: dict[str, Any], count: int, ends: bool) -> None:
    now = timezone.now()
    times = {"end": now + timedelta(hours=2.5), "later": now + timedelta(hours=1.5)}
    texts = {name: moment.isoformat() for name, moment in times.items()}
    given = {name: value.format(**texts) if isinstance(value, str) else value for name, value in fields.items()}
    answer = alice.post(WHERE, {"run_every": "PT1H", **given})
    assert answer.status == 200, answer.body
    assert (len(answer.body["next"]), answer.body["ends"]) == (count, ends)


def test_a_preview_of_a_tag_gives_the_times_at_which_that_job_will_start(alice: Caller) -> None:
    hourly = {"cron": "0 * * * *", "spread": "PT30M"}
    planned = moments(alice.post(WHERE, hourly).body["next"])
    assert {(one.minute, one.second) for one in planned} == {(0, 0)}
    starts = moments(alice.post(WHERE, {**hourly, "tag": "t"}).body["next"])
    made = alice.post("/jobs/", {**JOB, **hourly}).body
    assert starts[0] == moments([made["next_run_at"]])[0]
    late = {start - one for start, one in zip(starts, planned, strict=True)}
    assert len(late) == 1
    assert timedelta(0) < late.pop() < timedelta(minutes=30)
