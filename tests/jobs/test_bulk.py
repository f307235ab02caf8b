"""Doing something with several jobs: asked with a count and names, bounded, logged, and nobody else's."""

import re
from typing import Any, cast

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badgerjobs.runs.models import Run, Runnable
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, AuditEntry
from jobs.bulk import VERBS
from jobs.models import Job
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_job, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Application:
    """Alice owns it; it has seven hourly jobs, the last of which is Charlie's."""
    application = make_application()
    make_member(application.workspace)
    for number in range(6):
        make_job(application, f"job-{number}", run_every="PT1H")
    make_job(make_application("Charlie's"), "job-0", run_every="PT1H")
    return application


def send(shop: Application, query: str = "", **form: Any) -> HttpResponse:
    answer = browser_in(shop).post(f"{reverse('jobs:bulk', args=[shop.slug])}{query}", form, follow="asked" in form)
    return cast("HttpResponse", answer)


def hidden(asked: HttpResponse) -> dict[str, str]:
    """What the form of a question carries."""
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked.content.decode())
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def agree(shop: Application, verb: str, query: str = "") -> HttpResponse:
    """Do it with all that match: ask, and say yes."""
    return send(shop, query, **hidden(send(shop, query, do=verb, all="1")))


def text(answer: HttpResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode().partition("<main")[2]).split())


def enabled(shop: Application) -> int:
    return Runnable.objects.for_application(shop).filter(enabled=True).count()


@pytest.mark.parametrize("verb", ["run", "pause", "resume", "delete"])
def test_it_asks_with_a_count_and_some_names_and_does_nothing_yet(shop: Application, verb: str) -> None:
    answer = send(shop, do=verb, job=[f"job-{number}" for number in range(6)])
    said = text(answer)
    assert f"{verb.capitalize()} 6 jobs?" in said
    assert "job-0 job-1 job-2 job-3 job-4 and 1 more" in said
    assert (enabled(shop), Job.objects.count(), Run.objects.count()) == (6, 7, 0)


def test_what_was_asked_is_what_the_answer_says_yes_to(shop: Application) -> None:
    asked = send(shop, "?q=job", do="pause", all="1")
    form = hidden(asked)
    assert {"do": "pause", "all": "1", "asked": "6"}.items() <= form.items()
    assert f'action="{reverse("jobs:bulk", args=[shop.slug])}?q=job"' in asked.content.decode()


def test_those_that_are_ticked_are_paused_and_nobody_elses(shop: Application) -> None:
    answer = send(shop, do="pause", job=["job-0", "job-1"], asked="2")
    assert "2 jobs are paused." in text(answer)
    assert set(Runnable.objects.filter(enabled=False).values_list("application_id", "name")) == {
        (shop.pk, "job-0"), (shop.pk, "job-1"),
    }  # fmt: skip


def test_all_that_match_the_filter_are_meant_whether_ticked_or_not(shop: Application) -> None:
    make_job(shop, "other")
    agree(shop, "run", "?q=job-")
    assert set(Run.objects.values_list("runnable__name", flat=True)) == {f"job-{number}" for number in range(6)}


def test_resumed_are_those_that_were_paused(shop: Application) -> None:
    send(shop, do="pause", job=["job-0", "job-1"], asked="2")
    answer = agree(shop, "resume")
    assert "2 jobs are resumed. Of the others, 4, there was nothing to change." in text(answer)
    assert enabled(shop) == 6


def test_deleted_jobs_are_gone_with_their_runs(shop: Application) -> None:
    agree(shop, "run")
    send(shop, do="delete", job=["job-0", "job-5"], asked="2")
    assert set(Job.objects.for_application(shop).values_list("tag", flat=True)) == {f"job-{n}" for n in range(1, 5)}
    assert Job.objects.exclude(application=shop).count() == 1
    assert Run.objects.for_application(shop).count() == 4


@pytest.mark.parametrize(
    ("verb", "changes"),
    [
        ("run", {}),
        ("pause", {"enabled": [True, False]}),
        ("delete", {"verb": ["POST", None], "endpoint": ["https://example.com/", None]}),
    ],
)
def test_each_job_has_its_entry_in_the_audit_log(shop: Application, verb: str, changes: dict[str, Any]) -> None:
    AuditEntry.objects.all().delete()
    send(shop, do=verb, job=["job-0", "job-1"], asked="2")
    entries = AuditEntry.objects.order_by("id").values_list("actor", "action", "subject", "changes", "application")
    assert list(entries) == [
        ("alice@example.com", f"job.{verb}", f"job-{number}", changes, shop.pk) for number in range(2)
    ]


