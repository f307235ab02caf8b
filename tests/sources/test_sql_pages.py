"""A query on a database, in the panel and by REST: its form, variables and password, and what a test of it shows."""

from typing import Any

import pytest
from django.db import connection as django_connection
from django.test import Client
from django.urls import reverse

from badgerjobs.lib.vault import MASK
from badgerjobs.sources.models import DataSource
from badgerjobs.web.definitions.configurations import SECRETS_STAY
from badgerjobs.workspaces.models import Application
from tests.callers import Caller, caller_for
from tests.clients import browser_in
from tests.jobs.form_page import text_of
from tests.stand_ins import Door

pytestmark = pytest.mark.django_db(transaction=True)

QUERY = "SELECT g AS id, {{NAME}}::text AS name FROM generate_series(1, 30) g WHERE g > {{remembered}}::int"
GIVEN = {
    "host": "db.example.com", "database": "shop", "user": "reader", "password": "hunter2", "query": QUERY,
    "remember": "id", "remember_start": "0",
}  # fmt: skip


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


@pytest.fixture
def program(shop: Application) -> Caller:
    return caller_for(shop)


@pytest.fixture
def server(postgres: Door, settings: Any) -> dict[str, Any]:
    """The tests' PostgreSQL, as a source names it."""
    settings.EGRESS_ALLOW = ["127.0.0.1"]
    own = django_connection.settings_dict
    return {"host": "127.0.0.1", "port": postgres.port, "database": own["NAME"], "user": own["USER"],
            "password": own["PASSWORD"], "tls": "none"}  # fmt: skip


def sent(**fields: Any) -> dict[str, Any]:
    whole = {"engine": "postgresql", "tls": "verify", "timeout": "30", **GIVEN, **fields}
    return {f"configuration_{name}": value for name, value in whole.items()}


def new(shop: Application) -> str:
    return f"{reverse('sources:new-source', args=[shop.slug])}?type=SQL"


def test_a_query_is_made_in_a_form_and_its_password_is_never_shown(alice: Client, shop: Application) -> None:
    alice.post(new(shop), {"name": "products", **sent()})
    source = DataSource.objects.get()
    assert (source.host, source.variables) == ("db.example.com", ["NAME"])
    assert source.configuration["password"] == "hunter2"
    assert source.configuration["port"] == 5432
    page = alice.get(reverse("sources:source", args=[shop.slug, source.tag])).content.decode()
    edited = alice.get(reverse("sources:edit-source", args=[shop.slug, source.tag])).content.decode()
    assert "hunter2" not in page + edited
    assert MASK in edited


def test_the_variables_of_a_query_are_those_that_nobody_else_fills(alice: Client, shop: Application) -> None:
    page = alice.get(new(shop))
    assert page.context["form"].declared == []
    at = f"{reverse('sources:try-source', args=[shop.slug])}?type=SQL"
    answer = alice.post(at, sent(query=f"{QUERY} AND now() > {{{{now}}}}"), headers={"HX-Request": "true"})
    assert answer.context["form"].declared == ["NAME"]
    without = alice.post(at, sent(query="SELECT '{{NAME}}'"), headers={"HX-Request": "true"})
    assert without.context["form"].declared == []


def test_the_driver_is_asked_for_of_odbc_alone(alice: Client, shop: Application) -> None:
    form = alice.get(new(shop)).context["form"]
    [driver] = [row for row in form.rows if row.field.name == "configuration_driver"]
    assert driver.classes == "only with-odbc"
    assert form.authentication_rows == []


def test_a_stored_password_goes_to_no_other_server(program: Caller) -> None:
    program.post("/sources/", {"tag": "products", "type": "SQL", "configuration": GIVEN})
    stars = {**GIVEN, "password": MASK}
    assert program.patch("/sources/products/", {"configuration": {**stars, "query": "SELECT 1"}}).status == 200
    for change in ({"host": "evil.example.com"}, {"port": 5433}, {"tls": "none"}, {"certificates": ""}):
        answer = program.patch("/sources/products/", {"configuration": {**stars, **change}})
        expected = 200 if change == {"certificates": ""} else 400
        assert answer.status == expected, change
        if expected == 400:
            assert answer.errors == {"configuration.password": [SECRETS_STAY]}
    assert DataSource.objects.get().configuration["password"] == "hunter2"


def test_a_test_shows_the_first_rows_and_their_columns(program: Caller, server: dict[str, Any]) -> None:
    given = {"type": "SQL", "configuration": {**GIVEN, **server}, "values": {"NAME": "Lamp"}}
    answer = program.post("/sources/test/", given)
    assert answer.body["ok"], answer.body
    assert answer.body["rows"] == [{"id": at, "name": "Lamp"} for at in range(1, 21)]
    columns = answer.body["columns"]
    assert [(one["name"], list(one["types"])) for one in columns] == [("id", ["number"]), ("name", ["text"])]


def test_a_test_says_what_the_database_says(alice: Client, shop: Application, server: dict[str, Any]) -> None:
    at = f"{reverse('sources:try-source', args=[shop.slug])}?type=SQL"
    target = {"HX-Request": "true", "HX-Target": "tried"}
    part = text_of(alice.post(at, {**sent(**server), "value_NAME": "Lamp"}, headers=target))
    for words in ("Lamp", "id", "number"):
        assert words in part
    wrong = alice.post(at, sent(**{**server, "query": "SELECT nme FROM pg_class"}), headers=target)
    assert "at line 1, column 8: column &quot;nme&quot; does not exist" in wrong.content.decode()


def test_no_key_is_made_of_a_query(program: Caller) -> None:
    program.post("/sources/", {"tag": "products", "type": "SQL", "configuration": GIVEN})
    answer = program.post("/keys/", {"name": "product:1", "source": "products", "lifetime": "PT1H"})
    assert answer.status == 400
    assert "it gives rows, and no single value to keep" in str(answer.errors)
