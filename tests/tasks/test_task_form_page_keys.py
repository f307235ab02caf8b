"""The keys of a task in its form: searched, chosen and taken away."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tasks import picking
from tasks.models import CacheKey, Task
from tasks.services import create_task
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_key, make_source
from tests.tasks.task_form_page import at, difference, named, opened, part, send
from tests.tasks.task_pages import text_of

NO_NAMES = ("\0", "\ud800")


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
def test_the_search_takes_every_character_for_itself(shop: Application, products: list[str], find: str) -> None:
    assert "No key has" in text_of(part(shop, "key-search", "picked", find=find))


def test_the_search_finds_nothing_of_anothers(shop: Application) -> None:
    make_key(make_source(make_application("Charlie's")), "product-theirs")
    assert "theirs" not in text_of(part(shop, "key-search", "picked", find="product"))


def test_keys_are_added_and_taken_away_without_scripts(shop: Application, products: list[str]) -> None:
    exact = {"selection": "exact", "find": "product-1"}
    answer = send(shop, do=f"add-key:{products[0]}", **exact)
    assert "1 key chosen" in text_of(answer)
    answer = send(shop, do="add-found", picked=answer.context["picked"].difference.written(), **exact)
    assert "4 keys chosen" in text_of(answer)
    answer = send(shop, do=f"remove-key:{products[0]}", picked=answer.context["picked"].difference.written(), **exact)
    assert answer.context["picked"].listed == products[1:4]
    assert answer.context["form"].initial["name"] == "refresh"
    assert not Task.objects.exists()
    send(shop, selection="exact", picked=answer.context["picked"].difference.written())
    assert named(Task.objects.get()) == products[1:4]


def test_what_was_not_touched_of_the_stored_keys_stays(shop: Application, products: list[str]) -> None:
    send(shop, selection="exact", picked=difference(added=products[:4]))
    edit = at(shop, "edit", "refresh")
    form = opened(shop)
    browser_in(shop).post(edit, {**form, "picked": difference(added=[products[5]], removed=[products[0]])})
    assert named(Task.objects.get()) == [*products[1:4], products[5]]
    browser_in(shop).post(edit, {**opened(shop), "picked": "no JSON"})
    assert named(Task.objects.get()) == [*products[1:4], products[5]]
    browser_in(shop).post(edit, {**opened(shop), "picked": difference(cleared=True, added=[products[7]])})
    assert named(Task.objects.get()) == [products[7]]


def test_what_is_chosen_is_counted_and_only_the_first_are_listed(
    shop: Application, products: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picking, "LISTED", 3)
    send(shop, selection="exact", picked=difference(added=products[:8]))
    at_ = f"{at(shop, 'key-search')}?task=refresh"
    told = {
        "picked": difference(added=[products[0], products[9]], removed=[products[1], products[11]]),
        "find": "product-1",
    }
    answer = send(shop, at_, {"HX-Request": "true", "HX-Target": "picked"}, **told)
    assert "8 keys chosen , the first 3 here: search for others" in text_of(answer)
    assert answer.context["picked"].listed == [products[0], products[2], products[3]]
    found = {one.name: one.is_chosen for one in answer.context["picked"].found}
    assert found == {products[0]: True, products[1]: False, products[2]: True, products[3]: True}


def test_choosing_costs_no_more_for_more_keys(shop: Application, products: list[str]) -> None:
    def cost(count: int) -> int:
        Task.objects.all().delete()
        send(shop, selection="exact", picked=difference(added=products[:count]))
        browser = browser_in(shop)
        with CaptureQueriesContext(connection) as caught:
            answer = browser.post(
                f"{at(shop, 'key-search')}?task=refresh", {"find": "product"}, headers={"HX-Target": "picked"}
            )
            assert answer.status_code == 200
        return len(caught)

    assert cost(1) == cost(11)


def test_too_many_at_once_are_refused_with_a_way_out(
    shop: Application, products: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picking, "TOGETHER", 5)
    monkeypatch.setattr(picking, "MOST", 1)
    assert "choose a pattern instead" in text_of(send(shop, do="add-found", find="product", selection="exact"))
    answer = send(shop, do="add-key:b", picked=difference(added=["a"]), selection="exact")
    assert "cannot be chosen at once" in text_of(answer)


def test_enter_in_the_search_does_not_save(shop: Application, products: list[str]) -> None:
    typed = {"selection": "exact", "picked": difference(added=products[:1]), "find": "product-1", "do": "enter"}
    assert "4 keys with “product-1”" in text_of(send(shop, **typed, found_for=""))
    assert not Task.objects.exists()
    assert send(shop, **{**typed, "find": ""}).status_code == 302


@pytest.mark.parametrize("name", NO_NAMES, ids=["null", "half a letter"])
def test_what_can_be_no_name_is_not_chosen(shop: Application, products: list[str], name: str) -> None:
    task = create_task(
        application=shop, tag="t", by=OPERATOR, now=NOW, selection="exact", keys=products[:1], type="on_demand"
    )
    picked = picking.Picked.read(shop, task, {"picked": json.dumps({"added": [name], "removed": [name]})})
    for verb in ("add-key", "remove-key"):
        picked.do(f"{verb}:{name}")
    assert picked.difference == picking.Difference()
    assert (picked.count, picked.listed) == (1, products[:1])
