"""How a call is stored: once, marked as seen; held while its hook is paused; whatever happens at the same moment."""

import hmac
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs.models import Run, Runnable
from badgerjobs.workspaces.models import Application
from tests.factories import make_application, make_hook
from tests.webhooks.sending import ACTIONS, sent, stored
from webhooks.models import Delivery, Hook, Seen, Standing
from webhooks.receiving import accepting
from webhooks.receiving.accepting import accept
from webhooks.receiving.addressed import find
from webhooks.receiving.calls import Call


def repeating(application: Application, tag: str = "a-hook", **fields: Any) -> Hook:
    """A hook with something to do, which knows what it has seen by a header."""
    return make_hook(application, tag, **{"actions": ACTIONS, "repeats": "header", "repeats_header": "X-Id", **fields})


def call(event_id: str = "1", raw: bytes = b"{}") -> Call:
    return Call("POST", "", {"x-id": event_id}, raw, "203.0.113.7")


def accepted(hook: Hook, what: Call | None = None, later: timedelta = timedelta()) -> Any:
    """What becomes of a call to it, so much later."""
    found = find(hook.secret)
    assert found
    return accept(hook=found, call=what or call(), verdict="", now=found.now + later)


@pytest.mark.parametrize(
    ("fields", "first", "again", "other"),
    [
        ({"repeats": "header", "repeats_header": "X-My-Id"}, {"X_My_Id": "1"}, {"X_My_Id": "1"}, {"X_My_Id": "2"}),
        ({"repeats": "provider"}, {"Webhook_Id": "1"}, {"Webhook_Id": "1"}, {"Webhook_Id": "2"}),
        ({"repeats": "body"}, {"body": b"1"}, {"body": b"1", "X_My_Id": "2"}, {"body": b"2"}),
        (
            {"repeats": "body"},
            {"body": b"", "query": "a=1"},
            {"body": b"", "query": "a=1"},
            {"body": b"", "query": "b"},
        ),
    ],
    ids=["a header", "the provider's id", "the body", "the query in its place"],
)
def test_what_came_before_is_recorded_as_a_duplicate_of_that(
    shop: Application, fields: Any, first: Any, again: Any, other: Any
) -> None:
    hook = make_hook(shop, actions=ACTIONS, **fields)
    answers = [sent(hook, **one) for one in (first, again, other, again)]
    found = [stored(answer) for answer in answers]
    assert [one.standing for one in found] == ["accepted", "duplicate", "accepted", "duplicate"]
    assert [one.duplicate_of for one in found] == [None, found[0].pk, None, found[0].pk]
    assert found[0].event_id == found[1].event_id != found[2].event_id
    assert answers[1].body == {"id": str(found[1].pk), "duplicate_of": str(found[0].pk)}
    assert {answer.status for answer in answers} == {202}
    assert set(Run.objects.values_list("pk", flat=True)) == {found[0].pk, found[2].pk}


@pytest.mark.parametrize(
    ("fields", "given"),
    [
        ({"repeats": "none"}, {"X_My_Id": "1"}),
        ({"repeats": "header", "repeats_header": "X-My-Id"}, {}),
        ({"repeats": "header", "repeats_header": "X-My-Id"}, {"X_My_Id": " "}),
        ({"repeats": "provider"}, {}),
    ],
    ids=["nobody looks", "no header", "an empty one", "no id"],
)
def test_what_has_no_id_is_no_duplicate(shop: Application, fields: Any, given: Any) -> None:
    hook = make_hook(shop, actions=ACTIONS, **fields)
    assert [stored(sent(hook, **given)).standing for _ in range(2)] == ["accepted", "accepted"]
    assert Seen.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "header"),
    [
        ({"verification": "bearer", "settings": {"secret": "s3cret", "header": "X-My-Id"}}, "X-My-Id"),
        ({}, "Authorization"),
        ({"verification": "gitlab", "settings": {"secret": "s3cret"}}, "X-Gitlab-Token"),
    ],
    ids=["its scheme's own", "a password", "a token"],
)
def test_what_may_be_a_password_is_known_again_and_not_kept(shop: Application, fields: Any, header: str) -> None:
    hook = repeating(shop, repeats_header=header, **fields)
    found = [stored(sent(hook, b"{}", **{header: "s3cret"})) for _ in range(2)]
    assert [one.standing for one in found] == ["accepted", "duplicate"]
    [event_id] = {one.event_id for one in found}
    assert event_id.startswith("hmac:")
    assert sha256(b"s3cret").hexdigest() not in event_id


def test_a_proof_is_kept_as_it_came(shop: Application) -> None:
    settings = {"secret": "s3cret", "header": "X-Signature"}
    hook = repeating(shop, repeats_header="X-Signature", verification="hmac", settings=settings)
    signature = hmac.new(b"s3cret", b"{}", "sha256").hexdigest()
    assert stored(sent(hook, b"{}", X_Signature=signature)).event_id == signature


