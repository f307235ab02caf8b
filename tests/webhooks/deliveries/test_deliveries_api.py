"""Deliveries by REST: listed, read, replayed and verified again; and none of anybody else's."""

from datetime import timedelta
from typing import Any
from unittest.mock import MagicMock
from uuid import UUID

import pytest

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs.models import Cause, Run, State
from badgerjobs.workspaces.models import AuditEntry, Scope
from tests.callers import PROBLEM, Caller, caller_for
from tests.factories import NOW, make_delivery, make_hook
from webhooks.deliveries import choosing as delivery_choosing
from webhooks.deliveries import serializers as delivery_serializers
from webhooks.deliveries.given import value_told
from webhooks.models import Act, Delivery, Hook, Standing
from webhooks.receiving.packing import packed


@pytest.fixture
def hook(alice: Caller) -> Hook:
    return make_hook(alice.application, "orders")


def ids(caller: Caller, query: str = "") -> list[str]:
    return [row["id"] for row in caller.walk(f"/deliveries/{query}")]


def replayed(caller: Caller, **choice: Any) -> Any:
    return caller.post("/deliveries/replay/", choice)


def of_replays() -> list[str]:
    """Which deliveries the replays are of, in their order."""
    runs: Any = Run.objects.filter(cause=Cause.REPLAY).order_by("id")
    return [run.input["delivery"] for run in runs]


def test_a_list_says_of_each_what_was_decided_and_how_it_went(alice: Caller, hook: Hook) -> None:
    old = make_delivery(hook, State.FAILED, event_id="evt_1", verified="github")
    new = make_delivery(hook, standing=Standing.DUPLICATE, duplicate_of=old.pk)
    refused = make_delivery(hook, standing=Standing.REFUSED, reason="No.", address=None)
    rows = alice.get("/deliveries/").body["results"]
    assert [row["id"] for row in rows] == [str(one.pk) for one in (refused, new, old)]
    assert rows[2] == {
        "id": str(old.pk), "hook": "orders", "state": "failed", "reason": None, "duplicate_of": None,
        "event_id": "evt_1", "verified": "github", "method": "POST", "address": "203.0.113.7", "bytes": 23,
        "run": str(old.pk), "received_at": "2026-03-02T12:00:00Z",
    }  # fmt: skip
    assert (rows[1]["state"], rows[1]["duplicate_of"], rows[1]["run"]) == ("duplicate", str(old.pk), None)
    assert (rows[0]["state"], rows[0]["reason"], rows[0]["address"]) == ("refused", "No.", None)


