"""The list of slurpers, the page of one, its form, and trying it out there."""

from typing import Any

import pytest

from badgerjobs.workspaces.models import Application, Role
from slurps import offering, page_trials
from slurps.models import AsyncJob, Slurper
from slurps.slurper_services import tags_of_sources
from slurps.trials import Trial
from tests.clients import browser_in
from tests.factories import make_source
from tests.slurps.pages.slurp_pages import at, look, made_job, made_slurper, press, queries, text_of

CODE = "return dataMap.shop.map((row) => ({...row, price: 1}))"


def form(**given: Any) -> dict[str, Any]:
    return {"name": "cleans", "language": "javascript", "code": CODE, "source": ["shop"], **given}


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was tried, in the place of trying it: pulling and code are tested where they are."""
    given: list[Any] = []

    def try_slurper(**asked: Any) -> Trial:
        given.append(asked)
        before = {"shop": [{"id": 1, "size": {"h": 2}}]}
        return Trial(before, [{"id": 1, "price": 1}], 1, [("info", "said this")], duration_ms=12)

    monkeypatch.setattr(page_trials, "try_slurper", try_slurper)
    return given


def test_the_list_tells_each_with_its_sources_and_its_jobs(shop: Application) -> None:
    assert "No slurpers yet" in text_of(look(shop, "slurpers"))
    made_slurper(shop, sources=("shop", "stock"))
    made_slurper(shop, "other", language="javascript", code=CODE)
    made_job(shop)
    page = text_of(look(shop, "slurpers"))
    for said in ("Clean clean As they come shop stock 1 job", "Other other JavaScript, over all rows shop none"):
        assert said in page
    given: dict[str, Any] = {"language": "javascript"}
    assert [one.tag for one in look(shop, "slurpers", **given).context["page"].rows] == ["other"]


def test_the_list_costs_no_more_for_more_slurpers(shop: Application) -> None:
    made_slurper(shop)
    before = queries(shop, "slurpers")
    for number in range(5):
        made_slurper(shop, f"more-{number}", ("shop", f"source-{number}"))
    assert queries(shop, "slurpers") == before


def test_where_there_is_no_source_none_is_to_be_chosen(shop: Application) -> None:
    answer = look(shop, "new-slurper")
    assert "There is no source yet that gives rows" in text_of(answer)
    assert 'name="source"' not in answer.content.decode()
    make_source(shop, "rows", type="JSONL", configuration={"url": "https://example.com/"}, variables=[])
    assert 'name="source"' in look(shop, "new-slurper").content.decode()


def test_its_page_tells_its_sources_its_code_and_who_runs_it(shop: Application) -> None:
    made_slurper(shop, sources=("stock", "shop"), language="javascript", code=CODE)
    made_job(shop)
    page = text_of(look(shop, "slurper", "clean"))
    assert page.index("stock stock") < page.index("shop shop")
    for said in ("dataMap.shop.map", "Import enabled By hand only never ran"):
        assert said in page
    assert 'method="post"' not in look(shop, "slurper", "clean", role=Role.VIEWER).content.decode().split("<main")[1]


def test_it_is_made_and_changed_in_a_form(shop: Application) -> None:
    made_slurper(shop, "first", ("shop", "stock"))
    answer = press(shop, "new-slurper", **form(source=["stock", "", "shop"]))
    assert answer.redirect_chain[-1][0] == at(shop, "slurper", "cleans")
    slurper = Slurper.objects.get(tag="cleans")
    assert (slurper.language, slurper.code, tags_of_sources(slurper)) == ("javascript", CODE, ["stock", "shop"])
    seen = look(shop, "edit-slurper", "cleans").context["seen"]
    press(shop, "edit-slurper", "cleans", **form(language="none", seen=seen))
    slurper.refresh_from_db()
    assert (slurper.language, slurper.code, tags_of_sources(slurper)) == ("none", "", ["shop"])
    assert press(shop, "edit-slurper", "cleans", **form(seen=seen)).context["form"].non_field_errors()


@pytest.mark.parametrize("given", [{"code": "return ("}, {"do": "add-source"}])
def test_that_somebody_changed_it_meanwhile_is_not_forgotten_over_something_else(
    shop: Application, given: dict[str, Any]
) -> None:
    made_slurper(shop)
    seen = look(shop, "edit-slurper", "clean").context["seen"]
    Slurper.objects.get().save()
    assert press(shop, "edit-slurper", "clean", **form(seen=seen, **given)).context["seen"] == seen


def test_what_is_chosen_is_offered_however_many_come_before_it(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offering, "OFFERED", 1)
    made_slurper(shop, "clean", ("shop", "stock"))
    made_slurper(shop, "awash")
    made_job(shop)  # runs “clean”, the second by name
    assert look(shop, "edit-slurper", "clean").context["form"].offered == [("shop", "shop"), ("stock", "stock")]
    slurpers = look(shop, "edit", AsyncJob.objects.get().tag).context["form"].slurpers
    assert [tag for tag, _ in slurpers] == ["awash", "clean"]
    assert [tag for tag, _ in look(shop, "new", slurper="clean").context["form"].slurpers] == ["awash", "clean"]
    assert press(shop, "new", slurper="a\0b").status_code == 200


def test_a_function_that_is_here_no_more_may_stay(shop: Application) -> None:
    made_slurper(shop, "clean", language="python", function="goneByNow")
    shown = look(shop, "edit-slurper", "clean")
    assert "goneByNow, which is not here" in text_of(shown)
    sent = form(name="Cleaner", language="python", function="goneByNow", seen=shown.context["seen"])
    press(shop, "edit-slurper", "clean", **sent)
    slurper = Slurper.objects.get()
    assert (slurper.name, slurper.function) == ("Cleaner", "goneByNow")


def test_sources_are_added_and_taken_away_by_buttons(shop: Application) -> None:
    made_slurper(shop, "first", ("shop", "stock"))
    shown = press(shop, "new-slurper", **form(source=["shop", "stock"], do="remove-source:1")).context["form"]
    assert shown.source_rows() == [(1, "stock"), (2, "")]
    assert shown["code"].value() == CODE
    shown = press(shop, "new-slurper", **form(source=["shop", "stock"], do="add-source")).context["form"]
    assert shown.source_rows() == [(1, "shop"), (2, "stock"), (3, "")]
    assert not Slurper.objects.filter(tag="cleans").exists()


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"name": ""}, "name", "Give the slurper a name"),
        ({"source": [""]}, "sources", "Name at least one source"),
        ({"source": ["gone"]}, "sources", "There is no source “gone”"),
        ({"source": ["shop", "shop"]}, "sources", "named twice"),
        ({"code": ""}, "code", "Give the body"),
        ({"code": "return ("}, "code", "line 1"),
        ({"code": "def slurp(ctx, data_map):\n    return data_map['shop']"}, "code", "(ctx, dataMap) => rows"),
        (
            {"code": "import json\n\ndef slurp(ctx, data_map):\n  pass", "language": "javascript_batches"},
            "code",
            "(ctx, rows, source) => rows",
        ),
    ],
)
def test_what_is_wrong_stands_beside_its_field(shop: Application, given: dict[str, Any], field: str, said: str) -> None:
    made_slurper(shop, "first")
    errors = press(shop, "new-slurper", **form(**given)).context["form"].errors
    assert list(errors) == [field]
    assert said.lower() in str(errors.as_data()[field][0].message).lower()


def test_it_is_tried_as_it_stands_with_rows_before_and_after(shop: Application, tried: list[Any]) -> None:
    made_slurper(shop, "first")
    page = text_of(press(shop, "try-slurper", **form(name="")))
    for said in ("1 row after 12 ms", "Before: shop", "{&quot;h&quot;: 2}", "said this"):
        assert said in page
    [asked] = tried
    assert (asked["slurper"].code, [one.tag for one in asked["sources"]]) == (CODE, ["shop"])
    assert Slurper.objects.count() == 1


def test_it_is_tried_with_values_for_the_placeholders_of_its_sources(shop: Application, tried: list[Any]) -> None:
    make_source(shop, "asking", type="JSONL", configuration={"url": "https://example.com/{{DAY}}"}, variables=["DAY"])
    given: dict[str, Any] = {**form(source=["asking"]), "value:DAY": "today"}
    page = press(shop, "try-slurper", **given).content.decode()
    assert 'name="value:DAY" value="today"' in page
    assert tried[0]["values"] == {"DAY": "today"}


def test_it_is_tried_over_rows_that_are_pasted(shop: Application) -> None:
    made_slurper(shop, "first", ("shop", "stock"))
    code = "return [...dataMap.shop.map((row) => ({...row, price: 1})), {stock: dataMap.stock.length}]"
    given = {"over": "pasted", "rows:shop": "id;name\n7;Mug", "code": code, "source": ["shop", "stock"]}
    answer = press(shop, "try-slurper", **form(**given))
    trial = answer.context["tried"]
    assert trial.error == ""
    assert [[cell.text for cell in row] for row in trial.after.rows] == [["7", "Mug", "1", ""], ["", "", "", "0"]]
    assert ">id;name\n7;Mug</textarea>" in answer.content.decode()


@pytest.mark.parametrize(
    ("pasted", "said"), [("", "Paste rows of at least one source"), ("[{]", "shop: This is no JSON")]
)
def test_what_is_pasted_and_no_rows_is_said_why(shop: Application, tried: list[Any], pasted: str, said: str) -> None:
    made_slurper(shop, "first")
    page = text_of(press(shop, "try-slurper", **form(**{"over": "pasted", "rows:shop": pasted})))
    assert "Nothing was tried." in page
    assert said in page
    assert tried == []


def test_what_it_is_tried_with_follows_its_sources_and_tries_nothing(shop: Application, tried: list[Any]) -> None:
    made_slurper(shop, "first", ("shop", "stock"))
    part = {"HX-Request": "true", "HX-Target": "given"}
    given = form(source=["stock"], over="pasted", **{"rows:stock": "[1]"})
    page = browser_in(shop).post(at(shop, "try-slurper"), given, headers=part).content.decode()
    assert page.lstrip().startswith("<div")
    assert 'name="rows:stock"' in page
    assert ">[1]</textarea>" in page
    assert 'name="rows:shop"' not in page
    assert tried == []


@pytest.mark.usefixtures("in_python")
def test_a_python_one_is_tried_as_the_form_stands(shop: Application, tried: list[Any]) -> None:
    made_slurper(shop, "first")
    press(shop, "try-slurper", **form(language="python", function="cleanProducts", code=""))
    [one] = tried
    assert (one["slurper"].language, one["slurper"].function) == ("python", "cleanProducts")


def test_what_cannot_be_tried_is_said_why(shop: Application, tried: list[Any]) -> None:
    made_slurper(shop, "first")
    page = text_of(press(shop, "try-slurper", **form(code="def slurp(ctx, data_map):\n    pass")))
    assert "Nothing was tried." in page
    assert "the Python of tenants is not run here" in page
    assert "Name at least one source" in text_of(press(shop, "try-slurper", **form(source=[])))
    assert tried == []


def test_it_is_deleted_unless_a_job_runs_it(shop: Application) -> None:
    made_slurper(shop)
    job = made_job(shop)
    assert "is used by the async job “import”" in text_of(press(shop, "delete-slurper", "clean"))
    job.delete()
    assert "Delete Clean?" in text_of(look(shop, "delete-slurper", "clean"))
    press(shop, "delete-slurper", "clean")
    assert not Slurper.objects.exists()
