"""Workspaces and applications in the panel: who sees which button, who may press it, and what each name may be."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, Role, User, Workspace
from badgerjobs.workspaces.services import add_application, create_workspace
from tests.clients import NAMES
from tests.factories import (
    NOW,
    make_application,
    make_member,
)
from tests.panel.places import address, browser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everybody")]
OWNER, ADMIN, EDITOR, VIEWER = Role
PEOPLE = {name: role for role, name in NAMES.items()}

# Page, whether it is the application's, how it is asked for, and the least role that it answers.
DOORS = [
    ("workspace", False, "GET", VIEWER),
    ("members", False, "GET", VIEWER),
    ("leave", False, "GET", VIEWER),
    ("invite", False, "POST", ADMIN),
    ("new-application", False, "GET", ADMIN),
    ("rename-workspace", False, "POST", OWNER),
    ("delete-workspace", False, "GET", OWNER),
    ("settings", True, "GET", VIEWER),
    ("change-application", True, "POST", ADMIN),
    ("rename-application", True, "POST", ADMIN),
    ("signing-key", True, "GET", ADMIN),
    ("rotate-key", True, "GET", ADMIN),
    ("end-key", True, "GET", ADMIN),
    ("delete-application", True, "GET", OWNER),
]


@pytest.mark.parametrize(("name", "below", "method", "least"), DOORS, ids=[name for name, *_ in DOORS])
def test_each_page_answers_members_whose_role_is_high_enough(
    name: str, below: bool, method: str, least: Role, shop: Application
) -> None:
    at = address(name, shop if below else shop.workspace)
    for person, role in PEOPLE.items():
        answer = browser(person).generic(method, at)
        assert answer.status_code == (200 if role.reaches(least) else 403), person
    assert browser("charlie").generic(method, at).status_code == 404
    assert Client().generic(method, at).status_code == 302


@pytest.mark.parametrize(
    ("page", "below", "link", "least"),
    [
        ("workspace", False, "new-application", ADMIN),
        ("workspace", False, "rename-workspace", OWNER),
        ("workspace", False, "delete-workspace", OWNER),
        ("members", False, "invite", ADMIN),
        ("settings", True, "change-application", ADMIN),
        ("settings", True, "rename-application", ADMIN),
        ("settings", True, "signing-key", ADMIN),
        ("settings", True, "delete-application", OWNER),
    ],
)
def test_who_may_not_press_a_button_does_not_see_it(
    page: str, below: bool, link: str, least: Role, shop: Application
) -> None:
    place = shop if below else shop.workspace
    for person, role in PEOPLE.items():
        seen = address(link, place) in browser(person).get(address(page, place)).content.decode()
        assert seen is role.reaches(least), person


def test_who_has_no_workspace_is_sent_to_make_one() -> None:
    charlie = browser("charlie")
    assert charlie.get("/")["Location"] == reverse("panel:workspaces")
    assert "You are in no workspace yet" in charlie.get(reverse("panel:workspaces")).content.decode()
    answer = charlie.post(reverse("panel:new-workspace"), {"name": "Charlie's"})
    workspace = Workspace.objects.get(name="Charlie's")
    assert answer["Location"] == address("workspace", workspace)
    assert list(workspace.members.values_list("user__email", "role")) == [("charlie@example.com", "owner")]
    assert "No application yet" in charlie.get(answer["Location"]).content.decode()
    answer = charlie.post(address("new-application", workspace), {"name": "shop"})
    assert answer["Location"] == address("overview", workspace.applications.get())


@pytest.mark.parametrize(
    ("sign_up", "who", "may"),
    [
        ("open", "charlie", True),
        ("invitation", "alice", True),
        ("invitation", "dora", False),
        ("invitation", "charlie", False),
        ("closed", "alice", True),
        ("closed", "bob", False),
    ],
)
def test_where_not_everybody_may_come_in_only_owners_make_workspaces(
    shop: Application, sign_up: str, who: str, may: bool, settings: Any
) -> None:
    settings.SIGN_UP = sign_up
    one, new = browser(who), reverse("panel:new-workspace")
    page = one.get(reverse("panel:workspaces")).content.decode()
    assert (new in page, "Whoever owns one can make another" in page) == (may, not may)
    assert one.get(new).status_code == (200 if may else 403)
    assert one.post(new, {"name": "Of their own"}).status_code == (302 if may else 403)
    assert Workspace.objects.filter(name="Of their own").exists() is may


def test_the_list_has_ones_own_workspaces_with_the_role_in_each(shop: Application) -> None:
    bob = User.objects.get(email="bob@example.com")
    create_workspace(name="Bob, own", owner=bob, by=OPERATOR, now=NOW)
    make_application("Charlie's")
    page = browser("bob").get(reverse("panel:workspaces")).content.decode()
    rows = re.findall(r"<tr>\s*<th class=.*?</tr>", page, re.DOTALL)
    texts = [re.sub(r"<[^>]+>|\s+", " ", row).split() for row in rows]
    assert texts == [["Bob,", "own", "owner", "0", "applications"], ["Example", "Shop", "viewer", "1", "application"]]


@pytest.mark.parametrize("name", ["workspaces", "workspace", "members", "settings"])
def test_a_page_takes_as_many_queries_for_many_rows_as_for_few(name: str, shop: Application) -> None:
    places: dict[str, Any] = {"workspaces": None, "settings": shop}
    place = places.get(name, shop.workspace)
    at = address(name, place) if place else reverse("panel:workspaces")
    alice = browser("alice")
    counts = []
    for many in (0, 20):
        for n in range(many):
            make_member(shop.workspace, VIEWER, f"m{n}@example.com")
            add_application(workspace=shop.workspace, name=f"a{n}", by=OPERATOR, now=NOW)
            create_workspace(name="w", owner=User.objects.get(email="alice@example.com"), by=OPERATOR, now=NOW)
        alice.get(at)
        with CaptureQueriesContext(connection) as queries:
            alice.get(at)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


@pytest.mark.parametrize("name", ["", "x" * 101, "a\x07b", "  "])
def test_a_name_that_cannot_be_is_refused_beside_its_field_and_kept(name: str, shop: Application) -> None:
    for page in ("rename-workspace", "new-application"):
        answer = browser("alice").post(address(page, shop.workspace), {"name": name})
        assert (answer.status_code, 'class="error"' in answer.content.decode()) == (200, True)
    assert list(Workspace.objects.values_list("name", flat=True)) == ["Example Shop"]


def test_a_name_that_is_taken_is_said_to_be_and_stays_typed(shop: Application) -> None:
    add_application(workspace=shop.workspace, name="blog", by=OPERATOR, now=NOW)
    for at in (address("new-application", shop.workspace), address("rename-application", shop)):
        page = browser("alice").post(at, {"name": "Blog"}).content.decode()
        assert "already. Choose another name." in page
        assert 'value="Blog"' in page
