"""What `make bench` can be asked."""

import pytest

from bench.__main__ import MEASURES, parse


def test_without_words_it_measures_runs_in_full_size() -> None:
    options = parse([])
    assert (options.what, options.jobs, options.others, options.rate) == ("runs", 10_000, 100_000, 100)


def test_pages_are_measured_beside_a_million_runs() -> None:
    options = parse(["pages"])
    assert (options.jobs, options.runs, options.requests) == (10_000, 1_000_000, 100)


@pytest.mark.parametrize(
    "words", [["speed"], ["runs", "--jobs", "0"], ["runs", "--rate", "-1"], ["pages", "--runs", "0"]]
)
def test_what_cannot_be_measured_is_refused_before_anything_starts(words: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        parse(words)
    assert refused.value.code == 2


def test_each_word_leads_to_a_measure() -> None:
    words = "runs tick fairness memory pages javascript cache patterns syncs hooks deliveries background collections"
    assert set(MEASURES) == set(words.split())
