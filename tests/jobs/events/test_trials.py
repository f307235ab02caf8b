"""Trying an event out: it is performed, and stays what it is."""

from typing import Any

import pytest

from badgerjobs.runs.outcomes import Done, Later
from badgerjobs.web.trials import LONGEST_S
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from jobs.events import trials
from jobs.events.trials import told, try_event
from jobs.events.types import Occasion
from tests.factories import NOW, make_event


@pytest.mark.parametrize("edited", [None, {"endpoint": "https://other.example.com/", "timeout": 700}])
def test_what_is_tried_has_its_time_cut_and_the_event_does_not(
    shop: Application, monkeypatch: pytest.MonkeyPatch, edited: Any
) -> None:
    stored = {"endpoint": "https://shop.example.com/", "timeout": 600}
    event = make_event(shop, type="ACTION", configuration=stored)
    before = dict(event.configuration)
    seen: list[Occasion] = []

    async def noticed(_kind: str, occasion: Occasion, _means: Any) -> Done:
        seen.append(occasion)
        return Done()

    monkeypatch.setattr(trials, "performed", noticed)
    try_event(event=event, configuration=edited, sample=None, by=OPERATOR, now=NOW)
    [occasion] = seen
    tried = edited or stored
    assert (occasion.configuration["endpoint"], occasion.configuration["timeout"]) == (tried["endpoint"], LONGEST_S)
    assert event.configuration == before


def test_what_is_put_off_is_told_as_our_lack_of_room() -> None:
    assert told(Later(3))["error"] == {
        "class": "timeout", "message": "There is no room for it at this moment: try again in some seconds.",
    }  # fmt: skip
