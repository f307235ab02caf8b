"""The page of the audit log: who may read it, what the filters find, and what is taken away in a file."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.lib.ids import uuid7, uuid7_floor
from badgerjobs.panel import audit_views
from badgerjobs.workspaces import audit_reading
from badgerjobs.workspaces.audit import ACTIONS
from badgerjobs.workspaces.models import Application, AuditEntry, Member, Role, User
from tests.clients import browser_in
from tests.factories import NOW, make_application

pytestmark = pytest.mark.django_db

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def browser(shop: Application) -> Client:
    """An admin's."""
    return browser_in(shop, Role.ADMIN)


def make_entry(shop: Application, subject: str = "a-job", at: datetime = NOW, **fields: Any) -> AuditEntry:
    given = {"actor": "alice@example.com", "via": "panel", "action": "job.run", "application": shop, **fields}
    made = UUID(int=uuid7_floor(at).int | (uuid7().int & ((1 << 62) - 1)))
    name = given["application"].name if given["application"] else ""
    return AuditEntry.objects.create(
        id=made, workspace=shop.workspace, application_name=name, subject=subject, created_at=at, **given
    )


def page(browser: Client, shop: Application, **asked: str) -> str:
    return browser.get(reverse("panel:audit", args=[shop.workspace.slug]), asked).content.decode()


def export(browser: Client, shop: Application, form: str, **asked: str) -> Any:
    return browser.post(reverse("panel:export-audit", args=[shop.workspace.slug]), {"format": form, **asked})


def text_of(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


@pytest.mark.parametrize("role", Role)
def test_admins_and_owners_read_the_log(shop: Application, role: Role) -> None:
    make_entry(shop)
    reader = browser_in(shop, role)
    may = role in {Role.OWNER, Role.ADMIN}
    assert reader.get(reverse("panel:audit", args=[shop.workspace.slug])).status_code == (200 if may else 403)
    assert export(reader, shop, "csv").status_code == (200 if may else 403)


def test_an_entry_says_who_what_when_and_from_where(shop: Application, browser: Client) -> None:
    browser.cookies["zone"] = "Europe/Zurich"
    make_entry(shop, "reprice", action="job.update", address="192.0.2.7", changes={"cron": ["0 8 * * *", "0 9 * * *"]})
    shown = page(browser, shop)
    for said in (
        "alice@example.com",
        "Panel, 192.0.2.7",
        "changed the job <b>reprice</b>",
        "2 Mar 2026, 13:00:00 Zurich",
    ):
        assert said in shown
    assert "12:00:00 UTC" in shown
    assert "<del>0 8 * * *</del> → <ins>0 9 * * *</ins>" in shown


def test_what_was_done_to_many_names_them_however_many_that_takes(shop: Application, browser: Client) -> None:
    names = [*(f"nightly-{number}-{'x' * 20}" for number in range(20)), "and 4,980 more"]
    make_entry(shop, "5,000 runs", action="run.abort", changes={"runs": [None, names]})
    shown = page(browser, shop)
    assert "aborted <b>5,000 runs</b>" in shown
    assert f"<dt>runs</dt> <dd>{', '.join(names)}</dd>" in shown


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_has_its_words_on_the_page(shop: Application, browser: Client, action: str) -> None:
    make_entry(shop, "something", action=action)
    assert f"{ACTIONS[action]} <b>something</b>" in page(browser, shop)


def test_what_was_typed_by_others_cannot_become_markup(shop: Application, browser: Client) -> None:
    evil = "<img src=x>"
    make_entry(shop, evil, actor=evil, changes={"body": [evil, evil], "headers": [{evil: "*"}, {}]})
    assert evil not in page(browser, shop)
    assert evil not in page(browser, shop, by=evil)


@pytest.fixture
def several(shop: Application) -> None:
    other = Application.objects.create(workspace=shop.workspace, name="billing")
    make_entry(shop, "one", NOW - 2 * DAY, actor="alice@example.com", action="job.create")
    make_entry(shop, "two", NOW - DAY, actor="ci (abcd1234…)", action="job.run")
    make_entry(shop, "three", NOW, actor="alice@example.com", action="token.create", application=other)
    make_entry(shop, "four", NOW, actor="bob@example.com", action="member.role", application=None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, {"one", "two", "three", "four"}),
        ({"by": "alice@example.com"}, {"one", "three"}),
        ({"by": "ABCD1234"}, {"two"}),
        ({"by": "nobody"}, set()),
        ({"action": "job.run"}, {"two"}),
        ({"action": "job"}, {"one", "two"}),
        ({"application": "billing"}, {"three"}),
        ({"since": "2026-03-01"}, {"two", "three", "four"}),
        ({"until": "2026-03-01"}, {"one", "two"}),
        ({"since": "2026-03-01", "until": "2026-03-01"}, {"two"}),
        ({"by": "alice", "action": "job", "since": "2026-02-01"}, {"one"}),
    ],
)
def test_the_filters_find_what_they_say(
    shop: Application, browser: Client, several: None, asked: dict[str, str], found: set[str]
) -> None:
    given = {name: slug_of(value) if name == "application" else value for name, value in asked.items()}
    shown = page(browser, shop, **given)
    assert {subject for subject in ("one", "two", "three", "four") if f"<b>{subject}</b>" in shown} == found
    rows = list(csv.DictReader(StringIO(text_of(export(browser, shop, "csv", **given)))))
    assert {row["subject"] for row in rows} == found


