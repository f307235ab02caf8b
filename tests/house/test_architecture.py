"""The shape of the house: who may import whom, whose door is whose, and where a status may change.

import-linter holds the first two as well, through chains of imports. Here they are plain enough to read, and what fails
names the file.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOPS = ("badgerjobs", "collections", "jobs", "tasks", "webhooks")

# From the ground up. A storey may import any below it, and neither its neighbours nor anything above.
STOREYS = (
    ("badgerjobs.lib",),
    ("badgerjobs.outbound",),
    ("badgerjobs.workspaces",),
    ("badgerjobs.web",),
    ("badgerjobs.runs",),
    ("badgerjobs.servers",),
    ("badgerjobs.notices",),
    ("badgerjobs.sources",),
    ("tasks", "slurps"),
    ("jobs",),
    ("webhooks",),
    ("badgerjobs.panel", "badgerjobs.api", "badgerjobs.graphql"),
)
HEIGHT = {package: height for height, storey in enumerate(STOREYS) for package in storey}
EMBEDDED = "badgerjobs.embedded"
PACKAGES = (*HEIGHT, EMBEDDED)

# The modules at the root of badgerjobs. They see everything, and nothing below sees them.
ROOF = "the roof"

# A library, and the files or folders in which alone it may be imported.
_CELERY = ("badgerjobs/celery.py", "badgerjobs/runs/beat.py", "badgerjobs/runs/worker.py")
DOORS = {
    "httpx": ("badgerjobs/outbound/client.py",),
    "aiohttp": ("badgerjobs/outbound/",),
    "requests": (),
    "celery": _CELERY,
    "kombu": ("badgerjobs/settings.py", "badgerjobs/servers/amqp.py", "jobs/events/types/amqp.py", *_CELERY),
    "django_celery_beat": _CELERY,
    "py_mini_racer": ("badgerjobs/lib/javascript/inside.py",),
    "cronsim": ("badgerjobs/lib/",),
    "graphql": ("badgerjobs/graphql/",),
}

# What answers a request, or finds the rows for what does.
_ANSWERS = "api|views|page|listing|exchange|history|runners|standing|filters|showing|picking"
FRONTS = re.compile(rf"(.*_)?({_ANSWERS})|receive|resolvers|nodes|places|of_sources")
GATES = {"for_application", "for_user", "by_token", "by_secret", "none"}

# Looks that a front makes past the gates: how many, and what keeps them in the tenant.
PAST_THE_GATES = {
    "collections/slurps/showing.py": (1, "the names of async jobs whose runnables came by the gate"),
    "badgerjobs/runs/listing.py": (3, "attempts and replays of runs that came by the gate; or it is in the condition"),
    "badgerjobs/runs/page.py": (2, "attempts that came by the gate; the application is in the condition"),
    "badgerjobs/workspaces/account_views.py": (2, "one's own sessions: the person is in the condition, or the request"),
    "jobs/events/once_showing.py": (2, "runs that came by the gate; an event is named to its own application"),
    "jobs/exchange.py": (1, "the jobs of runs that came by the gate"),
    "jobs/graphql/places.py": (1, "the workspace of the application that asks is in the condition"),
    "jobs/page.py": (1, "the attempts of the run in the row around it"),
    "jobs/standing.py": (2, "jobs that came by the gate; the runs of the job in the row around it"),
    "tasks/background/places.py": (2, "runs that a worker has just claimed: it is no front"),
    "tasks/background/showing.py": (2, "runs that came by the gate; a task is named to its own application"),
    "tasks/keys/of_sources.py": (1, "the application of the source that came by the gate is in the condition"),
    "tasks/picking.py": (1, "how many keys a task names that came by the gate"),
    "tasks/showing.py": (2, "the keys that tasks name which came by the gate; what their runs said"),
    "webhooks/performing/showing.py": (1, "the names of hooks whose runnables came by the gate"),
    "tasks/syncs/showing.py": (3, "runs and runnables that came by the gate; a key is named to its own application"),
}

LIFECYCLE = "badgerjobs/runs/lifecycle.py"
# What has states of its own, and where alone they change: the keys of a sync, the acts of a delivery.
OTHER_STATES = {
    "tasks_keysync": ("tasks/syncs/",),
    "webhooks_act": ("webhooks/performing/acting.py", "webhooks/deliveries/making.py"),
}
OTHER_STATE = re.compile(rf"\bupdate\s+({'|'.join(OTHER_STATES)})\b", re.IGNORECASE)
SETS_STATE = re.compile(r"\bset\b(?:(?!\b(?:where|from)\b).)*?\bstate\s*=", re.IGNORECASE | re.DOTALL)

NO_NAMES = {"base", "common", "handler", "handlers", "helper", "helpers", "manager", "managers", "misc"}
NO_NAMES |= {"selectors", "signals", "util", "utils"}
# Names that somebody else gives: Django looks for a database's connection in a file of this name.
GIVEN_NAMES = {"badgerjobs/lib/postgresql/base.py"}

SOURCES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text())
    for top in TOPS
    for path in sorted((ROOT / top).rglob("*.py"))
}
TESTS = {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in sorted((ROOT / "tests").rglob("*.py"))}
COMMANDS = sorted(Path(path).stem for path in SOURCES if "/commands/" in path and not path.endswith("__init__.py"))


def storey_of(module: str) -> str:
    """The package that a module belongs to; the roof for other modules of ours; empty for everybody else's."""
    for package in PACKAGES:
        if f"{module}.".startswith(f"{package}."):
            return package
    return ROOF if f"{module}.".startswith("badgerjobs.") else ""


