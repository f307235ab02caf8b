"""Trying the rows of a source: the first ones, their columns, and as few calls as they take."""

import json
from collections.abc import Mapping
from html import unescape
from re import sub
from typing import Any

import pytest
from django.test import override_settings
from django.urls import reverse

from badgerjobs.sources import row_trials
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.row_trials import SHOWN_ROWS, shown_of
from badgerjobs.sources.rows.columns import columns_of
from badgerjobs.sources.trials import Trial, told, try_source
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tests.clients import browser_in
from tests.e2e.receiver import Receiver
from tests.factories import NOW, make_source
from tests.in_turn import in_turn
from tests.sources.fetching import says
from tests.sources.pulling import Answers

TABLE = "id;name\n" + "".join(f"{place};Lamp {place}\n" for place in range(50))


def tried(
    shop: Application, answers: Answers, kind: str = "REST", values: Mapping[str, Any] | None = None, **given: Any
) -> tuple[Trial, int]:
    """What came of trying, and how many calls it took."""
    with Receiver() as receiver, override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        receiver.answer = answers
        source = DataSource(application=shop, type=kind)
        configuration = {"url": receiver.url, **given}
        trial = try_source(source=source, configuration=configuration, values=values or {}, by=OPERATOR, now=NOW)
        return trial, len(receiver.calls)


def test_the_first_rows_are_shown_with_their_columns(shop: Application) -> None:
    trial, _ = tried(shop, lambda _: says(TABLE), "CSV")
    assert trial.ok
    assert trial.rows == [{"id": place, "name": f"Lamp {place}"} for place in range(SHOWN_ROWS)]
    assert trial.columns == [{"name": "id", "types": {"number": 50}}, {"name": "name", "types": {"text": 50}}]
    assert trial.found == {"encoding": "utf-8", "delimiter": ";", "types": {"id": "integer", "name": "text"}}
    assert (trial.status, trial.answer, trial.is_cut, trial.headers) == (
        200, TABLE, False, {"content-type": "application/json", "content-length": str(len(TABLE))},
    )  # fmt: skip
    shown = told(trial)
    assert (shown["value"], len(shown["rows"]), shown["found"]["delimiter"]) == (None, SHOWN_ROWS, ";")


def test_no_more_pages_are_asked_for_than_it_takes(shop: Application) -> None:
    page = json.dumps([{"id": place} for place in range(15)])
    trial, calls = tried(shop, lambda call: says(page.replace('"id"', f'"{call.path[-1]}"')), pages="page")
    assert (len(trial.rows or []), calls) == (SHOWN_ROWS, 2)
    assert [column["name"] for column in trial.columns] == ["1", "2"]


@in_turn(
    "body, rows",
    [('[{"a": 1}, {"a": null}]', [{"a": 1}, {"a": None}]), ('{"a": 1}', None), ("[]", []), ('"text"', None)],
)
def test_a_value_that_is_a_list_is_shown_as_rows_too(shop: Application, body: str, rows: Any) -> None:
    trial, _ = tried(shop, lambda _: says(body))
    assert (trial.ok, trial.value, trial.rows) == (True, json.loads(body), rows)


@in_turn(
    "kind, given, error_class, sentence",
    [
        ("REST", {"rows": "$.items"}, "rows", "The answer has no rows at $.items: nothing is there."),
        ("JSONL", {}, "json", "Line 1 is no JSON"),
        ("XML", {"rows": "//a"}, "xml", "The answer cannot be read as XML"),
    ],
)
def test_what_goes_wrong_is_shown_beside_the_answer(
    shop: Application, kind: str, given: dict[str, Any], error_class: str, sentence: str
) -> None:
    trial, _ = tried(shop, lambda _: says('{\n"a": 1}'), kind, **given)
    assert (trial.error_class, trial.rows, trial.answer, trial.status) == (error_class, [], '{\n"a": 1}', 200)
    assert trial.error.startswith(sentence)


