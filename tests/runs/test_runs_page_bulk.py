"""The list of runs as a page: what can be done with many at once, after a question with a count."""

from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.runs import listing, views
from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.workspaces.models import Application, AuditEntry
from tests.clients import browser_in
from tests.factories import make_application, make_job, make_run
from tests.plans import look_at
from tests.runs.runs_page import history, many, no_filters

pytestmark = pytest.mark.django_db


def confirmed(client: Client, at: str) -> str:
    """What is said after somebody was asked and said yes."""
    return client.post(at, client.get(at).context["hidden"], follow=True).content.decode()


def test_ticked_runs_are_aborted_after_a_question_with_a_count(shop: Application) -> None:
    history(shop)
    client = browser_in(shop)
    runs = {run.state: run for run in Run.objects.all()}
    at = many(shop, "abort", "&".join(f"run={runs[state].pk}" for state in ("queued", "running", "failed")))
    asked = client.get(at).content.decode()
    assert "Abort 2 runs?" in asked
    assert "nightly 3" in asked
    assert not Run.objects.filter(error="Aborted on request.").exists()
    assert "Aborted 2 runs." in confirmed(client, at)
    assert set(Run.objects.filter(error="Aborted on request.").values_list("number", flat=True)) == {2, 3}
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.subject, entry.application) == ("run.abort", "2 runs", shop)
    assert entry.changes == {"runs": [None, ["nightly 2", "nightly 3"]]}


def test_all_that_match_are_aborted_and_no_other(shop: Application) -> None:
    history(shop)
    other = make_run(make_job(shop, "other").runnable, State.QUEUED)
    charlies = make_run(make_job(make_application("Charlie's"), "nightly").runnable, State.QUEUED)
    client = browser_in(shop)
    assert "Abort 4 runs?" in client.get(many(shop, "abort", "name=nightly&all=1")).content.decode()
    confirmed(client, many(shop, "abort", "name=nightly&all=1"))
    assert not listing.Search(shop, no_filters(), states=listing.UNFINISHED).ids(9)[1:]
    for run in (other, charlies):
        run.refresh_from_db()
        assert run.state == "queued"


@pytest.mark.parametrize("which", ["all=1", "all=1&kind=notice", "all=1&state=queued", "run={}"])
@pytest.mark.parametrize("ends", [(), ("oldest", "newest")], ids=["all", "those that were shown"])
def test_what_tells_people_of_troubles_is_not_silenced_with_many(
    shop: Application, which: str, ends: tuple[str, ...]
) -> None:
    notice = make_run(make_job(shop, "nightly").runnable, State.QUEUED)
    Run.objects.update(runnable=None, kind="notice")
    said = {"asked": "9", **dict.fromkeys(ends, str(notice.pk))}
    answer = browser_in(shop).post(many(shop, "abort", which.format(notice.pk)), said, follow=True)
    assert "A notice is aborted on its own page." in answer.content.decode()
    notice.refresh_from_db()
    assert notice.state == "queued"


def test_all_that_failed_are_replayed_each_once(shop: Application, rung: list[str]) -> None:
    runnable = make_job(shop, "nightly").runnable
    Runnable.objects.filter(pk=runnable.pk).update(runs_made=3)
    failed = [make_run(runnable, State.FAILED, number=number, input={"n": number}) for number in (1, 2)]
    make_run(runnable, State.SUCCEEDED, number=3)
    client = browser_in(shop)
    assert "Replay 2 runs?" in client.get(many(shop, "replay", "all=1")).content.decode()
    assert "Replayed 2 runs." in confirmed(client, many(shop, "replay", "all=1"))
    made = list(Run.objects.filter(cause="replay").order_by("number").values_list("number", "replay_of", "input"))
    assert made == [(4, failed[0].pk, {"n": 1}), (5, failed[1].pk, {"n": 2})]
    assert rung == ["io"]