def module_of(path: str) -> str:
    return path.removeprefix("collections/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(tree: ast.Module) -> Iterator[str]:
    """Every imported name in full, wherever in the file the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def may_import(path: str, module: str) -> bool:
    own, other = storey_of(module_of(path)), storey_of(module)
    if not other or own in {other, ROOF}:
        return True
    if EMBEDDED in {own, other}:
        return own == EMBEDDED and other == "badgerjobs.lib"
    return other != ROOF and HEIGHT[other] < HEIGHT[own]


def strings(tree: ast.Module) -> Iterator[str]:
    """Every text of a file; the pieces of an f-string as one."""
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    pieces = {id(part) for whole in joined for part in whole.values}
    for whole in joined:
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in whole.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            yield node.value


def state_changes(tree: ast.Module) -> Iterator[str]:
    """Whatever would move a run to another state: an update, an assignment, SQL."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="update"), keywords=keywords):
                yield from (f"line {node.lineno}: update(state=…)" for word in keywords if word.arg == "state")
            case ast.Call(func=ast.Attribute(attr="bulk_update")) if "'state'" in ast.unparse(node):
                yield f"line {node.lineno}: bulk_update of state"
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner), attr="state"), *_]) if owner != "self":
                yield f"line {node.lineno}: {owner}.state = …"
            case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value="state"), _]):
                yield f"line {node.lineno}: setattr of state"
    found = (text.strip() for text in strings(tree) if SETS_STATE.search(text))
    yield from (f"SQL: {text[:60]}" for text in found if not OTHER_STATE.search(text))


def test_there_is_something_to_look_at() -> None:
    assert {"badgerjobs/settings.py", LIFECYCLE, "collections/slurps/apps.py", "jobs/models/job.py"} <= set(SOURCES)


def test_imports_point_down() -> None:
    wrong = [
        f"{path} imports {name}"
        for path, tree in SOURCES.items()
        for name in imported(tree)
        if not may_import(path, name)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("path", "module", "allowed"),
    [
        ("jobs/services.py", "badgerjobs.runs.lifecycle", True),
        ("jobs/services.py", "jobs.models", True),
        ("collections/slurps/apps.py", "django.apps.AppConfig", True),
        ("badgerjobs/settings.py", "badgerjobs.embedded.layout.Layout", True),
        ("badgerjobs/embedded/supervisor.py", "badgerjobs.lib.env", True),
        ("badgerjobs/runs/dispatch.py", "jobs.models", False),
        ("badgerjobs/runs/worker.py", "badgerjobs.notices.telling", False),
        ("badgerjobs/web/pagination.py", "badgerjobs.runs", False),
        ("collections/slurps/services.py", "tasks.models", False),
        ("badgerjobs/lib/backoff.py", "badgerjobs.settings.RETENTION_DAYS", False),
        ("badgerjobs/runs/dispatch.py", "badgerjobs.celery.app", False),
        ("badgerjobs/api/urls.py", "badgerjobs.embedded.layout", False),
        ("badgerjobs/embedded/management/commands/up.py", "badgerjobs.runs.models.Worker", False),
    ],
)
def test_the_rule_of_imports_knows_up_from_down(path: str, module: str, allowed: bool) -> None:
    assert may_import(path, module) is allowed


def test_imports_are_absolute() -> None:
    relative = [f"{path} imports {name}" for path, tree in SOURCES.items() for name in imported(tree) if name[0] == "."]
    assert relative == []


def test_each_library_has_one_door() -> None:
    wrong = [
        f"{path} imports {name}"
        for path, tree in SOURCES.items()
        for name in imported(tree)
        if (library := name.split(".")[0]) in DOORS and not path.startswith(DOORS[library])
    ]
    assert wrong == []


