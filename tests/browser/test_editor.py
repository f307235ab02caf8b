"""The editor of code: it takes a textarea's place, and leaves everything else to it."""

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, Request, expect

from badgerjobs.workspaces.models import Application, User
from jobs.models import Event
from tests.browser.test_every_page import faults

# What htmx puts into a page: a form with a field of each language, whose label, hint and error are tied to it.
FORM = """<form id="made" action="{action}" method="get"><p class="field"><label for="code">Code</label>
<textarea id="code" name="code" data-editor="{language}" rows="3" {more}>{text}</textarea></p>
<p class="hint" id="code_helptext">A hint.</p><div id="said"></div><button>Send</button></form>"""


@pytest.fixture
def asking(shop: Application, alice_browser: Page) -> Page:
    """The page that asks GraphQL, with its two editors there."""
    alice_browser.goto(reverse("graphql-page", args=[shop.slug]))
    expect(editor(alice_browser, "query")).to_be_visible()
    expect(editor(alice_browser, "variables")).to_be_visible()
    return alice_browser


def editor(page: Page, field: str) -> Locator:
    """What is seen in the place of the field."""
    return page.locator(f".code-field:has(> #{field}) > .editor")


def swap_in(page: Page, language: str, text: str = "", more: str = "") -> Locator:
    """A form with a field of code, put into the page by htmx; and its editor. `json texts`: placeholders in texts."""
    name, _, where = language.partition(" ")
    more = f'{more} data-placeholders="{where}"' if where else more
    form = FORM.format(action=page.url, language=name, text=text, more=more)
    page.evaluate("html => htmx.swap('#answer', html, { swapStyle: 'innerHTML' })", form)
    expect(editor(page, "code")).to_be_visible()
    return editor(page, "code")


def write(page: Page, text: str) -> None:
    """Type over what the focused editor has."""
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def test_what_is_typed_is_the_value_of_the_field_and_is_sent_with_its_form(asking: Page) -> None:
    editor(asking, "query").click()
    asking.keyboard.press("Control+a")
    asking.keyboard.press("Delete")
    asking.keyboard.type("query Q { jobs { name } }")
    expect(asking.locator("#query")).to_have_value("query Q { jobs { name } }")
    asking.keyboard.press("Control+Enter")
    expect(asking.locator("#answer pre")).to_contain_text('"jobs": []')


@pytest.mark.parametrize(
    "code",
    ["return `${input.x}`", "return /[(]/.test('(')", 'const f = {a: ["b"]}; return (f)'],
    ids=["template", "pattern", "brackets"],
)
def test_nothing_is_put_in_that_was_not_typed(shop: Application, alice_browser: Page, code: str) -> None:
    alice_browser.goto(f"{reverse('jobs:new-event', args=[shop.slug])}?type=FUNCTION")
    alice_browser.get_by_label("Name", exact=True).fill("typed")
    editor(alice_browser, "configuration_code").click()
    alice_browser.keyboard.type(code)
    alice_browser.get_by_role("button", name="Create the event").click()
    expect(alice_browser.get_by_text("typed is saved.")).to_be_visible()
    assert Event.objects.get().configuration["code"] == code


def test_words_have_the_tones_of_the_house_by_day_and_by_night(asking: Page) -> None:
    shown = swap_in(asking, "javascript", "return input.price + 'x' // why")
    seen = {}
    for theme in ("light", "dark"):
        asking.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        seen[theme] = [
            shown.locator(of).first.evaluate("e => getComputedStyle(e).color")
            for of in (".ace_keyword", ".ace_string", ".ace_comment")
        ]
        assert len(set(seen[theme])) == 3
    assert not set(seen["light"]) & set(seen["dark"])


