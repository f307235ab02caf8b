"""The form of a task: made and changed, its keys searched and chosen, its pattern and its transform tried."""

import json
import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.lib.javascript import Error, Result
from badgerjobs.runs.models import Run, Runnable
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, Role
from tasks import picking
from tasks.models import CacheKey, Task
from tasks.pattern_matches import goes_on
from tasks.services import create_task, pause_task
from tasks.trials import NO_ROOM
from tests.callers import caller_for
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_key, make_source

FORM = {
    "name": "refresh", "type": "on_demand", "selection": "contains", "pattern": "product", "enabled": "on",
    "when": "preset", "preset": "daily", "time_zone": "UTC",
}  # fmt: skip


@pytest.fixture
def keys(shop: Application) -> list[str]:
    """`product-1` to `product-12`, in the order of their names."""
    source = make_source(shop)
    return sorted(make_key(source, f"product-{number}").name for number in range(1, 13))


def at(shop: Application, name: str = "new", *args: str) -> str:
    return reverse(f"tasks:{name}", args=[shop.slug, *args])


def send(shop: Application, to: str = "", headers: Any = None, **given: Any) -> Any:
    return browser_in(shop).post(to or at(shop), {**FORM, **given}, headers=headers or {})


def part(shop: Application, name: str, target: str, **given: Any) -> Any:
    """What htmx is given for a part of the form."""
    answer = send(shop, at(shop, name), {"HX-Request": "true", "HX-Target": target}, **given)
    assert answer.templates[0].name == f"tasks/edit/{target}.html"
    return answer


