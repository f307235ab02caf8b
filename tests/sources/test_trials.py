"""Trying a source: its time is cut, whoever is slow, and it stays what it is."""

from typing import Any

import pytest
from django.test import override_settings

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript import Error, Result
from badgerjobs.runs.outcomes import Later
from badgerjobs.sources import trials
from badgerjobs.sources.fetch import Attempt
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.trials import BUSY, SHOWN, told, try_source, try_transform
from badgerjobs.web.trials import LONGEST_S
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tests.e2e.receiver import Answer, Receiver
from tests.factories import NOW, make_source


@pytest.mark.parametrize("edited", [None, {"url": "https://other.example.com/", "timeout": 200}])
def test_what_is_tried_has_its_time_cut_and_the_source_does_not(
    shop: Application, monkeypatch: pytest.MonkeyPatch, edited: Any
) -> None:
    source = make_source(shop, configuration={"timeout": 100})
    before = dict(source.configuration)
    seen: list[DataSource] = []

    async def noticed(tried: DataSource, *_: Any, **__: Any) -> Attempt:
        seen.append(tried)
        return Attempt(Later(3))

    monkeypatch.setattr(trials, "attempt", noticed)
    trial = try_source(source=source, configuration=edited, values={}, by=OPERATOR, now=NOW)
    [tried] = seen
    assert (tried.configuration["url"], tried.configuration["timeout"]) == ((edited or before)["url"], LONGEST_S)
    assert tried.variables == ([] if edited else ["PRODUCT_ID"])
    assert (source.configuration, source.variables) == (before, ["PRODUCT_ID"])
    assert told(trial)["error"] == {"class": "timeout", "message": BUSY}


def test_it_ends_however_many_calls_it_takes(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "LONGEST_S", 0.05)
    with Receiver() as receiver, override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        receiver.answer = lambda _: Answer(gate="never")
        source = make_source(shop, configuration={"url": receiver.url}, variables=[])
        source.configuration["timeout"] = 30
        monkeypatch.setattr(trials, "min", lambda *_: 30, raising=False)
        trial = try_source(source=source, configuration=None, values={}, by=OPERATOR, now=NOW)
    assert (trial.ok, trial.error_class, trial.status) == (False, "timeout", None)


def test_of_a_long_answer_the_beginning_is_shown(shop: Application) -> None:
    with Receiver() as receiver, override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        receiver.answer = lambda _: Answer(body=b"x\0" * SHOWN)
        source = make_source(shop, configuration={"url": receiver.url}, variables=[])
        trial = try_source(source=source, configuration=None, values={}, by=OPERATOR, now=NOW)
    assert (trial.answer, trial.is_cut, trial.bytes) == ("x\ufffd" * (SHOWN // 2), True, 2 * SHOWN)
    assert trial.value == "x\ufffd" * SHOWN


@pytest.mark.parametrize(("word", "error_class"), [("busy", "timeout"), ("crashed", "transform")])
def test_a_transform_without_room_is_no_fault_of_its_own(
    shop: Application, monkeypatch: pytest.MonkeyPatch, word: Any, error_class: str
) -> None:
    monkeypatch.setattr(javascript, "run", lambda *_, **__: Result(error=Error(word, "No.")))
    done = try_transform(application=shop, code="return 1", response=None)
    assert (done.ok, done.error_class) == (False, error_class)
