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


def messages(run_id: Any) -> list[str]:
    return list(LogLine.objects.filter(run_id=run_id).order_by("pk").values_list("message", flat=True))


@pytest.fixture
def at_work(shop: Application) -> Any:
    """The id of a run that our worker has, with one line in its log."""
    row = make_background_run(shop, State.RUNNING, run={"worker": WORKER})
    LogLine.objects.create(
        run=row.run, application=shop, level="info", message="before", created_at=NOW, data={"text": "x" * 100}
    )
    return row.pk


def test_what_is_in_the_log_already_counts_and_is_asked_for_once(
    shop: Application, at_work: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(log_room, "MOST_LINES", 3)
    its = link_of(shop, at_work)

    with django_assert_num_queries(1 + 2 + 1):  # what is there, what there is room for, and that more is dropped
        for number in range(9):
            its.log("info", f"line {number}", None)

    full = "The log is full, a run may say 3 lines, or 64 MB"
    assert messages(at_work) == [
        "before",
        "line 0",
        "line 1",
        f"{full}: what this iteration says from here on is dropped.",
    ]
    its.end_log()
    assert messages(at_work)[-1] == f"{full}: 7 more of this iteration were dropped."


def test_a_log_is_full_of_long_lines_too_and_takes_no_short_one_then(
    shop: Application, at_work: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_room, "MOST_BYTES", 400)
    its = link_of(shop, at_work)
    its.log("error", "one", {"data": "é" * 20})
    its.log("error", "two", {"data": "x" * 300})
    its.log("error", "three", None)
    assert messages(at_work)[1:-1] == ["one"]
    its.end_log()
    assert "2 more of this iteration were dropped" in messages(at_work)[-1]


def test_a_log_with_room_says_nothing_of_that(shop: Application, at_work: Any) -> None:
    its = link_of(shop, at_work)
    its.log("info", "line", None)
    its.end_log()
    link_of(shop, at_work).end_log()
    assert messages(at_work) == ["before", "line"]


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