def slug_of(name: str) -> str:
    return Application.objects.get(name=name).slug


def test_a_day_begins_and_ends_where_the_reader_is(shop: Application, browser: Client) -> None:
    make_entry(shop, "late", datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
    assert "late" not in page(browser, shop, since="2026-03-03")
    browser.cookies["zone"] = "Europe/Zurich"
    assert "late" in page(browser, shop, since="2026-03-03")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"action": "job.explode"}, "There is no such action."),
        ({"application": "nobodys"}, "This workspace has no such application."),
        ({"since": "yesterday"}, "Give a day like 2026-11-21."),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "Take 2026-03-02 or a later day"),
        ({"since": "1969-12-31"}, "Take a day from 1970 on."),
        ({"until": "9999-12-31"}, "Take a day from 1970 on."),
    ],
)
def test_a_filter_that_cannot_be_used_is_said_and_finds_nothing(
    shop: Application, browser: Client, several: None, asked: dict[str, str], said: str
) -> None:
    shown = page(browser, shop, **asked)
    assert said in shown
    assert "<b>one</b>" not in shown
    assert export(browser, shop, "csv", **asked).status_code == 400


def test_another_tenants_application_is_none_of_ours(shop: Application, browser: Client) -> None:
    assert "no such application" in page(browser, shop, application=make_application("Charlie's").slug)


def walk(browser: Client, shop: Application, **asked: str) -> Iterator[str]:
    """The pages, by following “Older”."""
    shown = page(browser, shop, **asked)
    yield shown
    while "before=" in shown:
        before = shown.rpartition("before=")[2].partition('"')[0]
        shown = page(browser, shop, **asked, before=before)
        yield shown


def test_pages_follow_each_other_and_keep_the_filters(
    shop: Application, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_views, "PAGE", 4)
    for number in range(10):
        make_entry(shop, f"subject-{number}", NOW + number * MINUTE, actor="x" if number % 2 else "alice")
    pages = list(walk(browser, shop, by="alice"))
    subjects = [[number for number in range(10) if f"<b>subject-{number}</b>" in shown] for shown in pages]
    assert subjects == [[2, 4, 6, 8], [0]]
    assert "by=alice&amp;before=" in pages[0]
    assert ['aria-keyshortcuts="j"' in one for one in pages] == [*[True] * (len(pages) - 1), False]
    assert ['aria-keyshortcuts="k"' in one for one in pages] == [False, *[True] * (len(pages) - 1)]


def test_a_long_search_says_how_far_it_looked_and_goes_on(
    shop: Application, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_reading, "PIECE", 5)
    monkeypatch.setattr(audit_views, "PIECE", 5)
    make_entry(shop, "needle", NOW - DAY, actor="bob")
    for number in range(7):
        make_entry(shop, f"hay-{number}", NOW + number * MINUTE)
    pages = list(walk(browser, shop, by="bob"))
    assert ["None among the 5 entries" in shown for shown in pages] == [True, False]
    assert ["needle" in shown for shown in pages] == [False, True]


