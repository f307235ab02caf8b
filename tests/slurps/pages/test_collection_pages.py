"""The page of a collection: its rows, its versions, what waits, what differs; and the form of one."""

import html
import re
from typing import Any

import pytest
from django.urls import reverse

from badgerjobs.web.pages import actor_of
from badgerjobs.workspaces.models import Application, Role
from slurps.collecting import grid, views
from slurps.models import Collection, Stage, Version
from slurps.storing.swapping import hold, loaded_by
from tests.factories import make_collection
from tests.slurps.pages.slurp_pages import at, look, made_job, press, queries, text_of
from tests.slurps.storing.loads import load, seen, staged

ROWS = [{"id": number, "title": f"Mug {number}", "price": number / 2} for number in range(1, 6)]


def versioned(shop: Application, **fields: Any) -> Collection:
    given = {"mode": "versioned", "keep": 5, "key": ["id"], **fields}
    return make_collection(shop, async_job=made_job(shop), **given)


def waiting(collection: Collection, rows: list[Any]) -> Version:
    """A result that a guard holds."""
    version, loader = staged(collection, rows)
    flags = [{"guard": "smaller_percent", "message": "It has 80 % fewer rows."}]
    return hold(version, loaded_by(loader.encoder, read=len(rows)), flags, worker=version.worker)


def cells(answer: Any) -> list[list[str]]:
    [table] = re.findall(r'<table class="table dense grid".*?</table>', answer.content.decode(), re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)[1:]
    return [[html.unescape(re.sub(r"<[^>]*>", "", one)) for one in re.findall(r"<td.*?</td>", row)] for row in rows]


def test_before_the_first_run_it_says_what_comes(shop: Application) -> None:
    versioned(shop)
    page = text_of(look(shop, "collection", "prices"))
    assert "No run has filled it yet" in page
    assert "http://testserver/api/v1/collections/prices/" in page


def test_it_shows_the_rows_that_readers_see_with_their_columns_in_order(shop: Application) -> None:
    load(versioned(shop), [{"id": 1, "size": {"h": 2}, "none": None}, {"id": 2, "late": "x" * 99}])
    answer = look(shop, "collection", "prices")
    assert cells(answer) == [["1", '{"h": 2}', "null", ""], ["2", "", "", "x" * 60 + "…"]]
    assert f'title="{"x" * 99}"' in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"sort": "-price"}, ["5", "4", "3", "2", "1"]),
        ({"column": "price", "op": "gte", "value": "2"}, ["4", "5"]),
        ({"column": "title", "op": "contains", "value": "3"}, ["3"]),
        ({"q": "mug 3"}, ["3"]),
        ({"column": "price", "op": "nonsense", "value": "1"}, ["2"]),
        ({"column": "title", "op": "isnull", "sort": "price"}, None),
    ],
)
def test_rows_are_sorted_and_narrowed_by_the_address(
    shop: Application, query: dict[str, Any], ids: list[str] | None
) -> None:
    load(versioned(shop), ROWS)
    answer = look(shop, "collection", "prices", **query)
    if ids is None:
        assert "No row matches" in text_of(answer)
    else:
        assert [row[0] for row in cells(answer)] == ids


def test_rows_are_paged_through_one_version(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "ROWS", 2)
    collection = versioned(shop)
    load(collection, ROWS)
    first = look(shop, "collection", "prices", sort="-id")
    load(collection, ROWS[:1])
    address = at(shop, "collection", "prices")
    [later] = re.findall(rf'href="{address}(\?[^"#]+)#rows" rel="next"', first.content.decode())
    query: dict[str, Any] = dict(part.split("=", 1) for part in html.unescape(later)[1:].split("&"))
    second = look(shop, "collection", "prices", **query)
    assert [row[0] for row in cells(second)] == ["3", "2"]
    assert "3\N{EN DASH}4 of 5" in text_of(second)


def test_a_cursor_that_is_none_is_refused_in_a_sentence(shop: Application) -> None:
    load(versioned(shop), ROWS)
    given: dict[str, Any] = {"cursor": "nonsense"}
    assert "This is no cursor of ours" in text_of(look(shop, "collection", "prices", **given))


def test_versions_are_shown_pinned_unpinned_and_rolled_back_to(shop: Application) -> None:
    collection = versioned(shop)
    load(collection, ROWS)
    load(collection, ROWS[:2])
    assert len(cells(look(shop, "collection", "prices"))) == 2
    press(shop, "pin", "prices", "1")
    assert len(cells(look(shop, "collection", "prices"))) == 5
    press(shop, "unpin", "prices", "1")
    assert len(cells(look(shop, "collection", "prices"))) == 2
    assert "Roll prices back to version 1?" in text_of(look(shop, "roll-back", "prices", "1"))
    press(shop, "roll-back", "prices", "1")
    assert seen(collection) == ROWS
    assert "back to 1" in text_of(look(shop, "collection", "prices"))
    assert look(shop, "roll-back", "prices", "99").status_code == 404


