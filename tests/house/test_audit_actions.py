"""The actions of the audit log: a closed list, every one of them written by somebody and readable by everybody."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from badgerjobs.workspaces.audit import ACTIONS

ROOT = Path(__file__).resolve().parents[2]
ACTION = re.compile(r"[a-z]+\.[a-z_]+")
SOURCES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text())
    for top in ("badgerjobs", "collections", "jobs", "tasks", "webhooks")
    for path in sorted((ROOT / top).rglob("*.py"))
}
LOG = "badgerjobs/workspaces/audit.py"


def recorded(tree: ast.Module) -> Iterator[str]:
    """Every action that a call to something named like `record` or `_record_all` names, or to who records for others.

    And those that are the values of a table named like `MAILED_ACTIONS`.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=keywords):
                if not re.fullmatch(r"_?record(_[a-z]+)?|delete_unused|(pause|resume)_owner", name):
                    continue
                for value in (*args, *(word.value for word in keywords if word.arg == "action")):
                    texts = [part.value for part in ast.walk(value) if isinstance(part, ast.Constant)]
                    yield from (text for text in texts if isinstance(text, str) and ACTION.fullmatch(text))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(values=values)) if name.endswith("_ACTIONS"):
                yield from (str(value.value) for value in values if isinstance(value, ast.Constant))


def test_whatever_is_written_into_the_log_is_in_the_table_of_actions() -> None:
    unknown = [f"{path}: {action}" for path, tree in SOURCES.items() for action in recorded(tree)]
    assert [found for found in unknown if found.partition(": ")[2] not in ACTIONS] == []


def test_whatever_is_in_the_table_is_written_by_somebody() -> None:
    assert set(ACTIONS) - {action for tree in SOURCES.values() for action in recorded(tree)} == set()


def test_an_action_is_a_thing_and_a_verb_and_reads_as_words() -> None:
    assert [action for action in ACTIONS if not ACTION.fullmatch(action)] == []
    assert [words for words in ACTIONS.values() if not re.fullmatch(r"[a-z][a-z ]+[a-z]", words)] == []
    assert len(set(ACTIONS.values())) == len(ACTIONS)


def test_nobody_but_the_log_itself_makes_entries() -> None:
    makes = re.compile(r"AuditEntry(\.objects\.(bulk_)?create|\.objects\.(bulk_)?update|\()")
    wrong = [path for path in SOURCES if path != LOG and makes.search((ROOT / path).read_text())]
    assert [path for path in wrong if "/migrations/" not in path and not path.endswith("workspaces/models.py")] == []
