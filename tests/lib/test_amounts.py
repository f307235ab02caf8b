"""How often, as people say it, and what is wrong with it in the same words."""

import pytest

from badgerjobs.lib.amounts import LENGTHS_S, BadAmountError, in_words_of, iso, seconds


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        ("15", "minutes", "PT15M"),
        ("1.5", "hours", "PT1.5H"),
        ("0,5", "minutes", "PT0,5M"),
        ("1", "days", "P1D"),
        ("2", "weeks", "P2W"),
        ("1", "months", "P1M"),
        ("1500", "milliseconds", "PT1.5S"),
        ("90000", "milliseconds", "PT90S"),
        ("1001", "milliseconds", "PT1.001S"),
    ],
)
def test_a_number_and_a_unit_are_a_duration(number: str, unit: str, text: str) -> None:
    assert iso(number, unit) == text


@pytest.mark.parametrize(
    ("number", "unit", "said"),
    [
        ("x", "hours", "Say how often: a number, like 15."),
        ("0.0", "hours", "Say how often: a number, like 15."),
        ("-1", "hours", "Say how often: a number, like 15."),
        ("1.5", "days", "Give whole numbers: 36 hours instead of 1.5 days."),
        ("0,5", "days", "Give whole numbers: 12 hours instead of 0.5 days."),
        ("1.0001", "days", "Give whole numbers: 24.0024 hours instead of 1.0001 days."),
        ("2.5", "weeks", "Give whole numbers: 420 hours instead of 2.5 weeks."),
        ("1.5", "months", "Give whole numbers, or a number of days instead of 1.5 months."),
        ("0.5", "seconds", "0.5 seconds is too short: one second is the least."),
        ("5000", "days", "5000 days is too long: ten years is the most."),
        ("9" * 12, "seconds", "That is too long: ten years is the most."),
        ("9" * 5000, "minutes", "That is too long: ten years is the most."),
        ("1.1234567", "hours", "Give at most 6 digits after the point."),
        ("999", "milliseconds", "999 milliseconds is too short: one second is the least."),
        ("1500.5", "milliseconds", "Give whole numbers instead of 1500.5 milliseconds."),
        ("9" * 5000, "milliseconds", "That is too long: ten years is the most."),
    ],
)
def test_what_is_none_is_refused_in_the_words_that_were_typed(number: str, unit: str, said: str) -> None:
    with pytest.raises(BadAmountError) as refused:
        iso(number, unit)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("number", "unit", "length_s"),
    [("90", "seconds", 90), ("1.5", "minutes", 90), ("0,5", "hours", 1800), ("0", "minutes", 0)],
)
def test_a_length_is_whole_seconds(number: str, unit: str, length_s: int) -> None:
    assert seconds(number, unit) == length_s


@pytest.mark.parametrize(
    ("number", "unit", "said"),
    [
        ("x", "minutes", "Give a number, like 5; or leave it empty."),
        ("-5", "minutes", "Give 0 or more; or leave it empty."),
        ("1.5", "seconds", "Give a whole number of seconds instead of 1.5 seconds."),
        ("0.001", "hours", "Give a whole number of seconds instead of 0.001 hours."),
        ("9" * 5000, "hours", "That is too long: ten years is the most."),
    ],
    ids=["x", "negative", "half a second", "less than four seconds", "endless"],
)
def test_what_is_no_length_is_refused(number: str, unit: str, said: str) -> None:
    with pytest.raises(BadAmountError) as refused:
        seconds(number, unit)
    assert str(refused.value) == said


@pytest.mark.parametrize("length_s", [1, 59, 60, 90, 3599, 3600, 5400, 86_400])
def test_a_length_is_said_in_the_largest_unit_that_leaves_it_whole(length_s: int) -> None:
    number, unit = in_words_of(length_s)
    assert seconds(number, unit) == length_s
    assert "." not in number
    assert all(length_s % size or size <= LENGTHS_S[unit] for size in LENGTHS_S.values())
