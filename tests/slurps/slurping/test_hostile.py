"""Sources and code that mean no good: the run says what was wrong and where, and readers see what they saw."""

import json
import sys
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from slurps.models import Language
from slurps.slurpers import PythonSlurper
from slurps.slurping import languages
from tests.e2e.receiver import Answer, Receiver
from tests.slurps.slurping.whole_runs import WholeRuns, pages

pytestmark = pytest.mark.django_db(transaction=True)

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BILLION_LAUGHS = f'<!DOCTYPE r [<!ENTITY l0 "lol">{LAUGHS}]><r><p>&l9;</p></r>'
QUADRATIC = f'<!DOCTYPE r [<!ENTITY a "{"x" * 50_000}">]><r><p>{"&a;" * 50_000}</p></r>'
EXTERNAL = '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><r><p>&a;</p></r>'
PARAMETER = '<!DOCTYPE r [<!ENTITY % a SYSTEM "http://127.0.0.1/a.dtd"> %a;]><r><p>1</p></r>'
TWO = b'{"id": 8}\n{"id": 9}\n'


@pytest.fixture(scope="module")
def _receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def runs(_receiver: Receiver, caplog: pytest.LogCaptureFixture) -> Iterator[WholeRuns]:
    with WholeRuns(_receiver) as found:
        yield found
    assert caplog.records == []  # all of it is for whoever made the job, and nothing for who runs the service


def fails(runs: WholeRuns, answer: Any, error_class: str, said: str) -> None:
    """It does, in these words, for good; and nothing of it is left."""
    came = runs.run(answer)
    assert came.word == "error", came
    assert came.error
    assert came.error["error_class"] == error_class, came.error
    assert said in came.error["message"], came.error
    assert runs.is_as_before()


@pytest.mark.parametrize("bomb", [BILLION_LAUGHS, QUADRATIC, EXTERNAL, PARAMETER])
def test_bombs_of_xml_are_refused_where_they_are_defined(runs: WholeRuns, bomb: str) -> None:
    runs.make("XML", rows="/r/p")
    fails(runs, bomb.encode(), "xml", "“users”: The answer cannot be read as XML: it defines a document type (DOCTYPE)")


