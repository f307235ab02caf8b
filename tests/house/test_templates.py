"""What holds for every template: parts are named like what htmx asks for, and none is left over."""

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.in_turn import in_turn

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
SOURCES = [
    path for top in ("badgerjobs", "jobs", "tasks", "webhooks", "collections") for path in (ROOT / top).rglob("*.py")
]

# What allauth's own code and templates ask for by name.
FROM_OUTSIDE = ("account/", "mfa/", "usersessions/", "allauth/")
# Parts that are put into an element with their id, each with its reason.
NO_PARTS = {"ask/question.html": "the dialog of every page has this id; on a page of its own there is none around it"}

NAMES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.is_file())
INCLUDED = re.compile(r"""{%-?\s*(?:include|extends)\s+["']([^"']+)["']""")
# What the template's language says is no markup; what stands between its marks may be.
LANGUAGE = re.compile(r"{#.*?#}|{%\s*comment.*?endcomment\s*%}|{%.*?%}|{{.*?}}", re.DOTALL)
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Outermost(HTMLParser):
    """The attributes of the elements that stand in no other one."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self.depth:
            self.found.append(dict(attrs))
        self.depth += tag not in VOID

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag not in VOID


def outermost(text: str) -> list[str]:
    """The ids of a template's outermost elements; empty for one without."""
    parser = Outermost()
    parser.feed(LANGUAGE.sub("", text))
    return [attributes.get("id") or "" for attributes in parser.found]


def is_part(name: str) -> bool:
    """Whether it is a template `X/Y/part.html` that a page `X/Y.html` includes: htmx may ask for it by its id."""
    page = TEMPLATES / f"{name.rpartition('/')[0]}.html"
    return name not in NO_PARTS and page.is_file() and name in INCLUDED.findall(page.read_text())


def asked_for() -> set[str]:
    """The templates that some template includes or extends, or that some code names."""
    texts = [(TEMPLATES / name).read_text() for name in NAMES]
    found = {name for text in texts for name in INCLUDED.findall(text)}
    for path in SOURCES:
        found |= {
            node.value
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    return found


@in_turn("name", [name for name in NAMES if is_part(name)])
def test_a_part_is_one_element_with_the_id_that_htmx_asks_for(name: str) -> None:
    assert set(outermost((TEMPLATES / name).read_text())) == {Path(name).stem}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('{% load panel %}<section id="rows"><p>One</p><br></section>\n', ["rows"]),
        ('{# <p> #}<section {% if moves %}hx-get="{{ at }}"{% endif %} id="rows"></section>', ["rows"]),
        ('<section id="rows"></section><p>After</p>', ["rows", ""]),
        ('<section><p id="rows"></p></section>', [""]),
    ],
)
def test_what_stands_in_no_other_element_is_found(text: str, ids: list[str]) -> None:
    assert outermost(text) == ids


def test_no_template_is_left_over() -> None:
    known = asked_for()
    assert [name for name in NAMES if name not in known and not name.startswith(FROM_OUTSIDE)] == []


def test_no_template_has_a_script_or_a_style_in_it() -> None:
    """The policy of the pages would block it, in silence."""
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
    pages = [name for name in NAMES if name.endswith(".html")]
    assert [name for name in pages if inline.search(LANGUAGE.sub("", (TEMPLATES / name).read_text()))] == []


def test_leaving_the_search_box_of_a_list_asks_for_nothing() -> None:
    """What was typed is shown already; the same list again would take the ticks from its rows."""
    filters = re.compile(r'<form class="filters"[^>]*?hx-trigger="([^"]*)"', re.DOTALL)
    found = {name: filters.findall((TEMPLATES / name).read_text()) for name in NAMES}
    triggers = {name: [one.strip() for one in given[0].split(",")] for name, given in found.items() if given}
    assert triggers
    assert [name for name, given in triggers.items() if "change target::not([type=search])" not in given] == []
    assert [name for name, given in triggers.items() if "change" in given] == []
