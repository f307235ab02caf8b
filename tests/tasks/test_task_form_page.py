"""The form of a task: made, its plan shown, and who may not."""

import re

import pytest

from badgerjobs.workspaces.models import Application, Role
from tasks.models import Task
from tests.clients import browser_in
from tests.factories import make_application
from tests.tasks.task_form_page import FORM, at, difference, part, send, wrong
from tests.tasks.task_pages import text_of


def test_a_new_task_is_enabled_unless_somebody_unticks_it(shop: Application) -> None:
    assert 'name="enabled" id="enabled" checked' in browser_in(shop).get(at(shop)).content.decode()
    send(shop)
    send(shop, name="off", enabled="")
    assert Task.objects.get(tag="refresh").runnable.enabled
    assert not Task.objects.get(tag="off").runnable.enabled


@pytest.mark.parametrize(
    ("given", "schedule"),
    [
        ({"type": "on_demand"}, {"preset": "", "cron": "", "run_every": ""}),
        ({"type": "scheduled"}, {"preset": "daily"}),
        ({"type": "scheduled", "preset": "weekly"}, {"preset": "weekly"}),
        (
            {"type": "scheduled", "when": "cron", "cron": "0 8 * * 1", "time_zone": "Europe/Zurich"},
            {"cron": "0 8 * * 1", "time_zone": "Europe/Zurich", "preset": ""},
        ),
        ({"type": "scheduled", "when": "every", "every": "15", "unit": "minutes"}, {"run_every": "PT15M"}),
        ({"type": "webhook"}, {"preset": "", "cron": "", "run_every": ""}),
    ],
    ids=["on demand", "daily", "weekly", "cron", "every", "webhook"],
)
def test_each_type_is_saved_with_its_schedule_or_none(
    shop: Application, given: dict[str, str], schedule: dict[str, str]
) -> None:
    assert send(shop, **given).status_code == 302
    task = Task.objects.get()
    assert task.type == given["type"]
    assert {name: getattr(task.runnable, name) for name in schedule} == schedule


def test_the_presets_are_told_in_both_zones(shop: Application) -> None:
    page = text_of(browser_in(shop).get(at(shop)))
    assert "Daily at 08:00 EST (13:00 UTC)" in page
    assert "Weekly on Tuesday at 03:00 EST (08:00 UTC)" in page


def test_a_new_webhook_task_leads_to_its_url(shop: Application) -> None:
    answer = send(shop, type="webhook")
    assert answer["Location"] == at(shop, "edit", "refresh")
    page = browser_in(shop).get(answer["Location"]).content.decode()
    assert re.search(r'id="hook-url" class="address">http://testserver/hooks/[\w-]{43}<', page)
    assert 'data-copy="#hook-url"' in page


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"name": ""}, "name", "Give the task a name"),
        ({"name": "a/b"}, "tag", "Did you mean a-b?"),
        ({"pattern": ""}, "pattern", "Give a pattern"),
        ({"selection": "tag", "pattern": ""}, "pattern", "Give a tag"),
        ({"selection": "exact"}, "find", "Choose at least one key"),
        ({"selection": "exact", "picked": difference(added=["gone"])}, "find", "There is no key “gone”"),
        ({"type": "scheduled", "when": "cron", "cron": "nonsense"}, "cron", "It needs five fields"),
        ({"type": "scheduled", "when": ""}, "when", "Choose when it runs."),
        ({"type": ""}, "type", ""),
        ({"selection": ""}, "selection", ""),
        ({"pattern": "product-{{ID}}"}, "pattern", "Only a task of the type webhook has {{ID}}"),
        ({"type": "webhook", "pattern": "p-{{ID}}"}, "transform", "asks for ID"),
        ({"type": "webhook", "transform": "return {"}, "transform", ""),
        ({"type": "webhook", "overlap": "skip"}, "overlap", "choose “Let all wait” or “Run beside it”"),
        ({"retry_policy": "incremental", "retries": "x", "retry_step": "10"}, "retries", "whole number"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    shop: Application, given: dict[str, str], field: str, words: str
) -> None:
    answer = send(shop, **given)
    assert answer.status_code == 200
    assert words in wrong(answer)[field]
    assert not Task.objects.exists()


def test_what_is_hidden_by_a_choice_is_not_judged(shop: Application) -> None:
    """Nobody mends what they do not see."""
    hidden = {"cron": "nonsense", "when": "cron", "catch_up_within": "x", "spread": "5", "transform": "return {"}
    assert send(shop, **hidden).status_code == 302
    task = Task.objects.get()
    assert (task.transform, task.runnable.spread_s) == ("", 0)


def test_a_tag_that_is_taken_is_said_beside_the_name(shop: Application) -> None:
    send(shop)
    assert "There is a task with the tag “refresh” already" in wrong(send(shop))["name"]


def test_a_new_one_may_begin_like_another_or_with_a_key(shop: Application, products: list[str]) -> None:
    send(shop, selection="exact", picked=difference(added=products[:2]))
    like = browser_in(shop).get(at(shop), {"from": "refresh"})
    assert like.context["form"].initial["name"] == "refresh copy"
    assert like.context["picked"].listed == products[:2]
    begun = browser_in(shop).get(at(shop), {"key": products[0]})
    assert begun.context["picked"].listed == products[:1]
    assert begun.context["form"].initial["selection"] == "exact"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("key-search", {"selection": "exact", "do": "add-key:\0"}),
        ("key-search", {"selection": "exact", "picked": r'{"removed": ["\u0000", "\ud800"]}'}),
        ("new", {"selection": "exact", "picked": r'{"added": ["\u0000", "\ud800"]}'}),
        ("new", {"selection": "exact", "do": "remove-key:\0"}),
        ("new", {"pattern": "a\0"}),
        ("try-pattern", {"pattern": "a\0"}),
        ("try-webhook", {"pattern": "a\0", "transform": "return {variables: {}}"}),
        ("try-webhook", {"transform": r'return {variables: {a: "\ud800"}}'}),
        ("try-webhook", {"transform": "return {variables: {}}", "sample": "[1e309]"}),
    ],
)
def test_what_no_database_holds_breaks_no_part_of_the_form(
    shop: Application, products: list[str], name: str, given: dict[str, str]
) -> None:
    answer = send(shop, at(shop, name), type="webhook", **given)
    assert answer.status_code == 200
    assert not Task.objects.exists()


def test_the_next_runs_are_shown_before_it_is_saved(shop: Application) -> None:
    page = text_of(part(shop, "preview", "preview", type="scheduled", preset="weekly"))
    assert "Weekly on Tuesday at 03:00 EST (08:00 UTC)" in page
    assert len(re.findall(r"Tue \d+ \w+ 03:00 08:00", page)) == 5


@pytest.mark.parametrize("name", ["new", "preview", "key-search", "try-pattern", "try-webhook"])
def test_who_may_only_look_changes_and_tries_nothing(shop: Application, name: str) -> None:
    assert browser_in(shop, Role.VIEWER).post(at(shop, name), FORM).status_code == 403
    assert not Task.objects.exists()


@pytest.mark.parametrize("name", ["preview", "key-search", "try-pattern", "try-webhook"])
def test_what_is_asked_of_anothers_task_is_not_there(shop: Application, name: str) -> None:
    send(shop)
    theirs = make_application("Charlie's")
    assert browser_in(theirs).post(f"{at(theirs, name)}?task=refresh", FORM).status_code == 404