# Language, text, and what is said of it.
WRONG = [
    ("json", '{"a": [1, 2,]}', "Line 1, column 13: A value is expected here."),
    ("json", '{"a": 1,\n "b": tru}', "Line 2, column 7: A value is expected here."),
    ("json", "{'a': 1}", "Line 1, column 2: Texts stand in double quotes."),
    ("json", '{"a": {{input.a}}}', "Line 1, column 8: A name in double quotes or } is expected here."),
    ("json texts", '{"a": {{input.a}}}', "Line 1, column 7: A placeholder stands in double quotes here."),
    ("json texts", '["{{input.a}}",]', "Line 1, column 16: A value is expected here."),
    ("json values", '{"a": {{input.a}}, "b": "\\{{ {{x}}"} 1', "Line 1, column 38: Nothing may follow the value."),
    ("javascript", "if (input.a) {\n  return ')'; // }\n", "Line 1, column 14: This { is not closed."),
    ("javascript", "return [1);", "Line 1, column 10: This ) meets the [ of line 1."),
    ("sql", "SELECT '(\n(' FROM (a", "Line 2, column 9: This ( is not closed."),
    ("sql", "SELECT 'a", "Line 1, column 10: The text ends within a comment or a quoted text."),
    ("sql", "SELECT E'a\\'", "Line 1, column 13: The text ends within a comment or a quoted text."),
    ("sql", "SELECT $a$b'$b$\n$$", "Line 2, column 3: The text ends within a comment or a quoted text."),
    ("sql", "SELECT $$a'b$$, '\\', (", "Line 1, column 22: This ( is not closed."),
    ("graphql", '{ jobs { name # }\n """ } """ }', "Line 1, column 1: This { is not closed."),
]
RIGHT = [
    ("json", '{"a": "{{x}}", "{{b}}": [{}]}'),
    ("json texts", ' {"a": [1.5e3, -2, "\\u00e9 {{x}}", true, null, {}, []], "{{b}}": "{{input.b}}"}\n'),
    ("json values", '{"a": "{{x}}", "b": {{input.b}}}'),
    ("javascript", 'const f = (a) => `${a ? `(` : "["}`;\nreturn /[(]/.test(f(1)) && 1 < 2 && 3 > 2;'),
    ("sql", "SELECT $1, \"a(\", 'it''s (' -- (\nFROM t /* (\n( */ WHERE id = {{input.id}} AND b = %(b)s"),
    ("sql", r"SELECT $$a'b$$, E'a\'b (', $q$ $$ ' ( $1$ $q $q$, 'a\', else'b' FROM a$b$c WHERE x = $1"),
    ("sql", "DO $body$\nBEGIN ('\n$bod$ $body$; SELECT '$$'"),
    ("graphql", 'query Q($a: String = "(") { # (\n job(name: $a) { ...F @include(if: true) } }'),
]


def test_what_is_wrong_is_marked_and_said_in_words(asking: Page) -> None:
    for language, text, said in WRONG:
        shown, of = swap_in(asking, language), f"{language}: {text}"
        shown.click()
        write(asking, text)
        expect(asking.locator("#code_status"), of).to_have_text(said)
        line = re.search(r"\d+", said)
        assert line
        expect(shown.locator(".ace_gutter-cell.ace_error"), of).to_have_text(line[0])
        expect(shown.locator(".fault"), of).to_have_count(1)
        expect(shown.get_by_role("textbox"), of).to_have_attribute("aria-invalid", "true")
        expect(shown.get_by_role("textbox"), of).to_have_accessible_description(said)


def test_what_is_right_is_not_marked(asking: Page) -> None:
    for language, text in RIGHT:
        shown, of = swap_in(asking, language, "("), f"{language}: {text}"
        shown.click()
        write(asking, text)
        expect(asking.locator("#code_status"), of).to_have_text("Tab indents. Esc, then Tab leaves the field.")
        expect(shown.get_by_role("textbox"), of).not_to_have_attribute("aria-invalid", re.compile(""))
        expect(shown.locator(".fault"), of).to_have_count(0)


def test_a_line_that_the_server_names_is_marked_until_the_text_is_changed(asking: Page) -> None:
    editor(asking, "query").click()
    write(asking, "{\n  jobs { nme }\n}")
    asking.get_by_role("button", name="Run").click()
    expect(asking.locator("#answer .error")).to_contain_text("(line 2, column 10)")
    gutter = editor(asking, "query").locator(".ace_error")
    expect(gutter).to_have_text("2")
    gutter.hover()
    expect(asking.locator(".ace_tooltip")).to_contain_text("Cannot query field")
    asking.get_by_label("Query", exact=True).press("Control+End")
    asking.keyboard.type("}")
    expect(asking.locator("#query_status")).to_have_text("Line 3, column 2: This } closes nothing.")
    expect(gutter).to_have_text("3")


