from datetime import UTC, datetime, timedelta

import pytest

from badgerjobs.lib import zones

MARCH = datetime(2026, 3, 29, 1, tzinfo=UTC)  # Zurich: 02:00 becomes 03:00
OCTOBER = datetime(2026, 10, 25, 1, tzinfo=UTC)  # Zurich: 03:00 becomes 02:00


@pytest.mark.parametrize("name", ["UTC", "Europe/Zurich", "EST", "Australia/Lord_Howe", "Etc/GMT+5", "Asia/Kathmandu"])
def test_names_of_the_iana_database_are_zones(name: str) -> None:
    assert datetime(2026, 1, 1, tzinfo=zones.zone(name)).utcoffset() is not None


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Zurich", "did you mean Europe/Zurich?"),
        ("europe/zurich", "did you mean Europe/Zurich?"),
        ("Europe/Zuerich", "did you mean Europe/Zurich?"),
        ("America/New York", "did you mean America/New_York?"),
        ("utc", "did you mean UTC?"),
        ("Mars/Olympus_Mons", "like Europe/Zurich, or UTC"),
        ("+02:00", "like Europe/Zurich, or UTC"),
        ("../../etc/passwd", "like Europe/Zurich, or UTC"),
        ("America", "is not a time zone"),
        ("localtime", "is not a time zone"),
        ("right/Europe/Zurich", "is not a time zone"),
        ("", "is not a time zone"),
    ],
)
def test_what_is_no_zone_is_refused_with_the_nearest_name(name: str, part: str) -> None:
    with pytest.raises(zones.UnknownZoneError) as raised:
        zones.zone(name)
    assert part in str(raised.value)


@pytest.mark.parametrize("month", range(1, 13))
def test_est_as_the_presets_zone_is_five_hours_behind_all_year(month: int) -> None:
    moment = datetime(2026, month, 1, tzinfo=UTC)
    assert zones.offset(moment, zones.preset_zone("EST")) == timedelta(hours=-5)
    assert zones.offset(moment, zones.preset_zone("America/New_York")) == timedelta(hours=-4 if 3 < month < 12 else -5)


@pytest.mark.parametrize(
    ("wall", "shifted", "resumed"),
    [
        ("2026-03-29T01:59", "2026-03-29T00:59", "2026-03-29T00:59"),
        ("2026-03-29T02:00", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("2026-03-29T02:30", "2026-03-29T01:30", "2026-03-29T01:00"),
        ("2026-03-29T03:00", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("2026-10-25T02:30", "2026-10-25T00:30", "2026-10-25T00:30"),
        ("2026-10-25T03:00", "2026-10-25T02:00", "2026-10-25T02:00"),
    ],
)
def test_the_missing_and_the_doubled_hour_have_one_moment_each(wall: str, shifted: str, resumed: str) -> None:
    place = zones.zone("Europe/Zurich")
    on_the_wall = datetime.fromisoformat(wall)
    assert zones.shifted(on_the_wall, place) == datetime.fromisoformat(f"{shifted}Z")
    assert zones.resumed(on_the_wall, place) == datetime.fromisoformat(f"{resumed}Z")


@pytest.mark.parametrize(
    ("zone", "around", "change"),
    [
        ("Europe/Zurich", MARCH, MARCH),
        ("Europe/Zurich", OCTOBER, OCTOBER),
        ("Australia/Lord_Howe", datetime(2026, 4, 5, tzinfo=UTC), datetime(2026, 4, 4, 15, tzinfo=UTC)),
        ("Pacific/Apia", datetime(2011, 12, 30, tzinfo=UTC), datetime(2011, 12, 30, 10, tzinfo=UTC)),
        ("Asia/Kathmandu", MARCH, None),
        ("UTC", MARCH, None),
    ],
)
def test_the_moment_of_a_change_is_found(zone: str, around: datetime, change: datetime | None) -> None:
    day = timedelta(days=1)
    assert zones.next_change(around - day, around + day, zones.zone(zone)) == change


def test_a_change_is_within_its_bounds_only_when_it_is_later_than_the_first() -> None:
    place = zones.zone("Europe/Zurich")
    assert zones.next_change(MARCH - timedelta(seconds=1), MARCH, place) == MARCH
    assert zones.next_change(MARCH, MARCH + timedelta(days=1), place) is None


@pytest.mark.parametrize("before", [timedelta(microseconds=1), timedelta(seconds=0.5), timedelta(days=1.00001)])
def test_a_change_of_clocks_is_told_to_the_second_whatever_moment_it_is_looked_for_from(before: timedelta) -> None:
    place = zones.zone("Europe/Zurich")
    assert zones.next_change(MARCH - before, MARCH + timedelta(seconds=0.3), place) == MARCH
    assert zones.next_change(MARCH + timedelta(seconds=0.3), MARCH + before, place) is None


def test_all_changes_of_clocks_in_a_span_are_found_in_order() -> None:
    zurich = zones.zone("Europe/Zurich")
    assert list(zones.changes(MARCH - timedelta(days=30), OCTOBER + timedelta(days=30), zurich)) == [MARCH, OCTOBER]
    assert list(zones.changes(MARCH, OCTOBER, zurich)) == [OCTOBER]
    assert list(zones.changes(MARCH, OCTOBER - timedelta(seconds=1), zurich)) == []
    assert list(zones.changes(OCTOBER, MARCH, zurich)) == []


def test_changes_within_a_week_of_each_other_are_both_found() -> None:
    # Recife took its summer time back after seven days.
    begin, end = datetime(2000, 10, 8, 3, tzinfo=UTC), datetime(2000, 10, 15, 2, tzinfo=UTC)
    for days in range(1, 12):
        start = begin - timedelta(days=days)
        assert list(zones.changes(start, end + timedelta(days=9), zones.zone("America/Recife"))) == [begin, end]


def test_what_has_no_clocks_to_change_has_no_changes() -> None:
    for name in ("UTC", "EST", "Asia/Kathmandu"):
        assert list(zones.changes(MARCH, MARCH + timedelta(days=900), zones.preset_zone(name))) == []
