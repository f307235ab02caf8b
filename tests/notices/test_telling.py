"""Incidents become runs that tell of them: once each, whoever tells, and no oftener than people want to hear it."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from badgerjobs.notices.mails import subject_of
from badgerjobs.notices.models import NoticeSettings, Quiet
from badgerjobs.notices.telling import BATCHES, Book, tell, tell_some
from badgerjobs.panel.services import delete_application
from badgerjobs.runs.models import Incident, Run, Runnable, State, Trouble
from badgerjobs.workspaces.audit import OPERATOR
from tests.factories import NOW, make_application, make_runnable
from tests.notices.rows import close, opened, sent, told, wanting
from tests.runs.together import together

MINUTE = timedelta(minutes=1)


@pytest.fixture
def runnable(db: None) -> Runnable:
    """A job of Alice's, who wants to be told."""
    application = make_application()
    wanting(application)
    return make_runnable(application, name="reprice")


def after(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def test_an_incident_becomes_a_run_for_the_url_and_one_for_the_addresses(runnable: Runnable) -> None:
    incident = opened(runnable.application, runnable)

    assert tell_some(now=NOW) == 1

    assert sent() == [("url", ["job.failed"]), ("mail", ["job.failed"])]
    run = Run.objects.order_by("id")[0]
    assert (run.state, run.queue, run.kind, run.runnable, run.cause) == (State.QUEUED, "io", "notice", None, "code")
    assert (run.application, run.due_at, run.priority) == (runnable.application, NOW, 0)
    incident.refresh_from_db()
    assert (incident.told_at, incident.closing_told_at) == (NOW, None)


def test_a_job_that_is_planned_no_more_is_told_of_by_its_name(runnable: Runnable) -> None:
    opened(runnable.application, runnable, Trouble.LATE)
    tell_some(now=NOW)
    assert told() == ["job.unplanned"]
    run = Run.objects.order_by("id")[1]
    assert run.input
    assert subject_of(run.input["payloads"]) == "[shop] reprice is planned no more"


def test_nobody_is_told_twice(runnable: Runnable) -> None:
    opened(runnable.application, runnable)
    tell_some(now=NOW)
    assert tell_some(now=NOW) == 0
    assert len(sent()) == 2


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"emails": []}, [("url", ["job.failed"])]),
        ({"url": ""}, [("mail", ["job.failed"])]),
        ({"emails": [], "url": ""}, []),
        ({"enabled": False}, []),
        ({"troubles": ["late"]}, []),
    ],
)
def test_who_is_told_of_what_is_the_applications_choice(
    runnable: Runnable, fields: dict[str, Any], expected: list[tuple[str, list[str]]]
) -> None:
    NoticeSettings.objects.all().delete()
    wanting(runnable.application, **fields)
    opened(runnable.application, runnable)

    assert tell_some(now=NOW) == 1

    assert sent() == expected
    assert not Incident.objects.filter(told_at=None)


def test_an_application_that_never_chose_tells_nobody(db: None) -> None:
    opened(make_application("Charlie's"), trouble=Trouble.LATE)
    assert tell_some(now=NOW) == 1
    assert sent() == []
    assert not Quiet.objects.exists()


def test_what_comes_within_the_quiet_time_is_told_with_the_next(runnable: Runnable) -> None:
    for minute in (0, 10, 20, 30):
        incident = opened(runnable.application, runnable, at=after(minute))
        tell_some(now=after(minute))
        close(incident, at=after(minute + 1))
        tell_some(now=after(minute + 1))
    assert told() == ["job.failed", "job.recovered"]

    opened(runnable.application, runnable, at=after(60))
    tell_some(now=after(60))

    assert told() == ["job.failed", "job.recovered", "job.failed"]
    assert Run.objects.order_by("-id")[0].input["payloads"][0]["data"]["more"] == 3  # type: ignore[index]
    assert Run.objects.order_by("-id")[0].input["payloads"][0]["data"]["more_since"] == "2026-03-02T12:10:00.000Z"  # type: ignore[index]


