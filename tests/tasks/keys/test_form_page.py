"""Making and changing a cache key in a form: a source first, then a field for each of its variables."""

import re
from typing import Any

import pytest
from django.urls import reverse

from badgerjobs.workspaces.models import Application
from tasks.keys import form_views
from tasks.models import CacheKey
from tests.clients import browser_in
from tests.factories import make_key, make_source

EMPTY = {"tags": "", "ttl": "", "stale_while_revalidate": "", "stale_if_error": ""}


def text(answer: Any) -> str:
    """What stands on a page, blanks made one."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def new(shop: Application, **query: Any) -> Any:
    return browser_in(shop).get(reverse("tasks:new-key", args=[shop.slug]), query)


def send(shop: Application, name: str, source: str = "products", **form: Any) -> Any:
    """Send the form of the key with this name, as it stands now but for what is given."""
    at = reverse("tasks:edit-key", args=[shop.slug, name])
    form = {"seen": CacheKey.objects.get(name=name).updated_at.isoformat(), **form}
    return browser_in(shop).post(f"{at}?source={source}", {**EMPTY, **form}, follow=True)


def wrong(answer: Any) -> dict[str, str]:
    """Field → what is wrong with it."""
    found = re.findall(r'<p class="error" id="(\w+)_error">([^<]*)', answer.content.decode())
    return {field: said.replace("&quot;", '"') for field, said in found}


def test_a_source_is_chosen_first(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No sources yet" in text(new(shop))
    make_source(shop, "products", variables=["PRODUCT_ID", "SHOP"])
    make_source(shop, "constant", variables=[])
    said = text(new(shop))
    assert "products REST PRODUCT_ID , SHOP" in said
    assert "constant REST nothing" in said
    monkeypatch.setattr(form_views, "SOURCES", 1)
    assert "These are the first 1: search for the others." in text(new(shop))
    assert "constant" not in text(new(shop, q="PROD"))
    assert "No source matches" in text(new(shop, q="nothing"))
    assert "Choose where its value comes from" in text(new(shop, source="nothing"))


def test_there_is_a_field_for_each_variable(shop: Application) -> None:
    make_source(shop, "products", variables=["PRODUCT_ID", "SHOP"])
    page = new(shop, source="products").content.decode()
    assert re.findall(r'<label for="(variable_\d)">(\w+)</label>', page) == [
        ("variable_1", "PRODUCT_ID"), ("variable_2", "SHOP"),
    ]  # fmt: skip


def test_a_key_is_made(shop: Application) -> None:
    make_source(shop, "products")
    form = {"tags": "a\r\n\r\n b \r\na", "ttl": "60", "stale_if_error": "0", "variable_1": " 7 "}
    at = f"{reverse('tasks:new-key', args=[shop.slug])}?source=products"
    assert wrong(browser_in(shop).post(at, {**EMPTY, **form})) == {"name": "Give it a name, like product-1."}
    answer = browser_in(shop).post(at, {**EMPTY, **form, "name": "product-7"}, follow=True)
    assert "product-7 is saved." in text(answer)
    key = CacheKey.objects.get()
    assert (key.name, key.variables, key.tags) == ("product-7", {"PRODUCT_ID": " 7 "}, ["a", "b"])
    assert (key.ttl_s, key.stale_while_revalidate_s, key.stale_if_error_s) == (60, None, 0)


@pytest.mark.parametrize("field", ["name", "variable_1", "tags", "ttl", "stale_while_revalidate", "stale_if_error"])
def test_a_null_character_is_refused_beside_its_field(shop: Application, field: str) -> None:
    make_source(shop, "products")
    at = f"{reverse('tasks:new-key', args=[shop.slug])}?source=products"
    answer = browser_in(shop).post(at, {**EMPTY, "name": "a", "variable_1": "7", field: "1\0"})
    assert wrong(answer) == {field: "Leave the null character out."}
    assert not CacheKey.objects.exists()


def test_all_that_is_wrong_is_said_at_once_beside_its_field(shop: Application) -> None:
    make_source(shop, "products", variables=["PRODUCT_ID", "SHOP"])
    at = f"{reverse('tasks:new-key', args=[shop.slug])}?source=products"
    form = {"name": "a/b", "variable_2": "x", "ttl": "soon", "tags": "a/b", "stale_if_error": "-1"}
    answer = browser_in(shop).post(at, {**EMPTY, **form})
    said = wrong(answer)
    assert said.keys() == {"name", "variable_1", "ttl", "tags", "stale_if_error"}
    assert said["variable_1"] == "The source asks for this."
    assert "Nothing is saved yet: 5 fields need a change." in text(answer)
    assert 'value="soon"' in answer.content.decode()
    assert not CacheKey.objects.exists()


def test_values_that_are_too_long_together_are_said_once(shop: Application) -> None:
    make_source(shop, "products")
    at = f"{reverse('tasks:new-key', args=[shop.slug])}?source=products"
    answer = browser_in(shop).post(at, {**EMPTY, "name": "a", "variable_1": "x" * 17_000})
    assert "16,384 together" in text(answer)


def test_a_name_that_is_taken_is_said_beside_it(shop: Application) -> None:
    make_key(make_source(shop, "products"), "a")
    at = f"{reverse('tasks:new-key', args=[shop.slug])}?source=products"
    answer = browser_in(shop).post(at, {**EMPTY, "name": "a", "variable_1": "1"})
    assert wrong(answer) == {"name": "There is a key with the name “a” already: give this one another."}


def test_a_key_is_changed_and_what_nobody_touched_stays(shop: Application) -> None:
    source = make_source(shop, "products", variables=["ID", "LIST", "EMPTY"])
    stored = {"ID": "1", "LIST": [1, {"a": 2.50}], "EMPTY": ""}
    make_key(source, "a", "1", variables=stored, tags=["x", "y"], ttl_s=60)
    page = browser_in(shop).get(reverse("tasks:edit-key", args=[shop.slug, "a"])).content.decode()
    assert "It is no text: write it as JSON." in page
    shown = {"variable_1": "1", "variable_2": '[1, {"a": 2.5}]', "variable_3": "", "tags": "x\r\ny", "ttl": "60"}
    assert "a is saved." in text(send(shop, "a", **shown, stale_if_error="5"))
    key = CacheKey.objects.get()
    assert (key.variables, key.tags, key.ttl_s, key.stale_if_error_s) == (stored, ["x", "y"], 60, 5)
    assert key.value.body == "1"
    assert wrong(send(shop, "a", **{**shown, "variable_2": "[1"})).keys() == {"variable_2"}
    assert "a is saved." in text(send(shop, "a", **{**shown, "variable_2": "[2]"}))
    key = CacheKey.objects.get()
    assert key.variables["LIST"] == [2]
    assert key.value.body is None


def test_it_may_come_from_another_source(shop: Application) -> None:
    make_key(make_source(shop, "products"), "a", "1")
    make_source(shop, "prices", variables=["SKU"])
    at = reverse("tasks:edit-key", args=[shop.slug, "a"])
    assert "What is stored under it is dropped then." in text(browser_in(shop).get(f"{at}?choose="))
    assert 'for="variable_1">SKU<' in browser_in(shop).get(f"{at}?source=prices").content.decode()
    assert "a is saved." in text(send(shop, "a", "prices", variable_1="x"))
    key = CacheKey.objects.get()
    assert (key.source.tag, key.variables, key.value.body) == ("prices", {"SKU": "x"}, None)


def test_what_somebody_else_changed_meanwhile_is_said_once(shop: Application) -> None:
    make_key(make_source(shop, "products"), "a")
    answer = send(shop, "a", variable_1="1", ttl="5", seen="2020-01-01T00:00:00+00:00")
    assert "Somebody else changed this while the form was open." in text(answer)
    assert CacheKey.objects.get().ttl_s is None
    assert "a is saved." in text(send(shop, "a", variable_1="1", ttl="5"))


def test_that_somebody_changed_it_meanwhile_is_not_forgotten_over_another_mistake(shop: Application) -> None:
    make_key(make_source(shop, "products"), "a")
    answer = send(shop, "a", variable_1="1", ttl="soon", seen="2020-01-01T00:00:00+00:00")
    assert answer.context["form"].errors
    assert answer.context["seen"] == "2020-01-01T00:00:00+00:00"
