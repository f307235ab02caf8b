"""Rows of GraphQL, page after page by a cursor."""

import json
from typing import Any

from tests.e2e.receiver import Answer, Call, Receiver
from tests.in_turn import in_turn
from tests.sources.fetching import fetched, says, source_of
from tests.sources.pulling import fails, pulled_from

QUERY = "query All($after: String, $since: String) { products(after: $after, since: $since) { nodes { id } } }"
PAGED = {
    "query": QUERY,
    "rows": "$.data.products.nodes[*]",
    "cursor_path": "$.data.products.pageInfo.endCursor",
    "more_path": "$.data.products.pageInfo.hasNextPage",
}
ROWS = [{"id": place} for place in range(1, 6)]


def variables(call: Call) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(call.body).get("variables", {})
    return given


def page(rows: list[Any], cursor: Any, more: Any, **beside: Any) -> Answer:
    info = {"endCursor": cursor, "hasNextPage": more}
    return says(json.dumps({"data": {"products": {"nodes": rows, "pageInfo": info}}, **beside}))


def by_twos(call: Call) -> Answer:
    start = int(variables(call).get("after") or 0)
    return page(ROWS[start : start + 2], str(start + 2), start + 2 < len(ROWS))


def test_all_pages_are_read() -> None:
    came, calls = pulled_from(
        by_twos, "GRAPHQL", **PAGED, variables=[{"name": "since", "value": "{{remembered}}"}], remember="id",
        remember_start="0",
    )  # fmt: skip
    assert (came.rows, came.remembered) == (ROWS, 5)
    assert [variables(call) for call in calls] == [
        {"since": "0"}, {"since": "0", "after": "2"}, {"since": "0", "after": "4"},
    ]  # fmt: skip


def test_without_a_cursor_one_answer_has_all() -> None:
    came, calls = pulled_from(lambda _: page(ROWS, "x", more=True), "GRAPHQL", query=QUERY, rows=PAGED["rows"])
    assert (came.rows, len(calls)) == (ROWS, 1)
    assert "variables" not in json.loads(calls[0].body)


def test_rows_may_lie_in_edges_and_the_cursor_have_another_name() -> None:
    def answer(call: Call) -> Answer:
        cursor = variables(call).get("from")
        edges = [{"node": {"id": 2 if cursor else 1}}]
        return says(json.dumps({"data": {"all": {"edges": edges, "next": None if cursor else 7}}}))

    came, calls = pulled_from(
        answer, "GRAPHQL", query=QUERY, rows="$.data.all.edges[*].node", cursor_path="$.data.all.next",
        cursor_variable="$from", variables=[{"name": "from", "type": "JSON", "value": "null"}],
    )  # fmt: skip
    assert (came.rows, [variables(call)["from"] for call in calls]) == ([{"id": 1}, {"id": 2}], [None, 7])


@in_turn(
    "answer, error_class, sentence",
    [
        (page([{"id": 1}], "same", more=True), "loop", "Page 2"),
        (says('{"errors": [{"message": "no such field"}]}'), "graphql", "no such field."),
        (
            page([], None, more=False, errors=[{"message": "half of it is missing"}]),
            "graphql",
            "half of it is missing.",
        ),
        (says('{"data": {"products": null}}'), "rows", "nothing is there"),
        (says('{"data": {"products": {"nodes": [{"id": 1}'), "json", "it ends in the middle"),
        (
            says('{"data": {"products": {"nodes": [], "pageInfo": {"endCursor": {}, "hasNextPage": true}}}}'),
            "pages",
            "cursor",
        ),
    ],
)
def test_what_is_wrong_is_said(answer: Answer, error_class: str, sentence: str) -> None:
    error = fails(lambda _: answer, "GRAPHQL", **PAGED)
    assert error.error_class == error_class
    assert sentence in error.sentence


def test_a_key_keeps_the_first_answer() -> None:
    with Receiver() as receiver:
        receiver.answer = lambda call: says(json.dumps({"data": json.loads(call.body)["variables"]}))
        since = [{"name": "since", "value": "{{remembered}}"}]
        source = source_of("GRAPHQL", url=receiver.url, **PAGED, variables=since, remember="id", remember_start="s")
        assert fetched(source) == '{"data":{"since":"s"}}'
