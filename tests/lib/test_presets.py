from datetime import UTC, datetime

import pytest

from badgerjobs.lib import presets
from badgerjobs.lib.schedule import Schedule

JANUARY, JULY = datetime(2026, 1, 7, 20, 30, tzinfo=UTC), datetime(2026, 7, 8, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("preset", "zone", "after", "expected"),
    [
        ("hourly", "EST", JANUARY, "Wed 01-07 21:00"),
        ("daily", "EST", JANUARY, "Thu 01-08 13:00"),
        ("daily", "EST", JULY, "Thu 07-09 13:00"),
        ("weekly", "EST", JANUARY, "Tue 01-13 08:00"),
        ("weekly", "EST", JULY, "Tue 07-14 08:00"),
        ("daily", "America/New_York", JANUARY, "Thu 01-08 13:00"),
        ("daily", "America/New_York", JULY, "Thu 07-09 12:00"),
        ("weekly", "America/New_York", JULY, "Tue 07-14 07:00"),
        ("hourly", "Asia/Kolkata", JULY, "Wed 07-08 21:30"),
        ("weekly", "Asia/Tokyo", JULY, "Mon 07-13 18:00"),
    ],
)
def test_presets_run_as_documented(preset: str, zone: str, after: datetime, expected: str) -> None:
    following = Schedule(preset=preset, preset_time_zone=zone).next_after(after)
    assert f"{following:%a %m-%d %H:%M}" == expected


def test_a_preset_does_not_look_at_the_zone_of_the_schedule() -> None:
    assert Schedule(preset="daily", time_zone="Asia/Tokyo").next_after(JULY) == datetime(2026, 7, 9, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("preset", "zone", "words"),
    [
        ("hourly", "EST", "hourly at minute 0"),
        ("hourly", "Asia/Kolkata", "hourly at minute 0 Asia/Kolkata (minute 30 UTC)"),
        ("daily", "EST", "daily at 08:00 EST (13:00 UTC)"),
        ("daily", "America/New_York", "daily at 08:00 America/New_York (12:00 UTC or 13:00 UTC)"),
        ("weekly", "EST", "weekly on Tuesday at 03:00 EST (08:00 UTC)"),
        ("weekly", "Asia/Tokyo", "weekly on Tuesday at 03:00 Asia/Tokyo (18:00 UTC on the day before)"),
        ("daily", "Pacific/Honolulu", "daily at 08:00 Pacific/Honolulu (18:00 UTC)"),
    ],
)
def test_a_preset_is_said_in_its_zone_and_in_utc(preset: str, zone: str, words: str) -> None:
    assert presets.words(preset, zone) == words
