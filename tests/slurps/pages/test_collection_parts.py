"""Parts of a collection's page: its rows as a file, what is stored, and what a result that waits would change."""

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from badgerjobs.web.seats import Seats
from badgerjobs.workspaces.models import Application, Role
from slurps.collecting import waiting
from slurps.collecting.reading import pages, seats
from slurps.collecting.snapshot import TooLongError
from slurps.collecting.storage import storage_of
from slurps.models import Collection
from slurps.storing.rolling_back import roll_back
from tests.clients import browser_in
from tests.factories import NOW, make_collection
from tests.slurps.collecting.held import hold_rows
from tests.slurps.pages.slurp_pages import at, look, made_job, text_of
from tests.slurps.storing.loads import load

ROWS = [{"id": number, "title": f"Mug {number}", "price": number / 2} for number in range(1, 6)]


def versioned(shop: Application, **fields: Any) -> Collection:
    given = {"mode": "versioned", "keep": 5, "key": ["id"], **fields}
    return make_collection(shop, async_job=made_job(shop), **given)


def file(shop: Application, **query: Any) -> str:
    answer = look(shop, "download", "prices", role=Role.VIEWER, **query)
    assert answer.status_code == 200, answer.headers
    return b"".join(answer.streaming_content).decode()


def part(shop: Application, name: str, target: str, browser: Client | None = None, **headers: str) -> Any:
    asked = {"HX-Request": "true", "HX-Target": target, **headers}
    return (browser or browser_in(shop)).get(at(shop, name, "prices"), {"to": "held"}, headers=asked)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"sort": "-price"}, [5, 4, 3, 2, 1]),
        ({"column": "price", "op": "gte", "value": "2", "sort": "-id"}, [5, 4]),
        ({"q": "mug 3"}, [3]),
        ({"version": "1"}, [1]),
        ({"cursor": "nonsense", "before": "50"}, [1, 2, 3, 4, 5]),
    ],
)
def test_what_is_shown_is_downloaded_all_of_it(
    shop: Application, query: dict[str, Any], ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "at_once", lambda _version: 2)
    collection = versioned(shop)
    load(collection, ROWS[:1])
    load(collection, ROWS)
    assert [row["id"] for row in json.loads(file(shop, format="json", **query))] == ids
    assert [json.loads(line)["id"] for line in file(shop, format="jsonl", **query).splitlines()] == ids
    assert [int(row["id"]) for row in csv.DictReader(io.StringIO(file(shop, format="csv", **query)))] == ids


def test_a_file_bears_the_name_of_what_it_has(shop: Application) -> None:
    load(versioned(shop), ROWS)
    queries: list[dict[str, Any]] = [{"format": "csv"}, {"format": "nonsense", "version": "1"}]
    named = [look(shop, "download", "prices", **query)["Content-Disposition"] for query in queries]
    assert named == ['attachment; filename="prices.csv"', 'attachment; filename="prices-version-1.json"']


def test_the_page_leads_to_files_of_what_it_shows(shop: Application) -> None:
    load(versioned(shop), ROWS)
    page = look(shop, "collection", "prices", sort="-id", q="mug").content.decode()
    for form in ("csv", "jsonl", "json"):
        assert f'{at(shop, "download", "prices")}?sort=-id&amp;q=mug&amp;format={form}"' in page


@pytest.mark.parametrize("query", [{"version": "99"}, {"sort": "-"}])
def test_what_is_refused_is_told_on_the_page(shop: Application, query: dict[str, Any]) -> None:
    load(versioned(shop), ROWS)
    answer = look(shop, "download", "prices", format="csv", **query)
    assert answer.status_code == 302
    assert answer["Location"].startswith(at(shop, "collection", "prices"))


def test_a_file_that_is_being_taken_has_a_seat(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "_seats", Seats(2))
    load(versioned(shop), ROWS)
    begun = look(shop, "download", "prices", format="csv")
    answer = look(shop, "download", "prices", format="csv")
    assert answer["Location"].startswith(at(shop, "collection", "prices"))
    assert len(b"".join(begun.streaming_content).splitlines()) == 6
    assert len(file(shop, format="csv").splitlines()) == 6