def test_an_answer_that_is_not_good_is_shown(shop: Application) -> None:
    trial, _ = tried(shop, lambda _: says('{"detail": "closed"}', 503), "JSONL")
    assert (trial.error_class, trial.status, trial.answer) == ("status", 503, '{"detail": "closed"}')


def test_of_a_long_answer_the_beginning_is_shown(shop: Application) -> None:
    trial, _ = tried(shop, lambda _: says(json.dumps({"a": "x" * 100}) + "\n" + "1\n" * 100_000), "JSONL")
    assert (trial.is_cut, len(trial.answer)) == (True, row_trials.KEEPS)


def test_a_row_that_no_run_could_store_is_told(shop: Application) -> None:
    lines = [json.dumps({"a": "x"}), json.dumps({"a": "ü" * 500_000})]
    trial, _ = tried(shop, lambda _: says("\n".join(lines)), "JSONL")
    assert (trial.ok, told(trial)["warnings"]) == (True, list(trial.warnings))
    [said] = trial.warnings
    assert said.startswith("Row 2 has 1,000,008 bytes as JSON, and a collection can store at most 1,000,000")


def test_what_was_not_looked_at_is_said(shop: Application) -> None:
    page = json.dumps([{"id": place} for place in range(25)])
    trial, calls = tried(shop, lambda _: says(page), pages="page")
    assert (trial.ok, calls) == (True, 1)
    [said] = trial.warnings
    assert said.startswith("Only the first 25 rows were looked at")
    whole, _ = tried(shop, lambda _: says('[{"id": 1}]'), rows="$")
    assert (len(whole.rows or []), whole.warnings) == (1, [])


def test_long_rows_are_not_shown_whole() -> None:
    short, long = {"a": 1}, {"a": "x" * 70_000}
    assert shown_of([short, short, long, short]) == [short, short]
    assert shown_of([long, short]) == ["This row is longer than 64 KB."]
    assert shown_of([]) == []


def test_columns_are_told_in_order_with_their_types() -> None:
    rows = [{"a": 1, "b": "x"}, {"a": None, "__proto__": {}}, {"b": [1], "a": 1.5}, 7]
    assert columns_of(rows) == [
        {"name": "a", "types": {"number": 2, "null": 1}},
        {"name": "b", "types": {"text": 1, "list": 1}},
        {"name": "__proto__", "types": {"object": 1}},
    ]
    assert len(columns_of([{str(place): 1 for place in range(500)}])) == 200


@pytest.mark.parametrize("kind", ["CSV", "REST"])
def test_the_form_shows_them(shop: Application, kind: str) -> None:
    alice = browser_in(shop)
    body = TABLE if kind == "CSV" else json.dumps({"items": [{"id": 1, "name": "<b>Lamp</b>", "in": {"x": 1}}]})
    with Receiver() as receiver, override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        receiver.answer = lambda _: says(body)
        source = make_source(shop, type=kind, configuration={"url": receiver.url}, variables=[])
        sent = {"name": "rows", "configuration_url": receiver.url, "configuration_authentication": "none"}
        more = {"configuration_header": "on"} if kind == "CSV" else {"configuration_rows": "$.items"}
        address = f"{reverse('sources:try-source', args=[shop.slug])}?source={source.tag}"
        page = alice.post(address, {**sent, **more, "configuration_method": "GET", "do": "test"})
    text = " ".join(unescape(sub("<[^>]+>", " ", page.content.decode())).split())
    assert "A key keeps" not in text
    assert ("Transform an example" in text) is (kind == "REST")
    if kind == "CSV":
        for said in ("The first 20 rows, encoding utf-8 , delimiter ;", "id number", "name text", "Lamp 19"):
            assert said in text
        assert "Lamp 20" not in text.partition("Lamp 19")[0]
    else:
        for said in ("The first 1 row", "in object", '{"x":1}', "<b>Lamp</b>"):
            assert said in text
        assert "<b>Lamp</b>" not in page.content.decode()