def test_what_waits_stands_above_with_its_reasons_and_is_approved(shop: Application) -> None:
    collection = versioned(shop)
    load(collection, ROWS)
    held = waiting(collection, ROWS[:1])
    page = text_of(look(shop, "collection", "prices"))
    assert "It has 80 % fewer rows." in page
    assert "It has 1 row in the place of 5." in page
    press(shop, "approve", "prices", generation="99")
    assert len(seen(collection)) == 5
    page = text_of(press(shop, "approve", "prices", generation=str(held.generation)))
    assert page.count("approved ") == 2  # beside when it was filled, above and in the list
    assert seen(collection) == ROWS[:1]
    assert "No result waits" in text_of(press(shop, "approve", "prices", generation=str(held.generation)))


def test_what_waits_is_dropped_once_that_is_meant(shop: Application) -> None:
    collection = versioned(shop)
    load(collection, ROWS)
    held = waiting(collection, ROWS[:1])
    assert "Drop the result that waits?" in text_of(look(shop, "drop", "prices", generation=str(held.generation)))
    press(shop, "drop", "prices", generation=str(held.generation))
    assert seen(collection) == ROWS
    assert not Version.objects.filter(stage=Stage.HELD).exists()


def test_what_differs_is_told_row_by_row_and_column_by_column(shop: Application) -> None:
    collection = versioned(shop)
    load(collection, ROWS)
    load(collection, [{**ROWS[0], "price": 9, "title": "Mug 1"}, *ROWS[2:], {"id": 6, "title": "New"}])
    page = text_of(look(shop, "differences", "prices"))
    assert "Version 2 against version 1" in page
    assert "3 rows differ" in page
    for line in ("~ changed 1 price 0.5 9", "+ added 6 whole row", "removed 2 whole row"):
        assert line in page
    alone = text_of(look(shop, "differences", "prices", d="added"))
    assert "changed 1 price" not in alone


def test_what_a_version_changed_is_listed_once_somebody_compared_it(shop: Application) -> None:
    collection = versioned(shop)
    load(collection, ROWS)
    load(collection, [{**ROWS[0], "price": 9}, *ROWS[1:4]])
    load(collection, ROWS[:4])
    said = text_of(look(shop, "collection", "prices"))
    for line in ("4 rows as many rows Compare", "4 rows 1 row fewer Compare", "5 rows the first rows"):
        assert line in said
    before = queries(shop, "collection", "prices")
    look(shop, "differences", "prices", to="2")
    said = text_of(look(shop, "collection", "prices"))
    for line in ("4 rows as many rows Compare", "4 rows ~1 −1 Compare", "5 rows the first rows"):  # noqa: RUF001
        assert line in said
    assert queries(shop, "collection", "prices") == before


def test_where_rows_are_merged_the_load_has_counted_what_a_version_changed(shop: Application) -> None:
    collection = versioned(shop, mode="upserted_versioned")
    load(collection, ROWS)
    load(collection, [{**ROWS[0], "price": 9}, {"id": 6}])
    load(collection, ROWS[1:3])
    answer = look(shop, "collection", "prices")
    for line in ("6 rows nothing Compare", "6 rows +1 ~1 Compare", "5 rows +5 "):
        assert line in text_of(answer)
    assert f'{at(shop, "differences", "prices")}?to=3&amp;from=2"' in answer.content.decode()
    assert "?to=1&amp;" not in answer.content.decode()


def test_what_waits_is_compared_with_what_readers_see(shop: Application) -> None:
    collection = versioned(shop)
    load(collection, ROWS)
    waiting(collection, ROWS[:4])
    page = text_of(look(shop, "differences", "prices", to="held"))
    assert "The result that waits against version 1" in page
    assert "1 row differs" in page


def test_a_collection_without_versions_has_nothing_to_compare(shop: Application) -> None:
    versioned(shop)
    assert "nothing to compare yet" in text_of(look(shop, "differences", "prices"))


def test_its_page_costs_no_more_for_more_rows_and_versions(shop: Application) -> None:
    collection = versioned(shop)
    load(collection, ROWS)
    load(collection, ROWS)
    before = queries(shop, "collection", "prices")
    for _ in range(3):
        load(collection, ROWS * 3)
    assert queries(shop, "collection", "prices") == before


def test_who_may_only_look_is_offered_nothing_to_press(shop: Application) -> None:
    collection = versioned(shop)
    load(collection, ROWS)
    load(collection, ROWS)
    waiting(collection, ROWS[:1])
    text = look(shop, "collection", "prices", role=Role.VIEWER).content.decode()
    main = text[text.index("<main") : text.index("</main>")]
    assert 'method="post"' not in main
    assert not any(verb in main for verb in ("/edit/", "/drop/", "/roll-back/", "/delete/"))


