"""Slurpers are made, changed and deleted by REST, and what cannot work is refused."""

from typing import Any

import pytest

from badgerjobs.sources.models import DataSource
from badgerjobs.workspaces.models import AuditEntry
from slurps.models import Slurper
from tests.callers import Caller
from tests.factories import make_async_job, make_source
from tests.in_turn import in_turn

CODE = "return dataMap.products.filter(p => p.stock > 0)"
SLURPER = {"tag": "s", "language": "javascript", "code": CODE, "sources": ["products"]}


@pytest.fixture
def products(alice: Caller) -> DataSource:
    return make_source(alice.application, "products", variables=[], configuration={"url": "https://example.com/"})


@pytest.mark.usefixtures("products")
class TestMaking:
    def test_one_is_made_and_read(self, alice: Caller) -> None:
        made = alice.post("/slurpers/", {**SLURPER, "name": "In stock"})
        assert made.status == 201
        shown = {name: made.body[name] for name in ("tag", "name", "language", "code", "sources", "job_count")}
        assert shown == {**SLURPER, "name": "In stock", "job_count": 0}
        assert alice.get("/slurpers/s/").body == made.body
        [row] = alice.get("/slurpers/").body["results"]
        assert row == {**made.body, "code": ""}

    def test_its_sources_keep_the_order_in_which_they_are_given(self, alice: Caller) -> None:
        make_source(alice.application, "a")
        make_source(alice.application, "z")
        made = alice.post("/slurpers/", {"tag": "s", "sources": ["z", "products", "a"]})
        assert made.body["sources"] == ["z", "products", "a"]
        changed = alice.patch("/slurpers/s/", {"sources": ["a", "z"]})
        assert changed.body["sources"] == ["a", "z"]
        assert alice.get("/slurpers/").body["results"][0]["sources"] == ["a", "z"]

    def test_of_one_tag_there_is_one_in_an_application(self, alice: Caller, charlie: Caller) -> None:
        make_source(charlie.application, "products")
        assert alice.post("/slurpers/", SLURPER).status == 201
        again = alice.post("/slurpers/", SLURPER)
        assert again.status == 409
        assert "There is a slurper with the tag “s” already." in again.body["detail"]
        assert charlie.post("/slurpers/", SLURPER).status == 201

    def test_put_makes_it_and_then_sets_what_is_left_out_to_nothing(self, alice: Caller) -> None:
        assert alice.put("/slurpers/s/", {**SLURPER, "name": "N"}).status == 201
        changed = alice.put("/slurpers/s/", {"sources": ["products"]})
        assert changed.status == 200
        assert (changed.body["language"], changed.body["code"], changed.body["name"]) == ("none", "", "s")

    def test_a_request_with_a_key_is_done_once(self, alice: Caller) -> None:
        first = alice.post("/slurpers/", SLURPER, Idempotency_Key="k")
        again = alice.post("/slurpers/", SLURPER, Idempotency_Key="k")
        assert (first.status, again.status, again.body) == (201, 201, first.body)
        assert Slurper.objects.count() == 1

    def test_a_source_of_somebody_else_is_none(self, alice: Caller, charlie: Caller) -> None:
        make_source(charlie.application, "theirs")
        answer = alice.post("/slurpers/", {**SLURPER, "sources": ["theirs"]})
        assert answer.errors == {"sources": ["There is no source “theirs” in this application."]}

    @pytest.mark.parametrize("language", ["javascript", "javascript_batches", "python", "none"])
    def test_who_pastes_python_is_shown_the_javascript(self, alice: Caller, language: str) -> None:
        code = "def slurp(ctx, data_map):\n    return data_map['products']"
        answer = alice.post("/slurpers/", {**SLURPER, "language": language, "code": code})
        assert list(answer.errors) == ["code"]
        [said] = answer.errors["code"]
        assert "This is Python" in said
        assert "(ctx, " in said

    @pytest.mark.usefixtures("in_python")
    def test_one_in_python_names_a_function_that_is_registered(self, alice: Caller) -> None:
        made = alice.post("/slurpers/", {"tag": "s", "language": "python", "function": "cleanProducts"})
        assert (made.status, made.body["function"], made.body["sources"]) == (201, "cleanProducts", [])
        other = alice.post("/slurpers/", {"tag": "t", "language": "python", "function": "x"})
        assert other.errors == {"function": ["There is no slurper “x” in Python here: there is cleanProducts."]}


