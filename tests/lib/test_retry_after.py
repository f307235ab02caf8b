"""How long an endpoint wants to be left alone."""

from datetime import UTC, datetime, timedelta

import pytest

from badgerjobs.lib.retry_after import asked_wait

NOW = datetime(2026, 11, 22, 8, 0, 30, tzinfo=UTC)
HERE = "Sun, 22 Nov 2026 08:00:30 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", None),
        ("0" * 10, None),
        ("0" * 5000, None),
        ("00000000000120", 120),
        ("999999999999999999999", 10**9),
        ("9" * 5000, 10**9),
        ("Sun, 22 Nov 2026 08:02:30 GMT", 120),
        ("Sunday, 22-Nov-26 08:02:30 GMT", 120),
        ("Sun Nov 22 08:02:30 2026", 120),
        ("Sun, 22 Nov 2026 09:02:30 +0100", 120),
        ("Sun, 22 Nov 2026 08:00:30 GMT", None),
        ("Sun, 22 Nov 2026 07:00:00 GMT", None),
        ("Thu, 31 Dec 9999 23:59:59 GMT", (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - NOW).total_seconds()),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("²", None),
        ("soon", None),
        ("Sun, 99 Nov 2026 08:02:30 GMT", None),
        ("Sun, 22 Nov 0000 08:02:30 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
        ("2026-11-22T08:02:30Z", None),
        (",,,", None),
    ],
    ids=str,
)
def test_both_forms_are_read_and_rubbish_and_the_past_ask_for_nothing(value: str, seconds: float | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert asked_wait([("Content-Type", "text/plain"), ("retry-After", value)], now=NOW) == expected


@pytest.mark.parametrize(("there", "seconds"), [("Sun, 22 Nov 2026 05:00:00 GMT", 60), ("rubbish", None)])
def test_a_date_is_read_against_the_clock_of_who_sent_it(there: str, seconds: int | None) -> None:
    headers = [("Retry-After", "Sun, 22 Nov 2026 05:01:00 GMT"), ("Date", there)]
    assert asked_wait(headers, now=NOW) == (None if seconds is None else timedelta(seconds=seconds))


def test_of_several_the_longest_counts() -> None:
    headers = [("Retry-After", "soon"), ("Retry-After", "10"), ("retry-after", "30"), ("Retry-After", "20")]
    assert asked_wait(headers, now=NOW) == timedelta(seconds=30)


def test_without_the_header_nothing_is_asked() -> None:
    assert asked_wait([("Date", HERE)], now=NOW) is None
