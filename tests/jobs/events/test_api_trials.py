"""Events are tried out by REST, as they are stored or being edited."""

from itertools import count
from types import SimpleNamespace

import pytest
from django.test import override_settings

from badgerjobs.workspaces.models import AuditEntry, Scope
from jobs.events import trials
from jobs.models import Event
from tests.callers import Caller, caller_for
from tests.e2e.receiver import Receiver
from tests.jobs.events.rest_events import ACTION, CHAT, made

A_MOMENT = 1_000_000_000.25


def test_who_may_only_read_tries_nothing_out(alice: Caller) -> None:
    made(alice, tag="low", type="NOTIFICATION", configuration=CHAT)
    reader = caller_for(alice.application, scopes=[Scope.READ])
    assert reader.get("/events/low/").status == 200
    assert reader.post("/events/low/try/", {}).status == 403


def test_an_event_is_tried_out_for_real_and_nothing_is_kept(alice: Caller) -> None:
    with Receiver() as receiver, override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        event = {
            "type": "ACTION",
            "configuration": {"endpoint": f"{receiver.url}/{{{{input.id}}}}"},
            "input": {"id": 7},
        }
        answer = alice.post("/events/try/", event)
        assert (answer.status, answer.body["ok"], answer.body["result"]["status"]) == (200, True, 200)
        assert answer.body["error"] is None
        assert [call.path for call in receiver.calls] == ["/7"]
    assert not Event.objects.exists()
    assert AuditEntry.objects.filter(action="event.test").count() == 1


def test_a_stored_event_is_tried_out_with_a_sample_or_as_it_is_being_edited(
    alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(alice, tag="double", type="FUNCTION", configuration={"code": "return input * 2"})

    monkeypatch.setattr(trials, "time", SimpleNamespace(perf_counter=count(0, 0.0125).__next__))

    as_it_is = alice.post("/events/double/try/", {"input": 4}).body
    edited = alice.post("/events/double/try/", {"input": 4, "configuration": {"code": "return input * 3"}}).body
    wrong = alice.post("/events/double/try/", {"input": 4, "configuration": {"code": "return inptu"}}).body

    assert (as_it_is["result"]["value"], edited["result"]["value"]) == (8, 12)
    assert as_it_is["duration"] == 12
    assert wrong["error"] == {"class": "script", "message": "ReferenceError: inptu is not defined (line 1, column 1)"}
    assert Event.objects.get().configuration["code"] == "return input * 2"


def test_a_missing_value_is_named_when_it_is_tried_out(alice: Caller) -> None:
    body = {"type": "ACTION", "configuration": ACTION, "input": {"Id": 1}}
    answer = alice.post("/events/try/", body).body
    assert answer["error"] == {"class": "input", "message": "There is no input.id: input has Id."}


def test_who_tries_too_often_waits(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: A_MOMENT)
    body = {"type": "ACTION", "configuration": ACTION, "input": {}}
    answers = [alice.post("/events/try/", body) for _ in range(31)]
    assert [answer.status for answer in answers] == [200] * 30 + [429]
    assert "30 times a minute" in answers[-1].body["detail"]
