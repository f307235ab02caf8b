"""The end of an application and of a workspace: what is asked first, what goes, and what is told of it."""

import logging
import re
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from badgerjobs.panel.services import delete_application, delete_workspace
from badgerjobs.runs.models import Attempt, Run, Runnable
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.models import Application, AuditEntry, Member, Token, Workspace
from badgerjobs.workspaces.services import add_application
from jobs.models import Job
from tests.factories import (
    NOW,
    make_application,
    make_attempt,
    make_job,
    make_run,
    make_token,
)
from tests.panel.places import address, browser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everybody")]


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


@pytest.mark.parametrize("what", ["application", "workspace"])
def test_who_deletes_what_somebody_else_has_just_deleted_is_told_so_where_they_land(
    what: str, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(**_: Any) -> None:
        raise RefusedError("This was deleted already.")

    monkeypatch.setattr(f"badgerjobs.panel.{what}_views.delete_{what}", gone)
    place = shop if what == "application" else shop.workspace
    answer = browser("alice").post(address(f"delete-{what}", place), {"typed": place.name}, follow=True)
    landed = address("workspace", shop.workspace) if what == "application" else reverse("panel:workspaces")
    assert answer.redirect_chain == [(landed, 302)]
    assert "This was deleted already." in answer.content.decode()
    assert "is deleted." not in answer.content.decode()


def test_the_question_before_a_workspaces_end_names_ten_applications_and_counts_the_rest(shop: Application) -> None:
    for n in range(12):
        add_application(workspace=shop.workspace, name=f"a{n:02}", by=OPERATOR, now=NOW)
    page = browser("alice").get(address("delete-workspace", shop.workspace)).content.decode()
    assert re.findall(r"<li>(\w.*?)</li>", page.partition('class="question"')[2]) == [
        *(f"a{n:02}" for n in range(10)), "and 3 more"
    ]  # fmt: skip
