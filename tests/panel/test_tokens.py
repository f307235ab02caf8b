"""The pages of tokens: who sees them, what a form makes of what was filled in, and that a secret is shown once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from badgerjobs.panel.token_forms import SCOPES
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.issuing import issue_token
from badgerjobs.workspaces.models import Application, AuditEntry, Role, Scope, Token
from tasks.background.api import BackgroundTaskViewSet
from tests.addresses import addresses
from tests.callers import Caller
from tests.clients import browser_in
from tests.factories import make_application
from tests.workspaces.database_texts import places_of

pytestmark = pytest.mark.django_db

SECRET = re.compile(r"bj_[a-z0-9]{8}_[A-Za-z0-9_-]{43}")


def at(shop: Application, name: str, *slugs: str) -> str:
    return reverse(f"panel:{name}", args=[shop.slug, *slugs])


def issue(shop: Application, label: str = "laptop", **fields: Any) -> Token:
    return issue_token(application=shop, label=label, by=OPERATOR, now=timezone.now(), **fields)[0]


def send(browser: Client, where: str, **fields: Any) -> Any:
    """The form as a browser would send it, with its own key."""
    page = browser.get(where).content.decode()
    key = re.search(r'name="form_key" value="([^"]+)"', page)
    assert key
    return browser.post(where, {"form_key": key[1], **fields})


NEW = {"label": "deploy script", "scopes": ["read"], "expiry": "never"}


@pytest.mark.parametrize(
    ("role", "status"), [(Role.VIEWER, 403), (Role.EDITOR, 200), (Role.ADMIN, 200), (Role.OWNER, 200)]
)
def test_editors_see_which_tokens_there_are(shop: Application, role: Role, status: int) -> None:
    token = issue(shop)
    page = browser_in(shop, role).get(at(shop, "tokens"))
    assert page.status_code == status
    assert (token.prefix in page.content.decode()) is (status == 200)


def test_who_may_not_change_tokens_sees_no_button_for_it(shop: Application) -> None:
    token = issue(shop)
    page = browser_in(shop, Role.EDITOR).get(at(shop, "tokens")).content.decode()
    assert [name for name in ("rotate-token", "revoke-token") if at(shop, name, token.slug) in page] == []
    assert at(shop, "new-token") not in page


@pytest.mark.parametrize("name", ["new-token", "rotate-token", "revoke-token"])
def test_only_an_admin_changes_tokens(shop: Application, name: str) -> None:
    token = issue(shop)
    where = at(shop, name, *([] if name == "new-token" else [token.slug]))
    for role in (Role.VIEWER, Role.EDITOR):
        browser = browser_in(shop, role)
        assert {browser.get(where).status_code, browser.post(where, NEW).status_code} == {403}
    assert (Token.objects.count(), Token.objects.get().revoked_at) == (1, None)


def test_a_token_of_another_application_is_not_found(shop: Application) -> None:
    other = issue(make_application("Charlie's"))
    browser = browser_in(shop, Role.ADMIN)
    for name in ("rotate-token", "revoke-token"):
        assert browser.get(at(shop, name, other.slug)).status_code == 404
        assert browser.post(at(shop, name, other.slug)).status_code == 404


def test_the_answer_has_the_secret_and_a_curl_and_nobody_on_the_way_keeps_it(shop: Application) -> None:
    page = send(browser_in(shop, Role.ADMIN), at(shop, "new-token"), **NEW)
    secret = SECRET.findall(page.content.decode())[0]
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert f"curl http://testserver/api/v1/jobs/ \\\n  -H &#x27;Authorization: Bearer {secret}" in page.content.decode()
    assert Caller(secret).get("/jobs/").status == 200
    assert places_of(secret) == []


def test_the_secret_is_on_no_other_page_and_in_no_session(shop: Application) -> None:
    browser = browser_in(shop, Role.ADMIN)
    secret = SECRET.findall(send(browser, at(shop, "new-token"), **NEW).content.decode())[0]
    token = Token.objects.get()
    for where in (at(shop, "tokens"), at(shop, "rotate-token", token.slug), at(shop, "revoke-token", token.slug)):
        assert secret not in browser.get(where).content.decode()
    assert secret not in str(dict(browser.session))


def test_loading_the_answer_again_makes_no_second_token(shop: Application) -> None:
    browser, where = browser_in(shop, Role.ADMIN), at(shop, "new-token")
    key = re.search(r'name="form_key" value="([^"]+)"', browser.get(where).content.decode())
    assert key
    first, second = (browser.post(where, {"form_key": key[1], **NEW}) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert "The form was sent twice." in second.content.decode()
    assert SECRET.findall(second.content.decode()) == []
    assert at(shop, "rotate-token", Token.objects.get().slug) in second.content.decode()
    assert AuditEntry.objects.filter(action="token.create").count() == 1


def test_a_form_of_somebody_else_is_not_taken(shop: Application) -> None:
    alice, bob = browser_in(shop, Role.OWNER), browser_in(shop, Role.ADMIN)
    key = re.search(r'name="form_key" value="([^"]+)"', alice.get(at(shop, "new-token")).content.decode())
    assert key
    for given in (key[1], "abcdefghijkl", ""):
        page = bob.post(at(shop, "new-token"), {"form_key": given, **NEW})
        assert "too old" in page.content.decode()
    assert not Token.objects.exists()


def test_an_errors_page_keeps_what_was_filled_in(shop: Application) -> None:
    page = send(
        browser_in(shop, Role.ADMIN), at(shop, "new-token"), label="deploy script", scopes=[], expiry="30"
    ).content.decode()
    assert 'value="deploy script"' in page
    assert "Tick at least one" in page
    assert re.search(r'value="30" checked', page)
    assert "No token was made yet." in page


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ({"expiry": "never"}, None),
        ({"expiry": "30"}, 30),
        ({"expiry": "90"}, 90),
        ({"expiry": "never", "date": "2000-01-01"}, None),
    ],
)
def test_a_token_ends_when_it_was_said(shop: Application, fields: dict[str, str], days: int | None) -> None:
    send(browser_in(shop, Role.ADMIN), at(shop, "new-token"), **{**NEW, **fields})
    ends = Token.objects.get().expires_at
    if days is None:
        assert ends is None
    else:
        assert ends
        assert timedelta(days=days) - timedelta(minutes=1) < ends - timezone.now() <= timedelta(days=days)


def test_the_last_day_ends_at_midnight_where_the_reader_is(shop: Application) -> None:
    browser = browser_in(shop, Role.ADMIN)
    browser.cookies["zone"] = "America/New_York"
    day = timezone.now().date() + timedelta(days=400)
    send(browser, at(shop, "new-token"), **NEW | {"expiry": "date", "date": day.isoformat()})
    ends = Token.objects.get().expires_at
    assert ends
    with timezone.override("America/New_York"):
        assert timezone.localtime(ends).replace(tzinfo=None).isoformat() == f"{day + timedelta(days=1)}T00:00:00"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"label": ""}, "Say who or what will use it."),
        ({"label": "a\nb"}, "one line"),
        ({"label": "x" * 101}, "at most 100"),
        ({"scopes": ["everything"]}, "everything"),
        ({"expiry": "date"}, "Say which day is its last."),
        ({"expiry": "date", "date": "2000-01-01"}, "That day is over"),
        ({"expiry": "date", "date": "9999-12-31"}, "At most 10 years"),
        ({"expiry": "date", "date": "tomorrow"}, "Give a day like"),
        ({"expiry": "soon"}, "soon"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(shop: Application, fields: dict[str, Any], said: str) -> None:
    page = send(browser_in(shop, Role.ADMIN), at(shop, "new-token"), **NEW | fields).content.decode()
    assert said in page
    assert not Token.objects.exists()


def test_a_token_that_may_only_write_gets_a_curl_that_writes(shop: Application) -> None:
    page = send(browser_in(shop, Role.ADMIN), at(shop, "new-token"), **NEW | {"scopes": ["write"]}).content.decode()
    assert "curl -X PUT http://testserver/api/v1/jobs/hello/" in page
    secret = SECRET.findall(page)[0]
    assert Caller(secret).put("/jobs/hello/", {"endpoint": "https://example.com/", "verb": "GET"}).status == 201


def test_rotating_gives_a_new_secret_and_lets_the_old_one_end_later(shop: Application) -> None:
    browser, old = browser_in(shop, Role.ADMIN), issue(shop, scopes=["read"])
    page = send(browser, at(shop, "rotate-token", old.slug), overlap="1h").content.decode()
    old.refresh_from_db()
    assert old.expires_at
    assert old.expires_at - timezone.now() <= timedelta(hours=1)
    assert Caller(SECRET.findall(page)[0]).get("/jobs/").status == 200


def test_rotating_what_is_over_says_so_and_offers_a_new_one(shop: Application) -> None:
    old = issue(shop, expires_at=timezone.now() - timedelta(days=1))
    page = browser_in(shop, Role.ADMIN).get(at(shop, "rotate-token", old.slug)).content.decode()
    assert "This token is over." in page
    assert at(shop, "new-token") in page


def test_rotating_what_was_rotated_is_not_offered(shop: Application) -> None:
    browser, old = browser_in(shop, Role.ADMIN), issue(shop)
    send(browser, at(shop, "rotate-token", old.slug), overlap="24h")
    new = Token.objects.exclude(pk=old.pk).get()
    page = browser.get(at(shop, "tokens")).content.decode()
    assert [at(shop, "rotate-token", token.slug) in page for token in (old, new)] == [False, True]
    asked = browser.get(at(shop, "rotate-token", old.slug)).content.decode()
    assert "This token was rotated already." in asked
    assert "form_key" not in asked


def test_a_revoked_token_opens_nothing_from_the_next_request_on(shop: Application) -> None:
    browser = browser_in(shop, Role.ADMIN)
    secret = SECRET.findall(send(browser, at(shop, "new-token"), **NEW).content.decode())[0]
    where = at(shop, "revoke-token", Token.objects.get().slug)
    assert Caller(secret).get("/jobs/").status == 200
    assert "There is no way back." in browser.get(where).content.decode()
    assert Caller(secret).get("/jobs/").status == 200
    assert browser.post(where).status_code == 302
    assert Caller(secret).get("/jobs/").status == 401


def test_what_is_over_stands_apart(shop: Application) -> None:
    now = timezone.now()
    issue(shop, "works")
    issue(shop, "expired-one", expires_at=now - timedelta(days=1))
    issue(shop, "revoked-one")
    Token.objects.filter(label="revoked-one").update(revoked_at=now)
    usable, _, over = browser_in(shop, Role.ADMIN).get(at(shop, "tokens")).content.decode().partition('id="over"')
    assert [label for label in ("works", "expired-one", "revoked-one") if label in usable] == ["works"]
    assert [label for label in ("works", "expired-one", "revoked-one") if label in over] == [
        "expired-one",
        "revoked-one",
    ]


def test_without_any_the_page_says_what_to_do_next(shop: Application) -> None:
    assert "Make a token" in browser_in(shop, Role.ADMIN).get(at(shop, "tokens")).content.decode()
    asks = browser_in(shop, Role.EDITOR).get(at(shop, "tokens")).content.decode()
    assert "An owner or an admin of Example Shop can make one." in asks


def test_the_list_costs_the_same_however_many_there_are(shop: Application, django_assert_max_num_queries: Any) -> None:
    browser = browser_in(shop, Role.ADMIN)
    for number in range(30):
        token = issue(shop, f"token-{number}")
        Token.objects.filter(pk=token.pk).update(created_by=browser.session["_auth_user_id"])
    with django_assert_max_num_queries(12):
        assert browser.get(at(shop, "tokens")).status_code == 200


def test_a_label_cannot_become_markup(shop: Application) -> None:
    issue(shop, "<script>alert(1)</script>")
    assert "<script>alert" not in browser_in(shop, Role.ADMIN).get(at(shop, "tokens")).content.decode()


def test_the_form_offers_every_scope_and_each_is_asked_for_by_some_address(shop: Application) -> None:
    """A token with a scope that nothing honours looks as if it opened something."""
    views = [pattern.callback for _, pattern in addresses(get_resolver())]
    kinds = [getattr(view, "view_class", getattr(view, "cls", view)) for view in views]
    asked = {Scope.READ, Scope.WRITE, BackgroundTaskViewSet(action="destroy").required_scope}
    asked |= {scope for kind in kinds if isinstance(scope := getattr(kind, "required_scope", None), str)}
    page = browser_in(shop, Role.ADMIN).get(at(shop, "new-token")).content.decode()
    assert set(re.findall(r'name="scopes" value="([^"]+)"', page)) == set(SCOPES) == asked


def test_a_token_that_was_made_with_all_scopes_is_rotated_and_says_so(shop: Application) -> None:
    token = issue(shop, scopes=Scope.values)
    shown = send(browser_in(shop, Role.ADMIN), at(shop, "rotate-token", token.slug), overlap="24h").content.decode()
    assert [SCOPES[Scope(scope)] in shown for scope in Scope.values] == [True] * len(Scope)


def test_a_token_may_have_a_limit_of_its_own_which_its_rotation_keeps(shop: Application) -> None:
    browser = browser_in(shop, Role.ADMIN)
    made = send(browser, at(shop, "new-token"), **NEW, requests_per_second="20").content.decode()
    token = Token.objects.get()
    assert (token.requests_per_second, "at most 20 requests a second" in made) == (20, True)
    assert "20 requests a second" in browser.get(at(shop, "tokens")).content.decode()
    send(browser, at(shop, "rotate-token", token.slug), overlap="24h")
    assert set(Token.objects.values_list("requests_per_second", flat=True)) == {20}


@pytest.mark.parametrize(("given", "said"), [("11", "At most 10"), ("0", "Give at least 1"), ("x", "whole")])
def test_a_limit_that_its_application_would_not_allow_is_refused(shop: Application, given: str, said: str) -> None:
    shop.requests_per_second = 10
    shop.save()
    where = at(shop, "new-token")
    page = send(browser_in(shop, Role.ADMIN), where, **NEW, requests_per_second=given).content.decode()
    assert (said in page, Token.objects.exists()) == (True, False)


def test_a_token_that_only_reads_cached_values_is_shown_how(shop: Application) -> None:
    page = send(browser_in(shop, Role.ADMIN), at(shop, "new-token"), **{**NEW, "scopes": ["cache:read"]})
    assert "curl http://testserver/api/v1/cache/KEY" in page.content.decode()