def test_what_was_replayed_already_is_not_replayed_with_all_that_failed(shop: Application, rung: list[str]) -> None:
    runnable = make_job(shop, "nightly").runnable
    failed = [make_run(runnable, State.FAILED, number=number) for number in range(1, 7)]
    ended = [State.SUCCEEDED, State.QUEUED, State.ABORTED, State.FAILED]
    replays = [
        make_run(runnable, state, number=10 + n, cause="replay", replay_of=failed[n].pk)
        for n, state in enumerate(ended)
    ]
    client = browser_in(shop)
    asked = " ".join(client.get(many(shop, "replay", "all=1")).content.decode().split())
    assert "Replay 4 runs?" in asked
    assert "Not among them: 3 runs with a replay already." in asked
    confirmed(client, many(shop, "replay", "all=1"))
    made = Run.objects.filter(cause="replay").exclude(pk__in=[one.pk for one in replays])
    assert {one.replay_of for one in made} == {failed[2].pk, failed[4].pk, failed[5].pk, replays[3].pk}

    again = client.get(many(shop, "replay", "all=1"), follow=True).content.decode()
    assert "All that failed, 7 runs, has a replay already. Tick what is to be replayed once more." in again
    assert (
        "Replay 2 runs?" in client.get(many(shop, "replay", f"run={failed[0].pk}&run={failed[1].pk}")).content.decode()
    )


def test_what_was_replayed_already_is_found_by_an_index(shop: Application) -> None:
    runnable = make_job(shop, "nightly").runnable
    for number in range(300):
        make_run(runnable, State.FAILED if number % 3 else State.SUCCEEDED, number=number)
    look_at(Run)
    search = listing.Search(shop, no_filters(), states=[State.FAILED], walks=False, where=[listing.UNREPLAYED])
    plan = search.part(State.FAILED).explain()
    assert "run_replayed" in plan
    assert "Seq Scan on runs_run" not in plan


def test_somebody_elses_runs_are_not_among_the_ticked(shop: Application, rung: list[str]) -> None:
    theirs = make_run(make_job(make_application("Charlie's"), "a").runnable, State.FAILED)
    waits = make_run(make_job(make_application("Charlie's 2"), "a").runnable, State.QUEUED)
    client = browser_in(shop)
    client.post(many(shop, "replay", f"run={theirs.pk}"), {"asked": "9"})
    client.post(many(shop, "abort", f"run={waits.pk}"), {"asked": "9"})
    assert Run.objects.count() == 2
    assert set(Run.objects.values_list("state", flat=True)) == {"failed", "queued"}