def past_the_gates(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and `get` of each `Something.objects.get`; `itself` where a manager or a model is handed on whole."""
    nodes = list(ast.walk(tree))
    asked = {id(node.value): node.attr for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        match node:
            case ast.Attribute(attr="objects" | "_default_manager"):
                method = asked.get(id(node), "itself")
                if method not in GATES:
                    yield node.lineno, method
            case ast.Call(func=ast.Name(id="get_object_or_404"), args=[ast.Name(id=name), *_]) if name[0].isupper():
                yield node.lineno, "itself"


def test_pages_and_endpoints_reach_rows_through_a_gate() -> None:
    past = {
        path: found
        for path, tree in SOURCES.items()
        if FRONTS.fullmatch(Path(path).stem)
        if (found := [f"line {line} reads .objects.{method}" for line, method in past_the_gates(tree)])
    }
    wrong = {path: found for path, found in past.items() if len(found) != PAST_THE_GATES.get(path, (0,))[0]}
    assert wrong == {}
    assert set(PAST_THE_GATES) <= set(past), "a reason that nothing needs any more"


@pytest.mark.parametrize(
    ("path", "is_front"),
    [
        ("jobs/views.py", True),
        ("badgerjobs/panel/token_views.py", True),
        ("jobs/form_views.py", True),
        ("jobs/api.py", True),
        ("badgerjobs/runs/page.py", True),
        ("badgerjobs/runs/listing.py", True),
        ("jobs/verbs_api.py", True),
        ("jobs/graphql/nodes.py", True),
        ("jobs/graphql/places.py", True),
        ("jobs/history.py", True),
        ("jobs/standing.py", True),
        ("tasks/filters.py", True),
        ("tasks/syncs/showing.py", True),
        ("tasks/picking.py", True),
        ("tasks/keys/of_sources.py", True),
        ("badgerjobs/web/pages.py", False),
        ("jobs/services.py", False),
        ("badgerjobs/runs/previews.py", False),
    ],
)
def test_a_front_is_known_by_its_name(path: str, is_front: bool) -> None:
    assert path in SOURCES
    assert bool(FRONTS.fullmatch(Path(path).stem)) is is_front


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("Run.objects.get(pk=1)", ["get"]),
        ("Run._default_manager.all()", ["all"]),
        ("rows = Run.objects", ["itself"]),
        ("get_object_or_404(Run.objects, pk=1)", ["itself"]),
        ("get_object_or_404(Run, pk=1)", ["itself"]),
        ("Run.objects.for_application(application).get(pk=1)", []),
        ("get_object_or_404(runs, pk=1)", []),
        ("self.objects_made", []),
    ],
)
def test_what_passes_by_the_gates_is_seen_in_every_form(source: str, found: list[str]) -> None:
    assert [method for _, method in past_the_gates(ast.parse(source))] == found


def test_a_status_changes_in_the_life_cycle_only() -> None:
    wrong = [
        f"{path}: {change}"
        for path, tree in SOURCES.items()
        if path != LIFECYCLE and "/migrations/" not in path
        for change in state_changes(tree)
    ]
    assert wrong == []


def test_what_has_states_of_its_own_changes_them_in_its_one_place() -> None:
    changed = {
        (path, found[1].lower())
        for path, tree in SOURCES.items()
        for text in strings(tree)
        if (found := OTHER_STATE.search(text))
    }
    assert [(path, table) for path, table in changed if not path.startswith(OTHER_STATES[table])] == []
    assert {table for _, table in changed} == set(OTHER_STATES)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("Run.objects.filter(pk=1).update(state='failed')", 1),
        ("run.state = State.FAILED", 1),
        ("Run.objects.bulk_update(runs, ['state'])", 1),
        ("setattr(run, 'state', 'failed')", 1),
        ("\"UPDATE runs_run SET worker = NULL, state = 'queued' WHERE id = 1\"", 1),
        ('f"UPDATE runs_run SET state = {new} WHERE id = 1"', 1),
        ("\"UPDATE runs_run SET worker = NULL WHERE state = 'running'\"", 0),
        ("\"SELECT id FROM runs_run WHERE state = 'queued'\"", 0),
        ("Run.objects.filter(state='queued')", 0),
        ("self.state = 'stopping'", 0),
        ("\"UPDATE tasks_keysync SET state = 'failed'\"", 0),
    ],
)
def test_a_change_of_status_is_recognised_in_every_form(source: str, found: int) -> None:
    assert len(list(state_changes(ast.parse(source)))) == found


def test_the_life_cycle_itself_changes_statuses() -> None:
    assert list(state_changes(SOURCES[LIFECYCLE]))


def test_no_name_says_nothing() -> None:
    empty = [
        path
        for path in {*SOURCES, *TESTS} - GIVEN_NAMES
        for part in Path(path).with_suffix("").parts
        if NO_NAMES & set(part.split("_"))
    ]
    assert empty == []


def test_collections_is_a_folder_and_not_a_package() -> None:
    assert not (ROOT / "collections" / "__init__.py").exists()
    wrong = [
        f"{path} imports {name}"
        for path, tree in {**SOURCES, **TESTS}.items()
        for name in imported(tree)
        if name.startswith("collections.slurps")
    ]
    assert wrong == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_test_that_names_it(command: str) -> None:
    spoken = re.compile(rf"{command}|.*manage\.py {command}\b.*", re.DOTALL)
    assert any(spoken.fullmatch(text) for tree in TESTS.values() for text in strings(tree))
