"""Where people come in, their first steps, the keys, and the line that says whether all is well."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.panel.navigation import PLACES
from badgerjobs.runs.models import Queue, Run, Runnable, State, Worker
from badgerjobs.workspaces.models import Application, AuditEntry, Member, Role, Token, Workspace
from tests.callers import Caller
from tests.clients import browser_of
from tests.factories import make_application, make_job, make_member, make_person, make_run, make_token

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def bob(shop: Application) -> Client:
    return browser_of(make_member(shop.workspace, Role.VIEWER, "bob@example.com"))


def address(application: Application) -> str:
    return reverse("panel:overview", args=[application.slug])


def page(browser: Client, at: str) -> str:
    return str(browser.get(at).content.decode())


# The front door.


def test_people_come_to_where_they_were_last(shop: Application, alice: Client) -> None:
    newer = Application.objects.create(workspace=shop.workspace, name="newer")
    assert alice.get("/")["Location"] == address(newer)
    alice.get(address(shop))
    assert alice.get("/")["Location"] == address(shop)


def test_a_poll_of_another_page_does_not_change_where_somebody_was_last(shop: Application, alice: Client) -> None:
    newer = Application.objects.create(workspace=shop.workspace, name="newer")
    alice.get(address(newer))
    alice.get(address(shop), headers={"HX-Request": "true", "HX-Target": "needs"})
    assert alice.get("/")["Location"] == address(newer)


def test_a_cookie_leads_nobody_to_what_is_not_theirs(shop: Application, alice: Client) -> None:
    alice.cookies["application"] = make_application("Charlie's").slug
    assert alice.get("/")["Location"] == address(shop)


def test_who_has_no_application_comes_to_the_workspaces(alice: Client, shop: Application) -> None:
    shop.delete()
    assert alice.get("/")["Location"] == reverse("panel:workspaces")


# The first steps.


def test_an_application_without_jobs_begins_with_the_first_steps(shop: Application, alice: Client) -> None:
    shown = page(alice, address(shop))
    assert "shop has no jobs yet" in shown
    assert "Bearer TOKEN" in shown
    make_job(shop)
    assert "shop has no jobs yet" not in page(alice, address(shop))


def made(browser: Client, shop: Application) -> Any:
    """What the button answers."""
    key = re.search(r'name="form_key" value="([^"]+)"', page(browser, address(shop)))
    assert key
    return browser.post(reverse("panel:first-token", args=[shop.slug]), {"form_key": key[1]})


def test_a_token_is_made_and_stands_in_the_call_this_once(shop: Application, alice: Client) -> None:
    answer = made(alice, shop)
    secret = re.search(r'id="token">([^<]+)<', answer.content.decode())
    assert secret
    assert answer["Cache-Control"] == "no-store"
    assert answer.content.decode().count(f"Bearer {secret[1]}") == 3
    found = Token.objects.by_token(secret[1], timezone.now())
    assert found
    assert (found.application, found.scopes) == (shop, ["read", "write"])
    assert AuditEntry.objects.get().action == "token.create"
    assert secret[1] not in page(alice, address(shop))


def test_the_call_makes_the_job_as_it_stands(shop: Application, alice: Client) -> None:
    shown = made(alice, shop).content.decode().replace("&quot;", '"').replace("&#x27;", "'")
    secret, body = re.search(r"Bearer (\S+)'", shown), re.search(r"-d '(\{.*?\n  \})'", shown, re.DOTALL)
    assert secret
    assert body
    answer = Caller(secret[1]).send("POST", "/jobs/", body[1].encode())
    assert answer.status == 201
    assert Runnable.objects.get().next_run_at


def test_a_form_that_is_sent_twice_makes_one_token(shop: Application, alice: Client) -> None:
    key = re.search(r'name="form_key" value="([^"]+)"', page(alice, address(shop)))
    assert key
    at = reverse("panel:first-token", args=[shop.slug])
    answers = [alice.post(at, {"form_key": key[1]}).status_code for _ in range(2)]
    assert (answers, Token.objects.count()) == ([200, 409], 1)


@pytest.mark.parametrize("key", ["", "made-up", "abc:def"])
def test_a_form_of_somebody_elses_makes_none(shop: Application, alice: Client, key: str) -> None:
    assert alice.post(reverse("panel:first-token", args=[shop.slug]), {"form_key": key}).status_code == 302
    assert not Token.objects.exists()


def test_who_may_make_no_tokens_is_told_whom_to_ask(shop: Application, bob: Client) -> None:
    shown = page(bob, address(shop))
    assert "ask one of them" in shown
    assert "Make a token" not in shown
    assert bob.post(reverse("panel:first-token", args=[shop.slug])).status_code == 403


def test_a_token_that_is_there_is_named(shop: Application, alice: Client) -> None:
    make_token(shop)
    assert f"bj_{Token.objects.get().prefix}_…" in page(alice, address(shop))


def part(browser: Client, shop: Application) -> str:
    answer = browser.get(address(shop), headers={"HX-Request": "true", "HX-Target": "first-run"})
    return str(answer.content.decode()).strip()


@pytest.mark.parametrize(
    ("state", "is_over"),
    [
        (State.QUEUED, False),
        (State.RUNNING, False),
        (State.RETRYING, False),
        (State.SUCCEEDED, True),
        (State.FAILED, True),
    ],
)
def test_the_first_run_is_waited_for_until_it_is_over(
    shop: Application, alice: Client, state: State, is_over: bool
) -> None:
    assert "Waiting for the first call…" in part(alice, shop)
    job = make_job(shop, "hello", run_every="PT1M")
    assert "hello is there" in part(alice, shop)
    run = make_run(job.runnable, state)
    shown = part(alice, shop)
    assert shown.startswith('<div class="waiting" id="first-run"')
    assert ("arrived" in shown) is is_over
    assert ("hx-get" not in shown) is is_over
    assert (reverse("runs:run", args=[shop.slug, run.pk]) in shown) is is_over


@pytest.mark.parametrize(
    ("fields", "zone", "said"),
    [({"preset": "daily"}, "UTC", "08:00 EST · 13:00 UTC"), ({"cron": "0 8 * * *"}, "Atlantis/Capital", "13:00 UTC")],
    ids=["a preset", "a zone that is none any more"],
)
def test_when_the_first_run_is_due_is_told_in_its_zone(
    shop: Application, alice: Client, fields: dict[str, Any], zone: str, said: str
) -> None:
    make_job(shop, "hello", **fields)
    Runnable.objects.update(time_zone=zone, next_run_at=datetime(2036, 3, 3, 13, tzinfo=UTC))
    assert f"Mon 3 Mar, {said}<" in part(alice, shop)


def test_runs_that_a_deleted_job_left_are_no_first_run(shop: Application, alice: Client) -> None:
    job = make_job(shop, "hello")
    make_run(job.runnable, State.SUCCEEDED)
    Runnable.objects.all().delete()
    assert Run.objects.exists()
    assert "Waiting for the first call…" in part(alice, shop)


# The side and the keys.


def test_the_keys_page_names_every_place(shop: Application, alice: Client) -> None:
    make_job(shop)
    shown = page(alice, "/keys/")
    for place in (place for places in PLACES for place in places):
        assert f"<kbd>g</kbd> <kbd>{place.key}</kbd>" in shown, place.label


def test_no_two_places_have_the_same_key() -> None:
    keys = [place.key for places in PLACES for place in places]
    assert len(keys) == len(set(keys))


def test_a_page_of_the_workspace_keeps_the_way_back_to_the_application(shop: Application, alice: Client) -> None:
    at = reverse("panel:members", args=[shop.workspace.slug])
    assert f'href="{address(shop)}" aria-keyshortcuts' not in page(alice, at)
    alice.get(address(shop))
    assert f'href="{address(shop)}" aria-keyshortcuts' in page(alice, at)


def test_the_way_back_leads_into_no_other_workspace(shop: Application, alice: Client) -> None:
    other = Workspace.objects.create(name="Other")
    Member.objects.create(workspace=other, user=Member.objects.get().user, role=Role.OWNER)
    alice.get(address(shop))
    shown = page(alice, reverse("panel:members", args=[other.slug]))
    assert f'href="{address(shop)}" aria-keyshortcuts' not in shown


# Whether all is well.


def line(browser: Client, shop: Application) -> tuple[str, str]:
    """The mark and the sentence at the foot of the side."""
    found = re.search(r'<div class="foot">\s*<span class="state ([^"]+)">([^<]+)</span>', page(browser, address(shop)))
    assert found
    return found[1], found[2]


def test_without_a_worker_the_side_says_so_in_red(shop: Application, alice: Client) -> None:
    assert line(alice, shop) == ("missed word", "No worker is running")


@pytest.mark.parametrize(
    ("late_s", "mark", "sentence"),
    [
        (-60, "enabled", "Healthy, on time"),
        (2, "enabled", r"Healthy, 2\.\d\d s late"),
        (60, "missed word", "Runs begin 1 min late"),
    ],
)
def test_the_side_says_how_late_runs_begin(
    shop: Application, alice: Client, late_s: int, mark: str, sentence: str
) -> None:
    now = timezone.now()
    Worker.objects.create(name="worker", queue=Queue.IO, started_at=now, seen_at=now)
    make_job(shop, now=now)
    Runnable.objects.update(next_run_at=now - late_s * SECOND)
    assert line(alice, shop)[0] == mark
    assert re.fullmatch(sentence, line(alice, shop)[1])


def test_one_look_at_the_whole_serves_everybody_for_a_while(shop: Application, alice: Client, bob: Client) -> None:
    page(alice, address(shop))
    with CaptureQueriesContext(connection) as queries:
        page(bob, address(shop))
    assert not [query for query in queries if "runs_worker" in query["sql"]]
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        page(bob, address(shop))
    assert len([query for query in queries if "runs_worker" in query["sql"]]) == 1


ACCOUNT_PAGES = ("account_email", "mfa_index", "usersessions_list")


@pytest.mark.parametrize("page", ACCOUNT_PAGES)
def test_pages_of_the_account_keep_the_navigation_of_where_one_was(alice: Client, shop: Application, page: str) -> None:
    Application.objects.create(workspace=shop.workspace, name="newer")
    alice.get(reverse("panel:overview", args=[shop.slug]))
    shown = alice.get(reverse(page)).content.decode()
    assert f'href="{reverse("jobs:list", args=[shop.slug])}"' in shown


def test_who_has_no_application_finds_their_account_all_the_same() -> None:
    shown = browser_of(make_person("charlie@example.com")).get(reverse("mfa_index"))
    assert shown.status_code == 200
    assert "Choose an application" in shown.content.decode()