def test_what_is_still_wrong_when_the_quiet_is_over_is_told_then(runnable: Runnable) -> None:
    close(first := opened(runnable.application, runnable), at=after(1))
    tell_some(now=after(1))
    second = opened(runnable.application, runnable, at=after(2))
    tell_some(now=after(2))
    assert told() == ["job.failed"]
    assert tell_some(now=after(60)) == 0
    assert told() == ["job.failed"]

    tell_some(now=after(61))

    assert told() == ["job.failed", "job.failed"]
    tell_some(now=after(62))
    close(second, at=after(63))
    tell_some(now=after(63))
    assert told() == ["job.failed", "job.failed", "job.recovered"]
    first.refresh_from_db()
    assert first.closing_told_at == after(1)


def test_what_opened_and_was_over_before_anybody_could_be_told_is_told_once(runnable: Runnable) -> None:
    close(opened(runnable.application, runnable), at=after(1))
    assert tell_some(now=after(5)) == 1
    assert tell_some(now=after(5)) == 0
    assert told() == ["job.failed"]
    assert Run.objects.order_by("-id")[0].input["payloads"][0]["data"]["closed_at"] == "2026-03-02T12:01:00.000Z"  # type: ignore[index]


def test_what_a_person_ended_first_is_not_told(runnable: Runnable) -> None:
    incident = opened(runnable.application, runnable)
    Incident.objects.filter(pk=incident.pk).update(closed_at=NOW, closing_told_at=NOW)
    tell_some(now=NOW)
    assert told() == []


def test_one_that_is_well_again_is_told_of_once_however_much_was_wrong(runnable: Runnable) -> None:
    all_of_it = [opened(runnable.application, runnable, trouble) for trouble in (Trouble.FAILED, Trouble.WARNED)]
    tell_some(now=NOW)
    close(*all_of_it)

    tell_some(now=NOW)

    assert told() == ["job.failed", "job.warned", "job.recovered"]
    data = Run.objects.order_by("-id")[0].input["payloads"][0]["data"]  # type: ignore[index]
    assert data["troubles"] == ["failed", "warned"]


def test_each_job_and_each_trouble_has_a_quiet_of_its_own(runnable: Runnable) -> None:
    other = make_runnable(runnable.application, name="other")
    for of, trouble in ((runnable, Trouble.FAILED), (runnable, Trouble.PAUSED), (other, Trouble.FAILED)):
        opened(runnable.application, of, trouble)
        tell_some(now=NOW)
    assert told() == ["job.failed", "job.paused", "job.failed"]


def test_a_mail_tells_of_all_that_there_is_to_tell_and_a_url_is_told_one_by_one(runnable: Runnable) -> None:
    others = [make_runnable(runnable.application, name=f"job-{n}") for n in range(3)]
    for other in others:
        opened(runnable.application, other)
    tell_some(now=NOW)
    assert sent() == [*[("url", ["job.failed"])] * 3, ("mail", ["job.failed"] * 3)]


def test_lateness_is_the_whole_applications(runnable: Runnable) -> None:
    incident = opened(runnable.application, trouble=Trouble.LATE, sentence="12 runs are late.")
    tell_some(now=NOW)
    close(incident)
    tell_some(now=NOW)
    assert told() == ["work.late", "work.recovered"]
    data = Run.objects.order_by("id")[0].input["payloads"][0]["data"]  # type: ignore[index]
    assert (data["job"], data["sentence"]) == (None, "12 runs are late.")


def test_after_an_outage_its_end_says_what_was_missed_which_was_not_known_when_it_was_late(runnable: Runnable) -> None:
    incident = opened(runnable.application, trouble=Trouble.LATE, sentence="12 runs are late.")
    tell_some(now=NOW)
    Incident.objects.update(sentence="Nothing was dispatched for a while: 61 were skipped.", overdue=61)
    close(incident)
    tell_some(now=NOW)
    said = [one.input["payloads"][0]["data"]["sentence"] for one in Run.objects.order_by("id") if one.input]
    assert said[0] == "12 runs are late."
    assert said[-1] == "Nothing is late any more. Nothing was dispatched for a while: 61 were skipped."


