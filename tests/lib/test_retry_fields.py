"""What the fields of a retry policy make together, and what contradicts."""

from dataclasses import replace
from typing import Any

import pytest

from badgerjobs.lib.backoff import LIST, REPEATER, Retries
from badgerjobs.lib.retry_fields import Chosen, RetryFieldsError, by_name, chosen

LISTED = Retries(LIST, 2, 10, (5, 60))
TEN_MINUTES = Retries(for_s=600)


def of(given: dict[str, Any], base: Retries = Retries(), retryable: bool = True, **more: Any) -> Chosen:  # noqa: B008  a value
    return chosen(given, base=base, retryable=retryable, **more)


@pytest.mark.parametrize(
    ("given", "base", "policy"),
    [
        ({}, Retries(), Retries()),
        ({}, LISTED, LISTED),
        ({"retries": 5}, TEN_MINUTES, Retries(retries=5, for_s=600)),
        ({"retry_step": 1, "retry_for": None}, TEN_MINUTES, Retries(step_s=1)),
        ({"retry_policy": "exponential"}, TEN_MINUTES, Retries("exponential", for_s=600)),
        ({"retry_policy": "polynomial"}, LISTED, Retries("polynomial", 2)),
        ({"retry_policy": "list", "retry_delays": [1, 2, 3]}, Retries(), Retries(LIST, 3, 10, (1, 2, 3))),
        ({"retry_policy": "list", "retry_delays": [1, 2, 3], "retries": 3}, LISTED, Retries(LIST, 3, 10, (1, 2, 3))),
        ({"retry_delays": [7]}, LISTED, Retries(LIST, 1, 10, (7,))),
        ({"retry_policy": "incremental", "retry_delays": []}, Retries(), Retries()),
        ({"retry_policy": "repeater"}, TEN_MINUTES, REPEATER),
        ({"retry_policy": "repeater", "retries": 24, "retry_step": 1, "retry_delays": []}, LISTED, REPEATER),
        ({"retry_policy": "repeater", "retry_for": 5}, LISTED, Retries("polynomial", 24, 1, (), 5)),
    ],
    ids=str,
)
def test_what_is_given_stands_over_what_there_was(given: dict[str, Any], base: Retries, policy: Retries) -> None:
    assert of(given, base) == Chosen(retryable=True, policy=policy)


@pytest.mark.parametrize(
    ("given", "was", "is_now", "retries"),
    [
        ({}, True, True, 3),
        ({}, False, False, 0),
        ({"retries": 0}, True, False, 0),
        ({"retries": 2}, False, True, 2),
        ({"retry_policy": "list", "retry_delays": [1]}, False, True, 1),
        ({"retry_policy": "repeater"}, False, True, 24),
        ({"retryable": False}, True, False, 0),
        ({"retryable": True}, False, True, 3),
        ({"retryable": False, "retries": 0, "retry_policy": "list", "retry_delays": [1, 2]}, True, False, 0),
        ({"retryable": False, "retries": 0, "retry_for": 1}, True, False, 0),
        ({"retryable": False, "retry_for": None, "retry_delays": []}, True, False, 0),
        ({"retryable": False, "retry_policy": "incremental", "retry_step": 10}, True, False, 0),
        ({"retry_policy": "incremental", "retry_step": 10}, False, False, 0),
    ],
    ids=str,
)
def test_who_says_how_often_says_that_it_is_tried_again(
    given: dict[str, Any], was: bool, is_now: bool, retries: int
) -> None:
    found = of(given, retryable=was)
    assert (found.retryable, found.policy.retries) == (is_now, retries)


WRONG: list[tuple[dict[str, Any], Retries, str, str]] = [
    ({"retry_policy": "list"}, Retries(), "retry_delays", "needs its waits in seconds, like 10, 60, 600"),
    ({"retry_policy": "list", "retry_delays": []}, LISTED, "retry_delays", "or choose another"),
    ({"retry_delays": [1]}, Retries(), "retry_delays", "choose it, or leave `retry_delays` out"),
    ({"retry_policy": "exponential", "retry_delays": [1]}, LISTED, "retry_delays", "Only the policy “list”"),
    ({"retries": 5}, LISTED, "retries", "2 waits, which are as many retries: leave `retries` out"),
    ({"retry_policy": "list", "retry_delays": [1], "retries": 3}, Retries(), "retries", "one wait"),
    ({"retry_policy": "repeater", "retries": 3}, Retries(), "retries", "is 24 retries"),
    ({"retry_policy": "repeater", "retry_step": 10}, Retries(), "retry_step", "choose “polynomial”"),
    ({"retry_policy": "repeater", "retry_delays": [1]}, Retries(), "retry_delays", "leave this out"),
    ({"retryable": False, "retries": 3}, Retries(), "retries", "`retryable` is false"),
    ({"retryable": False, "retry_policy": "repeater"}, Retries(), "retry_policy", "`retryable` is false"),
    ({"retryable": False, "retry_policy": "exponential"}, Retries(), "retry_policy", "set `retryable` to true"),
    ({"retryable": False, "retry_step": 60}, Retries(), "retry_step", "leave this out"),
    ({"retryable": False, "retry_for": 3600}, Retries(), "retry_for", "leave this out"),
    ({"retryable": False, "retry_policy": "list", "retry_delays": [10]}, LISTED, "retry_delays", "leave this out"),
    ({"retryable": True, "retries": 0}, Retries(), "retries", "`retryable` is true"),
    ({"retry_for": 9}, Retries(), "retry_for", "comes after 10 s only"),
    ({"retry_step": 601}, TEN_MINUTES, "retry_for", "comes after 10 min 1 s only"),
]


@pytest.mark.parametrize(("given", "base", "field", "said"), WRONG, ids=[str(place) for place in range(len(WRONG))])
def test_what_contradicts_is_refused_with_the_way_out(
    given: dict[str, Any], base: Retries, field: str, said: str
) -> None:
    with pytest.raises(RetryFieldsError, match=said) as refused:
        of(given, base)
    assert list(refused.value.errors) == [field]


@pytest.mark.parametrize(("base", "had_none"), [(Retries(retries=0), False), (Retries(), True)])
def test_none_of_what_is_retryable_can_be_sent_back(base: Retries, had_none: bool) -> None:
    assert of({"retryable": True, "retries": 0}, base, had_none=had_none).policy.retries == 0


@pytest.mark.parametrize("name", ["retry_policy", "retry_step", "retry_for"])
def test_what_is_not_tried_again_hears_no_more_than_is_so_anyway(name: str) -> None:
    value = by_name(Retries("exponential", 0, 60, (), 600))[name]
    for was in (True, False):  # said with `retryable`, and of what is off already
        given = {"retryable": False, name: value} if was else {name: value}
        with pytest.raises(RetryFieldsError, match="nothing is tried again"):
            of(given, retryable=was)
        assert not of(given, retryable=was, stored=Retries("exponential", 0, 60, (), 600)).retryable
        assert not of(given, Retries("exponential", 5, 60, (), 600), was).retryable


def test_the_short_policy_is_what_it_stands_for_where_nothing_is_tried_again() -> None:
    given = {"retryable": False, "retry_policy": "repeater"}
    none = replace(REPEATER, retries=0)
    assert of(given, stored=none) == Chosen(retryable=False, policy=none)