def text_of(answer: Any) -> str:
    """What a person reads of it, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def wrong(answer: Any) -> dict[str, str]:
    return {name: str(errors[0]) for name, errors in answer.context["form"].errors.items()}


def named(task: Task) -> list[str]:
    return list(task.keys.order_by("name").values_list("name", flat=True))


def difference(**told: Any) -> str:
    return json.dumps(told)


# Made.


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
        ({"pattern": "product-{{ID}}"}, "pattern", "Only a webhook fills in {{ID}}"),
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


def test_a_new_one_may_begin_like_another_or_with_a_key(shop: Application, keys: list[str]) -> None:
    send(shop, selection="exact", picked=difference(added=keys[:2]))
    like = browser_in(shop).get(at(shop), {"from": "refresh"})
    assert like.context["form"].initial["name"] == "refresh copy"
    assert like.context["picked"].listed == keys[:2]
    begun = browser_in(shop).get(at(shop), {"key": keys[0]})
    assert begun.context["picked"].listed == keys[:1]
    assert begun.context["form"].initial["selection"] == "exact"


# Changed.


def stored() -> list[dict[str, Any]]:
    """The task and its runnable, but for when they were written."""
    rows: list[Any] = [Task.objects.values().get(), Runnable.objects.values().get()]
    return [{name: row[name] for name in row if name not in {"updated_at", "planned_at"}} for row in rows]


def opened(shop: Application, tag: str = "refresh") -> dict[str, Any]:
    """What the form sends that nobody has touched."""
    context = browser_in(shop).get(at(shop, "edit", tag)).context
    given = {name: value for name, value in context["form"].initial.items() if value not in (None, False)}
    return {**{name: "on" if value is True else value for name, value in given.items()}, "seen": context["seen"]}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"type": "scheduled", "cron": "0 8 * * 1", "time_zone": "Europe/Zurich", "spread_s": 60, "max_runs": 9},
        {"type": "webhook", "pattern": "p-{{ID}}", "transform": "return {\n  variables: {ID: 1}\n}"},
        {"enabled": False, "selection": "tag"},
        {"overlap": "allow", "priority": 7},
    ],
    ids=["on demand", "scheduled", "webhook", "paused", "policies"],
)
def test_a_form_that_nobody_touched_changes_nothing(shop: Application, fields: dict[str, Any]) -> None:
    given = {"type": "on_demand", "selection": "contains", "pattern": "product", **fields}
    create_task(application=shop, tag="refresh", by=OPERATOR, now=timezone.now(), **given)
    before = stored()
    form = opened(shop)
    form["transform"] = form["transform"].replace("\n", "\r\n")  # as browsers send it
    answer = browser_in(shop).post(at(shop, "edit", "refresh"), form)
    assert answer.status_code == 302, wrong(answer)
    assert stored() == before


def test_its_type_is_changed_and_what_that_has_no_use_for_goes(shop: Application) -> None:
    send(shop, type="webhook", transform="return {variables: {}}", pattern="p")
    edit = at(shop, "edit", "refresh")
    answer = browser_in(shop).post(edit, {**opened(shop), "type": "scheduled", "preset": "hourly"})
    assert answer.status_code == 302, wrong(answer)
    task = Task.objects.get()
    assert (task.type, task.transform, task.runnable.preset) == ("scheduled", "", "hourly")
    answer = browser_in(shop).post(edit, {**opened(shop), "type": "webhook"})
    assert answer["Location"] == edit
    assert (Task.objects.get().runnable.preset, Task.objects.get().runnable.overlap) == ("", "queue_all")


def test_what_somebody_else_changed_meanwhile_is_not_lost_without_a_word(shop: Application) -> None:
    send(shop)
    mine = {**opened(shop), "pattern": "mine"}
    task = Task.objects.get()
    pause_task(task=task, by=OPERATOR, now=timezone.now())
    answer = browser_in(shop).post(at(shop, "edit", "refresh"), mine)
    assert "Somebody else changed this while the form was open." in text_of(answer)
    assert Task.objects.get().pattern == "product"
    again = browser_in(shop).post(at(shop, "edit", "refresh"), {**mine, "seen": answer.context["seen"]})
    assert again.status_code == 302
    assert Task.objects.get().pattern == "mine"


# Its keys.


def test_the_search_finds_twenty_and_says_how_many_there_are(shop: Application) -> None:
    source = make_source(shop)
    now = {"created_at": NOW, "updated_at": NOW}
    CacheKey.objects.bulk_create(
        CacheKey(application=shop, source=source, name=f"product-{number:04}", **now) for number in range(1500)
    )
    page = text_of(part(shop, "key-search", "picked", find="product"))
    assert "1,500 keys with “product”, the first 20 here" in page
    assert "product-0019 " in page
    assert "product-0020" not in page
    assert "Add all" not in page  # too many to be meant one by one
    assert "Add all 10" in text_of(part(shop, "key-search", "picked", find="product-001"))


@pytest.mark.parametrize("find", ["%", "_", "\\", "*", "PRODUCT"])
def test_the_search_takes_every_character_for_itself(shop: Application, keys: list[str], find: str) -> None:
    assert "No key has" in text_of(part(shop, "key-search", "picked", find=find))


def test_the_search_finds_nothing_of_anothers(shop: Application) -> None:
    make_key(make_source(make_application("Charlie's")), "product-theirs")
    assert "theirs" not in text_of(part(shop, "key-search", "picked", find="product"))


def test_keys_are_added_and_taken_away_without_scripts(shop: Application, keys: list[str]) -> None:
    exact = {"selection": "exact", "find": "product-1"}
    answer = send(shop, do=f"add-key:{keys[0]}", **exact)
    assert "1 key chosen" in text_of(answer)
    answer = send(shop, do="add-found", picked=answer.context["picked"].difference.written(), **exact)
    assert "4 keys chosen" in text_of(answer)
    answer = send(shop, do=f"remove-key:{keys[0]}", picked=answer.context["picked"].difference.written(), **exact)
    assert answer.context["picked"].listed == keys[1:4]
    assert answer.context["form"].initial["name"] == "refresh"
    assert not Task.objects.exists()
    send(shop, selection="exact", picked=answer.context["picked"].difference.written())
    assert named(Task.objects.get()) == keys[1:4]


def test_what_was_not_touched_of_the_stored_keys_stays(shop: Application, keys: list[str]) -> None:
    send(shop, selection="exact", picked=difference(added=keys[:4]))
    edit = at(shop, "edit", "refresh")
    form = opened(shop)
    browser_in(shop).post(edit, {**form, "picked": difference(added=[keys[5]], removed=[keys[0]])})
    assert named(Task.objects.get()) == [*keys[1:4], keys[5]]
    browser_in(shop).post(edit, {**opened(shop), "picked": "no JSON"})
    assert named(Task.objects.get()) == [*keys[1:4], keys[5]]
    browser_in(shop).post(edit, {**opened(shop), "picked": difference(cleared=True, added=[keys[7]])})
    assert named(Task.objects.get()) == [keys[7]]


def test_what_is_chosen_is_counted_and_only_the_first_are_listed(
    shop: Application, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picking, "LISTED", 3)
    send(shop, selection="exact", picked=difference(added=keys[:8]))
    at_ = f"{at(shop, 'key-search')}?task=refresh"
    told = {"picked": difference(added=[keys[0], keys[9]], removed=[keys[1], keys[11]]), "find": "product-1"}
    answer = send(shop, at_, {"HX-Request": "true", "HX-Target": "picked"}, **told)
    assert "8 keys chosen , the first 3 here: search for others" in text_of(answer)
    assert answer.context["picked"].listed == [keys[0], keys[2], keys[3]]
    found = {one.name: one.is_chosen for one in answer.context["picked"].found}
    assert found == {keys[0]: True, keys[1]: False, keys[2]: True, keys[3]: True}


def test_choosing_costs_no_more_for_more_keys(shop: Application, keys: list[str]) -> None:
    def cost(count: int) -> int:
        Task.objects.all().delete()
        send(shop, selection="exact", picked=difference(added=keys[:count]))
        browser = browser_in(shop)
        with CaptureQueriesContext(connection) as caught:
            answer = browser.post(
                f"{at(shop, 'key-search')}?task=refresh", {"find": "product"}, headers={"HX-Target": "picked"}
            )
            assert answer.status_code == 200
        return len(caught)

    assert cost(1) == cost(11)


def test_too_many_at_once_are_refused_with_a_way_out(
    shop: Application, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picking, "TOGETHER", 5)
    monkeypatch.setattr(picking, "MOST", 1)
    assert "choose a pattern instead" in text_of(send(shop, do="add-found", find="product", selection="exact"))
    answer = send(shop, do="add-key:b", picked=difference(added=["a"]), selection="exact")
    assert "cannot be chosen at once" in text_of(answer)


def test_enter_in_the_search_does_not_save(shop: Application, keys: list[str]) -> None:
    typed = {"selection": "exact", "picked": difference(added=keys[:1]), "find": "product-1", "do": "enter"}
    assert "4 keys with “product-1”" in text_of(send(shop, **typed, found_for=""))
    assert not Task.objects.exists()
    assert send(shop, **{**typed, "find": ""}).status_code == 302


# Its pattern.


def test_a_pattern_is_tested_before_it_is_saved(shop: Application, keys: list[str]) -> None:
    answer = part(shop, "try-pattern", "tested", pattern="product-1")
    assert json.loads(answer.context["pattern_trial"].as_json) == keys[:4]
    page = text_of(answer)
    assert "4 keys" in page
    assert "“product-1” also takes “product-10”." in page
    assert "“product-1-”" in page
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("selection", "pattern", "warns"),
    [
        ("contains", "product-1", True),
        ("prefix", "product-1", True),
        ("contains", "product-", False),
        ("contains", "product-12", False),
        ("glob", "product-1*", False),
    ],
)
def test_it_warns_where_a_number_goes_on(
    shop: Application, keys: list[str], selection: str, pattern: str, warns: bool
) -> None:
    answer = part(shop, "try-pattern", "tested", selection=selection, pattern=pattern)
    assert bool(answer.context["pattern_trial"].warning) == warns


@pytest.mark.parametrize(
    ("pattern", "name", "does"),
    [("a-1", "a-11", True), ("a-1", "a-1", False), ("a-1", "a-1-a-12", True), ("a-1", "a-1-2", False)],
)
def test_a_number_goes_on_where_a_digit_follows_any_of_its_places(pattern: str, name: str, does: bool) -> None:
    assert goes_on(pattern, name) is does


def test_a_pattern_with_variables_has_a_field_for_each(shop: Application, keys: list[str]) -> None:
    hook = {"type": "webhook", "pattern": "{{KIND}}-{{ID}}"}
    answer = part(shop, "try-pattern", "tested", **hook)
    assert "Give a value for KIND and ID" in text_of(answer)
    assert [one.field for one in answer.context["pattern_trial"].fields] == ["variable:KIND", "variable:ID"]
    answer = part(shop, "try-pattern", "tested", **hook, **{"variable:KIND": "product", "variable:ID": "12"})
    assert "As pattern: product-12" in text_of(answer)
    assert answer.context["pattern_trial"].names == ["product-12"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pattern": ""}, "There is no pattern yet"),
        ({"selection": "exact"}, "Choose first how a pattern matches."),
        ({"selection": "nonsense"}, "Choose first how a pattern matches."),
        ({"pattern": "a-{{b"}, ""),
        ({"pattern": "nobody-has-this"}, "0 keys"),
    ],
)
def test_what_cannot_be_tested_says_why(shop: Application, given: dict[str, str], words: str) -> None:
    assert words in text_of(part(shop, "try-pattern", "tested", **given))


def test_a_pattern_is_tested_without_scripts(shop: Application, keys: list[str]) -> None:
    page = text_of(send(shop, at(shop, "try-pattern"), pattern="product-1"))
    assert "4 keys" in page
    assert "Create the task" in page


# Its transform.


def test_a_transform_is_tried_with_what_it_fills_beside_it(shop: Application, keys: list[str]) -> None:
    answer = part(
        shop, "try-webhook", "transformed", type="webhook", pattern="product-{{ID}}",
        transform="console.log(headers['x-topic']); return {variables: [{key: 'ID', value: body.id}]}",
        sample='{"id": 12}', sample_headers='{"X-Topic": "products"}',
    )  # fmt: skip
    page = text_of(answer)
    assert answer.context["trial"].variables == {"ID": "12"}
    assert "As pattern: product-12" in page
    assert "1 key" in page
    assert "log products" in page
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sample": "{"}, "Example body: This is no JSON."),
        ({"sample_headers": "[1]"}, "Headers are an object"),
        ({"transform": "return body.no.such"}, "The transform failed"),
        ({"transform": "return 1"}, "The transform must return an object"),
        ({"transform": "return {variables: {}}"}, "Give a value for ID"),
    ],
)
def test_what_came_of_no_transform_says_why(shop: Application, given: dict[str, str], words: str) -> None:
    answer = part(shop, "try-webhook", "transformed", type="webhook", pattern="product-{{ID}}", **given)
    assert words in text_of(answer)


def test_transforms_are_tried_from_the_form_and_by_rest_so_often_together(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.trials.PER_MINUTE", 2)
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    given = {"transform": "return {variables: {}}"}
    assert caller_for(shop).post("/tasks/try-transform/", given).status == 200
    answers = [part(shop, "try-webhook", "transformed", type="webhook", pattern="a", **given) for _ in range(2)]
    assert ["times a minute at most" in text_of(answer) for answer in answers] == [False, True]
    assert caller_for(shop).post("/tasks/try-transform/", given).status == 429


def test_patterns_are_tried_from_the_form_and_by_rest_so_often_together(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.trials.PER_MINUTE", 2)
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    assert caller_for(shop).post("/tasks/test-pattern/", {"pattern": "a"}).status == 200
    answers = [part(shop, "try-pattern", "tested", pattern="a") for _ in range(2)]
    assert ["times a minute at most" in text_of(answer) for answer in answers] == [False, True]
    assert caller_for(shop).post("/tasks/test-pattern/", {"pattern": "a"}).status == 429


NO_NAMES = ("\0", "\ud800")


@pytest.mark.parametrize("name", NO_NAMES, ids=["null", "half a letter"])
def test_what_can_be_no_name_is_not_chosen(shop: Application, keys: list[str], name: str) -> None:
    task = create_task(
        application=shop, tag="t", by=OPERATOR, now=NOW, selection="exact", keys=keys[:1], type="on_demand"
    )
    picked = picking.Picked.read(shop, task, {"picked": json.dumps({"added": [name], "removed": [name]})})
    for verb in ("add-key", "remove-key"):
        picked.do(f"{verb}:{name}")
    assert picked.difference == picking.Difference()
    assert (picked.count, picked.listed) == (1, keys[:1])


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
    shop: Application, keys: list[str], name: str, given: dict[str, str]
) -> None:
    answer = send(shop, at(shop, name), type="webhook", **given)
    assert answer.status_code == 200
    assert not Task.objects.exists()


def test_a_pattern_with_a_null_character_is_told_so(shop: Application) -> None:
    assert "No name has null characters" in text_of(part(shop, "try-pattern", "tested", pattern="a\0"))


def test_a_sandbox_without_room_is_told_alike_in_the_form_and_by_rest(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.webhook_variables.javascript.run", lambda *_, **__: Result(error=Error("busy", "Full.")))
    given = {"transform": "return {variables: {}}"}
    told = text_of(part(shop, "try-webhook", "transformed", type="webhook", pattern="a", **given))
    assert NO_ROOM in told
    assert caller_for(shop).post("/tasks/try-transform/", given).body["detail"].startswith(NO_ROOM)


# Its plan.


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
