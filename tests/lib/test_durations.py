import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from badgerjobs.lib import durations
from badgerjobs.lib.durations import Duration


@pytest.mark.parametrize(
    ("text", "months", "days", "exact"),
    [
        ("PT1S", 0, 0, timedelta(seconds=1)),
        ("PT15M", 0, 0, timedelta(minutes=15)),
        ("P15M", 15, 0, timedelta()),
        ("PT24H", 0, 0, timedelta(hours=24)),
        ("P1D", 0, 1, timedelta()),
        ("P2W", 0, 14, timedelta()),
        ("P1W3D", 0, 10, timedelta()),
        ("P1Y2M", 14, 0, timedelta()),
        ("P1DT12H", 0, 1, timedelta(hours=12)),
        ("P1Y2M3W4DT5H6M7S", 14, 25, timedelta(hours=5, minutes=6, seconds=7)),
        ("PT1.5H", 0, 0, timedelta(minutes=90)),
        ("PT1,5S", 0, 0, timedelta(seconds=1.5)),
        ("PT1.000001S", 0, 0, timedelta(seconds=1, microseconds=1)),
        ("P0DT1H", 0, 0, timedelta(hours=1)),
        ("P10Y", 120, 0, timedelta()),
    ],
)
def test_a_duration_is_read_into_its_two_halves(text: str, months: int, days: int, exact: timedelta) -> None:
    assert durations.parse(text) == Duration(months, days, exact)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("P1H", "did you mean PT1H?"),
        ("P1D12H", "did you mean P1DT12H?"),
        ("PT1D", "did you mean P1D?"),
        ("P1H30M", "did you mean PT1H30M?"),
        ("pt15m", "did you mean"),
        ("1h", "did you mean PT1H?"),
        ("15 minutes", "did you mean PT15M?"),
        ("2 weeks", "did you mean P2W?"),
        ("3 months", "did you mean P3M?"),
        ("1 day", "did you mean P1D?"),
        ("-PT1H", "positive"),
        ("PT-1H", "positive"),
        ("P", "PT15M"),
        ("PT", "PT15M"),
        ("P1DT", "did you mean P1D?"),
        ("", "PT15M"),
        ("hourly", "PT15M"),
        ("P0.5D", "PT15M"),
        ("P1M1Y", "PT15M"),
        ("P0003-06-04T12:30:05", "PT15M"),
        ("PT٣H", "PT15M"),
        ("PT1H\n", "did you mean PT1H?"),
        ("PT0S", "too short"),
        ("P0D", "too short"),
        ("PT0.5S", "too short"),
        ("PT0.999999S", "too short"),
        ("P9999Y", "too long"),
        ("P11Y", "too long"),
        ("P121M", "too long"),
        ("P100000000D", "too long"),
        ("PT999999999H", "too long"),
        ("P10Y2D", "too long"),
        ("PT9999999999999S", "PT15M"),
        ("PT1.1234567S", "PT15M"),
    ],
)
def test_what_is_no_duration_is_refused_with_what_would_be_right(text: str, part: str) -> None:
    with pytest.raises(durations.BadDurationError) as raised:
        durations.parse(text)
    assert part in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("PT1M", "minute"),
        ("PT15M", "15 minutes"),
        ("PT90S", "1 minute and 30 seconds"),
        ("PT1.5S", "1.5 seconds"),
        ("PT24H", "24 hours"),
        ("P1D", "day"),
        ("P7D", "week"),
        ("P10D", "10 days"),
        ("P1DT12H", "1 day and 12 hours"),
        ("P1M", "month"),
        ("P15M", "1 year and 3 months"),
        ("P1Y2M3DT4H", "1 year, 2 months, 3 days and 4 hours"),
    ],
)
def test_a_duration_is_said_as_it_follows_every(text: str, words: str) -> None:
    assert durations.parse(text).words() == words


@pytest.mark.parametrize(
    ("text", "length"),
    [("PT1M", "1 minute"), ("PT1H", "1 hour"), ("PT90S", "1 minute and 30 seconds"), ("PT23H", "23 hours")],
)
def test_a_duration_is_said_as_a_length(text: str, length: str) -> None:
    assert durations.parse(text).length() == length


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (1_000, "PT1S"),
        (1_001, "PT1.001S"),
        (1_500, "PT1.5S"),
        (10_010, "PT10.01S"),
        (60_000, "PT1M"),
        (60_500, "PT1M0.5S"),
        (900_000, "PT15M"),
        (3_600_000, "PT1H"),
        (5_400_000, "PT1H30M"),
        (3_605_000, "PT1H5S"),
        (86_400_000, "PT24H"),
        (3653 * 86_400_000, "PT87672H"),
    ],
)
def test_milliseconds_are_written_as_a_duration_of_the_clock(ms: int, text: str) -> None:
    assert durations.of_milliseconds(ms) == text
    assert durations.parse(text).milliseconds == ms


@given(st.integers(1_000, 3653 * 86_400_000))
def test_milliseconds_come_back_as_they_went(ms: int) -> None:
    assert durations.parse(durations.of_milliseconds(ms)).milliseconds == ms


@pytest.mark.parametrize(
    ("ms", "part"),
    [
        (999, "too short: one second (1000 ms)"),
        (0, "too short"),
        (-(10**30), "too short"),
        (3653 * 86_400_000 + 1, "too long: ten years (315619200000 ms)"),
        (10**5000, "too long"),
    ],
    ids=["a bit short", "nothing", "negative", "a bit long", "huge"],
)
def test_milliseconds_under_a_second_or_over_ten_years_are_refused(ms: int, part: str) -> None:
    with pytest.raises(durations.BadDurationError) as raised:
        durations.of_milliseconds(ms)
    assert part in str(raised.value)


@pytest.mark.parametrize("text", ["P1D", "P1M", "P1DT12H", "PT1.0001S", "PT1.000001S"])
def test_a_duration_of_the_calendar_or_of_parts_of_a_millisecond_has_no_milliseconds(text: str) -> None:
    assert durations.parse(text).milliseconds is None


@given(st.text(alphabet="PTYMWDHS0123456789.,- ", max_size=14))
def test_any_text_is_either_a_duration_within_the_bounds_or_refused_with_a_sentence(text: str) -> None:
    said = ""
    try:
        duration = durations.parse(text)
    except durations.BadDurationError as error:
        said = str(error)
    assert said.endswith((".", "?")) if said else durations.SHORTEST <= duration.average <= durations.LONGEST


def test_a_long_row_of_digits_is_refused_at_once() -> None:
    started = time.perf_counter()
    with pytest.raises(durations.BadDurationError, match="is not an ISO 8601 duration"):
        durations.parse("1" * 60_000)
    assert time.perf_counter() - started < 1
