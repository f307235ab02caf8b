"""An application's settings by REST: what is shown, changed and refused, and whose they are."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from badgerjobs.api import application as view
from badgerjobs.lib.backoff import Retries
from badgerjobs.runs.models import Quota
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.locks import hold_application
from badgerjobs.workspaces.models import Application, AuditEntry
from tests.callers import Caller, caller_for, make_caller
from tests.factories import make_job
from tests.in_turn import in_turn
from tests.runs.together import together
from tests.waiting import until

SETTINGS = {
    "retry_policy": "incremental",
    "retries": 3,
    "retry_step": 10,
    "retry_delays": [],
    "retry_for": None,
    "concurrent_runs": None,
    "runs_per_minute": None,
    "requests_per_second": None,
    "retention_days": None,
    "background_retention_days": None,
    "warn_after": 5,
    "pause_after": 20,
    "probe_after": 900,
    "late_after": 300,
}
OTHERS: dict[str, Any] = {
    "retry_policy": "list",
    "retries": 2,
    "retry_step": 10,
    "retry_delays": [60, 600],
    "retry_for": 3600,
    "concurrent_runs": 7,
    "runs_per_minute": 120,
    "requests_per_second": 9,
    "retention_days": 14,
    "background_retention_days": 0,
    "warn_after": 2,
    "pause_after": None,
    "probe_after": 120,
    "late_after": None,
}


def settings_of(caller: Caller) -> dict[str, Any]:
    shown = caller.get("/application/").body
    return {name: shown[name] for name in SETTINGS}


def test_settings_are_shown_changed_and_those_of_nobody_else(alice: Caller, charlie: Caller) -> None:
    assert settings_of(alice) == SETTINGS

    answer = alice.patch("/application/", OTHERS)

    assert answer.status == 200
    assert answer.body == alice.get("/application/").body
    assert settings_of(alice) == OTHERS
    assert settings_of(charlie) == SETTINGS
    assert make_job(Application.objects.get(pk=alice.application.pk)).runnable.policy == Retries(
        "list", 2, 10, (60, 600), 3600
    )


def test_what_was_read_can_be_sent_back_and_changes_nothing(alice: Caller) -> None:
    alice.patch("/application/", OTHERS)
    AuditEntry.objects.all().delete()
    shown = alice.get("/application/").body

    assert alice.patch("/application/", shown).body == shown

    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("name", sorted(SETTINGS.keys() - {"retry_policy", "retries", "retry_delays"}))
def test_what_is_not_given_stays(name: str, alice: Caller) -> None:
    alice.patch("/application/", {**OTHERS, "retry_policy": "exponential", "retry_delays": []})
    before = settings_of(alice)

    assert alice.patch("/application/", {name: SETTINGS[name]}).status == 200

    assert settings_of(alice) == {**before, name: SETTINGS[name]}


def test_without_limits_there_is_no_quota(alice: Caller) -> None:
    alice.patch("/application/", {"concurrent_runs": 3, "runs_per_minute": 60})
    alice.patch("/application/", {"runs_per_minute": None})
    assert list(Quota.objects.values_list("concurrent_runs", "runs_per_minute")) == [(3, None)]
    alice.patch("/application/", {"concurrent_runs": None})
    assert not Quota.objects.exists()


def test_a_change_is_in_the_audit_log_with_the_token_that_made_it(alice: Caller) -> None:
    AuditEntry.objects.all().delete()
    alice.patch("/application/", {"retention_days": 9, "late_after": 600, "concurrent_runs": 4})

    entries = AuditEntry.objects.order_by("id")
    assert {(entry.action, entry.via) for entry in entries} == {("application.change", "api")}
    assert all(entry.actor.startswith("test") for entry in entries)
    assert [entry.changes for entry in entries] == [
        {"retention_days": [None, 9], "late_after_s": [300, 600]},
        {"concurrent_runs": [None, 4]},
    ]


@in_turn(
    "given, said",
    [
        ({"warn_after": 20}, "It is paused after 20 already"),
        ({"warn_after": 7, "pause_after": 7}, "It is paused after 7 already"),
        ({"pause_after": 5}, "It is warned of after 5 only"),
        ({"retry_delays": [1]}, "Only the policy “list” has waits"),
        ({"retry_delays": [], "retry_policy": "list"}, "needs its waits in seconds"),
        ({"retry_for": 5}, "The first retry comes after"),
        ({"retries": 51}, "50"),
        ({"concurrent_runs": 0}, "1"),
        ({"runs_per_minute": 1_000_001}, "1,000,000"),
        ({"requests_per_second": 1_000_000}, "more this installation does not take"),
        ({"retention_days": 3651}, "3,650"),
        ({"probe_after": None}, "null"),
        ({"probe_after": 90}, "whole minutes"),
        ({"late_after": 0}, "60"),
        ({"late_after": 90}, "whole minutes"),
        ({"retention_day": 3}, "did you mean retention_days?"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(given: dict[str, Any], said: str, alice: Caller) -> None:
    answer = alice.patch("/application/", given)

    assert (answer.status, list(answer.errors)) == (400, [next(iter(given))])
    assert said in " ".join(answer.errors[next(iter(given))])
    assert settings_of(alice) == SETTINGS


def test_no_retries_are_a_policy_too(alice: Caller) -> None:
    assert alice.patch("/application/", {"retries": 0}).body["retries"] == 0
    assert alice.patch("/application/", {"retry_step": 20}).body["retries"] == 0
    assert alice.patch("/application/", {"retry_policy": "repeater"}).body["retries"] == 24


def test_a_token_that_may_only_read_changes_nothing(alice: Caller) -> None:
    reader = caller_for(alice.application, scopes=["read"])
    assert settings_of(reader) == SETTINGS
    assert reader.patch("/application/", {"retention_days": 9}).status == 403
    assert settings_of(alice) == SETTINGS


def test_an_application_that_is_deleted_meanwhile_is_not_found(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: Application) -> Application:
        raise RefusedError("This application was deleted in the meantime.")

    monkeypatch.setattr(view, "hold_application", gone)
    answer = alice.patch("/application/", {"retention_days": 9})
    assert (answer.status, answer.body["detail"]) == (404, "This application was deleted in the meantime.")


def two_wait_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0] == 2)


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_the_second_is_judged_by_what_the_first_one_left() -> None:
    alice = make_caller()
    changes = [partial(alice.patch, "/application/", given) for given in ({"warn_after": 10}, {"pause_after": 8})]

    with ThreadPoolExecutor(1) as aside:
        with transaction.atomic():
            hold_application(alice.application)
            answers = aside.submit(together, *changes)
            until(two_wait_for_a_lock)

        assert sorted(answer.status for answer in answers.result(10)) == [200, 400]
