"""GraphQL sources: variables of their types, and answers that have errors."""

import json
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from badgerjobs.sources.types.graphql import prepare
from tests.e2e.receiver import Receiver
from tests.factories import NOW
from tests.sources.fetching import fetched, says, source_of, unfetched

URL = "https://example.com/graphql"
QUERY = "query($id: ID!) { product(id: $id) { name } }"


def sent(kind: str, value: str, **values: Any) -> Any:
    """What a variable of this type is sent as."""
    given = [{"name": "v", "type": kind, "value": value}]
    source = source_of("GRAPHQL", url=URL, query=QUERY, variables=given)
    return json.loads(prepare(source.configuration, values, NOW).body)["variables"]["v"]


def test_a_query_is_posted_with_its_variables_and_the_whole_answer_is_kept() -> None:
    with Receiver() as receiver:
        receiver.answer = lambda _: says('{"data": {"product": {"name": "Lamp"}}, "errors": [{"message": "slow"}]}')
        source = source_of(
            "GRAPHQL",
            url=f"{receiver.url}/{{{{SHOP}}}}",
            query=QUERY,
            headers={"X-Shop": "{{SHOP}}"},
            variables=[
                {"name": "$id", "type": "ID", "value": "{{PRODUCT_ID}}"},
                {"name": "first", "type": "Int", "value": "{{FIRST}}"},
                {"name": "on", "value": "{{now date}}"},
            ],
            operation_name="Product",
        )
        body = fetched(source, {"PRODUCT_ID": 7, "FIRST": "12", "SHOP": "s"})
        [call] = receiver.calls

    assert source.variables == ["SHOP", "PRODUCT_ID", "FIRST"]
    assert body == '{"data":{"product":{"name":"Lamp"}},"errors":[{"message":"slow"}]}'
    assert (call.method, call.path, call.headers["content-type"]) == ("POST", "/s", "application/json")
    assert json.loads(call.body) == {
        "query": QUERY, "variables": {"id": "7", "first": 12, "on": "2026-03-02"}, "operationName": "Product",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "template", "value", "becomes"),
    [
        ("String", "{{A}}", 7, "7"),
        ("String", "a {{A}}", " b", "a  b"),
        ("String", "{{A}}", {"a": [1]}, '{"a": [1]}'),
        ("ID", "gid://{{A}}", 7, "gid://7"),
        ("Int", "{{A}}", "12", 12),
        ("Int", " {{A}} ", -12, -12),
        ("Int", "1{{A}}", "2", 12),
        ("Int", "{{A}}", 2**31 - 1, 2**31 - 1),
        ("Float", "{{A}}", "1.5", 1.5),
        ("Float", "{{A}}", 2, 2.0),
        ("Float", "{{A}}", "1e3", 1000.0),
        ("Boolean", "{{A}}", True, True),
        ("Boolean", "{{A}}", "false", False),
        ("Boolean", "{{A}}", "TRUE", True),
        ("JSON", "{{A}}", {"a": 1}, {"a": 1}),
        ("JSON", "{{A}}", '{"a": 1}', {"a": 1}),
        ("JSON", '{"id": {{A}}, "of": "a {{A}}"}', 'x"y', {"id": 'x"y', "of": 'a x"y'}),
        ("JSON", "[{{A}}]", None, [None]),
        ("Int", "{{A}}", None, None),
        ("String", "{{A}}", None, None),
        ("String", "a{{A}}", None, "a"),
        ("Int", "{{now unix}}", None, 1772452800),
    ],
)
def test_a_variable_is_sent_as_its_type(kind: str, template: str, value: Any, becomes: Any) -> None:
    found = sent(kind, template, A=value)
    assert (found, type(found)) == (becomes, type(becomes))


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("Int", "abc", "The variable v is an Int: “abc” is none."),
        ("Int", "1.5", "The variable v is an Int: “1.5” is none."),
        ("Int", "", "The variable v is an Int: “” is none."),
        ("Int", True, "The variable v is an Int: “true” is none."),
        ("Int", 2**31, "The variable v is an Int: “2147483648” is none."),
        ("Int", "9" * 5000, "The variable v is an Int"),
        ("Int", "١٢", "The variable v is an Int"),
        ("Float", "NaN", "The variable v is a Float: “NaN” is none."),
        ("Float", "1e999", "The variable v is a Float"),
        ("Boolean", "yes", "The variable v is a Boolean: “yes” is none."),
        ("Boolean", 1, "The variable v is a Boolean: “1” is none."),
        ("JSON", "{a: 1}", "The variable v is JSON: “{a: 1}” is none."),
        ("JSON", "NaN", "The variable v is JSON"),
        ("JSON", "[-1e309]", "The variable v is JSON"),
        ("JSON", "[" * 100_000, "The variable v is JSON"),
    ],
)
def test_what_is_not_of_its_type_fails_at_once_and_names_the_variable(kind: str, value: Any, sentence: str) -> None:
    given = [{"name": "v", "type": kind, "value": "{{A}}"}]
    came = unfetched(source_of("GRAPHQL", url=URL, query=QUERY, variables=given), {"A": value})
    assert (came.error_class, came.retry) == ("variables", False)
    assert sentence in came.error


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ('{"errors": [{"message": "No such field"}, {"message": "Bad."}]}', "No such field. Bad."),
        ('{"errors": [{"message": "no"}], "data": null}', "no."),
        ('{"errors": ["no"]}', "no."),
        ('{"errors": [{"a": 1}]}', "The source answered with errors and without data."),
        ('{"errors": 7}', "The source answered with errors and without data."),
        ("[1]", "The answer is none of GraphQL: it has neither data nor errors."),
        ('{"a": 1}', "The answer is none of GraphQL: it has neither data nor errors."),
    ],
)
def test_errors_without_data_are_a_failure(answer: str, sentence: str) -> None:
    with Receiver() as receiver:
        receiver.answer = lambda _: says(answer)
        came = unfetched(source_of("GRAPHQL", url=receiver.url, query=QUERY))
    assert (came.error_class, came.error, came.status, came.retry) == ("graphql", sentence, 200, True)


def test_the_messages_of_a_status_that_fails_are_told_too() -> None:
    with Receiver() as receiver:
        receiver.answer = lambda _: says('{"errors": [{"message": "Syntax error"}]}', 400)
        came = unfetched(source_of("GRAPHQL", url=receiver.url, query=QUERY))
    assert (came.error_class, came.error) == (
        "status", "The source answered 400 Bad Request. It says: “Syntax error.”",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ([{"name": "a"}, {"name": "$a"}], "There are two variables with the name a."),
        ([{"name": "1a"}], "letters, digits and underscores"),
        ([{"name": "a", "type": "Date"}], "“Date” is none of String, Int, Float, Boolean, ID, JSON."),
        ([{"name": "a", "type": "Int", "value": "x"}], "The variable a is an Int: “x” is none."),
        ([{"name": "a", "value": "{{a.b}}"}], "is no name of a variable"),
        ([{"name": "a", "kind": "Int"}], "There are only"),
        ([{"name": f"a{n}"} for n in range(101)], "100"),
    ],
)
def test_variables_that_could_never_be_sent_are_refused(variables: Any, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        source_of("GRAPHQL", url=URL, query=QUERY, variables=variables)
    assert sentence in str(refused.value.detail["configuration"]["variables"])  # type: ignore[index, call-overload]


def test_a_query_may_hold_any_braces() -> None:
    assert source_of("GRAPHQL", url=URL, query="{a{{b}}}").variables == []