def test_more_than_may_be_done_at_once_are_done_newest_first_and_it_is_said(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MOST_AT_ONCE", 3)
    runnable = make_job(shop, "nightly").runnable
    for number in range(5):
        make_run(runnable, number=number)
    client = browser_in(shop)
    asked = client.get(many(shop, "abort", "all=1")).content.decode()
    assert "Abort 3 runs?" in asked
    assert "There are more than 3 that wait or run" in asked
    confirmed(client, many(shop, "abort", "all=1"))
    assert set(Run.objects.filter(state="aborted").values_list("number", flat=True)) == {2, 3, 4}


def numbers(state: str) -> set[int]:
    return set(Run.objects.filter(state=state).values_list("number", flat=True))


def test_what_came_after_the_question_is_left_alone(shop: Application) -> None:
    runnable = make_job(shop, "nightly").runnable
    make_run(runnable, number=1)
    client, at = browser_in(shop), many(shop, "abort", "all=1")
    said = client.get(at).context["hidden"]
    for number in (2, 3):
        make_run(runnable, number=number)
    assert "Aborted 1 run." in client.post(at, said, follow=True).content.decode()
    assert (numbers("aborted"), numbers("queued")) == ({1}, {2, 3})


def test_of_too_many_those_are_aborted_that_were_counted(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_AT_ONCE", 3)
    runnable = make_job(shop, "nightly").runnable
    runs = [make_run(runnable, number=number) for number in range(5)]
    client, at = browser_in(shop), many(shop, "abort", "all=1")
    said = client.get(at).context["hidden"]
    Run.objects.filter(pk=runs[4].pk).update(state="succeeded")
    assert "Aborted 2 runs." in client.post(at, said, follow=True).content.decode()
    assert numbers("aborted") == {2, 3}


def test_when_more_match_than_were_counted_it_asks_again(shop: Application, rung: list[str]) -> None:
    runnable = make_job(shop, "nightly").runnable
    Runnable.objects.filter(pk=runnable.pk).update(runs_made=3)
    runs = [make_run(runnable, state, number=1) for state in (State.FAILED, State.RUNNING, State.FAILED)]
    client, at = browser_in(shop), many(shop, "replay", "all=1")
    said = client.get(at).context["hidden"]
    Run.objects.filter(pk=runs[1].pk).update(state="failed")
    again = client.post(at, said)
    assert "Replay 3 runs?" in again.content.decode()
    assert "There are 3 by now, and not 2." in again.content.decode()
    assert not Run.objects.filter(cause="replay").exists()
    assert "Replayed 3 runs." in client.post(at, again.context["hidden"], follow=True).content.decode()


@pytest.mark.parametrize("odd", ["", "x", "\0", "-1", "00000000-0000-0000-0000-00000000000"])
@pytest.mark.parametrize("name", ["oldest", "newest"])
def test_a_yes_to_nobody_knows_which_is_asked_again(shop: Application, name: str, odd: str) -> None:
    make_run(make_job(shop, "nightly").runnable)
    client, at = browser_in(shop), many(shop, "abort", "all=1")
    said = client.get(at).context["hidden"] | {name: odd}
    assert "Abort 1 run?" in client.post(at, said).content.decode()
    assert not Run.objects.filter(state="aborted").exists()


def test_ids_that_somebody_made_up_reach_no_more_than_was_counted_and_nobody_elses(shop: Application) -> None:
    runnable = make_job(shop, "nightly").runnable
    theirs = make_run(make_job(make_application("Charlie's"), "nightly").runnable)
    make_run(runnable, number=1)
    client, at = browser_in(shop), many(shop, "abort", "all=1")
    every = {"oldest": str(UUID(int=0)), "newest": str(UUID(int=(1 << 128) - 1))}
    make_run(runnable, number=2)
    assert "There are 2 by now, and not 1." in client.post(at, every | {"asked": "1"}).content.decode()
    client.post(at, {"asked": "9", "oldest": str(theirs.pk), "newest": str(theirs.pk)})
    assert not numbers("aborted")
    assert "Aborted 2 runs." in client.post(at, every | {"asked": "9"}, follow=True).content.decode()
    theirs.refresh_from_db()
    assert theirs.state == "queued"


@pytest.mark.parametrize("asked", [{}, {"asked": ""}, {"asked": "-1"}, {"asked": "٣"}, {"asked": "9" * 9}])
def test_nothing_is_done_to_many_without_a_yes_to_a_number(shop: Application, asked: dict[str, str]) -> None:
    make_run(make_job(shop, "nightly").runnable)
    assert "Abort 1 run?" in browser_in(shop).post(many(shop, "abort", "all=1"), asked).content.decode()
    assert not Run.objects.filter(state="aborted").exists()


def test_fewer_than_were_asked_about_are_done_without_another_question(shop: Application) -> None:
    runs = [make_run(make_job(shop, tag).runnable) for tag in ("nightly", "hourly")]
    client, at = browser_in(shop), many(shop, "abort", "all=1")
    said = client.get(at).context["hidden"]
    Run.objects.filter(pk=runs[0].pk).update(state="succeeded")
    assert "Aborted 1 run." in client.post(at, said, follow=True).content.decode()


def test_nothing_to_do_is_said_and_asks_nothing(shop: Application) -> None:
    answer = browser_in(shop).get(many(shop, "replay", "run=nonsense"), follow=True)
    assert "None of these runs has failed." in answer.content.decode()


def test_who_did_something_with_many_comes_back_to_an_address_without_a_bare_question_mark(shop: Application) -> None:
    at, many = (reverse(f"runs:{name}", args=[shop.slug]) for name in ("list", "abort-many"))
    client = browser_in(shop)
    assert client.get(many)["Location"] == at
    assert client.get(f"{many}?name=a")["Location"] == f"{at}?name=a"
