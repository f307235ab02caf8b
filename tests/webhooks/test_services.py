"""What is done with hooks: made, changed, paused with what waits, resumed, rotated, deleted; each change is audited."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError
from rest_framework import serializers

from badgerjobs.lib.tokens import digest_of
from badgerjobs.lib.vault import MASK
from badgerjobs.runs.models import FINAL, Cause, Overlap, Run, Runnable, State
from badgerjobs.runs.services import delete_application
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, AuditEntry
from tests.factories import NOW, make_application, make_delivery, make_hook, make_task
from tests.runs.together import behind
from webhooks import services
from webhooks.deliveries.services import does_something
from webhooks.models import KIND, Delivery, Example, Hook, Standing, TransformVersion
from webhooks.performing.planning import actions_of
from webhooks.receiving.addressed import find
from webhooks.task_hooks import fit_task_hook
from webhooks.transforms.example_services import add_example

pytestmark = pytest.mark.django_db

CODE = "return {variables: {ID: body.id}}"
HOUR = timedelta(hours=1)


@pytest.fixture
def shop() -> Application:
    return make_application()


def made(application: Application, tag: str = "orders", **fields: Any) -> Hook:
    return services.create_hook(application=application, tag=tag, by=OPERATOR, now=NOW, **fields)


def changed(hook: Hook, **fields: Any) -> Hook:
    return services.update_hook(hook=hook, by=OPERATOR, now=NOW, **fields)


def last_entry() -> AuditEntry:
    entry = AuditEntry.objects.order_by("-id").first()
    assert entry
    return entry


# Making and changing.


def test_a_new_hook_has_a_secret_of_256_bits_and_a_runnable_that_nothing_plans(shop: Application) -> None:
    one, other = made(shop), made(shop, "others")
    assert len(one.secret) == 43
    assert one.secret != other.secret
    assert one.digest == digest_of(one.secret)
    runnable = Runnable.objects.get(pk=one.runnable_id)
    assert (runnable.kind, runnable.overlap, runnable.next_run_at) == (KIND, Overlap.ALLOW, None)


def test_it_is_tried_again_as_its_application_has_it_for_new_ones(shop: Application) -> None:
    shop.retries = 7
    shop.save()
    hook = made(shop)
    assert hook.runnable.retries == 7
    assert changed(hook, retries=2).runnable.retries == 2


def test_a_second_hook_of_a_tag_is_refused_and_leaves_no_runnable_behind(shop: Application) -> None:
    made(shop)
    with pytest.raises(Conflict, match="a webhook with the tag “orders”"):
        made(shop)
    assert Runnable.objects.count() == 1


def test_what_is_given_changes_and_the_rest_stays(shop: Application) -> None:
    hook = changed(made(shop, rate=5, name="Orders"), max_bytes=10)
    hook.refresh_from_db()
    assert (hook.name, hook.rate, hook.max_bytes) == ("Orders", 5, 10)
    assert last_entry().changes == {"max_bytes": [1_000_000, 10]}


def test_of_two_changes_at_once_neither_writes_back_what_the_other_replaced(shop: Application) -> None:
    hook = made(shop)
    stale = Hook.objects.get(pk=hook.pk)
    changed(hook, rate=5)
    changed(stale, name="Orders")
    assert Hook.objects.get(pk=hook.pk).rate == 5


def test_a_hook_that_was_deleted_meanwhile_is_not_changed(shop: Application) -> None:
    hook = made(shop)
    Hook.objects.all().delete()
    with pytest.raises(Conflict, match="deleted in the meantime"):
        changed(hook, rate=1)
    with pytest.raises(Conflict, match="deleted in the meantime"):
        services.rotate_hook(hook=hook, by=OPERATOR, now=NOW)


def test_settings_are_those_of_the_verification_and_stars_keep_what_is_stored(shop: Application) -> None:
    hook = made(shop, verification="github", settings={"secret": "one"})
    assert changed(hook, settings={"secret": MASK, "previous_secret": "two"}).settings == {
        "secret": "one", "previous_secret": "two",
    }  # fmt: skip
    with pytest.raises(serializers.ValidationError) as refused:
        made(shop, "others", verification="github")
    assert list(refused.value.detail) == ["settings"]


def test_another_verification_needs_settings_of_its_own(shop: Application) -> None:
    hook = made(shop, verification="github", settings={"secret": "one"})
    with pytest.raises(serializers.ValidationError):
        changed(hook, verification="stripe")
    with pytest.raises(Invalid):  # the stars are nobody's
        changed(hook, verification="stripe", settings={"secret": MASK})
    assert Hook.objects.get(pk=hook.pk).verification == "github"
    assert changed(hook, verification="none").settings == {}


def test_the_audit_log_names_secrets_and_tells_none(shop: Application) -> None:
    hook = made(shop, verification="github", settings={"secret": "hush-hush"})
    changed(hook, settings={"secret": "hush-again"})
    services.rotate_hook(hook=hook, by=OPERATOR, now=NOW)
    said = str(list(AuditEntry.objects.values_list("action", "changes")))
    assert "hush" not in said
    assert hook.secret not in said
    assert {entry.action for entry in AuditEntry.objects.all()} == {"hook.create", "hook.update", "hook.rotate"}


def test_put_makes_it_and_then_changes_it(shop: Application) -> None:
    given: dict[str, Any] = {"application": shop, "tag": "orders", "by": OPERATOR, "now": NOW}
    hook, is_new = services.create_or_update_hook(**given, rate=1)
    again, is_new_again = services.create_or_update_hook(**given, rate=2)
    assert (is_new, is_new_again, hook.pk) == (True, False, again.pk)
    assert Hook.objects.get().rate == 2


# Its transform.


def test_each_transform_that_is_saved_is_a_version_and_the_same_makes_none(shop: Application) -> None:
    hook = made(shop, transform=CODE)
    changed(hook, transform=CODE)
    changed(hook, rate=1)
    changed(hook, transform="return null")
    assert hook.transform_version == 2
    rows = TransformVersion.objects.order_by("number").values_list("number", "code", "made_by", "made_at")
    assert list(rows) == [(1, CODE, "operator", NOW), (2, "return null", "operator", NOW)]


def test_a_hook_without_a_transform_has_no_version(shop: Application) -> None:
    assert made(shop).transform_version == 0
    assert not TransformVersion.objects.exists()


def test_going_back_to_a_version_makes_it_the_next_one(shop: Application) -> None:
    hook = changed(made(shop, transform=CODE), transform="return null")
    services.restore_transform(hook=hook, number=1, by=OPERATOR, now=NOW)
    hook.refresh_from_db()
    assert (hook.transform, hook.transform_version) == (CODE, 3)
    with pytest.raises(Conflict, match="no version 9"):
        services.restore_transform(hook=hook, number=9, by=OPERATOR, now=NOW)


def test_the_oldest_versions_go_when_there_are_too_many(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.transforms.versions.MOST_VERSIONS", 2)
    hook = made(shop, transform="return 1")
    for number in (2, 3):
        changed(hook, transform=f"return {number}")
    assert sorted(hook.versions.values_list("number", flat=True)) == [2, 3]


# Paused and resumed.


def test_what_waits_of_a_paused_hook_is_held_and_what_runs_goes_on(shop: Application) -> None:
    hook = made(shop)
    waiting = [make_delivery(hook, state) for state in (State.QUEUED, State.RETRYING, State.SCHEDULED)]
    others = [make_delivery(hook, state) for state in (State.RUNNING, State.FAILED)]
    elsewhere = make_delivery(make_hook(shop, "others"), State.QUEUED)
    assert services.pause_hook(hook=hook, by=OPERATOR, now=NOW, reason="Stocktaking.", until=NOW + HOUR)
    standings = dict(Delivery.objects.values_list("pk", "standing"))
    assert [standings[delivery.pk] for delivery in waiting] == [Standing.HELD] * 3
    assert [standings[delivery.pk] for delivery in (*others, elsewhere)] == [Standing.ACCEPTED] * 3
    assert Run.objects.get(pk=others[0].pk).state == State.RUNNING
    runnable = Runnable.objects.get(pk=hook.runnable_id)
    assert (runnable.enabled, runnable.pause_reason, runnable.paused_until) == (False, "Stocktaking.", NOW + HOUR)


def test_what_was_aborted_before_stays_so_when_its_hook_is_paused(shop: Application) -> None:
    hook = made(shop)
    aborted = make_delivery(hook, State.ABORTED)
    Run.objects.filter(pk=aborted.pk).update(finished_at=NOW - HOUR)
    services.pause_hook(hook=hook, by=OPERATOR, now=NOW)
    assert Delivery.objects.get().standing == Standing.ACCEPTED


def test_a_resumed_hook_acts_upon_what_was_held_the_oldest_first(
    shop: Application, django_capture_on_commit_callbacks: Any
) -> None:
    hook = made(shop)
    first, second = make_delivery(hook, State.QUEUED), make_delivery(hook, standing=Standing.HELD)
    services.pause_hook(hook=hook, by=OPERATOR, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        assert services.resume_hook(hook=hook, by=OPERATOR, now=NOW + HOUR)
    waiting = Run.objects.exclude(state__in=FINAL).order_by("id")
    assert [(run.input or {})["delivery"] for run in waiting] == [str(first.pk), str(second.pk)]
    assert {run.cause for run in waiting} == {Cause.WEBHOOK}
    assert set(Delivery.objects.values_list("standing", flat=True)) == {Standing.ACCEPTED}


@pytest.mark.django_db(transaction=True)
def test_a_hook_is_resumed_though_what_was_held_cannot_be_let_go_now(monkeypatch: pytest.MonkeyPatch) -> None:
    def release_held(_: list[int], *, now: datetime) -> int:
        raise OperationalError(f"The database was away at {now}.")

    hook = make_hook(make_application(), "orders")
    services.pause_hook(hook=hook, by=OPERATOR, now=NOW)
    monkeypatch.setattr(services, "release_held", release_held)
    assert services.resume_hook(hook=hook, by=OPERATOR, now=NOW)
    hook.runnable.refresh_from_db()
    assert hook.runnable.enabled


def test_pausing_twice_and_resuming_twice_change_nothing_and_say_so(shop: Application) -> None:
    hook = made(shop)
    assert [services.pause_hook(hook=hook, by=OPERATOR, now=NOW) for _ in range(2)] == [True, False]
    assert [services.resume_hook(hook=hook, by=OPERATOR, now=NOW) for _ in range(2)] == [True, False]
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["hook.create", "hook.pause", "hook.resume"]


def test_a_change_that_disables_holds_what_waits_and_one_that_enables_lets_it_go(
    shop: Application, django_capture_on_commit_callbacks: Any
) -> None:
    hook = made(shop)
    delivery = make_delivery(hook, State.QUEUED)
    changed(hook, enabled=False, pause_reason="Stocktaking.")
    assert Delivery.objects.get().standing == Standing.HELD
    assert changed(hook, pause_reason="Still.").runnable.pause_reason == "Still."
    with django_capture_on_commit_callbacks(execute=True):
        changed(hook, enabled=True, pause_reason="", paused_until=None)
    assert Run.objects.exclude(state__in=FINAL).get().input == {"delivery": str(delivery.pk)}
    assert Runnable.objects.get(pk=hook.runnable_id).pause_reason == ""


def test_a_new_hook_may_begin_paused(shop: Application) -> None:
    runnable = made(shop, enabled=False, pause_reason="Not yet.").runnable
    assert (runnable.enabled, runnable.pause_reason, runnable.paused_at) == (False, "Not yet.", NOW)


# Its address.


def test_a_rotated_hook_is_found_by_both_secrets_until_the_overlap_is_over(shop: Application) -> None:
    hook = made(shop)
    before, now = hook.secret, find(hook.secret).now  # type: ignore[union-attr]  # the database's clock
    services.rotate_hook(hook=hook, by=OPERATOR, now=now, overlap_s=3600)
    assert before != hook.secret
    found = [find(secret) for secret in (before, hook.secret)]
    assert [one and one.id for one in found] == [hook.pk, hook.pk]
    Hook.objects.update(previous_until=now - HOUR)
    assert find(before) is None


def test_without_an_overlap_the_secret_before_leads_nowhere_at_once(shop: Application) -> None:
    hook = made(shop)
    before = hook.secret
    services.rotate_hook(hook=hook, by=OPERATOR, now=NOW, overlap_s=0)
    assert find(before) is None
    assert find(hook.secret)


def test_of_two_rotations_only_the_last_secret_before_leads_here(shop: Application) -> None:
    hook = made(shop)
    secrets = [hook.secret]
    for _ in range(2):
        services.rotate_hook(hook=hook, by=OPERATOR, now=find(hook.secret).now, overlap_s=60)  # type: ignore[union-attr]
        secrets.append(hook.secret)
    assert [bool(find(secret)) for secret in secrets] == [False, True, True]


# Deleted.


def test_a_deleted_hook_leads_nowhere_and_nothing_of_it_runs_any_more(shop: Application) -> None:
    hook = made(shop, transform=CODE)
    make_delivery(hook, State.QUEUED)
    services.delete_hook(hook=hook, by=OPERATOR, now=NOW)
    assert find(hook.secret) is None
    assert not Hook.objects.exists()
    assert not Runnable.objects.exists()
    assert not Run.objects.exists()
    assert not TransformVersion.objects.exists()
    assert last_entry().action == "hook.delete"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["its transform", "an example"])
def test_who_deletes_a_hook_waits_for_who_saves_it_and_takes_that_along(what: str) -> None:
    hook = made(make_application())
    saved: dict[str, Callable[[], object]] = {
        "its transform": partial(changed, Hook.objects.get(), transform=CODE),
        "an example": partial(add_example, hook=hook, name="paid", by=OPERATOR, now=NOW, body="1"),
    }
    behind(saved[what], partial(services.delete_hook, hook=hook, by=OPERATOR, now=NOW))
    assert (Hook.objects.count(), TransformVersion.objects.count(), Example.objects.count()) == (0, 0, 0)


def test_a_hook_goes_with_its_application(shop: Application) -> None:
    make_delivery(made(shop, transform=CODE), State.QUEUED)
    fit_task_hook(make_task(shop, type="webhook"), by="alice", now=NOW)
    other = make_hook(make_application("Charlie's"))
    delete_application(application=shop)
    assert list(Hook.objects.all()) == [other]
    assert not Run.objects.exists()


def test_a_hook_of_a_task_goes_with_that_alone(shop: Application) -> None:
    hook = fit_task_hook(make_task(shop, type="webhook"), by="alice", now=NOW)
    with pytest.raises(Conflict, match="delete that"):
        services.delete_hook(hook=hook, by=OPERATOR, now=NOW)
    assert Hook.objects.exists()


def test_what_a_hook_has_from_its_task_is_changed_there(shop: Application) -> None:
    hook = fit_task_hook(make_task(shop, type="webhook", transform=CODE), by="alice", now=NOW)
    as_it_reads = {"name": hook.name, "transform": CODE, "actions": [dict(one) for one in actions_of(hook)]}
    assert changed(hook, rate=3, **as_it_reads).actions == []
    for field, value in {"name": "Other", "transform": "return null", "actions": []}.items():
        with pytest.raises(Invalid) as refused:
            changed(hook, **{field: value})
        assert list(refused.value.detail) == [field]


@pytest.mark.parametrize("blank", ["", " ", "\n\t\u00a0\n"])
def test_a_transform_of_blanks_is_none_for_who_takes_what_comes_as_well(shop: Application, blank: str) -> None:
    hook = changed(made(shop, transform="return {}"), transform=blank)
    found = find(hook.secret)
    assert found is not None
    assert (found.acts, does_something(hook), hook.transform) == (False, False, "")