@pytest.mark.parametrize("verb", ["activate", "deactivate", "delete-collection"])
def test_that_somebody_else_deleted_it_meanwhile_is_said(
    shop: Application, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    versioned(shop)
    monkeypatch.setattr(views, "actor_of", lambda request: (Collection.objects.all().delete(), actor_of(request))[1])
    assert "This collection was deleted in the meantime." in text_of(press(shop, verb, "prices"))


def test_one_is_activated_in_the_place_of_another(shop: Application) -> None:
    collection = versioned(shop)
    other = make_collection(shop, async_job=collection.async_job, name="other", is_active=False)
    press(shop, "activate", "other")
    other.refresh_from_db()
    collection.refresh_from_db()
    assert (other.is_active, collection.is_active) == (True, False)
    press(shop, "deactivate", "other")
    other.refresh_from_db()
    assert not other.is_active


def test_the_first_of_a_job_is_made_and_active(shop: Application) -> None:
    made_job(shop)
    given: dict[str, Any] = {
        "name": "prices", "mode": "upserted_versioned", "key": "id\r\nshop", "keep": "7", "indexed": "price",
        "all_readers": "on", "columns": "freeze", "repeated_keys": "on", "smaller_percent": "20",
    }  # fmt: skip
    assert press(shop, "new-collection", "import", **given).redirect_chain[-1][0] == at(shop, "collection", "prices")
    made = Collection.objects.get()
    assert (made.mode, made.key, made.keep, made.indexed) == ("upserted_versioned", ["id", "shop"], 7, ["price"])
    # Where rows are merged nothing gets smaller: the field is not to be seen, and what stands in it is not told.
    assert made.guards == {"columns": "freeze", "repeated_keys": True}
    assert (made.is_active, made.readers) == (True, None)
    press(shop, "new-collection", "import", name="other", mode="normal", all_readers="on")
    assert not Collection.objects.get(name="other").is_active


def test_a_new_one_stands_below_its_job_and_tells_its_guards_in_whole_sentences(shop: Application) -> None:
    job = made_job(shop)
    assert "Async jobs / Import / New collection" in text_of(look(shop, "new-collection", "import"))
    make_collection(shop, async_job=job, guards={"smaller_percent": 20.0, "repeated_keys": True})
    assert "Collections / prices / Edit" in text_of(look(shop, "edit-collection", "prices"))
    said = "a result that is more than 20 % smaller is held; a result in which a key comes twice is held"
    assert said in text_of(look(shop, "collection", "prices"))


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"name": ""}, "name", "Give it a name"),
        ({"name": "a b"}, "name", "It stands in an address"),
        ({"name": "taken"}, "name", "already"),
        ({"mode": ""}, "mode", "Choose"),
        ({"mode": "upserted"}, "key", "needs a key"),
        ({"smaller_percent": "many"}, "smaller_percent", "number"),
        ({"mode": "versioned", "keep": "0"}, "keep", "1"),
        ({"indexed": "a\nb\nc\nd\ne"}, "indexed", "4"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(shop: Application, given: dict[str, Any], field: str, said: str) -> None:
    make_collection(shop, async_job=made_job(shop), name="taken")
    whole: dict[str, Any] = {"name": "prices", "mode": "normal", "all_readers": "on", "columns": "evolve", **given}
    errors = press(shop, "new-collection", "import", **whole).context["form"].errors
    assert list(errors) == [field]
    assert said in str(errors[field])


def test_what_can_be_changed_is_changed_and_what_cannot_stays(shop: Application) -> None:
    collection = versioned(shop)
    load(collection, ROWS)
    opened = look(shop, "edit-collection", "prices")
    assert 'name="mode"' not in opened.content.decode()
    given: dict[str, Any] = {"keep": "3", "readers": "web", "columns": "evolve", "empty": "on"}
    load(collection, ROWS)  # a run meanwhile is no reason to refuse
    answer = press(shop, "edit-collection", "prices", **given, seen=opened.context["seen"])
    assert answer.redirect_chain[-1][0] == at(shop, "collection", "prices")
    assert "No token has the label “web” now: a token that gets this label later may read." in text_of(answer)
    collection.refresh_from_db()
    assert (collection.keep, collection.readers, collection.mode) == (3, ["web"], "versioned")
    assert collection.guards == {"columns": "evolve", "empty": True}
    stale = press(shop, "edit-collection", "prices", **given, seen=opened.context["seen"])
    assert stale.context["form"].non_field_errors()


def test_deleting_it_is_asked_first(shop: Application) -> None:
    load(versioned(shop), ROWS)
    assert "5 rows, with all versions" in text_of(look(shop, "delete-collection", "prices"))
    assert Collection.objects.exists()
    answer = press(shop, "delete-collection", "prices")
    assert answer.redirect_chain[-1][0] == reverse("collections:job", args=[shop.slug, "import"])
    assert not Collection.objects.exists()
