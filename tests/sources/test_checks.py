"""What sources are, and what uses them, is looked for at every start."""

import pytest

from badgerjobs.sources import checks, types, uses


def test_tables_that_are_right_are_passed() -> None:
    assert checks.every_row_of_sources_leads_somewhere() == []


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("tasks.keys.nowhere.KEYS", "No module named"),
        ("tasks.keys.of_sources.NOTHING", "does not define"),
        ("tasks.keys.of_sources.last_used", "is not a Use"),
    ],
)
def test_a_use_that_is_not_there_stops_the_start_and_is_no_surprise_of_the_page(
    path: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(uses.USES, "lost", path)

    (error,) = checks.every_row_of_sources_leads_somewhere()

    assert error.msg.startswith(f"What uses sources, 'lost' is not at {path}: ")
    assert why in error.msg


def test_a_type_of_source_that_is_not_there_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(types.SOURCE_TYPES, "SOAP", "badgerjobs.sources.types.soap.SOAP")

    (error,) = checks.every_row_of_sources_leads_somewhere()

    assert error.msg.startswith("The type of source 'SOAP' is not at badgerjobs.sources.types.soap.SOAP: ")


def test_a_type_of_source_without_a_row_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(types.SOURCE_TYPES, "GRAPHQL")

    (error,) = checks.every_row_of_sources_leads_somewhere()

    assert error.msg == "The type of source 'GRAPHQL' has no row in SOURCE_TYPES."
