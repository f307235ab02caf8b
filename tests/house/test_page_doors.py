"""Every page tried by nobody, by a stranger, by each role and by who was a member, as the resolver has them.

Which role a page needs is what its decorator left on it (`badgerjobs/web/pages.py`). A new page is tried without
anything being written here. If its address has a parameter of a new name, tests/pages.py must say what stands there; if
it has no decorator, OPEN there must say why.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from badgerjobs.workspaces.models import Application, Member, Role
from tests.addresses import filled
from tests.clients import browser_of
from tests.factories import make_application, make_member
from tests.in_turn import in_turn
from tests.pages import ACCOUNTS, MARK, NO_ROWS, OPEN, PAGES, fill
from tests.tables import held

UNDECORATED = object()
LEAST: Mapping[str, Any] = {
    address: getattr(pattern.callback, "least", UNDECORATED)
    for address, pattern in PAGES.items()
    if address not in OPEN and address not in ACCOUNTS
}
BELOW_A_TENANT = [address for address, least in LEAST.items() if isinstance(least, Role)]
EVERY_PAGE = in_turn("address", BELOW_A_TENANT)
EVERY_ACCOUNT_PAGE = in_turn("address", sorted(ACCOUNTS))
SIGN_IN = reverse(settings.LOGIN_URL)
ROLES = [Role.VIEWER, Role.EDITOR, Role.ADMIN, Role.OWNER]


@pytest.fixture(scope="module")
def filled_shop(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[Application, Mapping[str, str]]]:
    """Alice's application and what it has, made once. What a test adds is taken back after it, and in the end, this."""
    with django_db_blocker.unblock(), transaction.atomic():
        shop = make_application("Example Shop", "shop")
        yield shop, fill(shop, timezone.now())
        transaction.set_rollback(True)


@pytest.fixture
def shop(filled_shop: tuple[Application, Mapping[str, str]], db: None) -> Application:
    """Alice's application."""
    return filled_shop[0]


@pytest.fixture
def rows(filled_shop: tuple[Application, Mapping[str, str]], db: None) -> Mapping[str, str]:
    """What it has, by the name that it has in addresses."""
    return filled_shop[1]


@pytest.fixture
def browsers(shop: Application) -> Mapping[Role, Client]:
    """In each of them somebody of this role is signed in."""
    return {role: browser_of(member(shop, role).user) for role in ROLES}


def member(shop: Application, role: Role) -> Member:
    return make_member(shop.workspace, role, f"the-{role}@example.com")


def tried(browser: Client, at: str) -> list[HttpResponse]:
    """What GET and POST answer, of those two that the page takes."""
    answers: list[Any] = [browser.get(at), browser.post(at)]
    return [answer for answer in answers if answer.status_code != 405]


def statuses(browser: Client, at: str) -> set[int]:
    return {answer.status_code for answer in tried(browser, at)}


def everything() -> Mapping[str, list[str]]:
    """All that our tables hold, to compare."""
    ours = ("workspaces", "runs", "notices", "jobs", "sources", "tasks", "webhooks", "collections", "account", "mfa")
    return held(model for label in ours for model in apps.get_app_config(label).get_models())


def test_the_resolver_knows_what_we_think_it_knows() -> None:
    assert {"/a/{application_slug}/", "/accounts/login/"} <= set(PAGES)
    assert LEAST["/a/{application_slug}/"] == Role.VIEWER
    assert set(OPEN) <= set(PAGES)


def test_a_page_has_a_decorator_or_a_reason() -> None:
    assert [address for address, least in LEAST.items() if least is UNDECORATED] == []


def test_a_page_of_a_tenant_needs_a_role_there() -> None:
    named = {address for address in LEAST if "{application_slug}" in address or "{workspace_slug}" in address}
    assert named == set(BELOW_A_TENANT)


@EVERY_PAGE
def test_nobody_is_sent_to_sign_in(rows: Mapping[str, str], address: str) -> None:
    at, before = filled(address, rows), everything()
    answers = tried(browser_of(), at)
    assert answers
    for answer in answers:
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, SIGN_IN)
    assert everything() == before


@EVERY_PAGE
def test_a_stranger_finds_nothing(rows: Mapping[str, str], address: str) -> None:
    stranger = make_member(make_application("Charlie's").workspace, email="charlie@example.com").user
    browser, at, before = browser_of(stranger), filled(address, rows), everything()
    answers = tried(browser, at)
    assert {answer.status_code for answer in answers} == {404}
    assert not any(MARK.encode() in answer.content for answer in answers)
    assert everything() == before


@EVERY_PAGE
def test_who_was_removed_is_a_stranger(shop: Application, rows: Mapping[str, str], address: str) -> None:
    owner = member(shop, Role.OWNER)
    browser = browser_of(owner.user)
    owner.delete()
    before = everything()
    assert statuses(browser, filled(address, rows)) == {404}
    assert everything() == before


@EVERY_PAGE
def test_who_may_not_is_told_which_role_may(
    browsers: Mapping[Role, Client], rows: Mapping[str, str], address: str
) -> None:
    least, before = LEAST[address], everything()
    for role in ROLES[: ROLES.index(least)]:
        for answer in tried(browsers[role], filled(address, rows)):
            assert answer.status_code == 403
            assert f"needs the role “{least.label}”" in answer.content.decode()
        assert everything() == before


@EVERY_PAGE
def test_who_may_is_let_in(browsers: Mapping[Role, Client], rows: Mapping[str, str], address: str) -> None:
    """Else the tests above would pass for the wrong reason."""
    at, least = filled(address, rows), LEAST[address]
    may = [browsers[role] for role in ROLES if role.reaches(least)]
    answers = [*(browser.get(at) for browser in may), may[0].post(at)]
    statuses = {answer.status_code for answer in answers}
    assert statuses - {405}
    assert not {status for status in statuses if status in {401, 403, 404} or status >= 500}
    assert not [answer for answer in answers if answer.headers.get("Location", "").startswith(SIGN_IN)]


@in_turn("address", PAGES)
def test_a_form_of_another_site_does_nothing(shop: Application, rows: Mapping[str, str], address: str) -> None:
    browser = browser_of(member(shop, Role.OWNER).user, enforce_csrf_checks=True)
    before = everything()
    answer = browser.post(filled(address, NO_ROWS if address in ACCOUNTS else rows), {"any": "thing"})
    assert answer.status_code in {403, 405}
    assert everything() == before


@in_turn("address", OPEN)
def test_what_is_open_answers_nobody(rows: Mapping[str, str], address: str) -> None:
    assert not {status for status in statuses(browser_of(), filled(address, rows)) if status >= 400}


@pytest.mark.django_db
@EVERY_ACCOUNT_PAGE
def test_a_page_of_accounts_answers_nobody_or_sends_them_to_sign_in(address: str) -> None:
    assert browser_of().get(filled(address, NO_ROWS)).status_code in {200, 302}


@EVERY_ACCOUNT_PAGE
def test_a_page_of_accounts_answers_who_has_one(shop: Application, address: str) -> None:
    person = member(shop, Role.VIEWER).user
    person.password = "that nobody knows"
    person.save()
    browser = browser_of(person)
    assert browser.get(filled(address, NO_ROWS)).status_code in {200, 302, 404}
