"""What holds for all in an application: its retries and limits, and its signing key."""

import re
from typing import Any

import pytest

from badgerjobs.lib.backoff import Retries
from badgerjobs.workspaces.models import Application, AuditEntry
from tests.factories import make_job
from tests.panel.places import POLICY, address, browser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everybody")]


def test_settings_are_saved_and_emptied(shop: Application) -> None:
    alice = browser("alice")
    assert alice.post(address("change-application", shop), POLICY)["Location"] == address("settings", shop)
    shop.refresh_from_db()
    assert shop.policy == Retries("exponential", retries=5, step_s=60)
    assert (shop.requests_per_second, shop.retention_days) == (None, 7)
    alice.post(address("change-application", shop), {**POLICY, "retention_days": ""})
    shop.refresh_from_db()
    assert shop.retention_days is None
    assert AuditEntry.objects.filter(action="application.change", actor="alice@example.com").count() == 2


@pytest.mark.parametrize(
    ("typed", "kept", "said"),
    [("", None, "90 days after they ended"), ("0", 0, "for ever"), ("3650", 3650, "3,650 days after they ended")],
)
def test_background_tasks_are_kept_for_a_time_of_their_own(
    shop: Application, typed: str, kept: int | None, said: str
) -> None:
    browser("alice").post(address("change-application", shop), {**POLICY, "background_retention_days": typed})
    shop.refresh_from_db()
    assert (shop.background_retention_days, shop.retention_days) == (kept, 7)
    assert f"<dt>Background tasks</dt><dd>{said}</dd>" in browser("bob").get(address("settings", shop)).content.decode()


@pytest.mark.parametrize(
    ("typed", "policy"),
    [
        ({"retry_policy": "list", "retry_delays": "10, 60 600", "retries": "5"}, ("list", 3, (10, 60, 600), None)),
        ({"retry_policy": "repeater", "retry_delays": "10"}, ("polynomial", 24, (), None)),
        ({"retry_policy": "incremental", "retries": "0", "retry_for": "3600"}, ("incremental", 0, (), 3600)),
    ],
)
def test_new_jobs_may_begin_with_any_policy(typed: dict[str, str], policy: Any, shop: Application) -> None:
    browser("alice").post(address("change-application", shop), {**POLICY, **typed})
    shop.refresh_from_db()
    now = shop.policy
    assert (now.backoff, now.retries, now.delays, now.for_s) == policy
    assert make_job(shop).runnable.policy == now
    page = browser("alice").get(address("settings", shop)).content.decode()
    assert f'<option value="{typed["retry_policy"]}" selected>' in page


@pytest.mark.parametrize("typed", ["", "soon", "10, -1", "1.5", "10, 604801"])
def test_a_list_without_right_waits_is_refused(typed: str, shop: Application) -> None:
    lists = {**POLICY, "retry_policy": "list", "retry_delays": typed}
    page = browser("alice").post(address("change-application", shop), lists).content.decode()
    assert 'id="id_retry_delays_error"' in page
    shop.refresh_from_db()
    assert shop.policy == Retries()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("retries", "51", "50"),
        ("retries", "-1", "0"),
        ("retries", "", "required"),
        ("retry_step", "0", "1"),
        ("retry_step", "86401", "86,400"),
        ("retry_for", "59", "after 1 min only"),
        ("retry_for", "0", "1"),
        ("requests_per_second", "401", "At most 400"),
        ("requests_per_second", "0", "1"),
        ("retention_days", "0", "1"),
        ("retention_days", "3651", "3,650"),
        ("background_retention_days", "-1", "0"),
        ("background_retention_days", "3651", "3,650"),
    ],
)
def test_settings_that_cannot_be_are_refused_and_stay_typed(
    field: str, value: str, said: str, shop: Application
) -> None:
    page = browser("alice").post(address("change-application", shop), {**POLICY, field: value}).content.decode()
    [error] = re.findall(r'class="error"[^>]*>([^<]*)<', page)
    assert said in error
    assert f'name="{field}" value="{value}"' in page or value == ""
    shop.refresh_from_db()
    assert shop.retries == 3


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ({}, (3, None, 900)),
        ({"warn_after": "", "pause_after": "4", "probe_after_s": "1"}, (None, 4, 60)),
        ({"warn_after": "", "pause_after": ""}, (None, None, 900)),
        ({"warn_after": "4", "pause_after": "5", "probe_after_s": "1440"}, (4, 5, 86_400)),
    ],
    ids=["warned of alone", "paused alone", "neither", "both"],
)
def test_when_what_keeps_failing_is_warned_of_and_paused_is_set_and_shown(
    shop: Application, typed: dict[str, str], stored: tuple[int | None, int | None, int]
) -> None:
    alice = browser("alice")
    alice.post(address("change-application", shop), {**POLICY, **typed})
    shop.refresh_from_db()
    assert (shop.warn_after, shop.pause_after, shop.probe_after_s) == stored
    page = alice.get(address("settings", shop)).content.decode()
    assert re.search(rf'name="probe_after_s" value="{stored[2] // 60}"', page)
    assert "pause_after" in AuditEntry.objects.latest("id").changes
    said = browser("bob").get(address("settings", shop)).content.decode()
    assert (f"paused after {stored[1]}" if stored[1] else "not paused") in said


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"warn_after": "5", "pause_after": "5"}, "warn_after", "paused after 5 already"),
        ({"warn_after": "0"}, "warn_after", "1"),
        ({"pause_after": "1001"}, "pause_after", "1,000"),
        ({"probe_after_s": ""}, "probe_after_s", "like 15"),
        ({"probe_after_s": "1441"}, "probe_after_s", "1,440"),
    ],
    ids=["a warning that comes too late", "no run at all", "too many", "no wait", "more than a day"],
)
def test_a_breaker_that_cannot_be_is_refused_and_stays_typed(
    shop: Application, typed: dict[str, str], field: str, said: str
) -> None:
    page = browser("alice").post(address("change-application", shop), {**POLICY, **typed}).content.decode()
    [error] = re.findall(rf'id="id_{field}_error"[^>]*>([^<]*)<', page)
    assert said in error
    assert f'name="{field}" value="{typed[field]}"' in page or not typed[field]
    shop.refresh_from_db()
    assert (shop.warn_after, shop.pause_after) == (5, 20)


def test_a_viewer_reads_the_settings_and_no_key(shop: Application) -> None:
    page = browser("bob").get(address("settings", shop)).content.decode()
    assert "3 more times, after 10 s, 20 s and 30 s" in page
    assert "whsec_" not in page


def test_the_signing_key_is_shown_on_its_own_page_and_kept_in_no_cache(shop: Application) -> None:
    answer = browser("dora").get(address("signing-key", shop))
    assert shop.signing_key in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"


def test_a_key_is_rotated_after_a_question_and_the_old_one_ended(shop: Application) -> None:
    dora, old = browser("dora"), shop.signing_key
    at = f"{address('rotate-key', shop)}?overlap=7d"
    assert "For 7 days our calls bear the signatures of both keys" in dora.get(at).content.decode()
    shop.refresh_from_db()
    assert shop.signing_key == old
    dora.post(at)
    shop.refresh_from_db()
    page = dora.get(address("signing-key", shop)).content.decode()
    assert shop.previous_signing_key == old
    assert old in page
    assert shop.signing_key in page
    dora.post(address("end-key", shop))
    assert old not in dora.get(address("signing-key", shop)).content.decode()
    assert dora.get(f"{address('rotate-key', shop)}?overlap=never").status_code == 404