@pytest.mark.parametrize("before", ["rubbish", "", "00000000-0000-0000-0000-000000000000", quote("é")])
def test_no_cursor_breaks_the_page(shop: Application, browser: Client, before: str) -> None:
    make_entry(shop)
    assert browser.get(reverse("panel:audit", args=[shop.workspace.slug]), {"before": before}).status_code == 200


def test_the_page_costs_the_same_however_much_it_shows(
    shop: Application, browser: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        make_entry(shop, f"subject-{number}")
    with django_assert_max_num_queries(12):
        page(browser, shop, by="alice")


def test_an_empty_log_says_what_comes_here(shop: Application, browser: Client) -> None:
    assert "Nothing was done yet" in page(browser, shop)
    assert "Nothing matches" in page(browser, shop, by="bob")


@pytest.mark.parametrize("start", "=+-@\t\r")
def test_a_spreadsheet_finds_no_formula_in_an_export(shop: Application, browser: Client, start: str) -> None:
    make_entry(shop, f'{start}HYPERLINK("https://evil.example/")', actor=f"{start}x")
    row = next(csv.DictReader(StringIO(text_of(export(browser, shop, "csv")), newline="")))
    assert row["subject"] == f'\'{start}HYPERLINK("https://evil.example/")'
    assert row["actor"] == f"'{start}x"


def test_an_export_in_json_has_a_whole_entry_on_each_line(shop: Application, browser: Client) -> None:
    entry = make_entry(shop, "two\nlines", address="192.0.2.7", changes={"cron": ["a", "b"]})
    answer = export(browser, shop, "jsonl")
    assert answer["Content-Type"].startswith("application/x-ndjson")
    assert f"audit-{shop.workspace.slug}-" in answer["Content-Disposition"]
    (line,) = text_of(answer).splitlines()
    assert json.loads(line) == {
        "time": "2026-03-02T12:00:00.000Z",
        "actor": "alice@example.com",
        "via": "panel",
        "address": "192.0.2.7",
        "action": "job.run",
        "subject": "two\nlines",
        "application": "shop",
        "changes": {"cron": ["a", "b"]},
        "id": str(entry.id),
    }


def test_who_takes_the_log_away_is_in_the_log(shop: Application, browser: Client) -> None:
    make_entry(shop)
    export(browser, shop, "csv", by="alice")
    entry = AuditEntry.objects.get(action="audit.export")
    assert (entry.actor, entry.subject, entry.changes) == ("dora@example.com", "CSV", {"by": [None, "alice"]})


def test_an_export_is_read_in_pieces_of_a_bounded_size(
    shop: Application, browser: Client, django_assert_num_queries: Any
) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(workspace=shop.workspace, actor="a", via="api", action="job.run", subject="x", created_at=NOW)
        for _ in range(2500)
    )
    answer = export(browser, shop, "jsonl")
    with django_assert_num_queries(3):  # a thousand at a time
        assert sum(chunk.count(b"\n") for chunk in answer.streaming_content) == 2500


@pytest.mark.parametrize("form", ["", "xls", "../csv"])
def test_a_format_that_there_is_not_is_refused_and_not_told(shop: Application, browser: Client, form: str) -> None:
    assert export(browser, shop, form).status_code == 400
    assert not AuditEntry.objects.exists()


def test_an_export_has_nothing_of_another_workspace(shop: Application, browser: Client) -> None:
    hers = make_application("Charlie's")
    make_entry(hers, "charlies")
    other = make_application("Another of the admin's")
    Member.objects.create(workspace=other.workspace, user=User.objects.get(), role=Role.OWNER)
    make_entry(other, "another")
    make_entry(shop, "ours")
    assert ["<b>another</b>" in page(browser, place) for place in (shop, other)] == [False, True]
    assert [json.loads(line)["subject"] for line in text_of(export(browser, shop, "jsonl")).splitlines()] == ["ours"]