@pytest.mark.parametrize(
    ("configuration", "body", "error_class", "said"),
    [
        pytest.param(
            {"kind": "CSV"}, b"id,name\n1,a\n2\n", "csv", "“users”: Line 3 has 1 cells, and there are 2 columns.",
            id="a ragged line",
        ),
        pytest.param(
            {"kind": "CSV"}, b"id,name\n" + b"1,a\n" * 50_000 + b"2,b,c\n", "csv",
            ",000 rows: Line 50,002 has 3 cells, and there are 2 columns.", id="a ragged line far down",
        ),
        pytest.param(
            {"kind": "CSV"}, b'id,name\n1,"a\n', "csv", "Line 2 is no CSV", id="a quote that is never closed"
        ),
        pytest.param(
            {"kind": "CSV"}, (",".join(f"c{n}" for n in range(10_000)) + "\n").encode(), "csv",
            "The file has 10,000 columns: 5,000 are read at most.", id="a table of 10,000 columns",
        ),
        pytest.param(
            {"kind": "REST"}, b'[{"id": 8}, {"id": 9}, {"id"', "json",
            "The answer is no JSON, or not all of it came: it ends in the middle (after 2 rows, at character 24)",
            id="a list that is cut off",
        ),
        pytest.param({"kind": "REST"}, b'[{"id": 8}]]', "json", "after 1 row", id="a list with something behind it"),
        pytest.param({"kind": "REST"}, b"[" * 200_000, "json", "nested", id="lists in lists"),
        pytest.param({}, TWO + b'{"id": 10', "json", "Line 3 is no JSON", id="a line that is cut off"),
        pytest.param({}, TWO + b'{"id": NaN}', "json", "Line 3 is no JSON: a number in it is none", id="NaN"),
        pytest.param({}, TWO + b'{"id": 1e309}', "json", "or is larger than can be kept", id="more than a double"),
        pytest.param({}, TWO + b'{"id": -Infinity}', "json", "Line 3 is no JSON: a number in it is none", id="no end"),
        pytest.param(
            {}, TWO + b'{"id": ' + b"9" * 400 + b"}", "json", "or is larger than can be kept", id="400 digits"
        ),
        pytest.param(
            {}, TWO + b'{"id": ' + b"9" * 5000 + b"}", "json", "or is larger than can be kept", id="5,000 digits"
        ),
        pytest.param({}, TWO + b"[1, 2]\n", "rows", "Row 3 is a list, and not an object", id="a row that is a list"),
        pytest.param({}, TWO + b"null\n", "rows", "Row 3 is null, and not an object", id="a row that is null"),
        pytest.param({}, TWO + b"7\n", "rows", "Row 3 is a number, and not an object", id="a row that is a number"),
        pytest.param(
            {}, TWO + json.dumps({"id": 10, "text": "x" * 5_000_000}).encode(), "rows",
            "Row 3 has 5,000,019 bytes as JSON, and at most 1,000,000 can be stored.", id="a row of 5 MB",
        ),
        pytest.param(
            {}, TWO + json.dumps({"id": 10, "text": "x" * 17_000_000}).encode(), "json",
            "Line 3 is no JSON: it is longer than 16 MB", id="a line of 17 MB",
        ),
        pytest.param(
            {"kind": "XML", "rows": "/r/p"}, f"<r><p>{'x' * 5_000_000}</p></r>".encode(), "rows",
            "Row 1 has 5,000,012 bytes as JSON", id="an element of 5 MB",
        ),
        pytest.param(
            {"kind": "REST", "rows": "$.items"}, b'{"error": "no such shop"}', "rows",
            "The answer has no rows at $.items: nothing is there. It says: “no such shop.”", id="no rows",
        ),
        pytest.param({}, Answer(status=500, body=b"boom"), "status", "500", id="an error for an answer"),
    ],
)  # fmt: skip
def test_what_a_source_gives_amiss_is_told_with_its_place(
    runs: WholeRuns, configuration: dict[str, Any], body: Any, error_class: str, said: str
) -> None:
    runs.make(**configuration)
    fails(runs, body, error_class, said)


def endless(make: Any) -> Any:
    numbers = count(1)
    return lambda _: make(next(numbers))


def page(body: Any, *headers: tuple[str, str]) -> Answer:
    return Answer(body=json.dumps(body).encode(), headers=headers)


@pytest.mark.parametrize(
    ("configuration", "answer", "error_class", "said"),
    [
        pytest.param({"pages": "page"}, pages(b'[{"id": 8}]'), "loop", "has the same rows as one before it", id="same"),
        pytest.param(
            {"pages": "page"}, pages(b'[{"id": 8}]', b'[{"id": 9}]', b'[{"id": 8}]'), "loop", "Page 3 has the same",
            id="round",
        ),
        pytest.param(
            {"pages": "page", "most_pages": 20}, endless(lambda n: page([{"id": n}])), "pages",
            "After 20 pages there are still more", id="always more",
        ),
        pytest.param(
            {"pages": "offset", "most_pages": 20}, endless(lambda n: page([{"id": n}])), "pages",
            "After 20 pages there are still more", id="always more, by offset",
        ),
        pytest.param(
            {"pages": "cursor", "rows": "$.rows", "page_path": "$.next", "most_pages": 20},
            endless(lambda n: page({"rows": [], "next": n})), "pages", "After 20 pages", id="always another cursor",
        ),
        pytest.param(
            {"pages": "cursor", "rows": "$.rows", "page_path": "$.next"},
            endless(lambda n: page({"rows": [{"id": n}], "next": "same"})), "loop", "leads to a page that was read",
            id="always the same cursor",
        ),
        pytest.param(
            {"pages": "link"}, endless(lambda n: page([{"id": n}], ("Link", '</>; rel="next"'))), "loop",
            "leads to a page that was read", id="a link to itself",
        ),
        pytest.param(
            {"pages": "link", "most_pages": 20},
            endless(lambda n: page([{"id": n}], ("Link", f'</{n}>; rel="next"'))), "pages", "After 20 pages",
            id="always another link",
        ),
        pytest.param(
            {"pages": "link"}, endless(lambda n: page([{"id": n}], ("Link", '<http://10.0.0.1/>; rel="next"'))),
            "pages", "The next page is said to be on http://10.0.0.1:80", id="a link to somebody else",
        ),
    ],
)  # fmt: skip
def test_pages_that_never_end_are_told(
    runs: WholeRuns, configuration: dict[str, Any], answer: Any, error_class: str, said: str
) -> None:
    runs.make("REST", **configuration)
    fails(runs, answer, error_class, said)


