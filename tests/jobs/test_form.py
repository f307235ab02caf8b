"""What a person types, told to the serializer, and its sentences brought back beside the fields."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import timezone

from badgerjobs.lib import vault
from badgerjobs.lib.amounts import UNITS
from badgerjobs.lib.backoff import REPEATER, Retries
from badgerjobs.runs.forms import ScheduleForm, chosen, spoken
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.retry_policy import RETRY_COLUMNS, columns_of
from jobs.forms import JobForm
from jobs.initial import initial_new, initial_of
from jobs.models import Job
from tests.factories import NOW, make_job

GOOD = {
    "name": "refresh", "verb": "POST", "endpoint": "https://example.com/", "when": "hand", "time_zone": "UTC",
    "timeout": "30", "enabled": "on", "retryable": "on",
}  # fmt: skip


def sent(**fields: Any) -> QueryDict:
    """What a browser sends: `headers` as pairs, None for what is not there."""
    data = QueryDict(mutable=True)
    for name, value in fields.pop("headers", []):
        data.appendlist("header_name", name)
        data.appendlist("header_value", value)
    data.update({name: value for name, value in {**GOOD, **fields}.items() if value is not None})
    return data


def told(**fields: Any) -> dict[str, Any]:
    form = JobForm(sent(**fields))
    assert form.is_valid(), form.errors
    return dict(form.told.validated_data)


def wrong(job: Job | None = None, **fields: Any) -> dict[str, str]:
    form = JobForm(sent(**fields), job=job)
    assert not form.is_valid()
    return {name: str(said[0]) for name, said in form.errors.items()}


@pytest.mark.parametrize(
    ("fields", "schedule"),
    [
        ({"when": "hand"}, {}),
        ({"when": "every", "every": "15", "unit": "minutes"}, {"run_every": "PT15M"}),
        ({"when": "every", "every": "1", "unit": "months"}, {"run_every": "P1M"}),
        ({"when": "every", "every": "1.5", "unit": "hours"}, {"run_every": "PT1.5H"}),
        ({"when": "every", "unit": "iso", "duration": "P1DT12H", "every": "9"}, {"run_every": "P1DT12H"}),
        ({"when": "cron", "cron": " 0 8 * * 1-5 ", "preset": "daily"}, {"cron": "0 8 * * 1-5"}),
        ({"when": "preset", "preset": "weekly", "cron": "nonsense"}, {"preset": "weekly"}),
        (
            {"when": "cron", "cron": "0 8 * * *", "time_zone": "Asia/Tokyo"},
            {"cron": "0 8 * * *", "time_zone": "Asia/Tokyo"},
        ),
        ({"when": "hand", "time_zone": "Nowhere", "cron": "x", "at": "y", "start": "z"}, {}),
        ({"when": "hand", "time_zone": "Asia/Tokyo"}, {"time_zone": "Asia/Tokyo"}),
    ],
)
def test_only_what_is_chosen_counts(fields: dict[str, str], schedule: dict[str, Any]) -> None:
    given = told(**fields)
    expected = {"run_at": None, "run_every": "", "cron": "", "preset": "", "time_zone": "UTC", **schedule}
    assert {name: given[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("wall", "zone", "moment"),
    [
        ("2026-12-24T18:00", "Europe/Zurich", datetime(2026, 12, 24, 17, 0, tzinfo=UTC)),
        ("2026-07-01T08:00:30", "America/New_York", datetime(2026, 7, 1, 12, 0, 30, tzinfo=UTC)),
        ("2026-07-01T08:00:00+02:00", "America/New_York", datetime(2026, 7, 1, 6, 0, tzinfo=UTC)),
        # The hour that is missing, and the one that comes twice: as docs/time.md has it.
        ("2027-03-28T02:30", "Europe/Zurich", datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),
        ("2027-10-31T02:30", "Europe/Zurich", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_one_on_the_wall_of_the_zone(wall: str, zone: str, moment: datetime) -> None:
    assert told(when="at", at=wall, time_zone=zone)["run_at"] == moment
    assert told(when="every", every="1", unit="days", start=wall, time_zone=zone)["run_at"] == moment


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"name": ""}, "name", "Give the job a name"),
        ({"name": "a/b"}, "tag", "Did you mean a-b?"),
        ({"tag": "a/b"}, "tag", "A tag may hold neither"),
        ({"endpoint": ""}, "endpoint", "Give the URL to call"),
        ({"endpoint": "example.com/a?b=c"}, "endpoint", "Did you mean https://example.com/a?b=c?"),
        ({"endpoint": "not a url"}, "endpoint", "The URL contains ' '"),
        ({"endpoint": "ftp://example.com"}, "endpoint", "Only http:// and https://"),
        ({"verb": "BREW"}, "verb", "BREW"),
        ({"timeout": "soon"}, "timeout", "from 1 to 900"),
        ({"timeout": "901"}, "timeout", "from 1 to 900"),
        ({"timeout": None}, "timeout", "from 1 to 900"),
        ({"when": "sometimes"}, "when", "sometimes"),
        ({"when": None}, "when", "Choose when it runs."),
        ({"when": "at", "at": ""}, "at", "Say when"),
        ({"when": "at", "at": "tomorrow"}, "at", "This is no day and time"),
        ({"when": "at", "at": "0001-01-01T00:00", "time_zone": "Europe/Zurich"}, "at", "This is no day and time"),
        ({"when": "at", "at": "2099-01-01T00:00"}, "at", "more than ten years ahead"),
        ({"when": "every", "every": "", "unit": "hours"}, "every", "Say how often"),
        ({"when": "every", "every": "x", "unit": "hours"}, "every", "Say how often"),
        ({"when": "every", "every": "0", "unit": "hours"}, "every", "Say how often"),
        ({"when": "every", "every": "1.5", "unit": "days"}, "every", "36 hours instead of 1.5 days"),
        ({"when": "every", "unit": "iso", "duration": ""}, "duration", "Say how often"),
        ({"when": "every", "unit": "iso", "duration": "P1H"}, "duration", "did you mean PT1H?"),
        ({"when": "every", "every": "1", "unit": "days", "start": "soon"}, "start", "This is no day and time"),
        ({"when": "cron", "cron": ""}, "cron", "Give five fields"),
        ({"when": "cron", "cron": "@daily"}, "cron", "write 0 0 * * *."),
        ({"when": "preset"}, "preset", "Choose one"),
        ({"when": "cron", "cron": "0 8 * * *", "time_zone": "Zurich"}, "time_zone", "did you mean Europe/Zurich?"),
        ({"body": "x" * 1_000_001}, "body", "at most 1,000,000"),
        ({"headers": [("X Shop Id", "1")]}, "headers", "Did you mean X-Shop-Id?"),
        ({"headers": [("Host", "evil")]}, "headers", "belongs to the connection"),
        ({"headers": [("X-A", "a\nb")]}, "headers", "printable ASCII"),
        ({"headers": [("", "value")]}, "headers", "needs a name"),
        ({"headers": [("X-A", "1"), ("X-A", "2")]}, "headers", "There is a header X-A above"),
        ({"headers": [("Authorization", vault.MASK)]}, "headers", "Send the value itself"),
        ({"headers": [(f"X-{n}", "1") for n in range(101)]}, "headers", "A call may have 100 headers"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field(fields: dict[str, Any], field: str, said: str) -> None:
    errors = wrong(**fields)
    assert list(errors) == [field]
    assert said in errors[field]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    errors = wrong(name="", endpoint="", when="cron", cron="x", time_zone="y", timeout="z", headers=[("a b", "")])
    assert set(errors) == {"name", "endpoint", "cron", "time_zone", "timeout", "headers"}


def test_the_fields_that_need_a_change_are_named_in_the_order_of_the_page() -> None:
    form = JobForm(sent(name="", when="cron", cron="x", headers=[("X-A", "1"), ("b c", "")]))
    assert form.wrong() == [("name", "Name"), ("header_name_2", "Header 2"), ("cron", "Cron")]


def test_empty_rows_are_no_headers_and_stay_where_they_are() -> None:
    form = JobForm(sent(headers=[("X-A", "1"), ("", ""), ("X-B", "")]))
    assert form.is_valid()
    assert form.told.validated_data["headers"] == {"X-A": "1", "X-B": ""}
    assert [row.name for row in form.header_rows()] == ["X-A", "", "X-B"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_number_with_a_unit_reads_as_it_was_written(unit: str) -> None:
    assert spoken(UNITS[unit].format("15")) == ("15", unit)


@pytest.mark.parametrize("text", ["PT1H30M", "P1DT12H", "P1Y", "PT015X", "P1M2D"])
def test_what_is_more_than_a_number_and_a_unit_stays_as_it_was_written(text: str) -> None:
    assert spoken(text)[1] == "iso"


STORED: list[dict[str, Any]] = [
    {},
    {"run_at": NOW + timedelta(microseconds=123_456)},
    {"run_at": NOW + timedelta(days=1, microseconds=5), "run_every": "PT90M", "time_zone": "Asia/Tokyo"},
    # The second time that a clock in Zurich shows 02:30 in that night.
    {"run_at": datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "run_every": "P1D", "time_zone": "Europe/Zurich"},
    {"run_every": "P1DT12H", "time_zone": "America/New_York"},
    {"cron": "*/5 8-18 * * MON-FRI", "time_zone": "Europe/Zurich", "enabled": False},
    {"preset": "weekly", "run_at": NOW},
    {"time_zone": "Asia/Tokyo", "retryable": False, "timeout": 900},
    {"backoff": "exponential", "retries": 7, "retry_step_s": 5, "retry_for_s": 900, "fail_statuses": "500-599"},
    {"backoff": "list", "retries": 2, "retry_delays": [5, 60], "retry_step_s": 77, "retry_statuses": "503"},
    {"backoff": "list", "retries": 0, "retry_delays": [5, 60], "retryable": False},
    {"backoff": "polynomial", "retries": 24, "retry_step_s": 1},
    {"backoff": "polynomial", "retries": 0, "retry_step_s": 1, "retryable": False},
    {"retries": 0},
    {"body": "one\r\ntwo\rthree\n", "headers": {"Authorization": "secret", "X-A": " 1"}, "name": "Name"},
]


@pytest.mark.parametrize("fields", STORED, ids=[str(place) for place in range(len(STORED))])
def test_a_form_that_nobody_touched_changes_nothing(shop: Application, fields: dict[str, Any]) -> None:
    job = make_job(shop, **fields)
    initial = initial_of(job)
    # A browser sends ticks as "on" or not at all, leaves seconds of 0 out, and ends lines with CR LF.
    initial |= {name: initial.get(name, "").removesuffix(":00") for name in ("at", "start")}
    shown = {name: ("on" if value is True else None if value is False else value) for name, value in initial.items()}
    shown["body"] = "\r\n".join(job.body.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    form = JobForm(sent(**shown), job=job)
    assert form.is_valid(), form.errors
    after = form.told.validated_data
    assert vault.unmask(after.pop("headers"), job.headers) == job.headers
    before = {name: getattr(job if hasattr(job, name) else job.runnable, name) for name in after}
    assert dict(after) == before


def test_a_new_zone_moves_the_time_on_the_wall_with_it(shop: Application) -> None:
    job = make_job(shop, run_at=NOW, time_zone="UTC")
    form = JobForm(sent(**chosen(job.runnable) | {"time_zone": "Asia/Tokyo"}), job=job)
    assert form.is_valid()
    assert form.schedule.run_at == NOW - timedelta(hours=9)


def test_an_edited_job_that_loses_its_name_is_called_by_its_tag(shop: Application) -> None:
    job = make_job(shop, name="Something else")
    form = JobForm(sent(name=""), job=job)
    assert form.is_valid()
    assert form.told.validated_data["name"] == job.tag


def test_a_new_job_begins_in_the_zone_of_its_reader() -> None:
    with timezone.override("Asia/Tokyo"):
        assert initial_new()["time_zone"] == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("body", "headers", "guess"),
    [
        ('{"a": 1}', [], "application/json"),
        ("[1]", [("X-A", "1")], "application/json"),
        ('{"a": 1}', [("content-type", "text/plain")], ""),
        ("{a", [], ""),
        ("hello", [], ""),
        ("[" * 100_000, [], ""),
    ],
)
def test_the_type_of_a_body_is_guessed_where_nothing_says_it(
    body: str, headers: list[tuple[str, str]], guess: str
) -> None:
    assert JobForm(sent(body=body, headers=headers)).guessed_type() == guess


def test_a_preset_is_told_in_its_zone_and_in_utc() -> None:
    choices = dict(ScheduleForm().fields["preset"].choices)  # type: ignore[attr-defined]  # those of a ChoiceField
    assert choices["daily"] == "Daily at 08:00 EST (13:00 UTC)"


def test_a_schedule_alone_is_a_form_too() -> None:
    form = ScheduleForm({"when": "cron", "cron": "0 8 * * *", "time_zone": "UTC", "enabled": "on"})
    assert form.is_valid()
    assert form.schedule.cron == "0 8 * * *"


@pytest.mark.parametrize(
    ("fields", "policy"),
    [
        ({"retry_policy": "incremental", "retries": "5", "retry_step": "60"}, Retries(retries=5, step_s=60)),
        ({"retry_policy": "exponential", "retries": "5", "retry_step": "60", "retry_for": "3600"},
         Retries("exponential", 5, 60, (), 3600)),
        ({"retry_policy": "list", "retry_delays": " 5, 60 600;", "retries": "9", "retry_step": "x"},
         Retries("list", 3, 10, (5, 60, 600))),
        ({"retry_policy": "repeater", "retries": "x", "retry_step": "x"}, REPEATER),
        ({"retry_policy": "incremental", "retries": "x", "retry_step": "10", "retryable": None}, Retries(retries=0)),
    ],
)  # fmt: skip
def test_a_chosen_policy_is_told_without_what_it_does_not_show(fields: dict[str, Any], policy: Retries) -> None:
    found = told(**fields)
    assert {name: found[name] for name in RETRY_COLUMNS} == columns_of(policy)
    assert found["retryable"] is bool(policy.retries)


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"retry_policy": "incremental", "retries": "", "retry_step": "10"}, "retries", "required"),
        ({"retry_policy": "incremental", "retries": "3", "retry_step": "soon"}, "retry_step", "required"),
        ({"retry_policy": "incremental", "retries": "3", "retry_step": "10", "retry_for": "9"}, "retry_for", "10 s"),
        ({"retry_policy": "list", "retry_delays": ""}, "retry_delays", "needs its waits"),
        ({"retry_policy": "list", "retry_delays": "5, soon"}, "retry_delays", "whole number of seconds"),
        ({"retry_policy": "guess"}, "retry_policy", "none of these"),
        ({"fail_statuses": ""}, "fail_statuses", "Say which fail"),
        ({"fail_statuses": "5xx"}, "fail_statuses", "like 408"),
        ({"fail_statuses": "500-599", "retry_statuses": "404"}, "retry_statuses", "no failure"),
        ({"retry_policy": "repeater", "retryable": None}, "retry_policy", "tick “Tries again”"),
        ({"retry_policy": "exponential", "retry_step": "10", "retryable": None}, "retry_policy", "tick “Tries again”"),
        ({"retry_statuses": "503", "retryable": None}, "retry_statuses", "tick “Tries again”"),
    ],
)
def test_what_is_wrong_with_retries_stands_beside_its_field(fields: dict[str, Any], field: str, said: str) -> None:
    found = wrong(**fields)
    assert list(found) == [field]
    assert said in found[field]


def test_the_part_about_retries_is_open_when_something_in_it_is_the_jobs_own(shop: Application) -> None:
    usual, own = make_job(shop), make_job(shop, "own", retries=4)
    answers = make_job(shop, "answers", fail_statuses="500-599")
    is_open = [JobForm(initial=initial_of(job), job=job).has_own_retries() for job in (usual, own, answers)]
    assert is_open == [False, True, True]
    assert not JobForm(initial=initial_new(shop), application=shop).has_own_retries()
    shop.retries = 4
    assert not JobForm(initial=initial_new(shop), application=shop).has_own_retries()
    bad = JobForm(sent(retry_policy="list", retry_delays=""), application=shop)
    assert not bad.is_valid()
    assert bad.has_own_retries()
    assert ("retry_delays", "Waits in seconds") in bad.wrong()


def test_names_of_headers_that_differ_in_case_only_are_one() -> None:
    said = wrong(headers=[("X-Team", "1"), ("x-team", "2")])
    assert "There is a header x-team above already" in said["headers"]