def test_the_runs_and_the_mark_are_one_transaction(runnable: Runnable, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(*_: Any, **__: Any) -> None:
        raise RuntimeError("the process ends here")

    opened(runnable.application, runnable)
    monkeypatch.setattr("badgerjobs.notices.telling.Book.write", break_off)
    with pytest.raises(RuntimeError), transaction.atomic():
        tell_some(now=NOW)
    assert sent() == []
    assert Incident.objects.filter(told_at=None).count() == 1


def test_a_tick_with_nothing_to_tell_is_one_statement(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert tell() == 0


def test_a_tick_takes_as_many_statements_for_many_as_for_one(
    runnable: Runnable, django_assert_num_queries: Any
) -> None:
    for n in range(20):
        opened(runnable.application, make_runnable(runnable.application, name=f"job-{n}"))
    with django_assert_num_queries(13):  # two of them are the savepoint's
        assert tell_some(now=NOW) == 20


def test_a_tick_goes_on_until_all_is_told_but_not_for_ever(runnable: Runnable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("badgerjobs.notices.telling.tell_some", lambda **_: 1)
    opened(runnable.application, runnable)
    assert tell() == BATCHES


def test_a_secret_that_cannot_be_read_stops_nobody_from_being_told(runnable: Runnable, settings: Any) -> None:
    opened(runnable.application, runnable)
    settings.ENCRYPTION_KEYS = ["another key, which is none of those before it"]
    tell_some(now=NOW)
    assert told() == ["job.failed"]


def test_what_was_quiet_long_ago_is_forgotten(runnable: Runnable) -> None:
    Quiet.objects.create(
        application=runnable.application, runnable_id=1, trouble="failed", ends_at=after(-31 * 24 * 60)
    )
    kept = Quiet.objects.create(application=runnable.application, runnable_id=2, trouble="failed", ends_at=NOW)
    tell_some(now=NOW)
    assert list(Quiet.objects.all()) == [kept]


def test_an_application_is_deleted_with_all_this(runnable: Runnable) -> None:
    opened(runnable.application, runnable)
    tell_some(now=NOW)
    delete_application(application=runnable.application, by=OPERATOR, now=NOW)
    assert not Quiet.objects.exists()
    assert not NoticeSettings.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_that_tell_at_once_tell_once() -> None:
    application = make_application()
    wanting(application)
    for n in range(40):
        opened(application, make_runnable(application, name=f"job-{n}"))

    counts = together(*[lambda: sum(tell_some(now=NOW, limit=7) for _ in range(8))] * 3)

    tell_some(now=NOW)
    assert sum(counts) <= 40
    assert len(told()) == 40
    assert not Incident.objects.filter(told_at=None)


@pytest.mark.django_db(transaction=True)
def test_what_somebody_is_closing_at_this_moment_is_told_later() -> None:
    application = make_application()
    wanting(application)
    incident = opened(application, make_runnable(application))

    def held() -> int:
        with transaction.atomic():
            close(incident)
            return elsewhere()

    def elsewhere() -> int:
        [count] = together(lambda: tell_some(now=NOW))
        return count

    assert held() == 0
    assert tell_some(now=NOW) == 1
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_an_application_that_is_deleted_while_it_is_told_of_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    application = make_application()
    wanting(application)
    runnable = make_runnable(application)
    opened(application, runnable)
    Quiet.objects.create(application=application, runnable_id=runnable.pk, trouble="failed", ends_at=NOW)
    begun, may_write = threading.Event(), threading.Event()

    def write(book: Book, plain: Callable[[Book], None] = Book.write) -> None:
        begun.set()
        may_write.wait(0.3)  # the other one is under way by now, as far as it can be
        plain(book)

    def delete() -> None:
        begun.wait(5)
        delete_application(application=application, by=OPERATOR, now=NOW)

    monkeypatch.setattr(Book, "write", write)
    together(lambda: tell_some(now=NOW), delete)

    assert not Quiet.objects.exists()
    assert not Run.objects.exists()


def test_a_quiet_whose_application_is_gone_is_forgotten(db: None) -> None:
    Quiet.objects.create(application_id=0, runnable_id=1, trouble="failed", ends_at=NOW, held=uuid4())
    assert tell_some(now=NOW) == 1
    assert not Quiet.objects.exists()


def test_what_can_not_be_taken_is_not_tried_for_ever(runnable: Runnable, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[datetime] = []

    def nothing(*, now: datetime) -> int:
        calls.append(now)
        return 0

    monkeypatch.setattr("badgerjobs.notices.telling.tell_some", nothing)
    opened(runnable.application, runnable)
    assert tell() == 0
    assert len(calls) == 1