CYCLE = "const one = {}; one.self = one; "


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param("rows.map(row => row)", "returned nothing: it must end with return", id="no return"),
        pytest.param("return undefined", "returned nothing", id="undefined"),
        pytest.param("return null", "must return a list of rows, and returned nothing", id="null"),
        pytest.param("return {rows}", "must return a list of rows, and returned an object", id="an object"),
        pytest.param("return new Promise(() => {})", "awaits something that never comes", id="a promise for ever"),
        pytest.param("await new Promise(() => {}); return rows", "awaits something that never comes", id="waits on"),
        pytest.param("return Promise.reject(new Error('no'))", "no", id="a promise that is broken"),
        pytest.param("while (true);", "stopped after 2,000 ms", id="a loop"),
        pytest.param("await (async function f() { await null; return f(); })()", "stopped", id="a loop of promises"),
        pytest.param("const all = []; while (true) all.push('x'.repeat(1e6) + Math.random())", "stopped", id="memory"),
        pytest.param("return rows.concat(Array(5e6).fill({id: 1}))", "", id="too many rows"),
        pytest.param(f"{CYCLE} throw one", "threw", id="throws a circle"),
        pytest.param("throw {get message() { throw 1 }}", "threw", id="throws what throws"),
        pytest.param("throw null", "threw null", id="throws null"),
        pytest.param("throw new Error('x'.repeat(1e6))", "xxx", id="throws a long one"),
        pytest.param(f"{CYCLE} return [one]", "cannot be written as JSON", id="a circle"),
        pytest.param("return [{id: 1n}]", "cannot be written as JSON", id="a BigInt"),
        pytest.param("return [{id: 1, toJSON() { throw new Error('no') }}]", "cannot be written as JSON", id="toJSON"),
        pytest.param("return [new Proxy({}, {ownKeys() { throw new Error('no') }})]", "as JSON", id="a proxy"),
        pytest.param("return [() => 1]", "Row 1 is null", id="a function"),
        pytest.param("return [1]", "Row 1 is a number", id="numbers"),
        pytest.param("return [[]]", "Row 1 is a list", id="lists"),
        pytest.param("return [{toJSON() { return 'a text' }}]", "Row 1 is a text", id="a text by toJSON"),
        pytest.param("return [JSON.parse('['.repeat(150) + ']'.repeat(150))]", "Row 1 is a list", id="deep lists"),
        pytest.param("let one = {}; for (let n = 0; n < 1000; n++) one = {one}; return [one]", "nested", id="too deep"),
        pytest.param("return [{id: 1, text: 'x'.repeat(2e6)}]", "Row 1 has 2,000,", id="a row of 2 MB"),
        pytest.param("return [{id: 1, text: 'x'.repeat(2e7)}]", "longer than 16,777,216 bytes", id="20 MB"),
        pytest.param("return [", "is not closed", id="no code"),
        pytest.param("return fetch('http://10.0.0.1/')", "fetch is not defined", id="calls"),
        pytest.param("return require('fs')", "require is not defined", id="files"),
        pytest.param("for (let n = 0; n < 1e6; n++) console.log('x'.repeat(1000)); throw new Error('after')", "after",
                     id="a flood of words"),
    ],
)  # fmt: skip
def test_code_that_gives_no_rows_is_told_why(runs: WholeRuns, code: str, said: str) -> None:
    runs.make(code=code)
    fails(runs, TWO, "code" if not said.startswith("Row") else "rows", said)
    assert len(runs.said) <= 21


