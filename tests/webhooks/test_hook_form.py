"""The form of a hook: made and changed, its actions added and taken away, secrets kept, and what is wrong told."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse

from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from tasks.services import create_task
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_event, make_hook, make_job, make_task
from webhooks.action_rows import COLUMNS
from webhooks.actions import ACTIONS
from webhooks.models import Hook, Verification
from webhooks.services import update_hook
from webhooks.verification import SCHEMES

FORM = {
    "name": "orders", "verification": "none", "challenge": "none", "methods": ["POST"], "kilobytes": "1000",
    "repeats": "none", "response": "id", "response_status": "200", "response_type": "text/plain",
    "retry_policy": "incremental", "retries": "3", "retry_step": "10",
}  # fmt: skip


def at(shop: Application, name: str = "new", *args: str) -> str:
    return reverse(f"webhooks:{name}", args=[shop.slug, *args])


def send(shop: Application, to: str = "", **given: Any) -> Any:
    return browser_in(shop).post(to or at(shop), {**FORM, **given})


def change(shop: Application, hook: Hook, **given: Any) -> Any:
    """Send the form of a hook as it is on the page, but for what is given."""
    hook.refresh_from_db()
    return send(shop, at(shop, "edit", hook.tag), **{"seen": hook.updated_at.isoformat(), **given})


@pytest.mark.parametrize(
    ("field", "name"),
    [*(('[name="action_type"]', kind) for kind in ACTIONS), *(("#verification", str(one)) for one in SCHEMES)],
)
def test_every_choice_has_a_rule_that_shows_its_fields(field: str, name: str) -> None:
    style = (settings.BASE_DIR / "static/css/hooks.css").read_text()
    assert re.search(rf':has\({re.escape(field)} \[value="{name}"\]:checked\) (> )?\.with-{name}[,\s]', style)


def rows(*actions: dict[str, str]) -> dict[str, Any]:
    """Actions as their rows send them."""
    return {f"action_{column}": [action.get(column, "") for action in actions] for column in COLUMNS}


def wrong(answer: Any) -> dict[str, str]:
    return {name: str(errors[0]) for name, errors in answer.context["form"].errors.items()}


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


# Made.


def test_a_new_hook_is_made_and_its_page_shown(shop: Application) -> None:
    answer = send(shop, name="Orders", tag="orders")
    assert answer["Location"] == at(shop, "hook", "orders")
    hook = Hook.objects.get()
    assert (hook.name, hook.tag, hook.verification, hook.max_bytes, hook.rate) == (
        "Orders",
        "orders",
        "none",
        10**6,
        None,
    )
    assert len(hook.secret) == 43
    assert AuditEntry.objects.get().action == "hook.create"


WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
# What each verification asks for, by the names of the form.
SETTINGS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "none": ({}, {}),
    "standard": ({"standard_secret": WHSEC}, {"secret": WHSEC}),
    "github": ({"github_secret": "s", "github_previous_secret": "t"}, {"secret": "s", "previous_secret": "t"}),
    "gitlab": ({"gitlab_secret": "s"}, {"secret": "s"}),
    "stripe": ({"stripe_secret": "whsec_s", "stripe_tolerance_s": "60"}, {"secret": "whsec_s", "tolerance_s": 60}),
    "shopify": ({"shopify_secret": "s"}, {"secret": "s"}),
    "slack": ({"slack_secret": "s"}, {"secret": "s"}),
    "hmac": (
        {"hmac_secret": "s", "hmac_header": "X-Sign", "hmac_algorithm": "sha512", "hmac_prefix": "v1="},
        {"secret": "s", "header": "X-Sign", "algorithm": "sha512", "prefix": "v1="},
    ),
    "basic": ({"basic_username": "u", "basic_secret": "s"}, {"username": "u", "secret": "s"}),
    "bearer": ({"bearer_secret": "s"}, {"secret": "s"}),
    "addresses": (
        {"addresses_addresses": "192.0.2.0/24\r\n2001:db8::1"},
        {"addresses": ["192.0.2.0/24", "2001:db8::1"]},
    ),
}  # fmt: skip


def test_every_verification_is_tried_here() -> None:
    assert sorted(SETTINGS) == sorted(Verification.values)


@pytest.mark.parametrize("scheme", sorted(SETTINGS))
def test_a_hook_is_made_with_each_verification(shop: Application, scheme: str) -> None:
    typed, settings = SETTINGS[scheme]
    answer = send(shop, verification=scheme, **typed)
    assert answer.status_code == 302, wrong(answer)
    hook = Hook.objects.get()
    assert hook.verification == scheme
    assert settings.items() <= hook.settings.items()


@pytest.mark.parametrize("scheme", sorted(set(SETTINGS) - {"none"}))
def test_what_a_verification_needs_is_asked_for_beside_its_field(shop: Application, scheme: str) -> None:
    answer = send(shop, verification=scheme)
    field = "addresses_addresses" if scheme == "addresses" else f"{scheme}_secret"
    assert field in wrong(answer)
    assert f'id="{field}_error"' in answer.content.decode()
    assert not Hook.objects.exists()


def test_the_settings_of_other_verifications_are_not_told(shop: Application) -> None:
    send(shop, verification="github", github_secret="s", stripe_secret="t", hmac_header="X-Sign")
    assert Hook.objects.get().settings == {"secret": "s"}


def test_a_hook_has_what_was_chosen_for_it(shop: Application) -> None:
    answer = send(
        shop, methods=["POST", "GET"], kilobytes="2,500.5", rate="5", challenge="hub", verify_token="mine",
        repeats="header", repeats_header="X-Event", window="2", window_unit="hours", response="fixed",
        response_status="201", response_type="application/json", response_body='{"ok":\r\n1}', retries="7",
    )  # fmt: skip
    assert answer.status_code == 302, wrong(answer)
    hook = Hook.objects.get()
    stored = {
        "methods": ["POST", "GET"], "max_bytes": 2_500_500, "rate": 5, "challenge": "hub", "repeats": "header",
        "repeats_header": "X-Event", "repeats_window_s": 7200, "response": "fixed", "response_status": 201,
        "response_type": "application/json", "response_body": '{"ok":\n1}', "settings": {"verify_token": "mine"},
    }  # fmt: skip
    assert {name: getattr(hook, name) for name in stored} == stored
    assert hook.runnable.retries == 7


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"name": ""}, "name", "Give the webhook a name"),
        ({"name": "a/b"}, "tag", "Did you mean a-b?"),
        ({"tag": "task:mine"}, "tag", "is of the webhook of a task"),
        ({"kilobytes": "many"}, "kilobytes", "Give a number of kilobytes"),
        ({"kilobytes": "6000"}, "kilobytes", "5,000 at most"),
        ({"kilobytes": "0"}, "kilobytes", "5,000 at most"),
        ({"kilobytes": "Infinity"}, "kilobytes", "Give a number of kilobytes"),
        ({"kilobytes": "1e999000"}, "kilobytes", "Give a number of kilobytes"),
        ({"kilobytes": "1e999999"}, "kilobytes", "Give a number of kilobytes"),
        ({"kilobytes": "1.2.3"}, "kilobytes", "Give a number of kilobytes"),
        ({"rate": "x"}, "rate", ""),
        ({"methods": []}, "methods", "at least one of"),
        ({"methods": ["BREW"]}, "methods", "BREW"),
        ({"verification": "magic"}, "verification", "magic"),
        ({"challenge": "magic"}, "challenge", "magic"),
        ({"repeats": "header"}, "repeats_header", "Name the header"),
        ({"repeats": "body", "window": "soon"}, "window", "Give a number"),
        ({"repeats": "body", "window": "9999"}, "window", "168 hours at most"),
        ({"response": "fixed", "response_status": "500"}, "response_status", "299"),
        ({"response": "fixed", "response_type": "text/html"}, "response_type", "text/html"),
        ({"response": "fixed", "response_status": "204", "response_body": "x"}, "response_body", "has no body"),
        ({"retries": "x"}, "retries", "whole number"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_field(
    shop: Application, given: dict[str, Any], field: str, words: str
) -> None:
    answer = send(shop, **{"window": "24", "window_unit": "hours", **given})
    assert answer.status_code == 200
    assert words in wrong(answer)[field]
    assert list(wrong(answer)) == [field]
    assert not Hook.objects.exists()


def test_a_tag_that_is_taken_is_told(shop: Application) -> None:
    make_hook(shop, "orders")
    assert "There is a webhook with the tag “orders” already" in wrong(send(shop))["name"]


# What it does.


def test_actions_of_every_type_are_stored_in_their_order(shop: Application) -> None:
    make_task(shop, "refresh")
    make_event(shop, "low-stock")
    make_job(shop, "report")
    answer = send(
        shop,
        **rows(
            {"type": "sync", "sync_task": "refresh"},
            {"type": "job", "name": "tell", "job_job": "report", "job_input": "nothing"},
            {"type": "event", "event_event": "low-stock", "event_input": "variables"},
            {"type": "value", "value_key": "product-{{ID}}"},
        ),
    )
    assert answer.status_code == 302, wrong(answer)
    assert Hook.objects.get().actions == [
        {"name": "refresh", "type": "sync", "task": "refresh"},
        {"name": "tell", "type": "job", "job": "report", "input": "nothing"},
        {"name": "low-stock", "type": "event", "event": "low-stock", "input": "variables"},
        {"name": "product-{{ID}}", "type": "value", "key": "product-{{ID}}"},
    ]


def test_actions_without_a_name_are_called_as_their_targets_each_otherwise(shop: Application) -> None:
    make_job(shop, "report")
    job = {"type": "job", "job_job": "report", "job_input": "nothing"}
    send(shop, **rows(job, job, {**job, "name": "report 3"}, job))
    assert [action["name"] for action in Hook.objects.get().actions] == ["report", "report 2", "report 3", "report 4"]


def test_an_empty_row_says_nothing(shop: Application) -> None:
    assert send(shop, **rows({}, {})).status_code == 302
    assert Hook.objects.get().actions == []


def test_only_the_fields_of_the_chosen_type_are_told(shop: Application) -> None:
    make_job(shop, "report")
    job = {"type": "job", "job_job": "report", "job_input": "nothing", "event_event": "x", "value_key": "y"}
    send(shop, **rows(job))
    assert Hook.objects.get().actions == [{"name": "report", "type": "job", "job": "report", "input": "nothing"}]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"name": "tell"}, "Choose what is done"),
        ({"type": "job", "job_job": "gone"}, "There is no job with the tag “gone”"),
        ({"type": "sync"}, "Give the task, or remove the row."),
        ({"type": "value", "name": "x"}, "Give the key, or remove the row."),
        ({"type": "value", "value_key": "{{"}, ""),
        ({"type": "event", "event_event": "theirs"}, "There is no event with the tag “theirs”"),
    ],
)
def test_what_is_wrong_with_an_action_stands_beside_its_row(
    shop: Application, action: dict[str, str], words: str
) -> None:
    make_event(make_application("Charlie's"), "theirs")
    make_job(shop, "report")
    good = {"type": "job", "job_job": "report", "job_input": "nothing"}
    answer = send(shop, **rows({}, good, action))
    form = answer.context["form"]
    [(number, said)] = form.row_errors["actions"].items()
    assert number == 3
    assert words in said
    assert ("action_name_3", "Action 3") in form.wrong()
    assert 'id="action_error_3"' in answer.content.decode()
    assert not Hook.objects.exists()


def test_all_that_is_wrong_is_told_at_once_in_its_order(shop: Application) -> None:
    answer = send(shop, name="", verification="github", kilobytes="x", **rows({"type": "sync"}, {"name": "a"}))
    labels = [label for _, label in answer.context["form"].wrong()]
    assert labels == ["Name", "Action 1", "Action 2", "Secret", "Body at most"]


def test_a_row_is_added_and_taken_away_without_scripts(shop: Application) -> None:
    make_job(shop, "report")
    good = {"type": "job", "job_job": "report", "job_input": "nothing", "name": "tell"}
    answer = send(shop, do="add-action", **rows(good))
    assert [row.name for row in answer.context["form"].action_rows] == ["tell", ""]
    assert 'id="action_name_2" name="action_type"' in answer.content.decode()
    answer = send(
        shop, do="remove-action:1", github_secret="typed", verification="github", **rows(good, {"type": "value"})
    )
    form = answer.context["form"]
    assert [row.type for row in form.action_rows] == ["value"]
    assert form["github_secret"].value() == "typed"
    assert not Hook.objects.exists()


def test_targets_that_there_are_are_offered(shop: Application) -> None:
    make_job(shop, "report", name="The report")
    make_job(make_application("Charlie's"), "theirs")
    page = browser_in(shop).get(at(shop)).content.decode()
    assert '<option value="report">The report</option>' in page
    assert "theirs" not in page


# Changed.


def test_an_unchanged_form_changes_nothing(shop: Application) -> None:
    make_job(shop, "report")
    fields: dict[str, Any] = {
        "verification": "hmac", "settings": {"secret": "it is a secret", "header": "X-Sign"}, "rate": 5,
        "max_bytes": 1234, "methods": ["POST", "PUT"], "repeats": "body", "repeats_window_s": 90,
        "actions": [{"name": "tell", "type": "job", "job": "report", "input": "nothing"}],
    }  # fmt: skip
    hook = make_hook(shop, "orders", **fields)
    hook = update_hook(hook=hook, by=OPERATOR, now=NOW, settings={**fields["settings"]})
    AuditEntry.objects.all().delete()
    form = browser_in(shop).get(at(shop, "edit", "orders")).context["form"]
    begun = {name: value for name, value in form.initial.items() if name in form.fields and value not in (None, "")}
    begun |= rows(dict(zip(COLUMNS, begun.pop("actions")[0], strict=True)))
    assert change(shop, hook, **begun).status_code == 302
    after = Hook.objects.get()
    assert {name: getattr(after, name) for name in fields if name != "settings"} == {
        name: value for name, value in fields.items() if name != "settings"
    }
    assert after.settings == hook.settings
    assert not AuditEntry.objects.exists()


def test_secrets_are_stars_and_stars_keep_what_is_stored(shop: Application) -> None:
    hook = make_hook(shop, "orders", verification="github", settings={"secret": "it is a secret"})
    page = browser_in(shop).get(at(shop, "edit", "orders")).content.decode()
    assert "it is a secret" not in page
    assert "********" in page
    change(shop, hook, verification="github", github_secret="********", name="Orders")
    assert Hook.objects.get().settings == {"secret": "it is a secret"}
    assert Hook.objects.get().name == "Orders"


def test_stars_are_no_secret_of_another_verification(shop: Application) -> None:
    hook = make_hook(shop, "orders", verification="github", settings={"secret": "it is a secret"})
    answer = change(shop, hook, verification="stripe", stripe_secret="********")
    assert "there is none" in wrong(answer)["stripe_secret"]
    assert Hook.objects.get().settings == {"secret": "it is a secret"}


def test_a_transform_stays_as_it_is(shop: Application) -> None:
    hook = make_hook(shop, "orders", transform="return {variables: {}}", transform_version=3)
    change(shop, hook, name="Orders")
    after = Hook.objects.get()
    assert (after.name, after.transform, after.transform_version) == ("Orders", "return {variables: {}}", 3)


def test_an_action_whose_target_is_gone_says_so_and_is_not_saved_again(shop: Application) -> None:
    make_job(shop, "there")
    actions = [{"name": name, "type": "job", "job": name, "input": "nothing"} for name in ("there", "gone")]
    hook = make_hook(shop, "orders", actions=actions)
    opened = browser_in(shop).get(at(shop, "edit", "orders"))
    assert [row.error for row in opened.context["form"].action_rows] == [
        "",
        "There is no job “gone” any more, so that this action fails: choose another, or remove the row.",
    ]
    given = [{"name": name, "type": "job", "job_job": name, "job_input": "nothing"} for name in ("there", "gone")]
    answer = change(shop, hook, name="Renamed", **rows(*given))
    assert "There is no job with the tag “gone” in this application." in text_of(answer)
    assert Hook.objects.get().name == hook.name
    assert change(shop, hook, **rows(given[0])).status_code == 302


def test_who_opened_the_form_before_somebody_else_changed_it_is_told_once(shop: Application) -> None:
    hook = make_hook(shop, "orders")
    answer = send(shop, at(shop, "edit", "orders"), seen="earlier", name="mine")
    assert "Somebody else changed this" in text_of(answer)
    hook.refresh_from_db()
    seen = re.search(r'name="seen" value="([^"]+)"', answer.content.decode())
    assert seen
    assert send(shop, at(shop, "edit", "orders"), seen=seen[1], name="mine").status_code == 302
    assert Hook.objects.get().name == "mine"


def test_that_somebody_changed_it_meanwhile_is_not_forgotten_over_another_mistake(shop: Application) -> None:
    make_hook(shop, "orders")
    answer = send(shop, at(shop, "edit", "orders"), seen="earlier", response="fixed", response_status="1000")
    assert answer.context["form"].errors
    assert answer.context["seen"] == "earlier"


def test_of_the_hook_of_a_task_the_form_has_what_is_its_own(shop: Application) -> None:
    task = create_task(
        application=shop, tag="refresh", by=OPERATOR, now=NOW, type="webhook", selection="contains", pattern="product",
        transform="return {variables: {}}",
    )  # fmt: skip
    hook = Hook.objects.get(task=task)
    page = browser_in(shop).get(at(shop, "edit", hook.tag)).content.decode()
    assert "It belongs to the task" in page
    assert 'name="action_type"' not in page.partition("<template")[0]
    assert 'name="name"' not in page
    answer = change(shop, hook, verification="github", github_secret="s", name="another")
    assert answer.status_code == 302, wrong(answer)
    hook.refresh_from_db()
    assert (hook.verification, hook.name, hook.transform) == ("github", "refresh", "return {variables: {}}")


def test_a_hook_of_another_application_is_not_changed(shop: Application) -> None:
    make_hook(make_application("Charlie's"), "orders")
    assert send(shop, at(shop, "edit", "orders")).status_code == 404


def test_who_may_only_look_makes_none(shop: Application) -> None:
    assert browser_in(shop, Role.VIEWER).get(at(shop)).status_code == 403
    assert browser_in(shop, Role.VIEWER).post(at(shop), FORM).status_code == 403
    assert not Hook.objects.exists()
