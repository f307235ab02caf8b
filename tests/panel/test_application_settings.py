"""What holds for all in an application: its retries and limits, and its signing key."""

import re

import pytest

from badgerjobs.workspaces.models import Application, AuditEntry
from tests.panel.places import POLICY, address, browser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everybody")]


def test_settings_are_saved_and_emptied(shop: Application) -> None:
    alice = browser("alice")
    assert alice.post(address("change-application", shop), POLICY)["Location"] == address("settings", shop)
    shop.refresh_from_db()
    assert (shop.retries, shop.retry_step_s, shop.requests_per_second, shop.retention_days) == (5, 60, None, 7)
    alice.post(address("change-application", shop), {**POLICY, "retention_days": ""})
    shop.refresh_from_db()
    assert shop.retention_days is None
    assert AuditEntry.objects.filter(action="application.change", actor="alice@example.com").count() == 2


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("retries", "51", "50"),
        ("retries", "-1", "0"),
        ("retries", "", "Fill this in."),
        ("retry_step_s", "0", "1"),
        ("retry_step_s", "86401", "86400"),
        ("requests_per_second", "401", "At most 400"),
        ("requests_per_second", "0", "1"),
        ("retention_days", "0", "1"),
        ("retention_days", "3651", "3650"),
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


def test_a_viewer_reads_the_settings_and_no_key(shop: Application) -> None:
    page = browser("bob").get(address("settings", shop)).content.decode()
    assert "3 times, 10 s" in page
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
