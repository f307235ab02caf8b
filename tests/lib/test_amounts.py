"""How often, as people say it, and what is wrong with it in the same words."""

import pytest

from badgerjobs.lib.amounts import BadAmountError, iso


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        ("15", "minutes", "PT15M"),
        ("1.5", "hours", "PT1.5H"),
        ("0,5", "minutes", "PT0,5M"),
        ("1", "days", "P1D"),
        ("2", "weeks", "P2W"),
        ("1", "months", "P1M"),
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
    ],
)
def test_what_is_none_is_refused_in_the_words_that_were_typed(number: str, unit: str, said: str) -> None:
    with pytest.raises(BadAmountError) as refused:
        iso(number, unit)
    assert str(refused.value) == said
