"""How much an application may run at once and begin in a minute, on its settings page."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.panel.forms import PolicyForm, initial_policy
from badgerjobs.runs.limiting import LIMITS, limit_runs, limits_of
from badgerjobs.runs.models import Quota
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from tests.factories import NOW, make_application, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Application:
    return make_application("Example Shop", "shop")


def browser(application: Application, role: Role) -> Client:
    client = Client()
    client.force_login(make_member(application.workspace, role, f"{role}@example.com").user)
    return client


def save(shop: Application, client: Client, **typed: str) -> str:
    """Send the form as it would be without limits, with this typed in."""
    form = PolicyForm(initial=initial_policy(shop))
    shown = {name: form[name].value() for name in form.fields}
    given = {**shown, **dict.fromkeys(LIMITS, ""), **typed}
    sent = {name: "" if value is None else value for name, value in given.items()}
    return client.post(reverse("panel:change-application", args=[shop.slug]), sent).content.decode()


def test_limits_are_set_shown_changed_and_lifted(shop: Application) -> None:
    alice = browser(shop, Role.OWNER)
    save(shop, alice, concurrent_runs="3", runs_per_minute="600")
    assert limits_of(shop) == {"concurrent_runs": 3, "runs_per_minute": 600}
    page = alice.get(reverse("panel:settings", args=[shop.slug])).content.decode()
    assert re.search(r'name="concurrent_runs" value="3"', page)
    assert re.search(r'name="runs_per_minute" value="600"', page)

    save(shop, alice, concurrent_runs="4")
    assert limits_of(shop) == {"concurrent_runs": 4, "runs_per_minute": None}
    save(shop, alice)
    assert not Quota.objects.exists()
    save(shop, alice)
    assert list(AuditEntry.objects.order_by("id").values_list("changes", flat=True)) == [
        {"concurrent_runs": [None, 3], "runs_per_minute": [None, 600]},
        {"concurrent_runs": [3, 4], "runs_per_minute": [600, None]},
        {"concurrent_runs": [4, None]},
    ]


@pytest.mark.parametrize("field", ["concurrent_runs", "runs_per_minute"])
@pytest.mark.parametrize(("value", "said"), [("0", "1"), ("-1", "1"), ("many", "number"), ("1000001", "1,000,000")])
def test_limits_that_cannot_be_are_refused_and_stay_typed(field: str, value: str, said: str, shop: Application) -> None:
    page = save(shop, browser(shop, Role.ADMIN), **{field: value})
    [error] = re.findall(r'class="error"[^>]*>([^<]*)<', page)
    assert said in error
    assert f'id="id_{field}_error"' in page
    assert f'name="{field}" value="{value}"' in page
    assert not Quota.objects.exists()


def test_a_viewer_reads_them(shop: Application) -> None:
    bob = browser(shop, Role.VIEWER)
    at = reverse("panel:settings", args=[shop.slug])
    assert "any number at once, any number in a minute" in bob.get(at).content.decode()
    limit_runs(application=shop, concurrent_runs=3, runs_per_minute=1200, by=OPERATOR, now=NOW)
    assert "3 at once, 1,200 begun in a minute" in bob.get(at).content.decode()


def test_saving_again_fills_no_bucket(shop: Application) -> None:
    limit_runs(application=shop, concurrent_runs=None, runs_per_minute=600, by=OPERATOR, now=NOW)
    assert Quota.objects.get().tokens == 10
    Quota.objects.update(tokens=0)
    limit_runs(application=shop, concurrent_runs=1, runs_per_minute=500, by=OPERATOR, now=NOW + timedelta(seconds=9))
    assert Quota.objects.values("tokens", "filled_at", "runs_per_minute").get() == {
        "tokens": 0,
        "filled_at": NOW,
        "runs_per_minute": 500,
    }


def test_the_limits_of_an_application_go_with_it(shop: Application) -> None:
    limit_runs(application=shop, concurrent_runs=1, runs_per_minute=None, by=OPERATOR, now=NOW)
    shop.delete()
    assert not Quota.objects.exists()