@pytest.mark.parametrize(("code", "language"), [("return rows;", ""), ("return dataMap.users;", "javascript")])
def test_a_row_that_is_too_long_for_code_is_told(runs: WholeRuns, code: str, language: str) -> None:
    runs.make(code=code, language=language)
    body = TWO + json.dumps({"id": 10, "text": "x" * 5_000_000}).encode()
    fails(runs, body, "too_large", "“users”, row 3: it has 5,000,019 bytes as JSON, and code can be given 4,128,768")


@pytest.mark.parametrize("said", ["\\0", "\\ud800", "\\0\\udfff\\ud800 \\u0000"])
def test_what_code_says_is_told_even_if_it_cannot_be_kept(runs: WholeRuns, said: str) -> None:
    runs.make(code=f"console.log('{said}'); throw new Error('{said}');")
    fails(runs, TWO, "code", "\ufffd")
    assert "\ufffd" in runs.said[0]


@pytest.mark.parametrize(
    ("code", "where"),
    [
        (
            "if (rows.some(row => row.id === 2500)) throw new Error('no'); return rows;",
            "“users”, rows 2,001 to 2,999: ",
        ),
        ("if (rows.some(row => row.id === 2500)) return; return rows;", "“users”, rows 2,001 to 2,999: "),
        ("return rows.some(row => row.id === 2500) ? 5 : rows;", "“users”, rows 2,001 to 2,999: "),
    ],
)
def test_code_that_fails_in_a_batch_is_told_with_its_rows(runs: WholeRuns, code: str, where: str) -> None:
    runs.make(code=code)
    fails(runs, "".join(f'{{"id": {number}}}\n' for number in range(1, 3000)).encode(), "code", where)


@pytest.mark.parametrize("letter", ["x", "獾", "🦡"])
def test_a_batch_is_given_to_code_in_parts_where_it_is_too_long(runs: WholeRuns, letter: str) -> None:
    runs.make(code="console.log(rows.length); return rows;")
    given = [{"id": number, "text": letter * 1000} for number in range(1000)]
    body = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in given).encode()
    assert runs.run(body).word == "done"
    assert runs.rows == given


def forever(_ctx: Any, _rows: Any) -> Any:
    circle: dict[str, Any] = {}
    circle["self"] = circle
    yield circle


@pytest.mark.parametrize(
    ("slurp", "error_class", "said"),
    [
        pytest.param(lambda _ctx, _rows: None, "code", "TypeError: 'NoneType' object is not iterable", id="nothing"),
        pytest.param(lambda _ctx, _rows: [1], "rows", "Row 1 is a number", id="numbers"),
        pytest.param(lambda _ctx, _rows: ["id"], "rows", "Row 1 is a text", id="texts"),
        pytest.param(lambda _ctx, _rows: [{"id": float("nan")}], "rows", "Row 1 cannot be written as JSON", id="NaN"),
        pytest.param(lambda _ctx, _rows: [{"id": {1, 2}}], "rows", "Row 1 cannot be written as JSON", id="a set"),
        pytest.param(lambda _ctx, _rows: [{(1, 2): 3}], "rows", "Row 1 cannot be written as JSON", id="odd names"),
        pytest.param(forever, "rows", "Row 1 cannot be written as JSON: Circular reference", id="a circle"),
        pytest.param(lambda _ctx, rows: rows["other"], "code", "KeyError: 'other'", id="another source"),
        pytest.param(lambda _ctx, _rows: sys.exit("Enough.\0"), "code", "SystemExit: Enough.\ufffd", id="exits"),
    ],
)
def test_python_that_gives_no_rows_is_told_why(
    runs: WholeRuns, monkeypatch: pytest.MonkeyPatch, slurp: Any, error_class: str, said: str
) -> None:
    monkeypatch.setattr(languages, "slurper_of", lambda name: PythonSlurper(name, name, slurp, "shop"))
    runs.make(language=Language.PYTHON)
    fails(runs, TWO, error_class, said)


