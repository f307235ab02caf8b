"""What is installed stands in the files: what we import with a reason, what that brings along with its version."""

import ast
import re
import sys
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = {"badgerjobs", "jobs", "slurps", "tasks", "webhooks", "tests", "bench", "chaos"}
LINE = re.compile(r"^([\w.-]+)(?:\[\w+\])?==(\S+)", re.MULTILINE)
# What a virtual environment begins with.
FIRST = {"pip", "setuptools", "wheel"}


def pins(name: str) -> dict[str, str]:
    return {_spelled(of): version for of, version in LINE.findall((ROOT / name).read_text())}


def _spelled(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(*folders: str) -> set[str]:
    """The packages, of others and not of Python itself, that files there import."""
    found: set[str] = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - OURS - set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("folders", "files"),
    [
        (("badgerjobs", "jobs", "tasks", "webhooks", "collections", "bench", "chaos"), ["requirements.txt"]),
        (("tests",), ["requirements.txt", "requirements-dev.txt"]),
    ],
    ids=["what runs", "tests"],
)
def test_everything_that_is_imported_has_a_line_of_its_own(folders: tuple[str, ...], files: list[str]) -> None:
    pinned = {name for file in files for name in pins(file)}
    owners = packages_distributions()
    assert [name for name in sorted(imported(*folders)) if not {_spelled(of) for of in owners[name]} & pinned] == []


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_line_says_why_it_is_here(file: str) -> None:
    lines = [line for line in (ROOT / file).read_text().splitlines() if "==" in line]
    assert len(lines) == len(pins(file))
    assert [line for line in lines if not re.search(r" # \S", line)] == []


def test_the_constraints_agree_with_the_requirements_and_with_what_is_installed() -> None:
    exact = pins("constraints.txt")
    assert pins("requirements.txt").items() <= exact.items()
    assert pins("requirements-dev.txt").items() <= exact.items()
    installed = {_spelled(found.name): found.version for found in distributions()}
    assert {name: installed[name] for name in exact.keys() & installed.keys()}.items() <= exact.items()
    assert exact.keys().isdisjoint(FIRST)
