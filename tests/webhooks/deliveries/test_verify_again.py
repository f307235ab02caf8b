"""A delivery that was refused is judged once more, by what its hook says now and the time at which it came."""

import hmac
from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Run
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, AuditEntry
from tests.factories import NOW, make_application, make_delivery, make_hook
from tests.webhooks.sending import sent, stored
from tests.webhooks.verification.senders import slack
from webhooks.deliveries.services import GONE, NOT_REFUSED, verify_again
from webhooks.models import Delivery, Hook, Standing
from webhooks.receiving.packing import packed

SECRET = "it-is-a-secret"
BODY = b'{"ref": "refs/heads/main"}'
LATER = NOW + timedelta(days=2)
ACTION = {"name": "prices", "type": "job", "job": "prices", "input": "nothing"}


def signed(body: bytes = BODY) -> dict[str, str]:
    return {"X-Hub-Signature-256": f"sha256={hmac.new(SECRET.encode(), body, 'sha256').hexdigest()}"}


def make_github(application: Application, **fields: Any) -> Hook:
    """A hook that knows the right secret, and does something."""
    return make_hook(
        application, **{"verification": "github", "settings": {"secret": SECRET}, "actions": [ACTION], **fields}
    )


def make_refused(hook: Hook, **fields: Any) -> Delivery:
    given = {"standing": Standing.REFUSED, "reason": "No.", "body": BODY, "headers": signed(), **fields}
    return make_delivery(hook, **given)


def again(delivery: Delivery) -> Delivery:
    return verify_again(delivery=delivery, by=OPERATOR, now=LATER)


def test_one_that_is_right_now_is_accepted_and_acted_upon(shop: Application) -> None:
    delivery = again(make_refused(make_github(shop)))
    run = Run.objects.get()
    assert (delivery.standing, delivery.reason, delivery.verified) == (Standing.ACCEPTED, "", "github")
    assert (delivery.run_id, run.input, run.due_at) == (run.pk, {"delivery": str(delivery.pk)}, LATER)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject) == ("delivery.verify", f"delivery {delivery.pk}")


def test_of_a_paused_hook_it_is_held(shop: Application) -> None:
    delivery = again(make_refused(make_github(shop, runnable={"enabled": False})))
    assert (delivery.standing, delivery.run_id, Run.objects.count()) == (Standing.HELD, None, 0)


def test_of_a_hook_that_does_nothing_it_is_stored(shop: Application) -> None:
    delivery = again(make_refused(make_github(shop, actions=[])))
    assert (delivery.standing, delivery.run_id, Run.objects.count()) == (Standing.STORED, None, 0)


def test_a_transform_alone_is_something_that_it_does(shop: Application) -> None:
    assert again(make_refused(make_github(shop, actions=[], transform="return null"))).run_id


def test_of_a_hook_that_asks_for_no_proof_any_more_nothing_vouches(shop: Application) -> None:
    delivery = again(make_refused(make_github(shop, verification="none", settings={}), headers={}))
    assert (delivery.standing, delivery.verified) == (Standing.ACCEPTED, "")


def test_a_long_body_is_judged_as_it_came(shop: Application) -> None:
    body = b"a" * 100_000
    small, is_packed = packed(body)
    delivery = again(make_refused(make_github(shop), body=small, packed=is_packed, headers=signed(body)))
    assert is_packed
    assert delivery.standing == Standing.ACCEPTED


def test_it_is_as_old_as_it_was_when_it_came(shop: Application) -> None:
    headers = slack(SECRET, BODY, int(NOW.timestamp()))
    hook = make_hook(shop, verification="slack", settings={"secret": SECRET, "tolerance_s": 300}, actions=[ACTION])
    assert again(make_refused(hook, headers=headers)).standing == Standing.ACCEPTED


