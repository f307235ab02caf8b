"""The list of runs as a page: what it shows and finds, what it costs, what can be done with many at once."""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs import listing, services, views
from badgerjobs.runs.filters import RunFilters
from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.runs.shown import CAUSE_WORDS
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_attempt, make_job, make_run, make_runnable
from tests.plans import plan_of
from tests.runs.staging import queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues that were rung."""
    rung: list[str] = []
    monkeypatch.setattr(services, "ring_after_commit", rung.append)
    return rung


def address(shop: Application, query: str = "") -> str:
    return f"{reverse('runs:list', args=[shop.slug])}{query}"


def history(shop: Application) -> Runnable:
    """Runs 1 to 8 of `nightly`, one in each state; the even ones by hand."""
    runnable = make_job(shop, "nightly").runnable
    for number, state in enumerate(State, start=1):
        cause = Cause.MANUAL if number % 2 == 0 else Cause.SCHEDULE
        make_run(runnable, state, number=number, cause=cause, occurrence=NOW + timedelta(minutes=number))
    return runnable


def shown(client: Client, shop: Application, query: str = "") -> list[int]:
    """The numbers of the runs on the page, from the top."""
    return [run.number for run in client.get(address(shop, query)).context["page"].runs]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("?state=failed", [6]),
        ("?state=failed&state=queued", [6, 2]),
        ("?state=failed,succeeded", [6, 5]),
        ("?state=scheduled&state=retrying&state=running", [4, 3, 1]),
        ("?cause=manual", [8, 6, 4, 2]),
        ("?cause=manual&state=failed&state=aborted", [6]),
        ("?kind=http", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("?name=nightly&state=skipped", [8]),
        ("?name=other", []),
        ("?since=2000-01-01T00:00", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("?until=2000-01-01T00:00", []),
        ("?since=1066-01-01T00:00&state=running", [3]),
    ],
)
def test_runs_are_listed_newest_first_and_narrowed_by_the_address(
    shop: Application, query: str, found: list[int]
) -> None:
    history(shop)
    other = make_job(make_application("Charlie's"), "nightly").runnable
    make_run(other, State.FAILED, number=99)
    assert shown(browser_in(shop), shop, query) == found


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?state=bogus", "“bogus” is no state of a run."),
        ("?cause=why", "“why” is no cause of a run."),
        ("?since=yesterday", "This is no time: write it like 2026-11-21T22:50."),
    ],
)
def test_a_filter_that_cannot_be_read_is_told_and_never_widens_what_is_done(
    shop: Application, query: str, said: str, bell: list[str]
) -> None:
    history(shop)
    client = browser_in(shop)
    assert said in client.get(address(shop, query)).content.decode()
    client.post(f"{reverse('runs:abort-many', args=[shop.slug])}{query}&all=1", {"asked": "9"})
    assert not Run.objects.filter(error="Aborted on request.").exists()


def test_pages_follow_each_other_both_ways_and_nothing_is_lost_or_doubled(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    history(shop)
    client = browser_in(shop)
    first = client.get(address(shop)).context["page"]
    assert [run.number for run in first.runs] == [8, 7, 6]
    assert first.newer is None
    second = client.get(address(shop, f"?before={first.older}")).context["page"]
    assert [run.number for run in second.runs] == [5, 4, 3]
    last = client.get(address(shop, f"?before={second.older}")).context["page"]
    assert ([run.number for run in last.runs], last.older) == ([2, 1], None)
    back = client.get(address(shop, f"?after={last.newer}")).context["page"]
    assert [run.number for run in back.runs] == [5, 4, 3]
    assert shown(client, shop, f"?after={back.newer}") == [8, 7, 6]


def test_a_walk_for_something_rare_ends_says_so_and_goes_on_from_there(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "WALK", 3)
    history(shop)
    client, found = browser_in(shop), []
    query = "?cause=manual&state=succeeded&state=queued&state=scheduled"
    page = client.get(address(shop, query)).context["page"]
    assert page.runs == []
    assert page.looked_to is not None
    assert "Look further back" in client.get(address(shop, query)).content.decode()
    while page.older:
        page = client.get(address(shop, f"{query}&before={page.older}")).context["page"]
        found += [run.number for run in page.runs]
    assert found == [2]


def test_a_cursor_that_is_none_begins_at_the_newest(shop: Application) -> None:
    history(shop)
    assert shown(browser_in(shop), shop, "?before=nonsense")[0] == 8


@pytest.mark.parametrize("count", [1, 60])
def test_a_page_costs_at_most_twelve_queries_however_many_runs(shop: Application, count: int) -> None:
    for number in range(count):
        run = make_run(make_job(shop, f"job-{number}").runnable, State.FAILED, attempts=1)
        make_attempt(run, ok=False, error="It failed.", result={"status": 503})
    client = browser_in(shop)
    for query in ("", "?state=failed&state=queued&name=job-0&cause=manual"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(address(shop, query))
        assert len(queries) <= 12


def test_a_row_says_what_the_endpoint_answered_last(shop: Application) -> None:
    run = make_run(make_job(shop, "nightly").runnable, State.FAILED, number=7, attempts=2, started_at=NOW)
    make_attempt(run, 1, ok=False, error="No address.", error_class="dns")
    make_attempt(run, 2, ok=False, error="The endpoint answered 503.", result={"status": 503, "body": "x" * 9999})
    page = browser_in(shop).get(address(shop)).content.decode()
    assert "503 Service Unavailable" in page
    assert "x" * 9999 not in page


@pytest.mark.parametrize(
    ("error_class", "status", "said"),
    [("too_large", 200, "answer too large"), ("dns", None, "no such host"), ("bug", None, "What went wrong.")],
)
def test_what_went_wrong_is_called_the_same_in_the_list_on_its_page_and_on_the_jobs(
    shop: Application, error_class: str, status: int | None, said: str
) -> None:
    run = make_run(make_job(shop, "nightly").runnable, State.FAILED, attempts=1, error="What went wrong.")
    answer = {"status": status} if status else None
    make_attempt(run, ok=False, error="What went wrong.", error_class=error_class, result=answer)
    client = browser_in(shop)
    page = client.get(address(shop)).content.decode()
    assert f'<span class="cut" title="What went wrong.">{said}</span>' in page
    assert "200 OK" not in page
    page = client.get(reverse("runs:run", args=[shop.slug, run.pk])).content.decode()
    assert f'<span class="state failed" title="What went wrong.">{said}</span>' in page
    page = client.get(reverse("jobs:job", args=[shop.slug, "nightly"])).content.decode()
    assert f'<td class="lead second answer">{said}</td>' in page


def test_an_aborted_run_says_why_it_ended_and_not_what_was_tried_before(shop: Application) -> None:
    run = make_run(make_job(shop, "nightly").runnable, State.ABORTED, attempts=1, error="Aborted on request.")
    make_attempt(run, ok=False, error="It answered 503.", error_class="status", result={"status": 503})
    client = browser_in(shop)
    assert ">Aborted on request.</span>" in client.get(address(shop)).content.decode()
    results = client.get(reverse("jobs:job", args=[shop.slug, "nightly"])).content.decode().partition('id="results"')[2]
    assert '<td class="lead second answer">Aborted on request</td>' in results


def test_a_run_whose_zone_is_none_any_more_breaks_no_list(shop: Application) -> None:
    make_run(make_job(shop, "daily", preset="daily").runnable, State.RETRYING, number=1, occurrence=NOW)
    make_run(make_job(shop, "lost", cron="0 8 * * *").runnable, State.RETRYING, number=2, occurrence=NOW)
    Runnable.objects.filter(name="lost").update(time_zone="Atlantis/Capital")
    page = browser_in(shop).get(address(shop)).content.decode()
    assert page.count("Mon 2 Mar, 07:00 EST") == 2  # due, and due again
    assert page.count("Mon 2 Mar, 12:00 UTC") == 2


def test_a_cause_is_called_the_same_in_rows_and_in_the_filter(shop: Application) -> None:
    make_run(make_job(shop, "manual").runnable, cause=Cause.MANUAL)
    page = browser_in(shop).get(address(shop, "?cause=manual&name=manual"))
    assert '<option value="manual" selected>by hand</option>' in page.content.decode()
    assert '<td class="last second">by hand</td>' in page.content.decode()
    assert [words for words, _ in page.context["filters"].chips()] == ["name: manual", "cause: by hand"]


def test_every_cause_has_words() -> None:
    assert set(CAUSE_WORDS) == set(Cause)


def test_a_name_that_would_be_markup_is_text(shop: Application) -> None:
    make_run(make_job(shop, "<script>alert(1)<b>").runnable, State.FAILED, error="<img src=x onerror=alert(1)>")
    page = browser_in(shop).get(address(shop)).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_the_first_page_updates_itself_and_answers_nothing_while_nothing_moved(shop: Application) -> None:
    runnable = history(shop)
    client = browser_in(shop)
    first = client.get(address(shop))
    assert 'hx-trigger="every 2s"' in first.content.decode()
    again = {"seen": first.context["stamp"]}
    assert client.get(address(shop), again, headers={"HX-Target": "results"}).status_code == 204
    make_run(runnable, number=9)
    part = client.get(address(shop), again, headers={"HX-Target": "results"})
    assert part.status_code == 200
    assert part.content.decode().strip().startswith('<section id="results"')
    assert "seen=" not in part.content.decode()
    older = client.get(address(shop, f"?before={first.context['page'].runs[0].pk}"))
    assert "every 2s" not in older.content.decode()


def test_an_empty_list_says_what_comes_here_and_a_filter_that_finds_none_how_to_go_on(shop: Application) -> None:
    client = browser_in(shop)
    assert "No runs yet" in client.get(address(shop)).content.decode()
    assert "No run matches" in client.get(address(shop, "?state=failed")).content.decode()


def test_who_may_only_look_sees_no_boxes_and_no_buttons(shop: Application) -> None:
    history(shop)
    page = browser_in(shop, Role.VIEWER).get(address(shop)).content.decode()
    assert 'type="checkbox" name="run"' not in page
    assert "Abort" not in page
    assert "Replay" not in page


def many(shop: Application, verb: str, query: str) -> str:
    return f"{reverse(f'runs:{verb}-many', args=[shop.slug])}?{query}"


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
    assert not listing.Search(shop, _no_filters(), states=listing.UNFINISHED).ids(9)[1:]
    for run in (other, charlies):
        run.refresh_from_db()
        assert run.state == "queued"


def _no_filters() -> RunFilters:
    return RunFilters(QueryDict())


def test_all_that_failed_are_replayed_each_once(shop: Application, bell: list[str]) -> None:
    runnable = make_job(shop, "nightly").runnable
    Runnable.objects.filter(pk=runnable.pk).update(runs_made=3)
    failed = [make_run(runnable, State.FAILED, number=number, input={"n": number}) for number in (1, 2)]
    make_run(runnable, State.SUCCEEDED, number=3)
    client = browser_in(shop)
    assert "Replay 2 runs?" in client.get(many(shop, "replay", "all=1")).content.decode()
    assert "Replayed 2 runs." in confirmed(client, many(shop, "replay", "all=1"))
    made = list(Run.objects.filter(cause="replay").order_by("number").values_list("number", "replay_of", "input"))
    assert made == [(4, failed[0].pk, {"n": 1}), (5, failed[1].pk, {"n": 2})]
    assert bell == ["io"]


def test_somebody_elses_runs_are_not_among_the_ticked(shop: Application, bell: list[str]) -> None:
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


def test_when_more_match_than_were_counted_it_asks_again(shop: Application, bell: list[str]) -> None:
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


def test_rare_states_are_found_by_an_index_that_holds_nothing_else(shop: Application) -> None:
    history(shop)
    queue(make_runnable(shop), 3000, state=State.SUCCEEDED, finished_at=NOW)
    search = listing.Search(shop, _no_filters(), states=[State.FAILED])
    assert "run_ended_badly" in plan_of(search.part("failed"))


def test_when_a_run_was_made_is_read_from_its_id() -> None:
    assert listing.made_at(uuid7_floor(NOW)) == NOW
    assert listing.made_at(UUID(int=0)).year == 1970


def test_who_did_something_with_many_comes_back_to_an_address_without_a_bare_question_mark(shop: Application) -> None:
    at, many = (reverse(f"runs:{name}", args=[shop.slug]) for name in ("list", "abort-many"))
    client = browser_in(shop)
    assert client.get(many)["Location"] == at
    assert client.get(f"{many}?name=a")["Location"] == f"{at}?name=a"


@pytest.mark.parametrize("letters", ["Nightly", "PRICES", "light", "%", "nightly prices"])
def test_runs_are_found_by_parts_of_a_name_or_a_tag_in_any_case(shop: Application, letters: str) -> None:
    make_run(make_job(shop, "repricing-light", name="Nightly prices 5%").runnable, number=7)
    make_run(make_job(shop, "other").runnable, number=8)
    make_run(make_job(make_application("Charlie's"), "nightly-light").runnable, number=9)
    assert shown(browser_in(shop), shop, f"?{urlencode({'name': letters})}") == [7]


@pytest.mark.parametrize("state", ["", "&state=queued", "&state=queued&state=failed"])
@pytest.mark.parametrize("count", [listing.OWNERS, listing.OWNERS + 1])
def test_the_runs_of_many_jobs_come_in_one_order(shop: Application, count: int, state: str) -> None:
    runnables = [make_job(shop, f"part-{number}").runnable for number in range(count)]
    for number in range(2 * count):
        make_run(runnables[number % count], number=number)
    make_run(make_job(shop, "other").runnable, number=99)
    assert shown(browser_in(shop), shop, f"?name=part{state}") == list(reversed(range(2 * count)))


def test_of_more_jobs_than_are_looked_up_one_by_one_the_search_has_an_end(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "WALK", 3)
    monkeypatch.setattr(listing, "OWNERS", 1)
    for tag in ("part-1", "part-2"):
        make_run(make_job(shop, tag).runnable, number=1)
    other = make_job(shop, "other").runnable
    for number in range(5):
        make_run(other, number=number)
    page = browser_in(shop).get(address(shop, "?name=part")).context["page"]
    assert (page.runs, page.looked_to is not None) == ([], True)


def test_the_runs_of_a_renamed_job_bear_its_name_in_one_query_for_all(shop: Application) -> None:
    runnables = [make_job(shop, f"job-{number}", name=f"Name {number}").runnable for number in range(5)]
    counts = []
    for some in (runnables[:1], runnables):
        for runnable in some:
            make_run(runnable, number=1)
        client = browser_in(shop)
        client.get(address(shop))
        with CaptureQueriesContext(connection) as queries:
            page = client.get(address(shop)).content.decode()
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert all(f">Name {number}</span>" in page for number in range(5))
    assert "Name 0 1" in client.get(many(shop, "abort", "all=1")).content.decode()


def test_a_run_is_called_by_the_name_of_its_job_on_its_page(shop: Application) -> None:
    job = make_job(shop, "hello", name="Hello, badger")
    page = browser_in(shop).get(reverse("runs:run", args=[shop.slug, make_run(job.runnable, number=3).pk]))
    assert "<title>Run 3 of Hello, badger" in page.content.decode()
    assert f'href="{reverse("jobs:job", args=[shop.slug, "hello"])}">Hello, badger</a>' in page.content.decode()
