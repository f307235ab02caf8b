"""Code as people read it: what is a comment, a text, a word, and that nothing of it is lost."""

import pytest

from badgerjobs.lib.code_tones import LONGEST, lines_of, toned


@pytest.mark.parametrize(
    ("language", "text", "pieces"),
    [
        ("javascript", "return a / 2 / b", [("n", "return"), ("n", "2")]),
        ("javascript", "return /[/(]'/g", [("n", "return"), ("s", "/[/(]'/g")]),
        ("javascript", "x = /a/.test(`b\n${c}`)", [("s", "/a/"), ("s", "`b\n${c}`")]),
        ("javascript", "'a\\'b' // c\n/* d", [("s", "'a\\'b'"), ("c", "// c"), ("c", "/* d")]),
        ("javascript", "returned.const2('it", [("s", "'it")]),
        ("sql", "SELECT 'it''s' -- a", [("n", "SELECT"), ("s", "'it''s'"), ("c", "-- a")]),
        ("sql", "$$a'b$$ E'a\\'b' $q$ $$ $q$", [("s", "$$a'b$$"), ("s", "E'a\\'b'"), ("s", "$q$ $$ $q$")]),
        ("sql", '"from" = {{input.id}} + $1', [("n", "{{input.id}}"), ("n", "$1")]),
        ("cobol", "return 1", []),
    ],
)
def test_what_stands_out_is_told_apart_and_nothing_is_lost(
    language: str, text: str, pieces: list[tuple[str, str]]
) -> None:
    found = toned(text, language)
    assert [(sort, piece) for sort, piece in found if sort] == pieces
    assert "".join(piece for _, piece in found) == text


@pytest.mark.parametrize("language", ["javascript", "sql"])
@pytest.mark.parametrize("part", ["/", "/[", "/*", "'", "`", "$$", "$a$", "e'", '"', "{{", "%(", "(/\\"])
def test_what_stays_open_is_not_lost_either(language: str, part: str) -> None:
    text = part * 500
    assert "".join(piece for _, piece in toned(text, language)) == text


def test_what_is_long_is_shown_as_it_came() -> None:
    text = "return 1;" * LONGEST
    assert toned(text, "javascript") == [("", text)]


def test_a_piece_over_several_lines_has_a_part_in_each() -> None:
    lines = list(lines_of(toned("return `a\nb`\n", "javascript")))
    assert ["".join(text for _, text in line) for line in lines] == ["return `a", "b`", ""]
    assert [[sort for sort, text in line if text] for line in lines] == [["n", "", "s"], ["s"], []]
