"""The form's page: who may, what saving does, what a part costs, and what works without scripts."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from badgerjobs.lib import vault
from badgerjobs.lib.backoff import Retries
from badgerjobs.runs.models import Runnable
from badgerjobs.runs.schedules import place_of
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from jobs.models import Job
from jobs.seen import seen_of
from jobs.services import update_job
from tests.clients import browser_in, browser_of
from tests.factories import make_application, make_job, make_member

FORM = {
    "name": "refresh", "verb": "POST", "endpoint": "https://example.com/", "when": "hand", "time_zone": "UTC",
    "timeout": "30", "enabled": "on", "retryable": "on",
}  # fmt: skip
SECRET = "Bearer very-secret"


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


def new(shop: Application) -> str:
    return reverse("jobs:new", args=[shop.slug])


def edit(job: Job) -> str:
    return reverse("jobs:edit", args=[job.application.slug, job.tag])


def headers(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"header_name": [name for name, _ in pairs], "header_value": [value for _, value in pairs]}


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def text_of(answer: Any) -> str:
    """What a person reads of it, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


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


def test_a_job_deleted_meanwhile_is_said_and_nothing_typed_is_lost(
    alice: Client, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(shop)
    real = Job.refresh_from_db

    def gone(self: Job, **options: Any) -> None:
        Job.objects.all().delete()
        real(self, **options)

    monkeypatch.setattr(Job, "refresh_from_db", gone)
    answer = alice.post(edit(job), {**FORM, "body": "typed with care"})
    assert "This job was deleted in the meantime." in text_of(answer)
    assert "typed with care" in answer.content.decode()


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


def test_a_preview_without_scripts_is_a_button_of_the_form(alice: Client, shop: Application) -> None:
    answer = alice.post(
        new(shop), {**FORM, "when": "cron", "cron": "0 8 * * *", "endpoint": "unfinished", "do": "preview"}
    )
    assert "At 08:00" in text_of(answer)
    assert "Nothing is saved yet" not in text_of(answer)
    assert 'value="unfinished"' in answer.content.decode()


def test_a_job_like_another_has_all_but_its_tag_and_its_secrets(alice: Client, shop: Application) -> None:
    make_job(shop, "refresh", headers={"Authorization": SECRET}, body="the body", cron="0 8 * * *")
    answer = alice.get(new(shop), {"from": "refresh"})
    page = answer.content.decode()
    assert 'value="refresh copy"' in page
    assert "the body" in page
    assert "very-secret" not in page
    assert "Secrets are not copied" in page


def preview(alice: Client, shop: Application, **fields: Any) -> str:
    given = {"when": "cron", "cron": "0 8 * * *", "time_zone": "America/New_York", "enabled": "on", **fields}
    answer = alice.post(
        reverse("jobs:preview", args=[shop.slug]), given, headers={"HX-Request": "true", "HX-Target": "preview"}
    )
    assert answer.status_code == 200
    assert answer.content.decode().strip().startswith('<section id="preview"')
    return text_of(answer)


def test_a_preview_is_told_in_its_zone_and_the_readers(alice: Client, shop: Application) -> None:
    alice.cookies["zone"] = "Europe/Zurich"
    shown = preview(alice, shop)
    assert "At 08:00" in shown
    assert "Next runs New York Zurich" in shown
    assert shown.count("Zurich") > 5


def test_a_preview_has_a_row_where_clocks_change(
    alice: Client, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 10, 30, 12, 30, tzinfo=UTC))
    alice.cookies["zone"] = "Asia/Tokyo"
    assert "Clocks go back in New York, Sun 1 Nov 02:00" in preview(alice, shop)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"cron": "x"}, "It needs five fields"),
        ({"time_zone": "Zurich"}, "did you mean Europe/Zurich?"),
        ({"when": "hand"}, "By hand only"),
        ({"enabled": ""}, "It is paused: none of these will run until it is resumed."),
        ({"when": "preset", "preset": "weekly"}, "Next runs EST UTC"),
        ({"when": "at", "at": "2020-01-01T00:00"}, "Once, at 2020-01-01"),
        ({"when": "every", "every": "15", "unit": "minutes", "time_zone": "UTC"}, "Every 15 minutes"),
    ],
)
def test_a_preview_says_what_a_schedule_means(
    alice: Client, shop: Application, fields: dict[str, str], shown: str
) -> None:
    assert shown in preview(alice, shop, **fields)