def test_a_page_of_the_list_costs_as_many_queries_however_long_it_is(
    alice: Caller, hook: Hook, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        make_delivery(hook, State.SUCCEEDED, body=b"a" * 10_000)
    with django_assert_max_num_queries(3) as asked:
        assert len(alice.get("/deliveries/?limit=20").body["results"]) == 20
    for long in ("body", "headers"):
        assert not any(f'"webhooks_delivery"."{long}"' in query["sql"] for query in asked.captured_queries)


def test_it_is_narrowed_by_the_address(alice: Caller, hook: Hook) -> None:
    other = make_hook(alice.application, "pushes")
    failed, works = make_delivery(hook, State.FAILED), make_delivery(hook, State.RUNNING)
    stored = make_delivery(other, event_id="evt_1")
    late = make_delivery(other, State.ABORTED, id=uuid7_floor(NOW + timedelta(days=9000)))

    def found(query: str) -> set[str]:
        return set(ids(alice, query))

    assert found("?state=failed,aborted") == {str(failed.pk), str(late.pk)}
    assert found("?state=failed,aborted&hook=orders") == {str(failed.pk)}
    assert found("?state=waiting") == {str(works.pk)}
    assert found("?hook=pushes") == {str(stored.pk), str(late.pk)}
    assert found("?hook=none") == set()
    assert found("?event_id=evt_1") == {str(stored.pk)}
    assert found("?since=2040-01-01T00:00:00Z") == {str(late.pk)}
    assert found("?until=2040-01-01T00:00:00Z") == {str(failed.pk), str(works.pk), str(stored.pk)}


@pytest.mark.parametrize(
    ("query", "field"),
    [("state=lost", "state"), ("since=x", "since"), ("since=2027-01-01T00:00:00Z&until=2026-01-01T00:00:00Z", "since")],
)
def test_a_filter_that_is_none_is_told(alice: Caller, query: str, field: str) -> None:
    answer = alice.get(f"/deliveries/?{query}")
    assert (answer.status, list(answer.errors)) == (400, [field])


def test_one_alone_comes_with_its_request_and_what_it_led_to(alice: Caller, hook: Hook) -> None:
    delivery = make_delivery(
        hook, State.FAILED, headers={"Content-Type": "text/plain", "X-Token": "********"}, query="a=1"
    )
    output: Any = {"variables": {"ID": "7"}, "filtered": None, "version": 2, "console": [], "acts": {"done": 1}}
    Run.objects.update(error="It failed.", output=output)
    for position, run_id in ((1, delivery.pk), (0, delivery.pk), (0, UUID(int=7))):
        Act.objects.create(
            application=alice.application, runnable_id=hook.runnable_id, delivery_id=delivery.pk, run_id=run_id,
            position=position, name=f"a{position}", type="job", target="prices", state="done", said="Done.",
            caused=UUID(int=9), made_at=NOW, done_at=NOW, given={"variables": {"ID": "7"}},
        )  # fmt: skip
    body = alice.get(f"/deliveries/{delivery.pk}/").body
    assert (body["query"], body["headers"]["X-Token"], body["error"]) == ("a=1", "********", "It failed.")
    assert body["output"] == output
    assert [act["name"] for act in body["acts"]] == ["a0", "a1"]
    assert body["acts"][0] == {
        "name": "a0", "type": "job", "target": "prices", "state": "done", "said": "Done.", "run": str(UUID(int=9)),
        "variables": {"ID": "7"}, "value": None, "value_is_cut": False, "done_at": "2026-03-02T12:00:00Z",
    }  # fmt: skip


LONG = {"text": "é" * 20_000}


@pytest.mark.parametrize(
    ("value", "told", "is_cut"),
    [({"price": 12}, {"price": 12}, False), (None, None, False), (LONG, '{"text": "' + "é" * 9_990, True)],
    ids=["short", "null", "long"],
)
def test_what_an_action_was_given_is_told_and_cut_where_it_is_long(
    alice: Caller, hook: Hook, value: Any, told: Any, is_cut: bool
) -> None:
    [act] = alice.get(f"/deliveries/{given(hook, value).pk}/").body["acts"]
    assert (act["value"], act["value_is_cut"]) == (told, is_cut)


def given(hook: Hook, value: Any) -> Delivery:
    """A delivery with an act that was given this."""
    delivery = make_delivery(hook, State.SUCCEEDED)
    Act.objects.create(
        application=hook.application, runnable_id=hook.runnable_id, delivery_id=delivery.pk, run_id=delivery.pk,
        position=0, name="set", type="value", state="done", made_at=NOW, given={"variables": {}, "value": value},
    )  # fmt: skip
    return delivery


def test_a_value_is_written_as_json_once_though_two_fields_tell_of_it(
    alice: Caller, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = MagicMock(wraps=value_told)
    monkeypatch.setattr(delivery_serializers, "value_told", written)
    alice.get(f"/deliveries/{given(hook, LONG).pk}/")
    assert written.call_count == 1


def test_one_without_a_run_led_to_nothing(alice: Caller, hook: Hook) -> None:
    body = alice.get(f"/deliveries/{make_delivery(hook).pk}/").body
    assert (body["state"], body["error"], body["output"], body["acts"]) == ("stored", None, None, [])


@pytest.mark.parametrize("raw", [b"", b"\xff\x00 no text", b"<script>alert(1)</script>" * 4000])
def test_its_body_is_given_byte_for_byte_and_opened_by_no_browser(alice: Caller, hook: Hook, raw: bytes) -> None:
    body, is_packed = packed(raw)
    answer = alice.get(f"/deliveries/{make_delivery(hook, body=body, packed=is_packed).pk}/body/")
    assert (answer.status, answer.body, answer.content_type) == (200, raw, "application/octet-stream")
    assert (answer.headers["X-Content-Type-Options"], answer.headers["Content-Disposition"]) == (
        "nosniff",
        "attachment",
    )


def test_one_is_replayed_and_answered_with_its_run(alice: Caller, hook: Hook) -> None:
    delivery = make_delivery(hook, State.FAILED)
    answer = alice.post(f"/deliveries/{delivery.pk}/replay/")
    assert (answer.status, answer.body["cause"], answer.body["replay_of"]) == (202, "replay", str(delivery.pk))
    again = alice.post(f"/deliveries/{delivery.pk}/replay/")
    assert (again.status, again.content_type) == (409, PROBLEM)
    assert AuditEntry.objects.latest("id").action == "delivery.replay"


def test_a_replay_that_is_sent_twice_is_done_once(alice: Caller, hook: Hook) -> None:
    path = f"/deliveries/{make_delivery(hook, State.FAILED).pk}/replay/"
    first, second = (alice.post(path, Idempotency_Key="k") for _ in range(2))
    assert (first.body, second.headers["Idempotent-Replay"]) == (second.body, "true")
    assert len(of_replays()) == 1


def test_a_refused_one_is_verified_again(alice: Caller, hook: Hook) -> None:
    delivery = make_delivery(hook, standing=Standing.REFUSED, reason="No.")
    answer = alice.post(f"/deliveries/{delivery.pk}/verify/")
    assert (answer.status, answer.body["state"], answer.body["reason"]) == (200, "stored", None)
    assert alice.post(f"/deliveries/{delivery.pk}/verify/").status == 409


def test_many_are_replayed_by_their_ids_whichever_way_they_ended(alice: Caller, hook: Hook) -> None:
    over = [make_delivery(hook, state) for state in (State.SUCCEEDED, State.FAILED, State.ABORTED)]
    over.append(make_delivery(hook))
    others = [make_delivery(hook, State.RUNNING), make_delivery(hook, standing=Standing.REFUSED)]
    answer = replayed(alice, ids=[str(one.pk) for one in (*over, *others)])
    assert (answer.status, answer.body) == (202, {"count": 4})
    assert of_replays() == [str(one.pk) for one in over]


def test_by_filters_the_dead_letters_are_meant_unless_they_say_a_state(alice: Caller, hook: Hook) -> None:
    dead = [make_delivery(hook, state) for state in (State.FAILED, State.ABORTED)]
    well = make_delivery(hook, State.SUCCEEDED, event_id="evt_1")
    make_delivery(make_hook(alice.application, "pushes"), State.FAILED)
    assert replayed(alice, hook="orders", dry_run=True).body == {"count": 2}
    assert of_replays() == []
    assert replayed(alice, hook="orders").body == {"count": 2}
    assert of_replays() == [str(one.pk) for one in dead]
    assert replayed(alice, state="succeeded", event_id="evt_1", per_minute=1).body == {"count": 1}
    assert of_replays()[2:] == [str(well.pk)]
    assert replayed(alice, state=["failed", "aborted"], since="2040-01-01T00:00:00Z").body == {"count": 0}


@pytest.mark.parametrize(
    ("choice", "field", "said"),
    [
        ({}, "ids", 'All dead letters are {"state": "failed,aborted"}.'),
        ({"per_minute": 5}, "ids", "Say which deliveries"),
        ({"ids": [str(UUID(int=1))], "hook": "orders"}, "ids", "either ids or filters"),
        ({"state": "refused"}, "state", "“refused” is none of"),
        ({"since": "2027-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "since", "after until"),
        ({"sate": "failed"}, "sate", "did you mean state?"),
    ],
    ids=["nothing", "no filter", "both", "a state that cannot be", "backwards", "a typing error"],
)
def test_a_choice_that_is_none_is_told(alice: Caller, choice: dict[str, Any], field: str, said: str) -> None:
    answer = replayed(alice, **choice)
    assert answer.status == 400
    assert said in answer.errors[field][0]


def test_more_than_one_request_replays_are_to_be_narrowed(
    alice: Caller, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_choosing, "MOST_AT_ONCE", 2)
    for _ in range(3):
        make_delivery(hook, State.FAILED)
    answer = replayed(alice, state="failed")
    assert (answer.status, list(answer.errors), of_replays()) == (400, ["until"], [])


def test_those_of_others_are_none(alice: Caller, charlie: Caller, hook: Hook) -> None:
    delivery = make_delivery(hook, State.FAILED)
    for verb in ("", "body/"):
        answer = charlie.get(f"/deliveries/{delivery.pk}/{verb}")
        assert (answer.status, "There is no delivery with the id" in answer.body["detail"]) == (404, True)
    for verb in ("replay/", "verify/"):
        assert charlie.post(f"/deliveries/{delivery.pk}/{verb}").status == 404
    assert ids(charlie) == []
    assert replayed(charlie, ids=[str(delivery.pk)]).body == {"count": 0}
    refused = replayed(charlie, hook="orders", state="failed")
    assert (refused.status, refused.errors) == (
        400,
        {"hook": ["There is no webhook with the tag “orders” in this application."]},
    )
    assert charlie.post("/hooks/orders/try-draft/", {"transform": ""}).status == 404
    assert of_replays() == []


def test_who_may_only_read_replays_nothing(alice: Caller, hook: Hook) -> None:
    reader = caller_for(alice.application, scopes=[Scope.READ])
    delivery = make_delivery(hook, State.FAILED)
    assert reader.get(f"/deliveries/{delivery.pk}/body/").status == 200
    for path in (f"/deliveries/{delivery.pk}/replay/", f"/deliveries/{delivery.pk}/verify/", "/deliveries/replay/"):
        assert reader.post(path, {}).status == 403
    assert Delivery.objects.get().run_id == delivery.pk
