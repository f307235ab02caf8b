"""What an iteration reads of the database by its link, and writes there."""

from datetime import timedelta
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError

from badgerjobs.runs.models import LogLine, State
from badgerjobs.runs.processes import beside
from badgerjobs.runs.processes.pipe import Work
from badgerjobs.workspaces.models import Application
from tasks.background import link, log_room, reading
from tests.factories import NOW, make_application, make_background_run

WORKER = uuid4()

pytestmark = pytest.mark.django_db


class Here(beside.Beside):
    """Asks the tests' own connection."""

    def ask(self, statement: Any) -> Any:
        return statement()


def link_of(application: Application, parent: Any) -> link.DatabaseLink:
    work = Work(
        run_id=parent, application_id=application.pk, definition="syncArticles", name="One", input={}, output={},
        iteration=1, attempt=1, timeout_s=60, worker=WORKER,
    )  # fmt: skip
    return link.DatabaseLink(work, Here(), Event(), application=application, keeps_info=True)


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


def test_a_line_whose_answer_is_lost_is_written_once_and_fails_nothing(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = link._execute
    lost = [OperationalError("server closed the connection unexpectedly")]

    def execute(statement: str, values: list[Any]) -> None:
        written(statement, values)
        if lost:
            raise lost.pop()

    monkeypatch.setattr(link, "_execute", execute)
    monkeypatch.setattr(beside, "PAUSE_S", 0)
    monkeypatch.setattr(beside.Beside, "ask", lambda _, statement: statement())
    run = make_background_run(shop, State.ABORTED).pk  # what it says still belongs to it

    link_of(shop, run).log("info", "half-way", None)

    assert not lost
    assert [line.message for line in LogLine.objects.filter(run_id=run)] == ["half-way"]