ODD = {
    "__proto__": {"is": "a column"}, "constructor": 1, "hasOwnProperty": 2, "toString": None, "then": 3,
    "toJSON": 4, "length": 5, "": "no name", "a.b": 6, "$limit": 7, " ": 8, "\\": 9, '"': 10, "\t\n": "\t\n\\N\\.",
}  # fmt: skip
OF_ALL_TYPES = [1, "1", 1.5, True, "true", None, "null", [1], {"a": 1}, "", 0, False]


@pytest.mark.parametrize(
    "code",
    ["", "return rows;", "return rows.map(row => ({...row}));",
     "return Promise.resolve(rows);", "return rows.map(row => Object.assign(Object.create(null), row));"],
)  # fmt: skip
def test_names_and_values_that_are_odd_come_back_as_they_were(runs: WholeRuns, code: str) -> None:
    runs.make(code=code)
    given = [ODD, *({"value": value} for value in OF_ALL_TYPES)]
    came = runs.run("".join(f"{json.dumps(row)}\n" for row in given).encode())
    assert came.word == "done", came
    assert runs.rows == given


@pytest.mark.parametrize("code", ["", "return rows;", "return rows.map(row => ({...row}));"])
def test_columns_of_a_table_may_have_any_name(runs: WholeRuns, code: str) -> None:
    runs.make("CSV", code=code)
    assert runs.run(b"__proto__,constructor,toString\n1,2,x\n").word == "done"
    assert runs.rows == [{"__proto__": 1, "constructor": 2, "toString": "x"}]


def test_a_source_may_have_any_name(runs: WholeRuns) -> None:
    runs.make(language=Language.JAVASCRIPT, code="return dataMap.__proto__;", tag="__proto__")
    assert runs.run(TWO).word == "done"
    assert runs.rows == [{"id": 8}, {"id": 9}]


@pytest.mark.parametrize("code", ["", "return rows;"])
def test_what_the_database_cannot_keep_is_replaced(runs: WholeRuns, code: str) -> None:
    runs.make(code=code)
    came = runs.run(rb'{"id": "\ud800", "\u0000": "\u0000a", "b\udfff": ["\udc00\ud800"], "c": "\ud83e\udda1"}')
    assert came.word == "done", came
    assert runs.rows == [{"id": "\ufffd", "\ufffd": "\ufffda", "b\ufffd": ["\ufffd\ufffd"], "c": "\U0001f9a1"}]


@pytest.mark.parametrize("code", ["", "return rows;"])
def test_keys_that_differ_in_type_are_several(runs: WholeRuns, code: str) -> None:
    runs.make(code=code, keeps={"mode": "upserted", "key": ["id"]})
    keys = [3, "3", True, "true", False, "null", 3.5, "3.5", [3], ["3"], {"a": 3}, {"a": "3"}, "", 0]
    came = runs.run("".join(f"{json.dumps({'id': key})}\n" for key in [*keys, 3.0, *keys]).encode())
    assert came.word == "done", came
    assert [row["id"] for row in runs.rows] == [1, 2, *keys]
    assert [type(row["id"]) for row in runs.rows[2:]] == [type(key) for key in keys]


@pytest.mark.parametrize("code", ["", "return rows;"])
def test_a_row_of_10000_columns_is_stored_whole(runs: WholeRuns, code: str) -> None:
    runs.make(code=code)
    row = {f"column {number}": number for number in range(10_000)}
    assert runs.run(json.dumps(row).encode()).word == "done"
    assert runs.rows == [row]