def test_another_hook_has_seen_nothing_of_it(shop: Application) -> None:
    hooks = [repeating(shop), repeating(shop, "another"), repeating(make_application("Charlie's"))]
    assert [accepted(hook).standing for hook in hooks] == ["accepted"] * 3


def test_it_is_known_again_until_the_window_is_over_and_from_then_on_anew(shop: Application) -> None:
    hook = repeating(shop, repeats_window_s=60)
    first, within = accepted(hook), accepted(hook, later=timedelta(seconds=59))
    after, once_more = (accepted(hook, later=timedelta(seconds=one)) for one in (61, 119))
    assert [one.standing for one in (first, within, after, once_more)] == [
        "accepted", "duplicate", "accepted", "duplicate",
    ]  # fmt: skip
    assert (within.duplicate_of, once_more.duplicate_of) == (first.id, after.id)


def test_what_is_refused_is_not_marked(shop: Application) -> None:
    hook = repeating(shop, verification="bearer", settings={"secret": "s"})
    refused, right = sent(hook, X_Id="1"), sent(hook, X_Id="1", Authorization="Bearer s")
    assert (refused.status, stored(right).standing) == (401, "accepted")


def test_what_was_forgotten_between_two_looks_is_accepted(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = repeating(shop)
    accepted(hook)
    repeated = accepting._repeated

    def forgotten(values: Any) -> Any:
        Seen.objects.all().delete()
        return repeated(values)

    monkeypatch.setattr(accepting, "_repeated", forgotten)
    assert accepted(hook).standing == Standing.ACCEPTED
    assert (Delivery.objects.count(), Run.objects.count()) == (2, 2)


def test_a_paused_hook_holds_what_comes_and_makes_no_run(shop: Application) -> None:
    hook = repeating(shop, runnable={"enabled": False})
    held, again = sent(hook, X_Id="1"), sent(hook, X_Id="1")
    assert (held.status, stored(held).standing, stored(held).run_id) == (202, "held", None)
    assert (stored(again).standing, str(stored(again).duplicate_of)) == ("duplicate", held.body["id"])
    assert Run.objects.count() == 0


def test_one_that_was_paused_since_it_was_looked_for_is_held(shop: Application) -> None:
    hook = repeating(shop)
    found = find(hook.secret)
    assert found
    Runnable.objects.update(enabled=False)
    result = accept(hook=found, call=call(), verdict="", now=found.now)
    assert result
    assert (result.standing, Run.objects.count()) == ("held", 0)


def test_one_that_was_resumed_since_is_accepted(shop: Application) -> None:
    hook = repeating(shop, runnable={"enabled": False})
    found = find(hook.secret)
    assert found
    Runnable.objects.update(enabled=True)
    result = accept(hook=found, call=call(), verdict="", now=found.now)
    assert result
    assert (result.standing, Run.objects.get().pk) == ("accepted", result.id)


def test_whoever_resumes_waits_for_what_is_being_held(shop: Application) -> None:
    hook = repeating(shop, runnable={"enabled": False})
    with CaptureQueriesContext(connection) as asked:
        accepted(hook)
    statements = [query["sql"] for query in asked]
    locked = next(number for number, sql in enumerate(statements) if "FOR SHARE" in sql)
    assert "INSERT INTO webhooks_delivery" in statements[locked + 1]


def all_at_once(count: int, act: Callable[[], Any]) -> list[Any]:
    """What so many threads with connections of their own return, who begin together."""
    results: list[Any] = []
    together = Barrier(count)

    def one() -> None:
        try:
            together.wait(10)
            results.append(act())
        finally:
            connection.close()

    threads = [Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("enabled", [True, False], ids=["on", "paused"])
def test_of_many_at_once_with_one_id_one_is_the_first(enabled: bool) -> None:
    hook = repeating(make_application(), runnable={"enabled": enabled})
    found = all_at_once(8, lambda: accepted(hook))
    firsts = [one for one in found if one.standing != Standing.DUPLICATE]
    assert [len(firsts), len(found)] == [1, 8]
    assert {one.duplicate_of for one in found} == {None, firsts[0].id}
    assert Run.objects.count() == (1 if enabled else 0)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_wait_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even for who has the row of their hook's runnable."""
    hook = make_hook(make_application(), actions=ACTIONS)
    with transaction.atomic():
        Runnable.objects.select_for_update(no_key=True).get(pk=hook.runnable_id)
        found = all_at_once(4, lambda: accepted(hook))
    assert [one.standing for one in found] == ["accepted"] * 4


def test_a_delivery_and_its_run_are_stored_together_or_not_at_all(shop: Application) -> None:
    hook = repeating(shop)
    found = find(hook.secret)
    assert found
    with pytest.raises(Exception, match="value too long"), transaction.atomic():
        accept(hook=found, call=Call("POSTPOST", "", {}, b"", None), verdict="", now=found.now)
    assert (Delivery.objects.count(), Run.objects.count(), Seen.objects.count()) == (0, 0, 0)
