"""The papers say what is there: what users can set, ask, see or type has its line, and no link leads nowhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from django.apps import apps
from drf_spectacular.generators import SchemaGenerator

from badgerjobs.outbound.calls import ErrorClass
from badgerjobs.panel.roles import MAY
from badgerjobs.runs.models import FINAL, State
from badgerjobs.workspaces.models import Role
from tests.in_turn import in_turn

ROOT = Path(__file__).resolve().parents[2]
OURS = ("badgerjobs", "jobs", "slurps", "tasks", "webhooks")
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "collections" / "README.md"])
ADRS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))


def paper(name: str) -> str:
    return (ROOT / name).read_text()


def rows(name: str) -> dict[str, list[str]]:
    """The tables of a paper: the first cell of each row, bare, → its other cells."""
    lines = re.findall(r"^\|(.+)\|$", paper(name), re.MULTILINE)
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    return {first.strip("`"): rest for first, *rest in cells}


def variables() -> Iterator[tuple[str, str]]:
    """Each environment variable that is read, and its default as written there, if it is a plain one."""
    sources = [path.read_text() for top in OURS for path in sorted((ROOT / top).rglob("*.py"))]
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env")) | ast.Name(id="_secret"),
                args=[ast.Constant(value=str(name)), *rest],
            ):
                default = rest[0].value if rest and isinstance(rest[0], ast.Constant) else ""
                yield name, str(int(default) if isinstance(default, bool) else default)


@pytest.mark.parametrize(("name", "default"), sorted(set(variables())))
def test_every_setting_is_documented_with_its_default(name: str, default: str) -> None:
    table = rows("docs/settings.md")
    assert name in table
    assert default in table[name][0]


def test_no_setting_is_documented_that_is_not_read() -> None:
    documented = {name for name in rows("docs/settings.md") if name.isupper()}
    assert documented == {name for name, _ in variables()}


@pytest.mark.parametrize("state", State)
def test_every_state_is_documented_with_who_moves_a_run_out_of_it(state: State) -> None:
    meaning, mover = rows("docs/run-life-cycle.md")[state.value]
    assert meaning.startswith("Final.") is (state in FINAL)
    assert (mover == "nobody") is (state in FINAL)


def test_the_chart_of_states_draws_every_state_and_no_other() -> None:
    arrows = re.findall(r"^ +(\S+) --> (\S+?)(?::|$)", paper("docs/run-life-cycle.md"), re.MULTILINE)
    assert {state for arrow in arrows for state in arrow} == {*State.values, "[*]"}


@pytest.mark.parametrize("model", [model for model in apps.get_models() if model.__module__.split(".")[0] in OURS])
def test_every_model_is_a_term_of_the_glossary(model: type) -> None:
    assert f"`{model.__name__}`" in paper("docs/glossary.md")


def described(schema: dict[str, Any]) -> bool:
    return "$ref" in schema or bool(schema.get("description"))


def fields() -> Iterator[tuple[str, bool]]:
    """Every field and every parameter of the REST API, and whether it is described."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    for name, component in schema["components"]["schemas"].items():
        for field, details in component.get("properties", {}).items():
            yield f"{name}.{field}", described(details)
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", bool(operation.get("description") or operation.get("summary"))
            for parameter in operation.get("parameters", []):
                if parameter["in"] != "path":  # a field of what the address leads to, and described there
                    yield f"{method.upper()} {path} {parameter['name']}", described(parameter)


@pytest.mark.parametrize("component", ["Job", "Result"])
def test_the_guide_to_jobs_names_every_field_of(component: str) -> None:
    named = set(re.findall(r"`(\w+)`", paper("docs/jobs.md")))
    assert {field for of, _, field in (name.partition(".") for name, _ in fields()) if of == component} - named == set()


@pytest.mark.parametrize("error_class", get_args(ErrorClass))
def test_every_class_of_error_is_explained(error_class: str) -> None:
    assert error_class in rows("docs/jobs.md")


# The frame of a page and what stands around every list: drf-spectacular gives it no place for words.
FRAME = ("results", "next", "previous")


def test_every_field_and_parameter_of_the_api_is_described() -> None:
    found = dict(fields())
    assert found
    silent = [name for name, has_words in found.items() if not has_words]
    assert [name for name in silent if not re.fullmatch(rf"Paginated\w+\.({'|'.join(FRAME)})", name)] == []


def test_every_command_is_documented() -> None:
    known = {path.stem for top in OURS for path in (ROOT / top).rglob("management/commands/[a-z]*.py")}
    listed = {first.removeprefix("manage.py ") for first in rows("docs/index.md") if first.startswith("manage.py ")}
    assert known <= listed
    assert listed - known <= {"dbshell"}  # Django's own


def test_every_paper_can_be_reached_from_the_front_page() -> None:
    assert {page.relative_to(ROOT) for page in (ROOT / "docs").glob("*.md")} <= reached(Path("README.md"), set())


def reached(page: Path, seen: set[Path]) -> set[Path]:
    """This page and all those that links lead to from it."""
    seen.add(page)
    for _, target, _ in links(ROOT / page):
        if target.suffix == ".md" and target.is_file() and target.relative_to(ROOT) not in seen:
            reached(target.relative_to(ROOT), seen)
    return seen


def links(page: Path) -> Iterator[tuple[str, Path, str]]:
    """The links of a page to files of ours: as written, the file, and the heading."""
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" not in link:
            file, _, heading = link.partition("#")
            yield link, (page.parent / file).resolve() if file else page, heading


def headings(page: Path) -> set[str]:
    """The headings of a page as links spell them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@in_turn("page", PAPERS)
def test_no_link_leads_nowhere(page: Path) -> None:
    dead = [
        link
        for link, target, heading in links(page)
        if not target.exists() or (heading and heading not in headings(target))
    ]
    assert dead == []


@pytest.mark.parametrize("adr", ADRS, ids=lambda adr: adr.stem)
def test_every_decision_is_in_the_index_and_says_what_would_change_our_mind(adr: Path) -> None:
    assert f"]({adr.name})" in paper("docs/adr/README.md")
    assert re.findall(r"^## (.+)$", adr.read_text(), re.MULTILINE)[-1] == "What would change our mind"


def test_every_make_target_that_a_paper_names_is_there() -> None:
    named = {target for page in PAPERS for target in re.findall(r"`make ([a-z]+)\b", page.read_text())}
    assert named <= set(re.findall(r"^([a-z]+):", paper("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("role", Role)
def test_every_role_is_documented_with_what_its_page_says(role: Role) -> None:
    assert rows("docs/panel.md")[role.value] == [MAY[role]]
