"""JSON laid out for people: what it looks like, that nothing of it is changed, and what is left as it came."""

import json

import pytest

from badgerjobs.lib import json_layout
from badgerjobs.lib.json_layout import laid_out


def text_of(given: str) -> str:
    return "".join(text for _, text in laid_out(given) or [])


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("{}", "{}"),
        (" [ ] ", "[]"),
        ("[1,2]", "[1, 2]"),
        ('{"a":1}', '{\n  "a": 1\n}'),
        ('{"a":{},"b":[]}', '{\n  "a": {},\n  "b": []\n}'),
        ('[{"a":1},2]', '[\n  {\n    "a": 1\n  },\n  2\n]'),
        ("[[1],[2]]", "[\n  [1],\n  [2]\n]"),
        (f'["{"x" * 70}",1]', f'[\n  "{"x" * 70}",\n  1\n]'),
    ],
)
def test_json_is_indented(given: str, shown: str) -> None:
    assert text_of(given) == shown


@pytest.mark.parametrize(
    "given",
    ['{"a":1.50,"b":1e400,"c":12345678901234567890123}', '{"a":1,"a":2}', r'{"\u0041\"":"x\\","b":"{[,:]}"}'],
)
def test_nothing_is_changed_but_white_space(given: str) -> None:
    assert "".join(text_of(given).split()) == "".join(given.split())


def test_keys_texts_and_values_are_told_apart() -> None:
    pieces = laid_out('{"k":"k","n":[-1.5,true,null,"s"]}') or []
    assert [(sort, text) for sort, text in pieces if sort] == [
        ("k", '"k"'), ("s", '"k"'), ("k", '"n"'), ("n", "-1.5"), ("n", "true"), ("n", "null"), ("s", '"s"'),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "given", ["", "5", '"text"', "null", "<b>", "{", '{"a":}', '{"a":1} x', "[" * 100_000, f"[{'9' * 5000}]"]
)
def test_what_is_no_json_to_lay_out_is_left_as_it_came(given: str) -> None:
    assert laid_out(given) is None


def test_what_would_grow_to_many_times_its_length_is_left_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = "[" * (json_layout.DEEPEST + 1) + "]" * (json_layout.DEEPEST + 1)
    assert laid_out(deep) is None
    assert laid_out(deep[1:-1]) is not None
    assert laid_out(json.dumps(list(range(json_layout.MOST_TOKENS)))) is None