def test_a_preview_costs_no_query_of_its_own(
    alice: Client, shop: Application, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(5):  # the session, who it is of and when it was last seen; application and member
        preview(alice, shop)


def test_the_page_costs_few_queries(
    alice: Client, shop: Application, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    job = make_job(shop, headers={f"X-{number}": "1" for number in range(50)})
    with django_assert_max_num_queries(8):
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


def preview_tag(answer: Any) -> str:
    found = re.search(r'<section id="preview"[^>]*>', answer.content.decode())
    return found[0] if found else ""


def test_a_preview_is_asked_for_again_while_its_form_stays_open(alice: Client, shop: Application) -> None:
    """Of a new job from what stands in the form; of a stored one that nobody has changed, what is planned."""
    job = make_job(shop, "refresh", timezone.now() + timedelta(days=1), run_every="P1D")
    typed, stored = f'hx-post="{reverse("jobs:preview", args=[shop.slug])}"', f'hx-get="{edit(job)}"'
    schedule = {"when": "every", "every": "1", "unit": "days", "time_zone": "UTC", "enabled": "on"}
    asked = alice.post(reverse("jobs:preview", args=[shop.slug]), schedule)
    for answer, how in ((alice.get(new(shop)), typed), (asked, typed), (alice.get(edit(job)), stored)):
        assert how in preview_tag(answer)
        assert 'hx-trigger="every 60s"' in preview_tag(answer)
    part = alice.get(edit(job), headers={"HX-Request": "true", "HX-Target": "preview"})
    assert part.content.decode().count("<section") == 1
    assert stored in preview_tag(part)
    of_it = typed.replace('/"', '/?job=refresh"')
    assert of_it in preview_tag(alice.post(edit(job), {**FORM, "do": "preview"}))


HOURLY = {"when": "every", "every": "1", "unit": "hours", "time_zone": "UTC"}


def rows_of(alice: Client, job: Job, **fields: str) -> list[datetime]:
    at = f"{reverse('jobs:preview', args=[job.application.slug])}?job={job.tag}"
    return [row.moment for row in alice.post(at, {**HOURLY, **fields}).context["preview"].rows]


def test_a_stored_job_whose_rhythm_stays_is_previewed_as_it_is_planned(alice: Client, shop: Application) -> None:
    job = make_job(shop, "refresh", timezone.now() - timedelta(minutes=20), run_every="PT1H")
    planned = job.runnable.anchor + timedelta(hours=1)
    Runnable.objects.filter(pk=job.runnable_id).update(next_run_at=planned)  # its first run was made
    assert rows_of(alice, job, enabled="on")[0] == planned
    assert rows_of(alice, job, enabled="on", every="2")[0] != planned
    Runnable.objects.filter(pk=job.runnable_id).update(enabled=False, next_run_at=None)
    assert rows_of(alice, job, enabled="on")[0] == planned  # resumed, it keeps its rhythm
    assert rows_of(alice, job)[0] == planned


def test_a_job_of_another_application_is_not_previewed(alice: Client) -> None:
    theirs = make_job(make_application("Charlie's"), "refresh")
    mine = make_application("Alice's other")
    make_member(mine.workspace)
    assert alice.post(f"{reverse('jobs:preview', args=[mine.slug])}?job={theirs.tag}", HOURLY).status_code == 404


def opened(alice: Client, job: Job) -> dict[str, Any]:
    """What the form sends that nobody has touched."""
    answer = alice.get(edit(job))
    given = {name: value for name, value in answer.context["form"].initial.items() if name != "headers"}
    shown = {name: "on" if value is True else value for name, value in given.items() if value not in (None, False)}
    return {**shown, **headers(*answer.context["form"].initial["headers"]), "seen": answer.context["seen"]}


@pytest.fixture
def hourly(shop: Application) -> Job:
    return make_job(shop, "refresh", timezone.now(), run_every="PT1H", headers={"Authorization": SECRET}, body="a\nb")


def test_what_others_change_while_a_form_is_open_stays(alice: Client, hourly: Job) -> None:
    rotated = {"Authorization": "Bearer rotated", "X-New": "1"}
    form = opened(alice, hourly)
    update_job(job=hourly, by=OPERATOR, now=timezone.now(), enabled=False, timeout=7, headers=rotated)
    assert alice.post(edit(hourly), {**form, "name": "Mine"}).status_code == 302
    hourly.refresh_from_db()
    assert (hourly.name, hourly.timeout, hourly.headers) == ("Mine", 7, rotated)
    assert not Runnable.objects.get(pk=hourly.runnable_id).enabled


def test_what_somebody_else_changed_too_is_asked_about_and_then_changed(alice: Client, hourly: Job) -> None:
    form = {**opened(alice, hourly), "timeout": "9", "name": "Mine"}
    update_job(job=hourly, by=OPERATOR, now=timezone.now(), enabled=False, timeout=7)
    asked = alice.post(edit(hourly), form)
    assert (asked.status_code, asked.context["form"].wrong()) == (200, [("timeout", "Gives up after")])
    assert "Somebody else changed this while the form was open." in text_of(asked)
    hourly.refresh_from_db()
    assert (hourly.name, hourly.timeout) == ("refresh", 7)
    assert alice.post(edit(hourly), {**form, "seen": asked.context["seen"]}).status_code == 302
    hourly.refresh_from_db()
    assert (hourly.name, hourly.timeout) == ("Mine", 9)
    assert not Runnable.objects.get(pk=hourly.runnable_id).enabled


def test_another_mistake_in_the_form_forgets_nothing_of_what_it_showed(alice: Client, hourly: Job) -> None:
    form = {**opened(alice, hourly), "timeout": "x"}
    update_job(job=hourly, by=OPERATOR, now=timezone.now(), enabled=False)
    wrong = alice.post(edit(hourly), form)
    assert wrong.status_code == 200
    alice.post(edit(hourly), {**form, "timeout": "9", "seen": wrong.context["seen"]})
    assert not Runnable.objects.get(pk=hourly.runnable_id).enabled


@pytest.mark.parametrize("seen", ["", "x", "[]", "{}", '{"name": 1}'])
def test_a_form_of_which_nobody_knows_what_it_showed_is_saved_as_it_is(alice: Client, hourly: Job, seen: str) -> None:
    assert alice.post(edit(hourly), {**opened(alice, hourly), "timeout": "9", "seen": seen}).status_code in {200, 302}


def test_a_secret_that_was_typed_anew_is_stored(alice: Client, hourly: Job) -> None:
    alice.post(edit(hourly), {**opened(alice, hourly), **headers(("Authorization", "Bearer other"))})
    hourly.refresh_from_db()
    assert hourly.headers == {"Authorization": "Bearer other"}


@pytest.mark.parametrize(("typed", "status"), [({}, 302), ({"retry_policy": "repeater"}, 200)])
def test_a_policy_that_somebody_changed_meanwhile_is_not_lost(
    shop: Application, alice: Client, typed: dict[str, str], status: int
) -> None:
    job = make_job(shop)
    seen = seen_of(job)
    update_job(job=job, by=OPERATOR, now=timezone.now(), retries=7)
    policy = {"retry_policy": "incremental", "retries": "3", "retry_step": "10"}
    assert alice.post(edit(job), {**FORM, **policy, **typed, "seen": seen}).status_code == status
    job.runnable.refresh_from_db()
    assert job.runnable.policy == Retries(retries=7)
