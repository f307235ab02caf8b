"""Sources that give what cannot be stored, in real processes: runs say what and where, readers see what they saw."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e.collecting import KEY, make_collection, run_all
from tests.e2e.receiver import Answer, Call
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BEFORE = [{"id": 1}, {"id": 2}]


@dataclass(frozen=True)
class Amiss:
    """A source that gives BEFORE once, and then `body`: what its run says of that. `before`: how it gives BEFORE."""

    kind: str
    body: str
    error_class: str
    said: str
    before: str = '{"id": 1}\n{"id": 2}\n'
    configuration: dict[str, Any] = field(default_factory=dict)
    slurper: dict[str, Any] = field(default_factory=dict)


XML = "<r><p><id>1</id></p><p><id>2</id></p></r>"
NUMBERED = {
    "language": "javascript",
    "code": "return Object.values(dataMap).flat().map(row => ({id: Number(row.id), ...(row.x ? {x: row.x} : {})}));",
}
SOURCES = {
    "bomb": Amiss(
        "XML", f'<!DOCTYPE r [<!ENTITY l0 "lol">{LAUGHS}]><r><p><id>&l9;</id></p></r>', "xml",
        "it defines a document type (DOCTYPE)", XML, {"rows": "/r/p"}, NUMBERED,
    ),
    "ragged": Amiss("CSV", "id\n3\n4,5\n", "csv", "Line 3 has 2 cells, and there are 1 columns.", "id\n1\n2\n"),
    "cut-off": Amiss("REST", '[{"id": 3}, {"id"', "json", "it ends in the middle (after 1 row,", json.dumps(BEFORE)),
    "circle": Amiss("REST", '[{"id": 3}]', "loop", "(page loop)", json.dumps(BEFORE), {"pages": "page"}),
    "long": Amiss("JSONL", json.dumps({"id": 3, "x": "x" * 5_000_000}), "rows", "Row 1 has 5,000,015 bytes as JSON"),
    "no-object": Amiss("JSONL", '{"id": 3}\n7\n', "rows", "Row 2 is a number, and not an object"),
    "endless-code": Amiss(
        "JSONL", '{"id": 3, "x": 1}', "code", "stopped", slurper={
            "language": "javascript_batches", "code": "while (rows[0].x); return rows;",
        },
    ),
}  # fmt: skip


class Turning:
    """Gives what all sources give at first, and later what is amiss. Of pages the second is empty at first."""

    def __init__(self) -> None:
        self.is_amiss = False

    def __call__(self, call: Call) -> Answer:
        name, _, query = call.path.strip("/").partition("?")
        found = SOURCES[name.strip("/")]
        is_over = "page=2" in query and not self.is_amiss
        return Answer(body=("[]" if is_over else found.body if self.is_amiss else found.before).encode())


def test_what_cannot_be_stored_is_told_in_the_run_and_leaves_what_was_there(one_of_each: Stack) -> None:
    one_of_each.receiver.answer = turning = Turning()
    for name, one in SOURCES.items():
        configuration = {"url": f"{one_of_each.receiver.url}/{name}", **one.configuration}
        make_collection(one_of_each, name, source={"type": one.kind, "configuration": configuration}, **one.slurper)
    names = tuple(SOURCES)
    assert {name: run["state"] for name, run in run_all(one_of_each, names).items()} == dict.fromkeys(
        names, "succeeded"
    )
    turning.is_amiss = True
    runs = run_all(one_of_each, names)
    for name, one in SOURCES.items():
        assert (runs[name]["state"], runs[name]["error_class"]) == ("failed", one.error_class), runs[name]
        assert one.said in runs[name]["error"]
        reply = one_of_each.request("GET", f"collections/{name}/?$with_meta=true")
        assert (reply.data["items"], reply.data["version"]) == (BEFORE, 1)
    assert one_of_each.sql("SELECT count(*) FROM collections_version WHERE stage <> 'ready'") == [(0,)]


def test_odd_names_and_keys_of_several_types_are_read_as_they_were_sent(one_of_each: Stack) -> None:
    rows = [{KEY: key, "__proto__": {"of": "a column"}} for key in (1, "1", True, "true", 1.5, [1], {"a": 1}, False)]
    body = "".join(f"{json.dumps(row)}\n" for row in [*rows, {KEY: 1.0, "__proto__": {"of": "a column"}}]).encode()
    one_of_each.receiver.answer = lambda _: Answer(body=body)
    source = {"type": "JSONL", "configuration": {"url": one_of_each.receiver.url}}
    code = {"language": "javascript_batches", "code": "return rows.map(row => ({...row}));"}
    make_collection(one_of_each, "odd", mode="upserted", source=source, **code)
    assert run_all(one_of_each, ("odd",))["odd"]["state"] == "succeeded"
    seen = one_of_each.get("collections/odd/")
    assert [(type(row[KEY]), row) for row in seen] == [(type(row[KEY]), row) for row in rows]
