"""What `make chaos` can be asked, and what it knows."""

import ast
from pathlib import Path

import pytest

from chaos.__main__ import parse
from chaos.faults import FAULTS
from chaos.plan import DECK, LASTS, TARGETS
from chaos.verdict import KINDS

ROOT = Path(__file__).resolve().parents[2]


def test_without_words_it_takes_45_seconds_and_always_the_same_faults() -> None:
    assert vars(parse([])) == {"seconds": 45.0, "seed": 4, "keep": None}


def test_it_takes_as_many_minutes_as_one_says() -> None:
    assert parse(["--minutes", "10", "--seed", "7"]).seconds == 600
    assert parse(["--seconds", "60"]).seconds == 60


@pytest.mark.parametrize(
    "words", [["--minutes", "0"], ["--seconds", "3"], ["--minutes", "x"], ["--seconds", "60", "--minutes", "1"], ["x"]]
)
def test_what_makes_no_sense_is_refused_before_anything_starts(words: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        parse(words)
    assert refused.value.code == 2


def test_every_fault_can_be_struck_and_healed() -> None:
    assert DECK.keys() == FAULTS.keys() == LASTS.keys() == TARGETS.keys()


def test_every_kind_of_violation_is_told_and_counted() -> None:
    """A kind that nobody tells would be a violation that nobody sees."""
    said = set()
    for file in (ROOT / "chaos").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Violation":
                assert isinstance(node.args[0], ast.Constant), file
                said.add(node.args[0].value)
    assert said == KINDS.keys()
