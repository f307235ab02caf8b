"""Workspaces and applications in the panel: who sees which button, who may press it, and what is asked first."""

import logging
import re
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badgerjobs.panel.services import delete_application, delete_workspace
from badgerjobs.runs.models import Attempt, Run, Runnable
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.models import Application, AuditEntry, Member, Role, Token, User, Workspace
from badgerjobs.workspaces.services import add_application, create_workspace
from jobs.models import Job
from tests.factories import (
    NOW,
    make_application,
    make_attempt,
    make_job,
    make_member,
    make_person,
    make_run,
    make_token,
)

pytestmark = pytest.mark.django_db
OWNER, ADMIN, EDITOR, VIEWER = Role
PEOPLE = {"alice": OWNER, "dora": ADMIN, "erin": EDITOR, "bob": VIEWER}
POLICY = {"retries": "5", "retry_step_s": "60", "requests_per_second": "", "retention_days": "7"}


@pytest.fixture
def shop() -> Application:
    """Everybody of PEOPLE works here; Charlie is a stranger."""
    application = make_application("Example Shop", "shop")
    for name, role in PEOPLE.items():
        make_member(application.workspace, role, f"{name}@example.com")
    make_person("charlie@example.com")
    return application


def browser(name: str) -> Client:
    client = Client(headers={"Accept": "text/html"})
    client.force_login(User.objects.get(email=f"{name}@example.com"), settings.AUTHENTICATION_BACKENDS[0])
    return client


def address(name: str, place: Application | Workspace) -> str:
    return reverse(f"panel:{name}", args=[place.slug])


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
    make_person()
    alice = browser("alice")
    assert alice.get("/")["Location"] == reverse("panel:workspaces")
    assert "You are in no workspace yet" in alice.get(reverse("panel:workspaces")).content.decode()
    answer = alice.post(reverse("panel:new-workspace"), {"name": "Example Shop"})
    workspace = Workspace.objects.get()
    assert answer["Location"] == address("workspace", workspace)
    assert list(workspace.members.values_list("user__email", "role")) == [("alice@example.com", "owner")]
    assert "No application yet" in alice.get(answer["Location"]).content.decode()
    answer = alice.post(address("new-application", workspace), {"name": "shop"})
    assert answer["Location"] == address("overview", Application.objects.get())


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
        ("retries", "", "required"),
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


def full(application: Application) -> Application:
    run = make_run(make_job(application).runnable)
    make_attempt(run)
    make_token(application)
    return application


MODELS: tuple[Any, ...] = (Application, Job, Runnable, Run, Attempt, Token)


@pytest.mark.parametrize("typed", ["", "Shop", "sho"])
def test_nothing_is_deleted_until_its_name_is_typed(typed: str, shop: Application) -> None:
    alice = browser("alice")
    for at in (address("delete-application", shop), address("delete-workspace", shop.workspace)):
        answer = alice.post(at, {"typed": typed})
        assert (answer.status_code, "is not its name" in answer.content.decode()) == (200, True)
    assert Application.objects.contains(shop)


def test_the_question_counts_what_goes(shop: Application) -> None:
    full(shop)
    page = browser("alice").get(address("delete-application", shop)).content.decode()
    assert "1 job and 1 run with their results go with it" in page


def test_an_application_goes_with_all_that_is_in_it_and_nothing_else(shop: Application) -> None:
    full(shop)
    full(make_application("Charlie's"))
    answer = browser("alice").post(address("delete-application", shop), {"typed": "shop"})
    assert answer["Location"] == address("workspace", shop.workspace)
    assert [model.objects.count() for model in MODELS] == [1] * len(MODELS)
    entry = AuditEntry.objects.get(action="application.delete")
    assert (entry.actor, entry.application_name, entry.workspace) == ("alice@example.com", "shop", shop.workspace)


def test_a_workspace_goes_with_its_applications_members_and_log(
    shop: Application, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    full(shop)
    full(add_application(workspace=shop.workspace, name="blog", by=OPERATOR, now=NOW))
    full(make_application("Charlie's"))
    with (
        caplog.at_level(logging.INFO, "badgerjobs.panel.services"),
        django_capture_on_commit_callbacks(execute=True),
    ):
        answer = browser("alice").post(address("delete-workspace", shop.workspace), {"typed": "Example Shop"})
    assert answer["Location"] == reverse("panel:workspaces")
    assert [model.objects.count() for model in MODELS] == [1] * len(MODELS)
    assert Workspace.objects.get().name == "Charlie's"
    assert not Member.objects.exists()
    assert not AuditEntry.objects.filter(workspace_id=shop.workspace_id).exists()
    where = f"'Example Shop' ({shop.workspace.slug}) with its applications (2) and its audit log at 20"
    assert f"'alice@example.com' (by panel, 127.0.0.1) deleted the workspace {where}" in caplog.text


def test_of_a_deletion_that_did_not_come_about_the_servers_log_says_nothing(
    shop: Application, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    with caplog.at_level(logging.INFO), django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        delete_workspace(workspace=shop.workspace, by=OPERATOR, now=NOW)
        transaction.set_rollback(True)
    assert "deleted the workspace" not in caplog.text
    assert Workspace.objects.filter(pk=shop.workspace_id).exists()


def test_a_name_in_the_servers_log_is_one_line(
    shop: Application, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    Workspace.objects.update(name="a\nCRITICAL: %s")
    with caplog.at_level(logging.INFO), django_capture_on_commit_callbacks(execute=True):
        delete_workspace(workspace=shop.workspace, by=OPERATOR, now=NOW)
    assert "'operator' (by command, no address) deleted the workspace 'a\\nCRITICAL: %s'" in caplog.text


def test_what_is_deleted_twice_at_once_is_said_to_be_gone(shop: Application) -> None:
    delete_application(application=shop, by=OPERATOR, now=NOW)
    with pytest.raises(RefusedError, match="already"):
        delete_application(application=shop, by=OPERATOR, now=NOW)
    assert AuditEntry.objects.filter(action="application.delete").count() == 1


@pytest.mark.parametrize("name", ["rename-workspace", "change-application", "rotate-key", "end-key"])
def test_what_was_deleted_while_its_page_was_open_is_not_found(
    name: str, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(**_: Any) -> None:
        raise RefusedError("This was deleted in the meantime.")

    for module, verb in (
        ("workspace_views", "rename_workspace"),
        ("application_views", "change_application"),
        ("application_views", "rotate_key"),
        ("application_views", "end_previous_key"),
    ):
        monkeypatch.setattr(f"badgerjobs.panel.{module}.{verb}", gone)
    place = shop.workspace if name == "rename-workspace" else shop
    assert browser("alice").post(address(name, place), {**POLICY, "name": "x"}).status_code == 404


def test_the_question_before_a_workspaces_end_names_ten_applications_and_counts_the_rest(shop: Application) -> None:
    for n in range(12):
        add_application(workspace=shop.workspace, name=f"a{n:02}", by=OPERATOR, now=NOW)
    page = browser("alice").get(address("delete-workspace", shop.workspace)).content.decode()
    assert re.findall(r"<li>(\w.*?)</li>", page.partition('class="question"')[2]) == [
        *(f"a{n:02}" for n in range(10)), "and 3 more"
    ]  # fmt: skip