def test_what_is_stored_is_told_by_version(shop: Application) -> None:
    collection = versioned(shop)
    first = load(collection, ROWS)
    load(collection, ROWS[:2])
    stored = storage_of(collection)
    assert stored.total == sum(stored.versions.values()) > 0
    assert stored.versions[1] == pytest.approx(stored.versions[2] * 5 / 2, abs=3)
    roll_back(collection=collection, to=first, now=NOW)
    storage = storage_of(Collection.objects.get())
    assert storage.versions[3] == 0  # it shows rows that are there
    assert "Stored, 3 versions" in text_of(look(shop, "collection", "prices"))
    load(collection, [{"id": 1}])
    hold_rows(Collection.objects.get(), ROWS)
    after = storage_of(Collection.objects.get())
    assert {number: after.versions[number] for number in (1, 2, 3)} == storage.versions  # whatever is newer
    assert after.total == pytest.approx(sum(after.versions.values()) + stored.versions[1], abs=3)


@pytest.mark.parametrize(("mode", "rows"), [("upserted_versioned", [5, 1]), ("accumulative_versioned", [5, 2])])
def test_where_rows_stay_a_version_stores_what_it_brought(shop: Application, mode: str, rows: list[int]) -> None:
    collection = versioned(shop, mode=mode, key=["id"] if mode == "upserted_versioned" else [])
    load(collection, ROWS)
    load(collection, [ROWS[0], {**ROWS[0], "id": 9}] if mode == "upserted_versioned" else ROWS[:2])
    stored = storage_of(collection).versions
    assert stored[1] / rows[0] == pytest.approx(stored[2] / rows[1], abs=1)
    page = look(shop, "collection", "prices").content.decode()
    assert 'class="share"' in page


def test_what_waits_tells_to_the_row_what_it_would_change_once_that_is_looked_up(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = versioned(shop)
    load(collection, ROWS)
    hold_rows(collection, [{**ROWS[0], "price": 9}, {"id": 6}])
    assert "is looked up" in text_of(look(shop, "collection", "prices"))
    assert "+1 added ~1 changed −4 removed" in text_of(part(shop, "differences", "held-difference"))  # noqa: RUF001
    monkeypatch.setattr(waiting, "counts_of_difference", None)  # once is enough
    assert "+1 added ~1 changed −4 removed" in text_of(look(shop, "collection", "prices"))  # noqa: RUF001


def test_who_has_seen_what_waits_is_told_when_there_is_something_else(shop: Application) -> None:
    collection, browser = versioned(shop), browser_in(shop)
    load(collection, ROWS)
    hold_rows(collection, ROWS[:1])
    mark = look(shop, "collection", "prices").context["page"].guard_mark
    seen = {"X-Seen": mark}
    assert part(shop, "collection", "guard", browser, **seen).status_code == 204
    hold_rows(collection, ROWS[:2])
    assert part(shop, "collection", "guard", browser, **seen).status_code == 200


def test_a_difference_that_takes_too_long_is_given_up(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: Any) -> Any:
        raise TooLongError

    collection = versioned(shop)
    load(collection, ROWS)
    hold_rows(collection, ROWS[:1])
    monkeypatch.setattr(waiting, "counts_of_difference", late)
    assert "to the row, is not known" in text_of(part(shop, "differences", "held-difference"))


def test_without_a_key_it_says_that_a_row_that_changed_went_and_came(shop: Application) -> None:
    collection = versioned(shop, key=[])
    load(collection, ROWS)
    hold_rows(collection, [{**ROWS[0], "price": 9}, *ROWS[1:]])
    said = text_of(part(shop, "differences", "held-difference"))
    assert "+1 added −1 removed" in said  # noqa: RUF001
    assert "rows without a key" in said
