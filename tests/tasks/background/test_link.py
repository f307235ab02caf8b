"""What an iteration reads of the database by its link."""

from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from badgerjobs.runs.models import State
from badgerjobs.workspaces.models import Application
from tasks.background import link, reading
from tasks.background.pipe import Work
from tests.factories import NOW, make_application, make_background_run

pytestmark = pytest.mark.django_db


def link_of(application: Application, parent: Any) -> link.DatabaseLink:
    work = Work(
        run_id=parent, application_id=application.pk, definition="syncArticles", name="One", input={}, output={},
        iteration=1, attempt=1, timeout_s=60,
    )  # fmt: skip
    return link.DatabaseLink(work, link.Beside(), Event(), application=application, keeps_info=True)


def test_no_more_children_are_read_than_fit(
    shop: Application, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    parent = make_background_run(shop, State.RUNNING).pk
    first, second, _ = (
        make_background_run(
            shop, State.SUCCEEDED, parent_id=parent, created_at=NOW + timedelta(seconds=n), run={"output": {"n": n}}
        ).pk
        for n in range(3)
    )
    make_background_run(make_application("Charlie's"), parent_id=parent)
    monkeypatch.setattr(reading, "MOST_CHILDREN", 2)

    with django_assert_num_queries(1):
        found = link_of(shop, parent).children(None)

    assert [(one.id, one.output) for one in found] == [(first, {"n": 0}), (second, {"n": 1})]
    assert not link_of(shop, parent).children("another")
