"""The pages of incidents and of notices: what they show, what the form takes, and who may."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badgerjobs.notices.forms import WORDS
from badgerjobs.notices.models import WISHES, NoticeSettings
from badgerjobs.runs.models import Attempt, Incident, Run, State, Trouble
from badgerjobs.workspaces.models import Application, AuditEntry, Role, Scope
from tests.callers import caller_for
from tests.factories import make_application, make_attempt, make_member, make_run, make_runnable
from tests.notices.rows import HOOK, opened, sent, wanting
from tests.workspaces.database_texts import places_of

pytestmark = pytest.mark.django_db

FORM = {
    "enabled": "on",
    "emails": "alice@example.com\nbob@example.com, ALICE@example.com",
    "url": HOOK,
    "troubles": ["failed", "late"],
    "quiet_minutes": "30",
    "late_after_minutes": "10",
}


@pytest.fixture
def shop() -> Application:
    return make_application("Example Shop", "shop")


def browser_of(shop: Application, role: Role = Role.ADMIN) -> Client:
    browser = Client()
    browser.force_login(
        make_member(shop.workspace, role, f"{role}@example.com").user, django_settings.AUTHENTICATION_BACKENDS[0]
    )
    return browser


def at(shop: Application, name: str = "settings") -> str:
    return reverse(f"notices:{name}", args=[shop.slug])


def page(browser: Client, where: str, **headers: str) -> str:
    answer = browser.get(where, headers=headers or None)
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_is_filled_in_is_saved(shop: Application) -> None:
    assert browser_of(shop).post(at(shop), FORM).status_code == 302

    row = NoticeSettings.objects.get()
    assert (row.enabled, row.emails, row.url) == (True, ["ALICE@example.com", "bob@example.com"], HOOK)
    assert (row.troubles, row.quiet_minutes, row.base_url) == (["failed", "late"], 30, "http://testserver")
    shop.refresh_from_db()
    assert shop.late_after_s == 600


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"emails": "not-an-address"}, "“not-an-address” is no e-mail address."),
        ({"emails": "\n".join(f"a{n}@example.com" for n in range(21))}, "At most 20 addresses"),
        ({"url": "ftp://example.com/"}, "Only http:// and https:// can be called"),
        ({"url": "https://user:pw@example.com/"}, "contains a user name or password"),
        ({"troubles": ["weather"]}, "“weather” is none of these"),
        ({"quiet_minutes": "-1"}, "Give at least 0: this is -1."),
        ({"quiet_minutes": "10081"}, "Give at most 10,080: this is 10081."),
        ({"late_after_minutes": "0"}, "Give at least 1: this is 0."),
    ],
)
def test_what_cannot_be_is_said_beside_the_field(shop: Application, changed: dict[str, Any], said: str) -> None:
    answer = browser_of(shop).post(at(shop), {**FORM, **changed}).content.decode()
    assert said in answer
    assert not NoticeSettings.objects.exists()


def test_the_url_is_shown_by_its_host_alone_and_stays_when_it_comes_back(shop: Application) -> None:
    wanting(shop)
    browser = browser_of(shop)
    shown = page(browser, at(shop))
    assert "https://hooks.example.com/********" in shown
    assert "secret" not in shown

    browser.post(at(shop), {**FORM, "url": "https://hooks.example.com/********"})
    assert NoticeSettings.objects.get().url == HOOK
    browser.post(at(shop), {**FORM, "url": ""})
    assert NoticeSettings.objects.get().url == ""


def test_the_stars_of_another_host_are_no_secret_of_ours(shop: Application) -> None:
    wanting(shop)
    browser_of(shop).post(at(shop), {**FORM, "url": "https://evil.example.net/********"})
    assert NoticeSettings.objects.get().url == "https://evil.example.net/********"


def test_the_url_lies_encrypted_and_the_log_has_stars(shop: Application) -> None:
    browser_of(shop).post(at(shop), FORM)
    browser_of(shop, Role.OWNER).post(at(shop), {**FORM, "url": f"{HOOK}2", "quiet_minutes": "31"})
    assert places_of("T0/secret") == []
    first, second = AuditEntry.objects.filter(action="notices.change").order_by("id")
    assert first.changes["url"] == [None, "https://hooks.example.com/********"]
    assert first.changes["late_after_s"] == [300, 600]
    assert second.changes["quiet_minutes"] == [30, 31]
    assert second.changes["url"] == ["https://hooks.example.com/********"] * 2


def test_saving_what_was_there_is_no_entry_in_the_log(shop: Application) -> None:
    browser = browser_of(shop)
    browser.post(at(shop), FORM)
    browser.post(at(shop), {**FORM, "url": "https://hooks.example.com/********"})
    assert AuditEntry.objects.filter(action="notices.change").count() == 1


@pytest.mark.parametrize(
    ("sign_up", "mail", "taken"),
    [("open", "smtp://localhost", False), ("open", "", True), ("invitation", "smtp://localhost", True)],
)
def test_where_strangers_sign_up_only_members_are_written_to(
    shop: Application, settings: Any, sign_up: str, mail: str, taken: bool
) -> None:
    settings.SIGN_UP, settings.EMAIL_URL = sign_up, mail
    browser = browser_of(shop)
    answer = browser.post(at(shop), {**FORM, "emails": "admin@example.com\nstranger@example.net"})
    assert (answer.status_code == 302) is taken
    if not taken:
        assert "“stranger@example.net” is no member" in answer.content.decode()
        assert browser.post(at(shop), {**FORM, "emails": "Admin@example.com"}).status_code == 302


def test_a_test_goes_to_everybody_and_its_result_is_shown(shop: Application) -> None:
    wanting(shop, enabled=False, troubles=[])
    browser = browser_of(shop)

    browser.post(at(shop, "test"))

    assert sent() == [("url", ["notice.test"]), ("mail", ["notice.test"])]
    assert AuditEntry.objects.filter(action="notices.test").count() == 1
    call, mailing = Run.objects.order_by("id")
    shown = page(browser, at(shop))
    assert "every 1s" in shown
    Run.objects.filter(pk=call.pk).update(state=State.SUCCEEDED, attempts=1)
    make_attempt(call, result={"status": 204})
    Run.objects.filter(pk=mailing.pk).update(state=State.FAILED, attempts=1)
    make_attempt(mailing, ok=False, error="The mail server did not take it (OSError).")
    part = page(browser, at(shop), HX_Target="tests")
    assert "every 1s" not in part
    assert "204" in part
    assert "The mail server did not take it (OSError)." in part


def test_without_anybody_to_tell_there_is_no_test(shop: Application) -> None:
    browser = browser_of(shop)
    assert "Send a test" not in page(browser, at(shop))
    browser.post(at(shop, "test"))
    assert not Run.objects.exists()


def test_tests_have_an_end(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    wanting(shop, emails=[])
    monkeypatch.setattr("badgerjobs.notices.views.TESTS_PER_HOUR", 2)
    browser = browser_of(shop)
    for _ in range(4):
        browser.post(at(shop, "test"))
    assert Run.objects.count() == 2


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.EDITOR, 403), (Role.ADMIN, 200)])
def test_admins_alone_say_who_is_told(shop: Application, role: Role, status: int) -> None:
    browser = browser_of(shop, role)
    assert browser.get(at(shop)).status_code == status
    assert (browser.post(at(shop), FORM).status_code == 302) is (status == 200)
    assert NoticeSettings.objects.exists() is (status == 200)


def test_everybody_sees_what_is_wrong_and_what_was(shop: Application) -> None:
    browser = browser_of(shop, Role.VIEWER)
    assert "No incidents" in page(browser, at(shop, "incidents"))
    now = timezone.now()
    reprice = make_runnable(shop, name="reprice")
    opened(shop, reprice, at=now, sentence="It answered 500.")
    Incident.objects.update(closed_at=now)
    assert "Nothing is wrong now" in page(browser, at(shop, "incidents"))
    opened(shop, reprice, Trouble.WARNED, at=now, sentence="5 in a row.")
    opened(shop, trouble=Trouble.LATE, at=now, sentence="12 runs are late.")
    opened(make_application("Charlie's"), trouble=Trouble.LATE, at=now, sentence="Nobody else's business.")

    shown = page(browser, at(shop, "incidents"))

    assert shown.index("12 runs are late.") < shown.index("5 in a row.") < shown.index("It answered 500.")
    assert "The whole application" in shown
    assert "Nobody else" not in shown
    assert "<!doctype" not in page(browser, at(shop, "incidents"), HX_Target="all")


def test_what_was_has_pages(shop: Application) -> None:
    now = timezone.now()
    for n in range(35):
        opened(shop, make_runnable(shop, name=f"job-{n}"), at=now, closed_at=now, sentence=f"no. {n:02}")
    browser = browser_of(shop, Role.VIEWER)
    first = browser.get(at(shop, "incidents"))
    assert first.content.decode().count("no. ") == 30
    older = first.context["closed"].later
    assert page(browser, f"{at(shop, 'incidents')}?cursor={older}").count("no. ") == 5


def test_the_page_of_a_notices_run_shows_what_was_told_and_no_secret(shop: Application) -> None:
    wanting(shop)
    browser = browser_of(shop)
    browser.post(at(shop, "test"))
    call, mailing = Run.objects.order_by("id")
    Run.objects.filter(pk=call.pk).update(state=State.FAILED, attempts=1)
    make_attempt(call, ok=False, error_class="status", error="It answered 500.", result={"status": 500, "body": "no"})
    shown = page(browser, reverse("runs:run", args=[shop.slug, call.pk]))
    assert "notice.test" in shown
    assert "https://hooks.example.com/********" in shown
    assert "T0/secret" not in shown
    assert "Replay" not in shown
    shown = page(browser, reverse("runs:run", args=[shop.slug, mailing.pk]))
    assert "to 1 address" in shown
    assert "[shop] This is a test" in shown
    listed = page(browser, f"{reverse('runs:list', args=[shop.slug])}?kind=notice")
    assert listed.count("run-") >= 2


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "waits"])
def test_whoever_sees_runs_sees_to_how_many_a_notice_went_and_not_to_whom(shop: Application, is_told: bool) -> None:
    wanting(shop, emails=["boss@example.com", "bob@example.com"], url="")
    admin = browser_of(shop)
    admin.post(at(shop, "test"))
    run = Run.objects.get()
    if is_told:
        Run.objects.update(state=State.SUCCEEDED, attempts=1)
        make_attempt(run, result={"mailed_to": 2})

    shown = page(browser_of(shop, Role.VIEWER), reverse("runs:run", args=[shop.slug, run.pk]))
    read = caller_for(shop, scopes=[Scope.READ]).get(f"/runs/{run.pk}/")

    assert "to 2 addresses" in shown
    for seen in (shown, str(read.body)):
        assert "boss@" not in seen
        assert "bob@" not in seen
    assert ("mailed to 2 addresses" in page(admin, at(shop))) is is_told


def test_what_named_the_addresses_counts_them_after_the_migration(shop: Application) -> None:
    run = make_run(make_runnable(shop), State.SUCCEEDED)
    Run.objects.update(runnable=None, kind="notice")
    make_attempt(run, 1, runnable_id=None, result={"mailed": ["boss@example.com", "bob@example.com"]})
    call = make_attempt(run, 2, runnable_id=None, result={"status": 204})

    with connection.cursor() as cursor:
        cursor.execute(import_module("badgerjobs.notices.migrations.0002_addresses_are_counted").COUNT)

    assert list(Attempt.objects.order_by("number").values_list("result", flat=True)) == [
        {"mailed_to": 2},
        call.result,
    ]


def test_a_name_that_nobody_can_look_up_is_not_the_one_that_links_begin_with(shop: Application, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    wanting(shop)
    long = f"{'a' * 310}.example.com"
    assert browser_of(shop).post(at(shop), FORM, headers={"host": long}).status_code == 302
    row = NoticeSettings.objects.get()
    assert (row.base_url, row.quiet_minutes) == ("https://jobs.example.org", 30)


def test_every_wish_has_words() -> None:
    assert set(WORDS) == set(WISHES)


def test_what_a_run_of_the_api_says_of_a_notice_has_no_secret(shop: Application) -> None:
    wanting(shop)
    now = timezone.now()
    opened(shop, make_runnable(shop), at=now - timedelta(minutes=1))
    browser_of(shop).post(at(shop, "test"))
    run = Run.objects.order_by("id")[0]
    answer = caller_for(shop).get(f"/runs/{run.pk}/")
    assert answer.status == 200
    assert (answer.body["kind"], answer.body["name"]) == ("notice", None)
    assert "secret" not in str(answer.body)