def test_what_was_not_changed_has_no_entry(shop: Application) -> None:
    agree(shop, "pause")
    AuditEntry.objects.all().delete()
    agree(shop, "pause")
    assert not AuditEntry.objects.exists()


def test_when_more_are_ticked_than_were_asked_about_it_asks_again(shop: Application) -> None:
    answer = send(shop, do="delete", job=[f"job-{number}" for number in range(6)], asked="5")
    assert "There are 6 by now, and not 5." in text(answer)
    assert Job.objects.for_application(shop).count() == 6


def test_a_job_that_nobody_was_asked_about_stays_though_it_matches_by_now(shop: Application) -> None:
    yes = hidden(send(shop, do="delete", all="1"))
    Job.objects.for_application(shop).get(tag="job-0").delete()
    make_job(shop, "made-meanwhile")
    assert "5 jobs are deleted." in text(send(shop, **yes))
    assert list(Job.objects.for_application(shop).values_list("tag", flat=True)) == ["made-meanwhile"]


@pytest.mark.parametrize("shown", ["", "x", "é"])
def test_a_yes_to_all_that_does_not_say_to_which_is_asked_again(shop: Application, shown: str) -> None:
    assert "Delete 6 jobs?" in text(send(shop, do="delete", all="1", asked="6", shown=shown))
    assert Job.objects.for_application(shop).count() == 6


def test_the_numbers_of_the_rows_stand_in_no_form(shop: Application) -> None:
    assert not re.search(r"\d+,\d+", hidden(send(shop, do="delete", all="1"))["shown"])


@pytest.mark.parametrize(("count", "words"), [(1, "Its next run is"), (2, "Their next runs are")])
def test_of_one_it_speaks_as_of_one(shop: Application, count: int, words: str) -> None:
    assert words in text(send(shop, do="resume", job=[f"job-{number}" for number in range(count)]))


def test_more_than_can_be_changed_at_once_are_refused_in_words(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("jobs.bulk_question", "jobs.views"):
        monkeypatch.setattr(f"{module}.MOST", 5)
    answer = send(shop, do="delete", all="1", asked="6")
    assert "More than 5 jobs match: no more can be changed at once." in text(answer)
    assert Job.objects.for_application(shop).count() == 6


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"do": "pause"}, "Tick the jobs that you mean"),
        ({"do": "pause", "job": ["no-such-job"]}, "Tick the jobs that you mean"),
        ({"do": "explode", "job": ["job-0"]}, "Choose what to do"),
        ({"job": ["job-0"]}, "Choose what to do"),
        ({"do": "pause", "job": ["job\0-0"]}, "Tick the jobs that you mean"),
    ],
    ids=["none ticked", "gone", "no such verb", "no verb", "null"],
)
def test_what_cannot_be_meant_is_said(shop: Application, form: dict[str, Any], said: str) -> None:
    assert said in text(send(shop, asked="1", **form))
    assert enabled(shop) == 6


@pytest.mark.parametrize("asked", ["", "x", "-1", "²", "9" * 30])
def test_a_yes_that_says_no_number_is_asked_again(shop: Application, asked: str) -> None:
    assert "Delete 1 job?" in text(send(shop, do="delete", job=["job-0"], asked=asked))


@pytest.mark.parametrize("verb", ["run", "pause", "resume", "delete"])
def test_it_takes_as_many_statements_for_six_as_for_one(shop: Application, verb: str) -> None:
    counts = []
    send(shop, asked="")  # what every page says of the service's health is remembered for a while
    for tags in (["job-0"], [f"job-{number}" for number in range(1, 5)]):
        Runnable.objects.update(enabled=verb != "resume", next_run_at=None)
        with CaptureQueriesContext(connection) as queries:
            send(shop, do=verb, job=tags, asked=str(len(tags)))
        counts.append(sum("runs_" in query["sql"] or "jobs_" in query["sql"] for query in queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("verb", VERBS)
def test_ids_of_another_application_are_nobodys(shop: Application, verb: str) -> None:
    theirs = Job.objects.exclude(application=shop).get()
    Runnable.objects.filter(pk=theirs.runnable_id).update(enabled=verb != "resume", next_run_at=None)
    assert VERBS[verb](application=shop, ids=[theirs.pk], by=OPERATOR, now=NOW) == 0
    theirs.runnable.refresh_from_db()
    assert (theirs.runnable.enabled, theirs.runnable.runs_made) == (verb != "resume", 0)
    assert Job.objects.filter(pk=theirs.pk).exists()
