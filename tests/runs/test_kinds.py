"""The table of kinds leads somewhere, and every start checks it."""

import pytest

from badgerjobs.runs import checks, kinds, shown, ticks
from badgerjobs.runs.kinds import RUN_KINDS, Kind, kind_of


@pytest.mark.parametrize("name", RUN_KINDS)
def test_every_kind_in_the_table_is_one(name: str) -> None:
    assert isinstance(kind_of(name), Kind)


@pytest.mark.parametrize(
    "path", ["badgerjobs.nowhere.KIND", "badgerjobs.runs.kinds.NOTHING", "badgerjobs.runs.kinds.RUN_KINDS"]
)
def test_a_row_that_leads_nowhere_stops_the_start_and_says_which(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds.RUN_KINDS, "lost", path)

    (error,) = checks.every_kind_is_there()

    assert "'lost'" in error.msg
    assert path in error.msg


def test_how_a_kind_is_shown_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shown.SHOWN_KINDS, "gone", "badgerjobs.runs.shown.SHOWN_KINDS")

    (error,) = checks.every_kind_is_there()

    assert "'gone'" in error.msg
    assert "is not a Shown" in error.msg


def test_what_is_done_at_a_tick_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ticks.TICKS, "gone", "badgerjobs.runs.ticks.TICKS")

    (error,) = checks.every_kind_is_there()

    assert "'gone'" in error.msg
    assert "cannot be called" in error.msg


def test_a_table_that_is_right_is_passed() -> None:
    assert checks.every_kind_is_there() == []


@pytest.mark.parametrize(("zone", "errors"), [("EST", 0), ("America/New_York", 0), ("Mars/Olympus", 1)])
def test_the_zone_of_the_presets_is_checked(zone: str, errors: int, settings: pytest.FixtureRequest) -> None:
    settings.PRESET_TIME_ZONE = zone  # type: ignore[attr-defined]

    assert len(checks.the_preset_zone_is_known()) == errors
