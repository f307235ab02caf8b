"""Workspaces and applications: made, named, changed; and what the log says of it."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.workspaces import audit
from badgerjobs.workspaces.audit import Actor
from badgerjobs.workspaces.errors import NameTakenError, RefusedError
from badgerjobs.workspaces.models import Application, AuditEntry, Member, Workspace
from badgerjobs.workspaces.services import (
    add_application,
    change_application,
    create_workspace,
    rename_application,
    rename_workspace,
)
from badgerjobs.workspaces.signing import end_previous_key, rotate_key
from tests.factories import NOW, make_person
from tests.workspaces.database_texts import places_of

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def alice(db: None) -> Actor:
    return audit.person(make_person(), "127.0.0.1")


def log() -> list[Any]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "subject", "changes"))


def test_who_makes_a_workspace_owns_it(alice: Actor) -> None:
    assert alice.user
    workspace = create_workspace(name="Example Shop", owner=alice.user, by=alice, now=NOW)
    assert [(member.user, member.role) for member in Member.objects.filter(workspace=workspace)] == [
        (alice.user, "owner")
    ]
    assert log() == [("workspace.create", "Example Shop", {})]


def test_a_workspace_is_renamed_and_keeps_its_address(alice: Actor, shop: Application) -> None:
    before = shop.workspace.slug
    for _ in range(2):
        renamed = rename_workspace(workspace=shop.workspace, name="Shop & Sons", by=alice, now=NOW)
    assert (renamed.name, renamed.slug) == ("Shop & Sons", before)
    assert log() == [("workspace.rename", "Shop & Sons", {"name": ["Example Shop", "Shop & Sons"]})]


@pytest.mark.parametrize("name", ["shop", "SHOP"])
def test_two_applications_of_a_workspace_have_two_names(name: str, alice: Actor, shop: Application) -> None:
    with pytest.raises(NameTakenError, match="Choose another"):
        add_application(workspace=shop.workspace, name=name, by=alice, now=NOW)
    other = add_application(workspace=shop.workspace, name="blog", by=alice, now=NOW)
    with pytest.raises(NameTakenError):
        rename_application(application=other, name=name, by=alice, now=NOW)
    assert log() == [("application.create", "blog", {})]


def test_an_application_may_change_the_case_of_its_own_name(alice: Actor, shop: Application) -> None:
    assert rename_application(application=shop, name="Shop", by=alice, now=NOW).name == "Shop"
    assert log() == [("application.rename", "Shop", {"name": ["shop", "Shop"]})]


def test_only_what_differs_is_changed_and_told(alice: Actor, shop: Application) -> None:
    for _ in range(2):
        change_application(application=shop, by=alice, now=NOW, retries=5, retry_step_s=10, retention_days=None)
    shop.refresh_from_db()
    assert (shop.retries, shop.retry_step_s, shop.retention_days) == (5, 10, None)
    assert log() == [("application.change", "shop", {"retries": [3, 5]})]


@pytest.mark.parametrize("do", [rename_application, change_application, rotate_key, end_previous_key])
def test_what_was_deleted_in_the_meantime_is_said_to_be(do: Any, alice: Actor, shop: Application) -> None:
    Application.objects.filter(pk=shop.pk).delete()
    needed: dict[Any, dict[str, Any]] = {rename_application: {"name": "x"}, rotate_key: {"overlap": HOUR}}
    with pytest.raises(RefusedError, match="deleted"):
        do(application=shop, by=alice, now=NOW, **needed.get(do, {}))
    Workspace.objects.all().delete()
    with pytest.raises(RefusedError, match="deleted"):
        add_application(workspace=shop.workspace, name="x", by=alice, now=NOW)


def test_a_rotated_key_is_new_and_the_old_one_signs_until_then(alice: Actor, shop: Application) -> None:
    old = shop.signing_key
    rotate_key(application=shop, overlap=HOUR, by=alice, now=NOW)
    shop.refresh_from_db()
    assert shop.signing_key.startswith("whsec_")
    assert shop.signing_key != old
    assert (shop.previous_signing_key, shop.previous_key_until) == (old, NOW + HOUR)


def test_rotated_without_an_overlap_the_old_key_is_forgotten(alice: Actor, shop: Application) -> None:
    old = shop.signing_key
    rotate_key(application=shop, overlap=timedelta(0), by=alice, now=NOW)
    shop.refresh_from_db()
    assert (shop.previous_signing_key, shop.previous_key_until) == ("", None)
    assert shop.signing_key != old


def test_the_old_key_can_be_ended_early(alice: Actor, shop: Application) -> None:
    rotated = rotate_key(application=shop, overlap=HOUR, by=alice, now=NOW)
    for _ in range(2):
        end_previous_key(application=shop, by=alice, now=NOW)
    shop.refresh_from_db()
    assert (shop.previous_signing_key, shop.previous_key_until) == ("", None)
    assert shop.signing_key == rotated.signing_key
    assert [action for action, *_ in log()] == ["key.rotate", "key.end"]


def test_no_key_is_in_the_log_or_readable_in_the_database(alice: Actor, shop: Application) -> None:
    old = shop.signing_key
    new = rotate_key(application=shop, overlap=HOUR, by=alice, now=NOW).signing_key
    assert places_of(old) == places_of(new) == []
