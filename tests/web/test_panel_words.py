"""The tags of templates: states, times and strips, with nothing of a customer's in them unescaped."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone


@dataclass
class Bar:
    state: str
    duration_ms: float | None = 10


def shown(source: str, **values: object) -> str:
    return Template(f"{{% load panel %}}{source}").render(Context(values))


def test_a_time_says_how_long_ago_and_exactly_when() -> None:
    moment = timezone.now() - timedelta(hours=2, seconds=5)
    with timezone.override("Europe/Zurich"):
        said = shown("{% ago at zone %}", at=moment, zone="America/New_York")
    assert f'datetime="{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"' in said
    assert "2 h ago<span>" in said
    assert "New York · " in said
    assert said.endswith("Zurich</span></time>")


def test_no_time_is_nothing() -> None:
    assert shown("{% ago at %}{% when at %}{% clock at %}{{ ms|duration }}", at=None, ms=None) == ""


def test_a_time_in_a_list_is_short_and_in_two_zones() -> None:
    with timezone.override("Europe/Zurich"):
        said = shown("{% soon at zone %}", at=datetime(2026, 3, 2, 12, tzinfo=UTC), zone="America/New_York")
    assert said.endswith("07:00 New York · 13:00 Zurich")
    assert shown("{% soon at %}", at=None) == ""


def test_an_address_in_a_list_has_no_scheme() -> None:
    assert shown("{{ url|bare }}", url="https://example.com/a?b=://c") == "example.com/a?b=://c"
    assert shown("{{ url|bare }}", url="nonsense") == "nonsense"


def test_a_state_is_a_mark_and_a_word_and_is_escaped() -> None:
    assert shown("{% state name %}", name="failed") == '<span class="state failed">failed</span>'
    assert "<b>" not in shown("{% state name %}", name="<b>")


def test_a_strip_draws_the_last_twenty_and_says_what_they_were() -> None:
    said = shown("{% strip runs %}", runs=[Bar("failed", None)] * 3 + [Bar("succeeded")] * 19)
    assert 'aria-label="Last 20 runs: 1 failed, 19 succeeded"' in said
    assert said.count("<path") == 2
    assert "style" not in said


def test_few_runs_end_at_the_right_of_a_strip_or_begin_at_its_left() -> None:
    assert 'd="M97.5 16' in shown("{% strip runs %}", runs=[Bar("succeeded")])
    assert 'd="M2.5 16' in shown("{% strip runs from_left=True %}", runs=[Bar("succeeded")])


@pytest.mark.parametrize(
    ("runs", "said"), [([], "none yet"), ([Bar("running", None)], "Last run: 1 running")], ids=["none", "one"]
)
def test_few_runs_are_told_in_words_too(runs: list[Bar], said: str) -> None:
    assert said in shown("{% strip runs %}", runs=runs)


def test_a_preset_is_told_in_its_own_zone() -> None:
    noon = datetime(2026, 10, 30, 12, 0, tzinfo=UTC)
    assert shown("{% when at 'EST' %} {{ 'America/New_York'|place }}", at=noon) == "Fri 30 Oct 07:00 New York"


@pytest.mark.parametrize(
    ("ms", "said"), [(None, "\N{EN DASH}"), (38, "38 <small>ms</small>"), (66_000, "1 <small>min 6 s</small>")]
)
def test_of_a_figure_the_unit_is_small(ms: float | None, said: str) -> None:
    assert shown("{{ ms|figure }}", ms=ms) == said