@pytest.mark.usefixtures("products")
@in_turn(
    "given, field, said",
    [
        ({"language": "perl"}, "language", "“perl” is none of none, javascript, javascript_batches, python."),
        ({"sources": []}, "sources", "Name at least one source"),
        ({"sources": ["x"]}, "sources", "There is no source “x” in this application."),
        ({"sources": ["x", "y"]}, "sources", "There are no sources “x” and “y” in this application."),
        ({"sources": ["products", "products"]}, "sources", "The source “products” is named twice"),
        ({"sources": [f"s{n}" for n in range(21)]}, "sources", "Give at most 20 of them: these are 21."),
        ({"code": ""}, "code", "Give the body of a function that returns rows."),
        ({"code": "return ("}, "code", "SyntaxError"),
        ({"language": "none"}, "code", "take no code"),
        ({"function": "cleanProducts"}, "function", "Only the language python has a function"),
        ({"language": "python", "code": ""}, "function", "This installation has no slurper in Python: choose"),
        ({"language": "python", "code": "", "function": "x"}, "function", "no slurper “x” in Python here. This"),
        ({"tag": "try"}, "tag", "a word of the addresses themselves"),
        ({"kode": "x"}, "kode", "did you mean code?"),
    ],
)
def test_what_cannot_work_is_refused(alice: Caller, given: Any, field: str, said: str) -> None:
    answer = alice.post("/slurpers/", {**SLURPER, **given})
    assert answer.status == 400
    assert said in answer.errors[field][0]
    assert not Slurper.objects.exists()


@pytest.mark.usefixtures("products")
class TestChanging:
    def test_another_language_empties_what_it_has_no_use_for(self, alice: Caller) -> None:
        alice.post("/slurpers/", SLURPER)
        changed = alice.patch("/slurpers/s/", {"language": "none"})
        assert (changed.status, changed.body["code"], changed.body["sources"]) == (200, "", ["products"])

    def test_code_is_compiled_with_what_its_language_sees(self, alice: Caller) -> None:
        alice.post("/slurpers/", {**SLURPER, "code": "let rows = dataMap.products; return rows"})
        wrong = alice.patch("/slurpers/s/", {"language": "javascript_batches"})
        assert wrong.status == 400
        assert "rows" in wrong.errors["code"][0]

    def test_a_tag_stays(self, alice: Caller) -> None:
        alice.post("/slurpers/", SLURPER)
        assert alice.patch("/slurpers/s/", {"tag": "s"}).status == 200
        assert alice.patch("/slurpers/s/", {"tag": "t"}).status == 400

    def test_what_is_done_is_in_the_audit_log(self, alice: Caller) -> None:
        alice.post("/slurpers/", {"tag": "s", "sources": ["products"]})
        alice.patch("/slurpers/s/", {"name": "N"})
        alice.patch("/slurpers/s/", {"name": "N"})
        alice.delete("/slurpers/s/")
        entries = {
            entry.action: entry.changes
            for entry in AuditEntry.objects.filter(action__startswith="slurper.").order_by("pk")
        }
        assert list(entries) == ["slurper.create", "slurper.update", "slurper.delete"]
        assert entries["slurper.update"] == {"name": ["s", "N"]}
        assert entries["slurper.create"]["sources"] == [None, "products"]


@pytest.mark.usefixtures("products")
class TestDeleting:
    def test_one_that_no_job_uses_goes(self, alice: Caller) -> None:
        alice.post("/slurpers/", SLURPER)
        assert alice.delete("/slurpers/s/").status == 204
        assert alice.get("/slurpers/s/").status == 404

    def test_one_that_jobs_use_stays_and_they_are_named(self, alice: Caller) -> None:
        alice.post("/slurpers/", SLURPER)
        for tag in ("b", "a"):
            make_async_job(alice.application, tag, slurper=Slurper.objects.get())
        answer = alice.delete("/slurpers/s/")
        assert answer.status == 409
        assert answer.body["detail"].startswith("The slurper is used by the async jobs “a” and “b”.")
        assert alice.get("/slurpers/s/").body["job_count"] == 2

    def test_a_source_that_slurpers_use_stays_and_they_are_named(self, alice: Caller) -> None:
        alice.post("/slurpers/", SLURPER)
        answer = alice.delete("/sources/products/")
        assert answer.status == 409
        assert answer.body["detail"].startswith("The source is used by the slurper “s”.")
        alice.delete("/slurpers/s/")
        assert alice.delete("/sources/products/").status == 204


class TestLists:
    @pytest.mark.parametrize(
        ("query", "tags"),
        [
            ("", ["c", "b", "a"]),
            ("?search=B", ["b"]),
            ("?language=javascript", ["b"]),
            ("?language=none,python", ["c", "a"]),
            ("?source=products", ["b", "a"]),
        ],
    )
    def test_are_narrowed(self, alice: Caller, products: DataSource, query: str, tags: list[str]) -> None:
        make_source(alice.application, "other")
        alice.post("/slurpers/", {"tag": "a", "sources": [products.tag, "other"]})
        alice.post("/slurpers/", {**SLURPER, "tag": "b"})
        alice.post("/slurpers/", {"tag": "c", "sources": ["other"]})
        assert [row["tag"] for row in alice.get(f"/slurpers/{query}").body["results"]] == tags

    def test_a_filter_that_means_nothing_is_refused(self, alice: Caller) -> None:
        assert alice.get("/slurpers/?language=perl").errors["language"][0].startswith("“perl” is none of")

    def test_are_read_in_as_many_queries_however_long(
        self, alice: Caller, products: DataSource, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(5):
            alice.post("/slurpers/", {"tag": f"s{number}", "sources": [products.tag]})
        with django_assert_max_num_queries(6):
            assert len(alice.get("/slurpers/").body["results"]) == 5
