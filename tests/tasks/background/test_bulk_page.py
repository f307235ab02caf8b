"""Aborting and deleting many background tasks from their list: which are meant, and that it is asked before."""

from typing import Any
from unittest.mock import patch

import pytest
from django.urls import reverse

from badgerjobs.runs.models import Run, State
from badgerjobs.web import bulk_question
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from tasks.background import bulk
from tasks.models import BackgroundRun
from tests.clients import browser_in
from tests.factories import make_application
from tests.tasks.background.pages_of import look, make_background, text_of


def answered(shop: Application, verb: str, query: str, role: Role = Role.OWNER, **changed: str) -> Any:
    """Ask, and say yes to that as the page has it."""
    browser, at = browser_in(shop, role), f"{reverse(f'background:{verb}-many', args=[shop.slug])}?{query}"
    question = browser.get(at).content.decode()
    hidden = {
        name: question.partition(f'name="{name}" value="')[2].partition('"')[0]
        for name in ("asked", "oldest", "newest")
    }
    return browser.post(at, {**hidden, **changed}, follow=True)


def states() -> dict[str, str]:
    return dict(BackgroundRun.objects.order_by("name").values_list("name", "run__state"))


@pytest.fixture
def three(shop: Application) -> list[BackgroundRun]:
    """One that waits, one that runs, and one that is over."""
    return [
        make_background(shop, State.SCHEDULED, name="a"),
        make_background(shop, State.QUEUED, name="b", definition="other"),
        make_background(shop, State.FAILED, name="c"),
    ]


def test_those_that_were_ticked_are_aborted_as_far_as_they_go_on(shop: Application, three: list[BackgroundRun]) -> None:
    answer = answered(shop, "abort", f"task={three[0].pk}&task={three[2].pk}")
    assert "Aborted 1 background task." in text_of(answer)
    assert states() == {"a": "aborted", "b": "queued", "c": "failed"}


def test_all_that_go_on_are_aborted(shop: Application, three: list[BackgroundRun]) -> None:
    answer = answered(shop, "abort", "all=1")
    assert "Aborted 2 background tasks." in text_of(answer)
    assert states() == {"a": "aborted", "b": "aborted", "c": "failed"}
    assert AuditEntry.objects.get(action="background.abort").subject == "2 background tasks"


def test_of_all_only_what_matches_is_meant(shop: Application, three: list[BackgroundRun]) -> None:
    answered(shop, "abort", "all=1&definition=other")
    assert states() == {"a": "scheduled", "b": "aborted", "c": "failed"}


@pytest.mark.parametrize("query", ["all=1&status=nonsense", "all=1&since=soon", "all=1&parent=me"])
def test_what_cannot_be_read_widens_nothing(shop: Application, three: list[BackgroundRun], query: str) -> None:
    assert "Nothing was aborted" in text_of(answered(shop, "abort", query))
    assert states() == {"a": "scheduled", "b": "queued", "c": "failed"}


def test_many_are_aborted_with_a_message_and_spare_what_they_triggered(
    shop: Application, three: list[BackgroundRun]
) -> None:
    make_background(shop, State.QUEUED, name="child", parent_id=three[0].pk, definition="child")
    question = text_of(look(shop, "abort-many", all="1"))
    assert "Spare what they triggered" in question
    answered(shop, "abort", "all=1&definition=syncArticles", message="Too late.", spares="on")
    assert states() == {"a": "aborted", "b": "queued", "c": "failed", "child": "queued"}
    assert Run.objects.get(pk=three[0].pk).error == "Too late."


def test_those_that_are_over_are_deleted(shop: Application, three: list[BackgroundRun]) -> None:
    assert "Deleted 1 background task." in text_of(answered(shop, "delete", "all=1"))
    assert states() == {"a": "scheduled", "b": "queued"}
    assert not Run.objects.filter(pk=three[2].pk).exists()


def test_the_question_says_how_many_and_which(shop: Application, three: list[BackgroundRun]) -> None:
    with patch.object(bulk_question, "NAMED", 1):
        question = text_of(look(shop, "abort-many", all="1"))
    assert "Abort 2 background tasks?" in question
    assert "b," in question
    assert "and 1 more" in question
    assert states() == {"a": "scheduled", "b": "queued", "c": "failed"}


def test_what_came_after_the_question_is_not_meant(shop: Application, three: list[BackgroundRun]) -> None:
    at = f"{reverse('background:abort-many', args=[shop.slug])}?all=1"
    given = {"asked": "2", "oldest": str(three[0].pk), "newest": str(three[1].pk)}
    make_background(shop, State.QUEUED, name="later")
    browser_in(shop).post(at, given)
    assert states() == {"a": "aborted", "b": "aborted", "c": "failed", "later": "queued"}


def test_a_yes_to_fewer_asks_anew(shop: Application, three: list[BackgroundRun]) -> None:
    answer = answered(shop, "abort", "all=1", asked="1")
    assert "There are 2 by now, and not 1." in text_of(answer)
    assert states() == {"a": "scheduled", "b": "queued", "c": "failed"}


def test_a_yes_to_nobody_knows_which_asks(shop: Application, three: list[BackgroundRun]) -> None:
    at = f"{reverse('background:delete-many', args=[shop.slug])}?all=1"
    assert "Delete 1 background task?" in text_of(browser_in(shop).post(at, {"asked": "9"}))
    assert BackgroundRun.objects.count() == 3


def test_no_more_than_so_many_are_meant_at_once(shop: Application, three: list[BackgroundRun]) -> None:
    with patch.object(bulk, "MOST_AT_ONCE", 1):
        assert "There are more than 1 that match: these are the newest 1." in text_of(look(shop, "abort-many", all="1"))
        answered(shop, "abort", "all=1")
    assert states() == {"a": "scheduled", "b": "aborted", "c": "failed"}


def test_another_applications_are_not_meant(shop: Application, three: list[BackgroundRun]) -> None:
    theirs = make_background(make_application("Charlie's"), State.QUEUED, name="theirs")
    answered(shop, "abort", "all=1")
    answered(shop, "abort", f"task={theirs.pk}")
    assert states()["theirs"] == "queued"


def test_the_list_comes_back_as_it_was_narrowed(shop: Application, three: list[BackgroundRun]) -> None:
    answer = answered(shop, "abort", "all=1&definition=other&sort=name")
    address = reverse("background:list", args=[shop.slug])
    assert answer.redirect_chain[-1][0] == f"{address}?definition=other&sort=name"
