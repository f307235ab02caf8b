"""The form's page: who may, what saving does, what a part costs, and what works without scripts."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from badgerjobs.lib import vault
from badgerjobs.runs.schedules import place_of
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from jobs.models import Job
from tests.clients import browser_in, browser_of
from tests.factories import make_application, make_job, make_member
from tests.jobs.form_page import FORM, SECRET, edit, headers, new, said, text_of


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


def test_a_new_job_is_made_and_says_when_it_runs_first(alice: Client, shop: Application) -> None:
    later = timezone.now() + timedelta(hours=2, minutes=30)
    answer = alice.post(new(shop), {**FORM, "when": "at", "at": f"{later:%Y-%m-%dT%H:%M:%S}"})
    job = Job.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, reverse("jobs:job", args=[shop.slug, "refresh"]))
    assert (job.tag, job.name, job.application) == ("refresh", "refresh", shop)
    assert said(answer) == ["refresh is saved. It runs in 2 h 30 min."]
    assert AuditEntry.objects.get(action="job.create").actor == "alice@example.com"


@pytest.mark.parametrize(
    ("fields", "words"), [({}, "press “Run now” whenever"), ({"enabled": ""}, "It is paused: resume it, or press")]
)
def test_a_job_with_nothing_planned_says_how_it_runs(
    alice: Client, shop: Application, fields: dict[str, str], words: str
) -> None:
    answer = alice.post(new(shop), {**FORM, **fields})
    assert words in said(answer)[0]


def test_a_tag_that_is_taken_is_said_beside_what_was_typed(alice: Client, shop: Application) -> None:
    make_job(shop, "refresh")
    answer = alice.post(new(shop), {**FORM, "body": "typed with care"})
    assert "There is a job with the tag “refresh” already" in text_of(answer)
    assert "typed with care" in answer.content.decode()
    assert Job.objects.count() == 1


def test_an_edit_keeps_the_tag_and_the_stored_secret(alice: Client, shop: Application) -> None:
    job = make_job(shop, "refresh", headers={"Authorization": SECRET, "X-Team": "shop"})
    shown = alice.get(edit(job)).content.decode()
    assert vault.MASK in shown
    assert "very-secret" not in shown
    rows = headers(("Authorization", vault.MASK), ("X-Team", "other"))
    answer = alice.post(edit(job), {**FORM, **rows, "name": "New name", "tag": "another"})
    assert answer.status_code == 302
    job.refresh_from_db()
    assert (job.tag, job.name) == ("refresh", "New name")
    assert job.headers == {"Authorization": SECRET, "X-Team": "other"}
    assert AuditEntry.objects.get(action="job.update").actor == "alice@example.com"


def test_a_stored_secret_does_not_follow_the_endpoint_elsewhere(alice: Client, shop: Application) -> None:
    job = make_job(shop, endpoint="https://example.com/", headers={"Authorization": SECRET})
    answer = alice.post(
        edit(job), {**FORM, **headers(("Authorization", vault.MASK)), "endpoint": "https://evil.example/"}
    )
    assert "The stored credentials were not meant for the host of this endpoint." in text_of(answer)
    assert "very-secret" not in answer.content.decode()
    job.refresh_from_db()
    assert job.endpoint == "https://example.com/"


def test_what_is_wrong_is_counted_on_top_with_links_and_nothing_is_lost(alice: Client, shop: Application) -> None:
    wrong = {**FORM, **headers(("X Shop", "prod")), "endpoint": "example.com", "body": "typed <b>with</b> care"}
    answer = alice.post(new(shop), wrong)
    page = answer.content.decode()
    assert "Nothing is saved yet: 2 fields need a change." in text_of(answer)
    assert '<a href="#endpoint">Endpoint</a>' in page
    assert '<a href="#header_name_1">Header 1</a>' in page
    assert "typed &lt;b&gt;with&lt;/b&gt; care" in page
    assert 'value="prod"' in page
    assert not Job.objects.exists()


def test_one_wrong_field_is_one(alice: Client, shop: Application) -> None:
    assert "Nothing is saved yet: 1 field needs a change." in text_of(alice.post(new(shop), {**FORM, "timeout": "x"}))


@pytest.mark.parametrize(
    ("wrong", "button", "shown"),
    [
        ({"endpoint": "example.com/a?b=1"}, "fill:endpoint=https://example.com/a?b=1", "https://example.com/a?b=1"),
        ({"when": "cron", "cron": "0 8 * * *", "time_zone": "zurich"}, "fill:time_zone=Europe/Zurich", "Europe/Zurich"),
        ({"when": "cron", "cron": "@daily"}, "fill:cron=0 0 * * *", "0 0 * * *"),
        ({"when": "every", "unit": "iso", "duration": "P1H"}, "fill:duration=PT1H", "PT1H"),
        (headers(("X A", "1"), ("X B", "2")), "fill:header_name_1=X-A", "X-A"),
    ],
)
def test_what_an_error_offers_fills_the_field_without_scripts(
    alice: Client, shop: Application, wrong: dict[str, Any], button: str, shown: str
) -> None:
    page = alice.post(new(shop), {**FORM, **wrong}).content.decode()
    assert f'name="do" value="{button}"' in page
    answer = alice.post(new(shop), {**FORM, **wrong, "do": button})
    assert f'value="{shown}"' in answer.content.decode()
    assert not Job.objects.exists()


def test_rows_come_and_go_without_scripts(alice: Client, shop: Application) -> None:
    rows = headers(("X-A", "1"), ("X-B", "2"))
    added = alice.post(new(shop), {**FORM, **rows, "do": "add-header"}).content.decode()
    assert added.count('name="header_name"') == 4  # three, and the one that scripts copy
    removed = alice.post(new(shop), {**FORM, **rows, "do": "remove-header:1"}).content.decode()
    assert 'value="X-A"' not in removed
    assert 'value="X-B"' in removed
    typed = alice.post(new(shop), {**FORM, **rows, "do": "add-header:Content-Type=application/json"}).content.decode()
    assert 'value="application/json"' in typed
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "do",
    [
        "remove-header:9", "remove-header:x", "remove-header:0", "remove-header:²", f"remove-header:{'1' * 5000}",
        "fill:nothing=1", "fill:", "fill:header_name_²=x", "fill:header_name_0=x", f"fill:header_name_{'1' * 5000}=x",
    ],
    ids=lambda do: do[:24],
)  # fmt: skip
def test_a_button_that_nobody_made_does_nothing(alice: Client, shop: Application, do: str) -> None:
    answer = alice.post(new(shop), {**FORM, **headers(("X-A", "1")), "do": do})
    assert answer.status_code == 200
    assert 'value="X-A"' in answer.content.decode()


def test_a_job_like_another_has_all_but_its_tag_and_its_secrets(alice: Client, shop: Application) -> None:
    make_job(shop, "refresh", headers={"Authorization": SECRET}, body="the body", cron="0 8 * * *")
    answer = alice.get(new(shop), {"from": "refresh"})
    page = answer.content.decode()
    assert 'value="refresh copy"' in page
    assert "the body" in page
    assert "very-secret" not in page
    assert "Secrets are not copied" in page


def test_the_page_costs_few_queries(
    alice: Client, shop: Application, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    job = make_job(shop, headers={f"X-{number}": "1" for number in range(50)})
    with django_assert_max_num_queries(9):
        alice.get(edit(job))


def everywhere(shop: Application) -> list[tuple[str, str]]:
    """Method and address of each page of the form."""
    here = [("get", "new"), ("post", "new"), ("post", "preview"), ("post", "test")]
    form = reverse("jobs:edit", args=[shop.slug, "a-job"])
    return [
        *((method, reverse(f"jobs:{name}", args=[shop.slug])) for method, name in here),
        ("get", form),
        ("post", form),
    ]


def test_a_viewer_may_not_and_a_stranger_finds_nothing(shop: Application) -> None:
    make_job(shop)
    bob = browser_in(shop, Role.VIEWER)
    charlie = browser_of(make_member(make_application("Charlie's").workspace, email="charlie@example.com"))
    for method, address in everywhere(shop):
        assert getattr(bob, method)(address, FORM).status_code == 403
        assert getattr(charlie, method)(address, FORM).status_code == 404
    assert Job.objects.get().name == "a-job"


@pytest.mark.parametrize("tag", ["a b", "ü:ö", "100%", "a?b#c", "jobs"])
def test_any_tag_has_a_form(alice: Client, shop: Application, tag: str) -> None:
    job = make_job(shop, tag)
    assert alice.get(edit(job)).status_code == 200
    assert alice.post(edit(job), FORM).status_code == 302


def test_another_applications_job_cannot_be_copied_or_tried(alice: Client, shop: Application) -> None:
    make_job(make_application("Charlie's"), "theirs")
    assert alice.get(new(shop), {"from": "theirs"}).status_code == 404
    assert alice.post(reverse("jobs:test", args=[shop.slug]) + "?job=theirs", FORM).status_code == 404


@pytest.mark.parametrize(
    "fields", [{"time_zone": "Asia/Tokyo"}, {"time_zone": "Asia/Tokyo", "when": "cron", "cron": "0 8 * * *"}]
)
def test_a_job_is_told_in_the_zone_that_its_form_had(alice: Client, shop: Application, fields: dict[str, str]) -> None:
    """By hand too: its runs have times, though it has no schedule."""
    alice.post(new(shop), {**FORM, **fields})
    runnable = Job.objects.get().runnable
    assert (runnable.time_zone, str(place_of(runnable))) == ("Asia/Tokyo", "Asia/Tokyo")


def focused(answer: Any) -> list[str]:
    """The ids of what has the keyboard when the page is there."""
    tags = re.findall(r"<[^>]* autofocus[^>]*>", answer.content.decode().partition("<template")[0])
    return [found[1] if (found := re.search(r' id="([^"]*)"', tag)) else "" for tag in tags]


def test_the_name_of_a_new_job_has_the_keyboard(alice: Client, shop: Application) -> None:
    assert focused(alice.get(new(shop))) == ["name"]
    assert focused(alice.get(edit(make_job(shop, "refresh")))) == []


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ({"name": "", "timeout": "x"}, "name"),
        ({"endpoint": "nowhere"}, "endpoint"),
        ({"endpoint": "nowhere", "verb": "FETCH"}, "verb"),
        (headers(("X-Good", "1"), ("Host", "evil")), "header_name_2"),
        (headers(*((f"X-{number}", "1") for number in range(101))), "header_name_1"),
        ({"when": "cron", "cron": "hello"}, "cron"),
        ({"when": "every", "every": "1.5", "unit": "days"}, "every"),
        ({"timeout": "9" * 2000}, "timeout"),
    ],
    ids=["name", "endpoint", "verb", "header", "headers", "cron", "every", "timeout"],
)
def test_of_what_is_wrong_the_first_field_has_the_keyboard(
    alice: Client, shop: Application, fields: dict[str, Any], first: str
) -> None:
    assert focused(alice.post(new(shop), {**FORM, **fields})) == [first]


def test_when_nobody_said_when_the_choice_has_the_keyboard(alice: Client, shop: Application) -> None:
    assert focused(alice.post(new(shop), {**FORM, "when": ""}))[0] == "when_0"
