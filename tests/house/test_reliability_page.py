"""docs/reliability.md and tests/e2e/ say the same: each promise names a test that exists, each test stands by one."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text()


def names_in(path: Path) -> set[str]:
    found = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in found if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_promise_names_a_test_and_every_test_of_reliability_is_named() -> None:
    files = [path for path in (ROOT / "tests" / "e2e").glob("test_*.py") if f"tests/e2e/{path.name}" not in PAGE]
    assert set(re.findall(r"`(test_\w+)`", PAGE)) == set[str]().union(*map(names_in, files))
