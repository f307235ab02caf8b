"""The parts of `make test` leave out what has no test of theirs, and nothing else."""

from pathlib import Path

import pytest

from tests import parts

ROOT = Path(__file__).resolve().parents[2]
MARKED = "import pytest\n\npytestmark = pytest.mark.e2e\n"


@pytest.mark.parametrize(
    ("where", "part", "is_held"),
    [
        ("a/test_it.py", "e2e", True),
        ("a/conftest.py", "e2e", True),
        ("conftest.py", "e2e", True),
        ("b/conftest.py", "e2e", False),
        ("a/test_other.py", "e2e", False),
        ("a/test_it.py", "browser", False),
    ],
)
def test_a_file_is_read_where_it_or_a_conftest_above_it_speaks_of_the_mark(
    where: str, part: str, is_held: bool, tmp_path: Path
) -> None:
    test = tmp_path / "a" / "test_it.py"
    for file in (test, tmp_path / where):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    (tmp_path / where).write_text(MARKED)
    assert parts.may_hold(test, part) is is_held


def test_only_tests_and_conftests_give_marks() -> None:
    files = {path: path.read_text() for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)}
    giving = [path.name for path, text in files.items() if any(f"mark.{mark}" in text for mark in parts.MARKS)]
    assert [name for name in giving if name != "conftest.py" and not name.startswith("test_")] == []
    assert len(giving) > 20


def test_the_files_that_go_first_are_there() -> None:
    assert [file for file in parts.LONGEST_FIRST if not (ROOT / file).exists()] == []
