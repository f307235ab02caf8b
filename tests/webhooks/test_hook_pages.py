"""The list of hooks and the page of one: what they show, to whom, what can be done there, and what it costs."""

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.models import Run, State
from badgerjobs.web.definitions import list_pages
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, Role
from tasks.services import create_task
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_delivery, make_hook, make_job
from tests.tasks.background.defined import define
from webhooks.actions import ACTIONS
from webhooks.models import Delivery, Hook, Standing
from webhooks.page import HookPage


def at(shop: Application, name: str = "list", *args: str) -> str:
    return reverse(f"webhooks:{name}", args=[shop.slug, *args])


def look(shop: Application, name: str = "list", *args: str, role: Role = Role.OWNER, **query: Any) -> Any:
    return browser_in(shop, role).get(at(shop, name, *args), query)


def part(shop: Application, target: str, tag: str = "orders", **headers: str) -> Any:
    """What htmx is given for a part of the page of a hook."""
    return browser_in(shop).get(at(shop, "hook", tag), headers={"HX-Request": "true", "HX-Target": target, **headers})


def press(shop: Application, name: str, role: Role = Role.OWNER, tag: str = "orders", **given: Any) -> Any:
    return browser_in(shop, role).post(at(shop, name, tag), given, follow=True)


def text_of(answer: Any) -> str:
    """What a person reads of it, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)] or [
        str(one) for one in answer.context["messages"]
    ]


def shown(shop: Application, **query: Any) -> list[str]:
    """The tags of the rows, in their order."""
    return re.findall(r'id="hook-([^"]+)"', look(shop, **query).content.decode())


def queries(shop: Application, name: str = "list", *args: str) -> int:
    browser, to = browser_in(shop), at(shop, name, *args)
    browser.get(to)
    with CaptureQueriesContext(connection) as caught:
        assert browser.get(to).status_code == 200
    return len(caught)


# The list.


def test_a_row_says_whom_it_believes_what_it_does_and_what_came(shop: Application) -> None:
    make_job(shop, "report")
    actions = [{"name": f"a{number}", "type": "job", "job": "report", "input": "nothing"} for number in range(4)]
    hook = make_hook(shop, "orders", name="Orders", verification="github", actions=actions)
    make_delivery(hook, State.SUCCEEDED)
    make_delivery(hook, standing=Standing.REFUSED, reason="No.")
    page = look(shop)
    assert (
        f"Orders /hooks/…{hook.secret[-4:]} enabled GitHub Run a job: report Run a job: report and 2 more"
        in text_of(page)
    )
    assert 'aria-label="Last 2 deliveries: 1 succeeded, 1 refused"' in page.content.decode()


def test_a_hook_that_nobody_called_says_so(shop: Application) -> None:
    make_hook(shop, "orders")
    assert "enabled anybody who knows its URL only stores what comes never called" in text_of(look(shop))


@pytest.mark.parametrize("role", [Role.OWNER, Role.VIEWER])
def test_no_list_shows_an_address(shop: Application, role: Role) -> None:
    hook = make_hook(shop, "orders")
    assert hook.secret not in look(shop, role=role).content.decode()


@pytest.mark.parametrize(
    ("query", "tags"),
    [
        ({}, ["off", "orders", "payments"]),
        ({"state": "paused"}, ["off"]),
        ({"state": "enabled"}, ["orders", "payments"]),
        ({"verification": "stripe"}, ["payments"]),
        ({"q": "ORD"}, ["orders"]),
        ({"q": "%"}, []),
        ({"state": "nonsense", "verification": "nonsense"}, ["off", "orders", "payments"]),
    ],
)
def test_a_filter_shows_what_matches(shop: Application, query: dict[str, str], tags: list[str]) -> None:
    make_hook(shop, "orders")
    make_hook(shop, "payments", verification="stripe")
    make_hook(shop, "off", runnable={"enabled": False})
    make_hook(make_application("Charlie's"), "orders-of-charlie")
    assert shown(shop, **query) == tags


def test_an_empty_list_says_what_to_do_next(shop: Application) -> None:
    assert "Make the first webhook" in text_of(look(shop))
    assert "somebody with the role “editor”" in text_of(look(shop, role=Role.VIEWER))
    make_hook(shop)
    assert "No webhook matches" in text_of(look(shop, q="nothing"))


def test_a_long_list_has_pages(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_pages, "ROWS", 2)
    for number in range(3):
        make_hook(shop, f"hook-{number}")
    cursor = re.search(r"cursor=([^\"&]+)\" rel=\"next\"", look(shop).content.decode())
    assert cursor
    assert shown(shop, cursor=cursor[1]) == ["hook-2"]


def test_a_list_costs_the_same_for_many_hooks(shop: Application) -> None:
    make_delivery(make_hook(shop, "one"), State.SUCCEEDED)
    before = queries(shop)
    for number in range(9):
        hook = make_hook(shop, f"hook-{number}", actions=[{"name": "a", "type": "value", "key": "a"}])
        for _ in range(3):
            make_delivery(hook, State.SUCCEEDED)
    assert queries(shop) == before


# The page.


def test_who_may_change_a_hook_sees_its_url_and_a_call(shop: Application) -> None:
    hook = make_hook(shop, "orders", verification="github", settings={"secret": "it is a secret"})
    page = look(shop, "hook", "orders").content.decode()
    assert f'<code id="url">http://testserver/hooks/{hook.secret}</code>' in page
    assert 'data-copy="#url"' in page
    assert "X-Hub-Signature-256: sha256=$signature" in page
    assert "it is a secret" not in page


def test_who_may_only_look_sees_neither_the_url_nor_a_button(shop: Application) -> None:
    hook = make_hook(shop, "orders")
    page = look(shop, "hook", "orders", role=Role.VIEWER).content.decode()
    assert hook.secret not in page
    assert "somebody with the role “editor” can show it" in page
    for word in ("Pause…", "Rotate", "Delete…", "edit/"):
        assert word not in page


def test_a_hook_of_another_application_is_not_there(shop: Application) -> None:
    make_hook(make_application("Charlie's"), "orders")
    assert look(shop, "hook", "orders").status_code == 404


def test_a_page_waits_for_the_first_call_until_it_comes(shop: Application) -> None:
    hook = make_hook(shop, "orders")
    assert "Waiting for the first call…" in look(shop, "hook", "orders").content.decode()
    waiting = part(shop, "first-call").content.decode()
    assert 'hx-trigger="every 2s"' in waiting
    delivery = make_delivery(hook, State.SUCCEEDED)
    arrived = part(shop, "first-call").content.decode()
    assert '<span class="state arrived">The first call has come: succeeded</span>' in arrived
    assert at(shop, "delivery", str(delivery.pk)) in arrived
    assert "every 2s" not in arrived
    assert "first-call" not in look(shop, "hook", "orders").content.decode()


@pytest.mark.parametrize(
    ("fields", "look_of", "reason"),
    [
        ({"standing": Standing.REFUSED, "reason": "The signature is not ours."}, "refused word", "not ours"),
        ({"state": State.FAILED}, "failed word", "The transform failed: no."),
        ({"standing": Standing.HELD}, "held", "waits until its webhook is resumed"),
    ],
    ids=["refused", "failed", "held"],
)
def test_a_first_call_that_came_to_nothing_is_not_green(
    shop: Application, fields: dict[str, Any], look_of: str, reason: str
) -> None:
    delivery = make_delivery(make_hook(shop, "orders"), **fields)
    Run.objects.filter(pk=delivery.pk).update(error="The transform failed: no.")
    arrived = part(shop, "first-call").content.decode()
    assert f'<span class="state {look_of}">The first call has come' in arrived
    assert reason in arrived
    assert "arrived" not in arrived


def test_a_page_looks_on_after_a_call_that_came_to_nothing_until_one_is_good(shop: Application) -> None:
    hook = make_hook(shop, "orders")
    for reason in ("The signature is missing.", "The signature is not ours."):
        make_delivery(hook, standing=Standing.REFUSED, reason=reason)
    refused = part(shop, "first-call").content.decode()
    assert "The last call that came: refused" in refused
    assert "not ours" in refused
    assert 'hx-trigger="every 2s"' in refused
    good = make_delivery(hook, State.SUCCEEDED)
    make_delivery(hook, standing=Standing.REFUSED, reason="The signature is missing.")
    arrived = part(shop, "first-call").content.decode()
    assert '<span class="state arrived">The first good call has come: succeeded</span>' in arrived
    assert at(shop, "delivery", str(good.pk)) in arrived
    assert "every 2s" not in arrived


def test_of_two_calls_that_came_at_once_the_first_is_called_so(shop: Application) -> None:
    hook = make_hook(shop, "orders")
    first, _ = (make_delivery(hook, state) for state in (State.SUCCEEDED, State.FAILED))
    arrived = part(shop, "first-call").content.decode()
    assert "The first call has come: succeeded" in arrived
    assert at(shop, "delivery", str(first.pk)) in arrived


def test_a_page_looks_on_while_its_first_call_is_worked_on(shop: Application) -> None:
    make_delivery(make_hook(shop, "orders"), State.RUNNING)
    waiting = part(shop, "first-call").content.decode()
    assert "arrived" not in waiting
    assert 'hx-trigger="every 2s"' in waiting


def test_a_transform_without_actions_is_not_told_as_storing_only(shop: Application) -> None:
    make_hook(shop, "orders", transform="return null")
    assert "a transform, and no action" in text_of(look(shop))
    page = text_of(look(shop, "hook", "orders"))
    assert "No action: the transform is run" in page
    assert "it is stored, and can be looked at" not in page


def test_what_came_is_listed_the_newest_first_and_counted(shop: Application) -> None:
    hook = make_hook(shop, "orders")
    make_delivery(hook, State.SUCCEEDED)
    make_delivery(hook, State.FAILED)
    last = make_delivery(hook, standing=Standing.REFUSED, reason="The signature is not ours.")
    page = part(shop, "deliveries")
    places = [page.content.decode().index(str(one.pk)) for one in Delivery.objects.order_by("-pk")]
    assert places == sorted(places)
    assert "All 3 succeeded 1 failed 1 refused 1" in text_of(page)
    assert "The signature is not ours." in text_of(page)
    assert "?hook=orders&amp;state=refused" in page.content.decode()
    assert at(shop, "delivery", str(last.pk)) in page.content.decode()


def test_the_other_parts_are_renewed_only_when_something_moved(shop: Application) -> None:
    hook = make_hook(shop, "orders")
    page = part(shop, "deliveries")
    assert page["HX-Trigger"] == "moved"
    seen = re.search(r'X-Seen": "([^"]*)"', page.content.decode())
    assert seen
    mark = seen[1].encode().decode("unicode_escape")
    assert "HX-Trigger" not in part(shop, "deliveries", **{"X-Seen": mark})
    make_delivery(hook, State.SUCCEEDED)
    assert part(shop, "deliveries", **{"X-Seen": mark})["HX-Trigger"] == "moved"


def test_actions_lead_to_what_they_act_upon(shop: Application) -> None:
    make_job(shop, "report")
    make_hook(
        shop,
        "orders",
        actions=[
            {"name": "tell", "type": "job", "job": "report", "input": "nothing"},
            {"name": "set", "type": "value", "key": "product-{{ID}}"},
        ],
    )
    page = look(shop, "hook", "orders")
    assert f'<a href="{reverse("jobs:job", args=[shop.slug, "report"])}">report</a>' in page.content.decode()
    assert "Set a cache key: product-{{ID}} as set" in text_of(page)


@pytest.mark.usefixtures("registry")
def test_an_action_whose_target_was_deleted_says_so_at_the_cost_of_one_query(shop: Application) -> None:
    define()
    make_job(shop, "there")
    named = [
        {"type": "job", "job": "there"}, {"type": "job", "job": "lost"}, {"type": "sync", "task": "lost"},
        {"type": "event", "event": "lost"}, {"type": "async_job", "async_job": "lost"},
        {"type": "background_task", "definition": "syncArticles"}, {"type": "background_task", "definition": "lost"},
        {"type": "value", "key": "lost"}, {"type": "value", "key": "product-{{ID}}"},
    ]  # fmt: skip
    actions = [{"name": f"a{place}", **one} for place, one in enumerate(named)]
    hook = make_hook(shop, "orders", actions=actions)
    assert {one["type"] for one in named} == set(ACTIONS)
    with CaptureQueriesContext(connection) as counted:
        lines = HookPage(hook, NOW).actions
    assert [line.target for line in lines if not line.is_gone] == ["there", "syncArticles", "product-{{ID}}"]
    assert len(counted) == 1
    page = look(shop, "hook", "orders").content.decode()
    assert page.count("is gone") == 6
    assert "/jobs/lost/" not in page


def test_the_settings_are_told_in_words_and_secrets_as_stars(shop: Application) -> None:
    make_hook(
        shop, "orders", verification="hmac", rate=5, max_bytes=2_500_000, methods=["POST", "PUT"],
        settings={"secret": "it is a secret", "header": "X-Sign", "algorithm": "sha512", "tolerance_s": 60},
        repeats="header", repeats_header="X-Event", repeats_window_s=7200, response="fixed", response_body="thanks",
        challenge="echo",
    )  # fmt: skip
    page = text_of(look(shop, "hook", "orders", role=Role.VIEWER))
    for line in (
        "Believes HMAC signature Secret ******** Header X-Sign Algorithm SHA-512 Clocks may differ by 60 s",
        "Takes POST, PUT, up to 2.5 MB, 5 calls a second at most",
        "Answers 200, text/plain, 6 bytes",
        "Challenge challenge (Dropbox)",
        "Repeats known by X-Event, for 2 hours",
    ):
        assert line in page
    assert "it is a secret" not in page


def test_the_hook_of_a_task_names_it_and_cannot_be_deleted_here(shop: Application) -> None:
    task = create_task(
        application=shop, tag="refresh", by=OPERATOR, now=timezone.now(), type="webhook", selection="contains",
        pattern="product",
    )  # fmt: skip
    tag = Hook.objects.get(task=task).tag
    page = look(shop, "hook", tag)
    assert "then runs the task refresh." in text_of(page)
    assert "Delete…" not in page.content.decode()
    assert at(shop, "transform", tag) in page.content.decode()
    press(shop, "delete", tag=tag)
    assert Hook.objects.filter(task=task).exists()


def test_a_page_costs_the_same_for_many_deliveries(shop: Application) -> None:
    hook = make_hook(shop, "orders", actions=[{"name": "a", "type": "value", "key": "a"}])
    make_delivery(hook, State.SUCCEEDED)
    before = queries(shop, "hook", "orders")
    for _ in range(9):
        make_delivery(hook, State.SUCCEEDED)
    assert queries(shop, "hook", "orders") == before


# What can be done there.


def test_a_hook_is_paused_with_its_reason_and_resumed(
    shop: Application, django_capture_on_commit_callbacks: Any
) -> None:
    hook = make_hook(shop, "orders")
    assert "stored and answered as always" in text_of(look(shop, "pause", "orders"))
    page = text_of(press(shop, "pause", reason="the shop moves house"))
    assert "Paused by alice@example.com" in page
    assert "the shop moves house" in page
    hook.runnable.refresh_from_db()
    assert not hook.runnable.enabled
    held = make_delivery(hook, standing=Standing.HELD)
    with django_capture_on_commit_callbacks(execute=True):
        page = text_of(press(shop, "resume"))
    assert "What was held is acted upon" in page
    held.refresh_from_db()
    assert held.standing == Standing.ACCEPTED


def test_a_hook_that_is_paused_already_stays_as_it_is(shop: Application) -> None:
    make_hook(shop, "orders", runnable={"enabled": False, "pause_reason": "first"})
    page = text_of(press(shop, "pause", reason="second"))
    assert "It was paused already" in page
    assert "first" in page


@pytest.mark.parametrize(
    ("overlap", "works", "words"),
    [("3600", True, "works for a while yet"), ("0", False, "leads nowhere any more")],
)
def test_a_url_is_rotated_with_the_overlap_that_was_chosen(
    shop: Application, overlap: str, works: bool, words: str
) -> None:
    hook = make_hook(shop, "orders")
    assert "goes on working" in text_of(look(shop, "rotate", "orders"))
    page = press(shop, "rotate", overlap=overlap)
    assert words in text_of(page)
    after = Hook.objects.get()
    assert after.digest != hook.digest
    assert (after.previous_digest == hook.digest) is works
    assert ("The URL before this one works too, until" in text_of(page)) is works


@pytest.mark.parametrize("overlap", ["", "nonsense", "1"])
def test_an_overlap_that_is_none_of_the_choices_rotates_nothing(shop: Application, overlap: str) -> None:
    hook = make_hook(shop, "orders")
    press(shop, "rotate", overlap=overlap)
    assert Hook.objects.get().digest == hook.digest


def test_a_hook_is_deleted_after_it_was_asked_with_the_count_of_what_goes(shop: Application) -> None:
    hook = make_hook(shop, "orders")
    make_delivery(hook, State.SUCCEEDED)
    make_delivery(hook, State.QUEUED)
    question = text_of(look(shop, "delete", "orders"))
    assert "What waits or runs is aborted: 1 delivery. With it go 2 deliveries" in question
    assert Hook.objects.exists()
    assert "orders is deleted" in text_of(press(shop, "delete"))
    assert not Hook.objects.exists()


@pytest.mark.parametrize("name", ["pause", "resume", "rotate", "delete", "edit"])
def test_who_may_only_look_changes_nothing(shop: Application, name: str) -> None:
    hook = make_hook(shop, "orders")
    assert press(shop, name, Role.VIEWER).status_code == 403
    after = Hook.objects.get()
    assert (after.digest, after.runnable.enabled) == (hook.digest, True)
