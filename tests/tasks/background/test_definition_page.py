"""The definitions, and the page of one: what is said of it, and the form that triggers it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from rest_framework import serializers

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from tasks.background.definitions import definition_of
from tasks.models import BackgroundRun
from tests.clients import browser_in
from tests.factories import make_application, make_event, make_job
from tests.tasks.background.pages_of import ArticlesInput, defined, definition, look, make_background, press, text_of

ARTICLES = definition(input_class=ArticlesInput)
ANY = definition("anyInput", title="Any input")


class Address(serializers.Serializer[Any]):
    city = serializers.CharField()


class Order(serializers.Serializer[Any]):
    address = Address()


def refuse(_context: Any, _input: Any) -> None:
    raise ValueError("There are too many already.")


def test_public_definitions_are_listed_and_private_ones_are_not(shop: Application) -> None:
    with defined(ARTICLES, definition("secretOne", title="A secret", is_private=True)):
        page = look(shop, "definitions").content.decode()
    assert "Sync articles" in page
    assert "syncArticles" in page
    assert "Reads all articles of a site." in page
    assert "A secret" not in page


def test_no_definitions_say_where_they_come_from(shop: Application) -> None:
    with defined():
        assert "BACKGROUND_TASKS" in look(shop, "definitions").content.decode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Iterations 500 at most, each of 15 min"),
        ({"max_iterations": 1000, "timeout_s": 60}, "Iterations 1,000 at most, each of 1 min"),
        ({"timeout_s": 3}, "Iterations 500 at most, each of 3 s"),
        ({"timeout_s": 1.5}, "Iterations 500 at most, each of 1.50 s"),
        ({"retries": 2}, "Retries 2 more times, after 10 s and 20 s"),
        ({"concurrency": 1}, "At once 1 at most in an application"),
        ({"deduplicate": str}, "The same again not while it is unfinished"),
        ({"hooks": {"on_done": print, "on_abort": print}}, "Code is called when it is done, when it was aborted"),
        ({"database_logs": False}, "Log of errors only"),
        ({"self_cleanup": frozenset({"done"})}, "Deleted as soon as it is done"),
        ({"retention_days": 1}, "Kept 1 day"),
        ({"retention_days": 0}, "Kept for good"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_definition_says_its_limits_and_what_follows(shop: Application, fields: dict[str, Any], said: str) -> None:
    with defined(definition(**fields)):
        assert said in text_of(look(shop, "definition", "syncArticles", role=Role.VIEWER))


@pytest.mark.parametrize("name", ["secretOne", "isNotThere"])
def test_what_nobody_may_trigger_has_no_page(shop: Application, name: str) -> None:
    with defined(definition("secretOne", is_private=True)):
        assert look(shop, "definition", name).status_code == 404
        assert press(shop, "trigger", name).status_code == 404
    assert not BackgroundRun.objects.exists()


def test_a_form_has_a_field_for_each_property_with_its_default(shop: Application) -> None:
    with defined(ARTICLES):
        page = look(shop, "definition", "syncArticles").content.decode()
    for field in ("site", "ratio", "tags"):
        assert f'name="input_{field}"' in page
    assert 'name="input_pages" value="10"' in page
    assert 'name="input_draft" value="false"' in page
    assert "1 to 500." in page


class Rows(serializers.Serializer[Any]):
    rows = serializers.IntegerField(default=3)


def test_a_property_that_is_called_rows_has_its_field(shop: Application) -> None:
    with defined(definition(input_class=Rows)):
        for page in (look(shop, "definition", "syncArticles"), browser_in(shop).get(_schedule_of(shop))):
            assert 'name="input_rows" value="3"' in page.content.decode()


def _schedule_of(shop: Application) -> str:
    return reverse("jobs:schedule-background", args=[shop.slug, "syncArticles"])


class Named(serializers.Serializer[Any]):
    name = serializers.CharField()


@pytest.mark.parametrize(("its", "label"), [(definition(input_class=Named), "Name"), (definition(), "The whole input")])
def test_no_two_things_on_a_form_are_called_alike(shop: Application, its: Any, label: str) -> None:
    with defined(its):
        page = look(shop, "definition", "syncArticles").content.decode()
    titles = re.findall(r"<(?:label|legend)[^>]*>([^<]+)</", page)
    assert {"Input", "This run", "Name of this run", label} <= set(titles)
    assert len(titles) == len(set(titles))


def test_what_was_typed_is_triggered(shop: Application) -> None:
    given: dict[str, Any] = {"input_site": "de", "input_pages": "7", "input_ratio": "0,5", "input_draft": "true",
             "input_mode": '"whole"', "input_tags": '["a", "b"]', "name": "Mine"}  # fmt: skip
    with defined(ARTICLES):
        answer = press(shop, "trigger", "syncArticles", **given)
    made = BackgroundRun.objects.get()
    assert made.given == {"site": "de", "pages": 7, "ratio": 0.5, "draft": True, "mode": "whole", "tags": ["a", "b"]}
    assert (made.name, made.created_by["displayName"], made.run.cause) == ("Mine", "alice@example.com", "manual")
    assert answer.redirect_chain[-1][0] == reverse("background:task", args=[shop.slug, made.pk])
    assert "Mine is triggered." in text_of(answer)
    assert AuditEntry.objects.filter(action="background.trigger", subject="Mine").exists()


BULK = definition_of("bulkReplay")


def test_choices_are_ticked_and_words_are_typed_as_the_hint_says(shop: Application) -> None:
    assert BULK is not None
    with defined(BULK):
        page = look(shop, "definition", "bulkReplay").content.decode()
        boxes = dict(re.findall(r'name="input_state" value="([^"]+)"[^>]*?( checked)?>', page))
        assert boxes == {"&quot;succeeded&quot;": "", "&quot;failed&quot;": " checked", "&quot;aborted&quot;": ""}
        typed: dict[str, Any] = {
            "input_state": ['"failed"', '"aborted"'], "input_kind": ['"http"'], "input_error_class": "timeout, status",
        }  # fmt: skip
        answer = press(shop, "trigger", "bulkReplay", **typed)
    assert "is triggered." in text_of(answer)
    given = {"state": ["failed", "aborted"], "kind": ["http"], "error_class": ["timeout", "status"]}
    assert BackgroundRun.objects.get().given == given


def test_boxes_that_were_all_emptied_are_not_ticked_again_in_silence(shop: Application) -> None:
    assert BULK is not None
    with defined(BULK):
        page = press(shop, "trigger", "bulkReplay").content.decode()
    assert "Give words" in page.partition('id="input_state_error"')[2].partition("</p>")[0]
    assert not BackgroundRun.objects.exists()


def test_what_was_left_empty_is_as_the_definition_has_it(shop: Application) -> None:
    with defined(ARTICLES):
        press(shop, "trigger", "syncArticles", input_site="de", input_pages="", input_ratio="")
    made = BackgroundRun.objects.get()
    assert made.given == {"site": "de", "pages": 10, "draft": False, "mode": "fast"}
    assert made.name == "Sync articles"


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"input_site": ""}, "input_site", "Give this field: it is needed."),
        ({"input_pages": "many"}, "input_pages", "Give a whole number, like 10."),
        ({"input_pages": "501"}, "input_pages", "Give at most 500"),
        ({"input_ratio": "1e999"}, "input_ratio", "Give a number, like 2.5."),
        ({"input_draft": "perhaps"}, "input_draft", "hoose one of them."),
        ({"input_mode": '"slow"'}, "input_mode", "hoose one of them."),
        ({"input_tags": "[1"}, "input_tags", "This is no JSON."),
        ({"input_tags": "{}"}, "input_tags", "Give a list"),
        ({"delay": "soon"}, "delay", "Give a number, like 5"),
        ({"delay": "355", "delay_unit": "days"}, "delay", "Give less than 355 days."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_triggered(
    shop: Application, typed: dict[str, Any], field: str, said: str
) -> None:
    with defined(ARTICLES):
        page = press(shop, "trigger", "syncArticles", **{"input_site": "de", **typed}).content.decode()
    error = page.partition(f'id="{field}_error"')[2].partition("</p>")[0]
    assert said in error
    assert "Nothing is triggered yet: 1 field needs a change" in page
    assert f'href="#{field}"' in page
    assert not BackgroundRun.objects.exists()


def test_all_that_is_wrong_is_said_at_once(shop: Application) -> None:
    """What could not be read, what the definition does not take, and how long it waits."""
    typed: dict[str, Any] = {"input_site": "", "input_pages": "99999", "input_ratio": "abc", "delay": "-5"}
    with defined(ARTICLES):
        page = press(shop, "trigger", "syncArticles", **typed).content.decode()
    said = {field: page.partition(f'id="{field}_error"')[2].partition("</p>")[0] for field in typed}
    assert "it is needed" in said["input_site"]
    assert "Give at most 500" in said["input_pages"]
    assert "Give a number, like 2.5." in said["input_ratio"]
    assert "Give 0 or more; or leave it empty." in said["delay"]
    assert "4 fields need a change" in page


class Exclusive(serializers.Serializer[Any]):
    rows = serializers.IntegerField(default=1)
    all = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["rows"] == 1:
            raise serializers.ValidationError("One row is none.")
        return attrs


def test_what_could_not_be_read_is_not_judged_by_its_default(shop: Application) -> None:
    with defined(definition(input_class=Exclusive)):
        page = press(shop, "trigger", "syncArticles", input_rows="x").content.decode()
        assert "Give a whole number" in page
        assert "One row is none." not in page
        assert "One row is none." in press(shop, "trigger", "syncArticles", input_rows="1", delay="x").content.decode()


def test_what_is_wrong_deeper_down_is_said_with_its_name(shop: Application) -> None:
    with defined(definition(input_class=Order)):
        page = press(shop, "trigger", "syncArticles", input_address="{}").content.decode()
    assert "city: Give this field: it is needed." in page.partition('id="input_address_error"')[2]


def test_a_hook_that_refuses_says_why(shop: Application) -> None:
    with defined(definition(hooks={"on_before_trigger": refuse})):
        assert "There are too many already." in text_of(press(shop, "trigger", "syncArticles"))
    assert not BackgroundRun.objects.exists()


@pytest.mark.parametrize(("typed", "given"), [("", {}), ("{}", {}), ('{"a": [1]}', {"a": [1]})])
def test_without_a_schema_the_input_is_typed_as_json(shop: Application, typed: str, given: dict[str, Any]) -> None:
    with defined(ANY):
        assert 'name="input"' in look(shop, "definition", "anyInput").content.decode()
        press(shop, "trigger", "anyInput", input=typed)
    assert BackgroundRun.objects.get().given == given


@pytest.mark.parametrize(("typed", "said"), [("[1]", "Give an object"), ("{", "This is no JSON.")])
def test_an_input_that_is_no_object_is_refused(shop: Application, typed: str, said: str) -> None:
    with defined(ANY):
        page = press(shop, "trigger", "anyInput", input=typed).content.decode()
    assert said in page.partition('id="input_error"')[2].partition("</p>")[0]
    assert not BackgroundRun.objects.exists()


@pytest.mark.parametrize(
    ("number", "unit", "waits"),
    [
        ("90", "seconds", timedelta(seconds=90)),
        ("1.5", "hours", timedelta(minutes=90)),
        ("2", "days", timedelta(days=2)),
    ],
    ids=["seconds", "hours", "days"],
)
def test_it_may_wait(shop: Application, number: str, unit: str, waits: timedelta) -> None:
    with defined(ANY):
        press(shop, "trigger", "anyInput", delay=number, delay_unit=unit)
    run = Run.objects.get()
    assert (run.state, run.due_at - run.created_at) == (State.SCHEDULED, waits)


def test_one_that_is_the_same_and_not_over_is_shown_instead(shop: Application) -> None:
    with defined(definition(deduplicate=str)):
        press(shop, "trigger", "syncArticles")
        assert "this one is the same, and is not over" in text_of(press(shop, "trigger", "syncArticles"))
        made = BackgroundRun.objects.get()
        assert "this one is the same, and is not over" in text_of(press(shop, "again", made.pk))
    assert BackgroundRun.objects.count() == 1


def test_a_form_may_begin_with_the_input_of_another_one(shop: Application) -> None:
    before = make_background(shop, given={"site": "de", "pages": 7, "tags": ["a"], "gone": 1})
    with defined(ARTICLES):
        page = look(shop, "definition", "syncArticles", **_like(before)).content.decode()
    assert 'name="input_site" value="de"' in page
    assert 'name="input_pages" value="7"' in page
    assert 'name="input_tags" value="a"' in page


def test_the_input_of_another_application_is_not_shown(shop: Application) -> None:
    theirs = make_background(make_application("Charlie's"), given={"site": "a-secret"})
    with defined(ARTICLES):
        page = look(shop, "definition", "syncArticles", **_like(theirs)).content.decode()
    assert "a-secret" not in page


def test_who_may_only_look_has_no_form(shop: Application) -> None:
    with defined(ARTICLES):
        page = look(shop, "definition", "syncArticles", role=Role.VIEWER).content.decode()
        assert "<textarea" not in page
        assert press(shop, "trigger", "syncArticles", role=Role.VIEWER, input_site="de").status_code == 403
    assert not BackgroundRun.objects.exists()


def _like(background: BackgroundRun) -> dict[str, Any]:
    return {"from": str(background.pk)}


def test_the_jobs_that_trigger_it_are_listed(shop: Application) -> None:
    with defined(ARTICLES, ANY):
        event = make_event(shop, "nightly", configuration={"background_task": "syncArticles"})
        make_event(shop, "alone", configuration={"background_task": "syncArticles"})
        fields: dict[str, Any] = {"endpoint": "", "verb": "", "cron": "0 3 * * *"}
        make_job(shop, "nightly", name="Every <night>", event=event, **fields)
        make_job(shop, "any", event=make_event(shop, "any", configuration={"background_task": "anyInput"}), **fields)
        make_job(shop, "code", event=make_event(shop, "code"), **fields)
        theirs = make_application("Charlie's")
        foreign = make_event(theirs, "theirs", configuration={"background_task": "syncArticles"})
        make_job(theirs, "theirs", event=foreign, **fields)
        page = look(shop, "definition", "syncArticles").content.decode().partition('id="schedules"')[2]
        assert re.findall(r'class="name" id="job-[^"]*" href="([^"]*)">([^<]*)<', page) == [
            (reverse("jobs:job", args=[shop.slug, "nightly"]), "Every &lt;night&gt;")
        ]
        assert "At 03:00" in page
        with defined(definition("isNew")):
            assert 'id="schedules"' not in look(shop, "definition", "isNew").content.decode()
