"""Formats of a moment: the words, what strftime has that means the same everywhere, and nothing else."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from badgerjobs.lib.moment_formats import LONGEST, FormatError, check_format, formatted

MOMENT = datetime(2026, 3, 1, 23, 5, 9, 250_000, tzinfo=timezone(-timedelta(hours=5)))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("iso", "2026-03-02T04:05:09Z"),
        ("date", "2026-03-02"),
        ("unix", 1772424309),
        ("unix_ms", 1772424309250),
        ("%Y-%m-%d", "2026-03-02"),
        ("%d.%m.%y at %H:%M:%S", "02.03.26 at 04:05:09"),
        ("%Y%%", "2026%"),
        ("week %V of %G", "week 10 of 2026"),
    ],
)
def test_a_moment_is_written_in_utc(text: str, written: str | int) -> None:
    assert formatted(MOMENT, text) == written
    assert MOMENT.astimezone(UTC).isoformat().startswith("2026-03-02T04:05:09")


@pytest.mark.parametrize(
    "text", ["", "ISO", "today", "%", "%Y %", "%q", "%999999Y", "%-d", "%E", "%Y\n", "%Y\x00", "%Y" * LONGEST]
)
def test_what_is_no_format_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(FormatError, match="write iso, date, unix, unix_ms, or one like %Y-%m-%d"):
        check_format(text)
    with pytest.raises(FormatError):
        formatted(MOMENT, text)