def test_a_try_of_an_event_marks_the_line_that_threw(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(f"{reverse('jobs:new-event', args=[shop.slug])}?type=FUNCTION")
    shown = editor(alice_browser, "configuration_code")
    shown.click()
    write(alice_browser, "const a = input;\nreturn a.b.c;")
    alice_browser.get_by_role("button", name="Try it now").click()
    expect(alice_browser.locator("#tried .error")).to_contain_text("(line 2, column")
    expect(shown.locator(".ace_gutter-cell.ace_error")).to_have_text("2")


def test_tab_indents_and_after_esc_it_leaves(asking: Page) -> None:
    swap_in(asking, "javascript", "return 1")
    inner = asking.get_by_label("Code")
    inner.focus()
    expect(asking.locator("#code_status")).to_have_text("Tab indents. Esc, then Tab leaves the field.")
    asking.keyboard.press("Tab")
    expect(asking.locator("#code")).to_have_value("  return 1")
    asking.keyboard.press("Escape")
    asking.keyboard.press("Tab")
    expect(asking.get_by_role("button", name="Send")).to_be_focused()
    expect(asking.locator("#code_status")).to_have_text("")
    asking.keyboard.press("Shift+Tab")
    expect(inner).to_be_focused()
    asking.keyboard.press("Escape")
    asking.keyboard.press("Shift+Tab")
    expect(inner).not_to_be_focused()
    expect(asking.locator("#code")).to_have_value("  return 1")


def test_an_empty_field_that_is_required_says_so_and_gets_the_keyboard(asking: Page) -> None:
    swap_in(asking, "sql", more='required aria-describedby="code_helptext"')
    asking.get_by_role("button", name="Send").click()
    inner = asking.get_by_label("Code")
    expect(inner).to_be_focused()
    expect(inner).to_have_accessible_description(re.compile("A hint. Please fill"))
    expect(inner).to_have_attribute("aria-required", "true")
    asking.keyboard.type("SELECT 1")
    asking.get_by_role("button", name="Send").click()
    asking.wait_for_url(re.compile(r"code=SELECT\+1"))


def test_who_writes_into_the_field_or_asks_for_it_means_the_editor(asking: Page) -> None:
    shown = swap_in(asking, "json", "[1]")
    field = asking.locator("#code")
    field.evaluate("e => { e.value = '[2]'; e.dispatchEvent(new Event('input', { bubbles: true })); }")
    expect(shown.locator(".ace_text-layer")).to_have_text("[2]")
    field.fill("[3]")
    expect(shown.locator(".ace_text-layer")).to_have_text("[3]")
    expect(asking.get_by_label("Code")).to_be_focused()
    asking.get_by_label("Code").fill("[\n4]")
    expect(field).to_have_value("[\n4]")
    asking.get_by_role("button", name="Send").focus()
    expect(asking.get_by_label("Code")).to_have_value("[\n4]")
    asking.get_by_label("Code").fill("[5]")
    expect(field).to_have_value("[5]")
    asking.locator("#made").evaluate("form => form.reset()")
    expect(shown.locator(".ace_text-layer")).to_have_text("[1]")


def test_it_grows_with_its_text_up_to_a_bound(asking: Page) -> None:
    shown = swap_in(asking, "json", "[1]")

    def height() -> float:
        return (shown.bounding_box() or {"height": 0})["height"]

    shown.click()
    small = height()
    write(asking, "[\n" + "1,\n" * 12 + "1]")
    expect(shown.locator(".ace_line").last).to_have_text("1]")
    large = height()
    write(asking, "[\n" + "1,\n" * 200 + "1]")
    expect(shown.locator(".ace_line").last).to_have_text("1]")
    assert small < large < height() <= 32 * 20 + 20


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_with_a_fault_it_is_for_everybody(asking: Page, width: int, theme: str) -> None:
    swap_in(asking, "javascript", "return '(' + (input.a // (", more='aria-describedby="code_helptext"')
    expect(asking.locator("#code_status")).to_contain_text("This ( is not closed.")
    assert faults(asking, [(width, theme)]) == []


def test_only_a_page_with_such_a_field_loads_it_and_it_starts_no_worker(shop: Application, alice_browser: Page) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if re.search(r"ace|editor/", request.url):
            asked.append(request.url.rpartition("/")[2])

    alice_browser.on("request", note)
    alice_browser.goto(reverse("panel:overview", args=[shop.slug]))
    alice_browser.wait_for_load_state("networkidle")
    assert asked == []
    alice_browser.goto(reverse("graphql-page", args=[shop.slug]))
    expect(editor(alice_browser, "query")).to_be_visible()
    expect(editor(alice_browser, "variables")).to_be_visible()
    assert set(asked) <= {"mount.js", "faults.js", "modes.js", "ace.css", "ace.js", "mode-json.js"}
    assert alice_browser.workers == []


def test_a_field_that_may_hold_anything_is_read_as_json_while_it_begins_so(asking: Page) -> None:
    shown = swap_in(asking, "json", "a=(1", more="data-guess")
    shown.click()
    for text, said, texts in (
        ('{"a":', "Line 1, column 1: This { is not closed.", 1),
        ('a="b"&b=(', "Tab indents. Esc, then Tab leaves the field.", 0),
        ('["a"', "Line 1, column 1: This [ is not closed.", 1),
    ):
        write(asking, text)
        expect(asking.locator("#code_status")).to_have_text(said)
        expect(shown.locator(":is(.ace_string, .ace_variable)")).to_have_count(texts)


def test_it_goes_with_the_part_of_the_page_that_it_is_in(asking: Page) -> None:
    for text in ("[1]", "[2]"):
        expect(swap_in(asking, "json", text).locator(".ace_text-layer")).to_have_text(text)
    expect(asking.locator(".ace_editor")).to_have_count(3)


def test_without_scripts_the_field_is_there_and_works(shop: Application, open_browser: Callable[..., Page]) -> None:
    page = open_browser(User.objects.get(email="bob@example.com"), scripts=False)
    page.goto(reverse("graphql-page", args=[shop.slug]))
    page.get_by_label("Query", exact=True).fill("{ jobs { nme } }")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer")).to_contain_text("(line 1, column 10)")
    expect(page.locator(".code-field")).to_have_count(0)
