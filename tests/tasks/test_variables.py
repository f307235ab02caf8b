"""What a transform returns is taken in four shapes, and fills a pattern; all else is said in a sentence."""

import asyncio
from typing import Any

import pytest

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript import Error, Line, Result
from tasks import webhook_variables
from tasks.webhook_variables import (
    NoRoomError,
    TransformError,
    filled_pattern,
    names_in,
    try_transform,
    variables_of,
)


@pytest.fixture
def returns(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the sandbox return what the test says."""

    def let(value: Any = None, **more: Any) -> None:
        async def later(*_: Any, **__: Any) -> Result:
            return Result(value, **more)

        monkeypatch.setattr(javascript, "run", lambda *_, **__: Result(value, **more))
        monkeypatch.setattr(javascript, "arun", later)

    return let


@pytest.mark.parametrize(
    "variables",
    [
        [{"key": "ID", "value": 7}, {"key": "SHOP", "value": "de"}],
        [["ID", 7], ["SHOP", "de"]],
        [{"ID": 7}, {"SHOP": "de"}],
        [{"ID": 7, "SHOP": "de"}],
        {"ID": 7, "SHOP": "de"},
        [["ID", 7], {"key": "SHOP", "value": "de"}, {"ID": 7}],
    ],
    ids=["keys and values", "pairs", "single names", "several names", "an object", "mixed, and one twice alike"],
)
def test_variables_come_in_four_shapes(returns: Any, variables: Any) -> None:
    returns({"variables": variables})
    assert try_transform("…", {}, {}, 1).variables == {"ID": "7", "SHOP": "de"}
    assert asyncio.run(variables_of("…", {}, {}, 1)) == {"ID": "7", "SHOP": "de"}


@pytest.mark.parametrize(
    ("value", "text"),
    [("a b", "a b"), (7, "7"), (1.5, "1.5"), (True, "true"), (False, "false"), (None, ""), ("", ""), ("é🦡", "é🦡")],
)
def test_values_become_texts(returns: Any, value: Any, text: str) -> None:
    returns({"variables": {"X": value}})
    assert try_transform("…", {}, {}, 1).variables == {"X": text}


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "it returned null."),
        ("ID", "it returned a text."),
        (7, "it returned 7."),
        ([["ID", 7]], "it returned a list."),
        ({}, "it returned an empty object."),
        ({"ID": 7}, "it returned an object with ID."),
        ({"Variables": {}}, "it returned an object with Variables."),
        ({"variables": "ID"}, "there, `variables` is a text."),
        ({"variables": None}, "there, `variables` is null."),
        ({"variables": ["ID"]}, 'among them is "ID".'),
        ({"variables": [["ID"]]}, 'among them is ["ID"].'),
        ({"variables": [[1, 2]]}, "among them is [1, 2]."),
        ({"variables": [{}]}, "among them is {}."),
        ({"variables": [{"key": 1, "value": 2}]}, 'among them is {"key": 1, "value": 2}.'),
        ({"variables": [{"key": "a", "value": 2, "more": 3}]}, 'among them is {"key": "a", "value": 2, "more": 3}.'),
        ({"variables": {"ID": [1]}}, "The transform returned a list as ID: return a text or a number."),
        ({"variables": {"ID": {}}}, "The transform returned an object as ID: return a text or a number."),
        ({"variables": [["ID", 1], ["ID", 2]]}, "The transform returned ID twice, as “1” and “2”."),
    ],
)
def test_anything_else_is_refused_with_what_it_is(returns: Any, returned: Any, said: str) -> None:
    line = Line("log", "here")
    returns(returned, console=(line,))
    with pytest.raises(TransformError) as refused:
        try_transform("…", {}, {}, 1)
    assert str(refused.value).endswith(said)
    assert refused.value.console == (line,)


def test_a_key_whose_value_is_undefined_is_empty(returns: Any) -> None:
    returns({"variables": [{"key": "ID"}]})
    assert try_transform("…", {}, {}, 1).variables == {"ID": ""}


def test_an_error_of_the_transform_is_told_with_its_place(returns: Any) -> None:
    returns(error=Error("thrown", "Cannot read properties of undefined", "TypeError", 1, 13))
    with pytest.raises(ValueError, match=r"The transform failed: TypeError: Cannot read.* \(line 1, column 13\)"):
        try_transform("…", {}, {}, 1)


@pytest.mark.parametrize("word", ["busy", "unavailable", "crashed"])
def test_what_the_sandbox_has_no_room_for_is_nobodys_failure(returns: Any, word: Any) -> None:
    returns(error=Error(word, "Not now."))
    with pytest.raises(NoRoomError):
        try_transform("…", {}, {}, 1)
    with pytest.raises(NoRoomError):
        asyncio.run(variables_of("…", {}, {}, 1))


def test_without_a_transform_there_are_no_variables() -> None:
    assert try_transform("  ", {"ID": 7}, {}, 1).variables == {}
    assert asyncio.run(variables_of("", {"ID": 7}, {}, 1)) == {}


def test_a_transform_sees_the_body_and_the_headers_by_names_in_lower_case() -> None:
    code = "console.log(headers['x-topic']); return {variables: [{key: 'ID', value: body.category.id}]}"
    came = try_transform(code, {"category": {"id": 7}}, {"X-Topic": "categories/update"}, 1)
    assert came.variables == {"ID": "7"}
    assert [line.text for line in came.console] == ["categories/update"]


@pytest.mark.parametrize(
    ("pattern", "selection", "filled"),
    [
        ("product-{{ID}}-", "contains", "product-7-"),
        ("{{ID}}{{ID}}/{{ SHOP }}", "prefix", "77/d*e"),
        ("{{SHOP}}*", "glob", "d\\*e*"),
        ("{{ODD}}", "glob", "\\?\\\\"),
        ("{{ODD}}", "contains", "?\\"),
        ("{{SHOP}}", "tag", "d*e"),
        ("no placeholder", "contains", "no placeholder"),
        ("\\{{ID}}", "contains", "{{ID}}"),
        ("%_", "contains", "%_"),
    ],
)
def test_variables_fill_a_pattern_and_mean_nothing_but_themselves(pattern: str, selection: str, filled: str) -> None:
    assert filled_pattern(pattern, {"ID": "7", "SHOP": "d*e", "ODD": "?\\"}, selection) == filled


@pytest.mark.parametrize(
    ("pattern", "variables", "said"),
    [
        ("a-{{CATEGORY_ID}}", {"ID": "1", "name": "x"}, "CATEGORY_ID is not among the variables: ID, name."),
        ("a-{{ID}}", {"id": "1"}, "ID is not among the variables: id."),
        ("a-{{ID}}", {}, "ID is not among the variables: there are none."),
        ("a-{{ID}}", {"ID": ""}, "ID is empty: without it, the pattern would match other keys as well."),
        ("a-{{ID}}", {"ID": " \t"}, "ID is empty: without it, the pattern would match other keys as well."),
        ("a-{{ID}}", {"ID": "a\0"}, "ID holds characters that no name has: null characters, or halves of letters."),
        ("a-{{ID}}", {"ID": "\ud800"}, "ID holds characters that no name has: null characters, or halves of letters."),
        ("a-{{ID}}", {"ID": "a\ufffd"}, "ID holds characters that no name has: null characters, or halves of letters."),
        ("a-{{ID}}", {"ID": "x" * 1000}, "With the variables in it the pattern is longer than 1,000 characters."),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:30].replace("\0", "0").replace("\ud800", "d8"),
)
def test_what_is_not_given_is_said_and_never_left_out(pattern: str, variables: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        filled_pattern(pattern, variables)
    assert str(refused.value) == said


def test_many_variables_are_told_in_part() -> None:
    with pytest.raises(ValueError, match=r"among the variables: V0, .*, V9 and more\.$"):
        filled_pattern("{{X}}", {f"V{n}": "1" for n in range(30)})


def test_a_pattern_names_each_of_its_variables_once() -> None:
    assert names_in("{{B}}-{{A}}-{{B}}") == ["B", "A"]
    with pytest.raises(ValueError, match="is no placeholder"):
        names_in("{{B")


def test_the_module_says_what_transforms_see() -> None:
    assert webhook_variables.SEEN == ("body", "headers")