@pytest.mark.parametrize(
    ("fields", "delivered", "said"),
    [
        ({"settings": {"secret": "another"}}, {}, "It is still refused: .*X-Hub-Signature-256"),
        ({}, {"body": b"{}"}, "It is still refused: .*X-Hub-Signature-256"),
        ({}, {"headers": {}}, "It is still refused: .*X-Hub-Signature-256"),
        (
            {"verification": "bearer"},
            {"headers": {"Authorization": "********"}},
            "It is still refused: .*not kept",
        ),
        (
            {"verification": "addresses", "settings": {"addresses": ["192.0.2.0/24"]}},
            {"address": "198.51.100.1"},
            "It is still refused: ",
        ),
    ],
    ids=["wrong secret", "changed body", "no header", "no credentials", "wrong address"],
)
def test_one_that_is_not_right_stays_refused(
    shop: Application, fields: dict[str, Any], delivered: dict[str, Any], said: str
) -> None:
    delivery = make_refused(make_github(shop, **fields), **delivered)
    with pytest.raises(Conflict, match=said):
        again(delivery)
    delivery.refresh_from_db()
    assert (delivery.standing, delivery.reason) == (Standing.REFUSED, "No.")
    assert (Run.objects.count(), AuditEntry.objects.count()) == (0, 0)


def make_refused_twice(shop: Application, **fields: Any) -> list[Delivery]:
    """Of what one provider sent two times, with one id."""
    hook = make_github(shop, repeats="provider", **fields)
    return [make_refused(hook, headers={**signed(), "X-Github-Delivery": "one"}) for _ in range(2)]


@pytest.mark.parametrize(
    ("fields", "standing"),
    [({}, "accepted"), ({"runnable": {"enabled": False}}, "held"), ({"actions": []}, "stored")],
    ids=["on", "paused", "does nothing"],
)
def test_of_several_with_one_id_one_is_the_first(shop: Application, fields: dict[str, Any], standing: str) -> None:
    first, second = (again(one) for one in make_refused_twice(shop, **fields))
    assert (first.standing, first.event_id, first.duplicate_of) == (standing, "one", None)
    assert (second.standing, second.event_id, second.duplicate_of) == ("duplicate", "one", first.pk)
    assert Run.objects.count() == (standing == "accepted")


def test_what_was_sent_again_meanwhile_is_acted_upon_once(shop: Application) -> None:
    refused = make_refused_twice(shop)
    hook = Hook.objects.get()
    came = stored(sent(hook, BODY, X_Hub_Signature_256=signed()["X-Hub-Signature-256"], X_GitHub_Delivery="one"))
    assert [again(one).duplicate_of for one in refused] == [came.pk, came.pk]
    assert Run.objects.get().pk == came.pk


def test_what_comes_after_it_is_its_duplicate(shop: Application) -> None:
    now, [refused, _] = database_now(), make_refused_twice(shop)
    verify_again(delivery=refused, by=OPERATOR, now=now)
    hook = Hook.objects.get()
    came = stored(sent(hook, BODY, X_Hub_Signature_256=signed()["X-Hub-Signature-256"], X_GitHub_Delivery="one"))
    assert (came.standing, came.duplicate_of) == ("duplicate", refused.pk)


def test_after_the_window_it_is_acted_upon_anew(shop: Application) -> None:
    first, second = make_refused_twice(shop, repeats_window_s=60)
    for one, later in ((first, 0), (second, 60)):
        verify_again(delivery=one, by=OPERATOR, now=LATER + timedelta(seconds=later))
    assert [first.standing, second.standing] == ["accepted", "accepted"]


def test_by_what_is_not_kept_nothing_is_known_again(shop: Application) -> None:
    hook = make_github(shop, repeats="header", repeats_header="X-Token")
    refused = [make_refused(hook, headers={**signed(), "X-Token": "********"}) for _ in range(2)]
    assert [(one.standing, one.event_id) for one in map(again, refused)] == [("accepted", "")] * 2


@pytest.mark.parametrize("standing", [one for one in Standing if one != Standing.REFUSED])
def test_what_was_not_refused_is_left_alone(shop: Application, standing: Standing) -> None:
    with pytest.raises(Conflict, match=NOT_REFUSED):
        again(make_refused(make_github(shop), standing=standing))
    assert Run.objects.count() == 0


def test_of_a_hook_that_was_deleted_there_is_nothing_to_verify(shop: Application) -> None:
    hook = make_github(shop)
    delivery = make_refused(hook)
    hook.runnable.delete()
    with pytest.raises(Conflict, match=GONE):
        again(delivery)


def test_the_hooks_of_others_judge_nothing_of_ours(shop: Application) -> None:
    delivery = make_refused(make_github(shop))
    delivery.application = make_application("Charlie's")
    with pytest.raises(Conflict, match=GONE):
        again(delivery)
