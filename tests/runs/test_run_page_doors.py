"""The page of a run: where it leads, what can be done there, and who may."""

import re
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from jobs.models import Job
from tests.clients import browser_in
from tests.factories import make_application, make_job, make_run
from tests.runs.run_page import at, failed, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


def test_older_and_newer_lead_to_the_runs_of_the_same_job(alice: Client, shop: Application, job: Job) -> None:
    runs = [make_run(job.runnable, number=number) for number in (1, 2, 3)]
    make_run(make_job(shop, "other").runnable, number=4)
    near = alice.get(at(runs[1])).context["page"].neighbours
    assert {name: run.pk for name, run in near.items()} == {"older": runs[0].pk, "newer": runs[2].pk}
    assert set(alice.get(at(runs[2])).context["page"].neighbours) == {"older"}


def test_a_replay_and_its_original_name_each_other(alice: Client, job: Job) -> None:
    old = failed(job)
    answer = alice.post(at(old, "replay"), follow=True)
    new = Run.objects.get(replay_of=old.pk)
    assert answer.redirect_chain[-1][0] == at(new)
    page = answer.content.decode()
    assert f"Run {new.number} replays run 412." in page
    assert f'Cause: replay of <a id="original" href="{at(old)}">run 412</a>' in page
    assert f'Replayed as <a id="replay-{new.number}" href="{at(new)}">run {new.number}</a>' in text(alice, old)
    Run.objects.filter(pk=old.pk).delete()
    assert "replay of a run that was deleted" in text(alice, new)


def test_a_run_may_be_beside_its_original_and_its_replays(alice: Client, shop: Application, job: Job) -> None:
    runs = [make_run(job.runnable, number=1)]
    for number in (2, 3, 4):
        runs.append(make_run(job.runnable, number=number, replay_of=runs[min(1, number - 2)].pk))
    theirs = make_job(make_application("Charlie's")).runnable
    make_run(theirs, replay_of=runs[1].pk)
    page = alice.get(at(runs[1])).context["page"]
    assert (page.original, page.replays) == (runs[0], runs[2:])
    assert page.neighbours == {"older": runs[0], "newer": runs[2]}
    Run.objects.filter(pk=runs[1].pk).update(replay_of=make_run(theirs).pk)
    assert alice.get(at(runs[1])).context["page"].original is None


def test_a_running_run_is_aborted_and_one_that_is_over_says_so(alice: Client, job: Job) -> None:
    run = make_run(job.runnable, State.RUNNING, number=3)
    page = alice.post(at(run, "abort"), follow=True).content.decode()
    assert "Aborted reprice 3." in page
    assert Run.objects.get().state == "aborted"
    assert AuditEntry.objects.latest("id").action == "run.abort"
    Run.objects.update(state="succeeded")
    assert "there is nothing to abort" in alice.post(at(run, "abort"), follow=True).content.decode()
    Run.objects.update(state="running")
    assert "it can be replayed when it is over" in alice.post(at(run, "replay"), follow=True).content.decode()


@pytest.mark.parametrize(
    ("back", "ours"),
    [("/a/x/jobs/reprice/", True), ("https://evil.example.com/", False), ("//evil.example.com", False), ("", False)],
)
def test_a_form_of_another_page_leads_back_there_and_to_no_other_site(
    alice: Client, job: Job, back: str, ours: bool
) -> None:
    run = make_run(job.runnable, State.RUNNING)
    answer = alice.post(at(run, "abort"), {"back": back})
    assert answer["Location"] == (back if ours else at(run))


def test_who_may_only_look_sees_no_buttons_and_may_not_press_them(shop: Application, job: Job) -> None:
    bob = browser_in(shop, Role.VIEWER)
    for state in (State.RUNNING, State.FAILED):
        run = make_run(job.runnable, state)
        assert not re.findall(r'<form method="post"[^>]*/(abort|replay)/', text(bob, run))
        for verb in ("abort", "replay"):
            assert bob.post(at(run, verb)).status_code == 403
    assert set(Run.objects.values_list("state", flat=True)) == {"running", "failed"}


def test_somebody_elses_run_is_not_there(alice: Client, shop: Application) -> None:
    theirs = make_run(make_job(make_application("Charlie's")).runnable)
    for name in ("run", "body"):
        assert alice.get(reverse(f"runs:{name}", args=[shop.slug, theirs.pk])).status_code == 404
    assert alice.get(reverse("runs:run", args=[shop.slug, UUID(int=1)])).status_code == 404
