"""The parts of `make test` that are chosen by a mark: what they need not read, and which of their files go first."""

from pathlib import Path

import pytest

MARKS = ("browser", "e2e")
# Files are shared out one by one: a long one that comes last has a processor to itself while the others have nothing.
LONGEST_FIRST = (
    "tests/bench/test_bench.py", "tests/e2e/test_up.py", "tests/e2e/test_hooks.py", "tests/e2e/test_chaos.py",
    "tests/e2e/test_collections.py", "tests/e2e/test_no_broker.py", "tests/chaos/test_stopped.py",
    "tests/e2e/test_fleet.py", "tests/e2e/test_deliveries.py", "tests/e2e/test_faults.py", "tests/e2e/test_recipes.py",
)  # fmt: skip


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files that have no test of the part: to read all of them takes half a minute for each process."""
    part = config.option.markexpr
    is_file = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    return True if part in MARKS and is_file and not may_hold(collection_path, part) else None


def may_hold(path: Path, mark: str) -> bool:
    """Whether a file of tests, or a conftest above it, speaks of the mark. Where none does no test bears it."""
    above = [folder / "conftest.py" for folder in path.parents]
    return any(f"mark.{mark}" in file.read_text() for file in (path, *above) if file.exists())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where files are shared out, begin with the longest ones; the others stay as they are."""
    if config.option.markexpr == "e2e":
        items.sort(key=lambda item: _place(item.nodeid.partition("::")[0]))


def _place(file: str) -> int:
    return LONGEST_FIRST.index(file) if file in LONGEST_FIRST else len(LONGEST_FIRST)
