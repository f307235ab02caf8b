"""What the frame's scripts do on pages whose parts come and go: polling, ticks, keys, questions, times.

The pages are written here, so that a test is about a script and about no page of ours; they come from the same address
as all pages do, under the same policy. Time passes when a test says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from django.templatetags.static import static
from playwright.sync_api import Page, Route, expect

from badgerjobs.lib import words
from badgerjobs.web.middleware import POLICY

HEAD = f"""<!doctype html><html lang="en"><head><title>Stage</title><meta name="now" content="2026-03-02T12:00:00Z">
<meta name="htmx-config" content='{{"includeIndicatorStyles": false, "allowEval": false}}'>
<link rel="stylesheet" href="{static("css/panel.css")}">
<script defer src="{static("django_htmx/htmx-2.min.js")}"></script>
<script type="module" src="{static("js/panel.js")}"></script></head>
"""  # what templates/base.html links
MOVES = 'hx-get="/stage/part/" hx-trigger="every 2s" hx-swap="outerHTML"'
PART = f"""<section id="part" class="bulk-list" {MOVES}><table>
<thead><tr><th><input type="checkbox" aria-label="all" aria-keyshortcuts="x"></th></tr></thead>
<tbody><tr><td><input type="checkbox" aria-label="first"> words <a href="/stage/">a link</a>
<details><summary>more</summary></details><input type="search" id="typed" aria-label="typed"></td></tr>
<tr><td><input type="checkbox" aria-label="second"></td></tr></tbody></table><span role="status"></span></section>"""
LIVE = '<button data-live aria-pressed="true" aria-keyshortcuts="p">Live</button>'
QUESTION = """<section><h1 id="question-title">Sure?</h1><form method="post" action="/stage/question/">
<a href="/stage/" data-close>Keep it</a> <input aria-label="typed"><button>Go on</button></form></section>"""
LINK = '<a href="/stage/question/" data-question>Delete…</a>'
DIALOG = '<dialog id="question" aria-labelledby="question-title"></dialog>'
ASKING = f'{LINK} <a href="/stage/other/" aria-keyshortcuts="n">New</a> {DIALOG}'


@dataclass
class Stage:
    """A browser in which every address below /stage/ answers with what stands in `answers`, and says what was asked."""

    page: Page
    answers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    held: list[Route] = field(default_factory=list)
    holds: bool = False

    def answer(self, route: Route) -> None:
        name = route.request.url.partition("/stage/")[2]
        self.asked.append(name)
        if self.holds and name == "part/":
            self.held.append(route)
        else:
            self.give(route)

    def give(self, route: Route) -> None:
        body = self.answers.get(route.request.url.partition("/stage/")[2], "")
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY}
        route.fulfill(status=200 if body else 204, headers=headers, body=body)

    def open(self, body: str) -> None:
        self.answers[""] = f"{HEAD}<body><main>{body}</main></body></html>"
        self.page.goto("/stage/")
        self.page.wait_for_function("() => window.htmx && document.readyState === 'complete'")

    def asked_within(self, ms: int) -> list[str]:
        """What the page asks for in this time."""
        before = len(self.asked)
        self.page.clock.run_for(ms)
        self.page.evaluate("fetch('/stage/end/')")  # comes after all that was asked before
        return [name for name in self.asked[before:] if name != "end/"]


@pytest.fixture
def stage(open_browser: Callable[..., Page]) -> Stage:
    page = open_browser()
    # An installed clock runs with the real one until it is paused, and it cannot be paused at what is past.
    page.clock.install(time="2026-03-02T11:59:00Z")
    page.clock.pause_at("2026-03-02T12:00:00Z")
    stage = Stage(page, {"part/": PART, "question/": QUESTION, "other/": f"{HEAD}<body>Another</body>"})
    page.route("**/stage/**", stage.answer)
    return stage


# What holds a part still, and what lets it go on.
HOLDS: Mapping[str, tuple[str, str]] = {
    "a page that nobody sees": (
        "Object.defineProperty(document, 'hidden', {get: () => true, configurable: true})",
        "delete document.hidden",
    ),
    "Live is off": ("document.querySelector('[data-live]').click()", "document.querySelector('[data-live]').click()"),
    "a row that is ticked": (
        "document.querySelector('tbody input').click()",
        "document.querySelector('tbody input').click()",
    ),
    "something that is open": (
        "document.querySelector('tbody details').open = true",
        "document.querySelector('tbody details').open = false",
    ),
    "a field that somebody is in": (
        "document.querySelector('tbody [type=search]').focus()",
        "document.activeElement.blur()",
    ),
    "text that is marked": (
        "getSelection().selectAllChildren(document.querySelector('tbody td'))",
        "getSelection().removeAllRanges()",
    ),
    "the keyboard on what has no id": (
        "document.querySelector('tbody a').focus({focusVisible: true})",
        "document.activeElement.blur()",
    ),
}


KEPT = f'<section id="part" {MOVES}><a id="kept" href="/stage/">a link</a> <button id="going">Go</button></section>'


def test_what_has_the_keyboard_keeps_it_while_its_part_moves_on(stage: Stage) -> None:
    stage.answers["part/"] = KEPT.replace("a link", "another")
    stage.open(KEPT)
    stage.page.keyboard.press("Tab")
    for _ in range(2):
        assert stage.asked_within(2_100) == ["part/"]
        expect(stage.page.get_by_role("link", name="another")).to_be_focused()
    assert stage.page.locator("#kept:focus-visible").count() == 1


def test_what_had_the_keyboard_and_is_gone_leaves_it_in_its_part(stage: Stage) -> None:
    stage.answers["part/"] = KEPT.replace("going", "new")
    stage.open(f'<a href="/stage/">first</a>{KEPT}')
    stage.page.locator("#going").press("Shift")
    assert stage.asked_within(2_100) == ["part/"]
    expect(stage.page.locator("#part")).to_be_focused()
    stage.page.keyboard.press("Tab")
    expect(stage.page.locator("#kept")).to_be_focused()
    assert stage.asked_within(2_100) == ["part/"]


def test_a_part_that_moves_takes_the_keyboard_from_nobody(stage: Stage) -> None:
    stage.open(f'<a href="/stage/">first</a>{KEPT}')
    assert stage.asked_within(2_100) == ["part/"]
    stage.page.keyboard.press("Tab")
    expect(stage.page.get_by_role("link", name="first")).to_be_focused()


def test_a_box_stays_where_it_was_scrolled_to(stage: Stage) -> None:
    # What lies beyond the box makes it one that scrolls: style sheets say how tall it may be.
    box = f'<pre class="code" id="box" tabindex="0">{"line<br>" * 400}</pre>'
    stage.answers["part/"] = f'<section id="part" {MOVES}>{box}</section>'
    stage.open(stage.answers["part/"])
    stage.page.locator("#box").evaluate("box => box.scrollTo(0, 120)")
    assert stage.asked_within(2_100) == ["part/"]
    assert stage.page.locator("#box").evaluate("box => box.scrollTop") == 120


@pytest.mark.parametrize("hold", HOLDS)
def test_what_updates_itself_stands_still_for(hold: str, stage: Stage) -> None:
    stage.open(LIVE + PART)
    hold_it, let_go = HOLDS[hold]
    assert stage.asked_within(2_100) == ["part/"]
    stage.page.evaluate(hold_it)
    assert stage.asked_within(10_000) == []
    stage.page.evaluate(let_go)
    assert stage.asked_within(2_100) == ["part/"]


def test_an_answer_that_comes_after_a_row_was_ticked_leaves_the_tick(stage: Stage) -> None:
    stage.open(PART)
    stage.holds = True
    assert stage.asked_within(2_100) == ["part/"]
    stage.page.get_by_label("first").check()
    stage.page.evaluate("addEventListener('htmx:afterRequest', () => { window.answered = true; })")
    stage.give(stage.held[0])
    stage.page.wait_for_function("() => window.answered")
    expect(stage.page.get_by_label("first")).to_be_checked()


def test_what_somebody_asks_for_comes_though_live_is_off(stage: Stage) -> None:
    stage.open(
        f'{LIVE}<button hx-get="/stage/part/" hx-target="#here" hx-swap="outerHTML">More</button><p id="here"></p>'
    )
    stage.page.get_by_role("button", name="Live").click()
    stage.page.get_by_role("button", name="More").click()
    expect(stage.page.locator("#part")).to_be_visible()


@pytest.mark.parametrize("status", [403, 404])
def test_a_part_that_is_gone_brings_the_page_that_says_so(status: int, open_browser: Callable[..., Page]) -> None:
    page = open_browser(expected={status})
    # An installed clock runs with the real one until it is paused, and it cannot be paused at what is past.
    page.clock.install(time="2026-03-02T11:59:00Z")
    page.clock.pause_at("2026-03-02T12:00:00Z")
    stage = Stage(page)
    page.route("**/stage/**", stage.answer)
    page.route("**/stage/part/", lambda route: route.fulfill(status=status, body="Not for you"))
    stage.open(PART)
    stage.answers[""] = f"{HEAD}<body>There is nothing here</body></html>"

    page.clock.run_for(2_100)

    expect(page.get_by_text("There is nothing here")).to_be_visible()


def test_p_stops_and_starts_what_updates_itself(stage: Stage) -> None:
    stage.open(LIVE + PART)
    button = stage.page.get_by_role("button", name="Live")
    stage.page.keyboard.press("p")
    expect(button).to_have_attribute("aria-pressed", "false")
    stage.page.keyboard.press("p")
    expect(button).to_have_attribute("aria-pressed", "true")


def test_rows_that_came_later_are_ticked_all_at_once_and_counted(stage: Stage) -> None:
    stage.open(PART)
    assert stage.asked_within(2_100) == ["part/"]
    stage.page.keyboard.press("x")
    expect(stage.page.locator("tbody :checked")).to_have_count(2)
    expect(stage.page.get_by_role("status")).to_have_text("2 selected")
    stage.page.get_by_label("first").uncheck()
    expect(stage.page.get_by_role("status")).to_have_text("1 selected")
    assert stage.page.get_by_label("all").evaluate("all => all.indeterminate")


def test_a_question_has_the_focus_and_gives_it_back(stage: Stage) -> None:
    stage.open(ASKING)
    link, dialog = stage.page.get_by_role("link", name="Delete…"), stage.page.get_by_role("dialog", name="Sure?")
    for key in ("Escape", "Enter"):  # Enter presses what has the focus
        link.click()
        expect(dialog).to_be_visible()
        expect(dialog.get_by_role("link", name="Keep it")).to_be_focused()
        stage.page.keyboard.press(key)
        expect(dialog).to_be_hidden()
        expect(link).to_be_focused()


def test_a_question_from_a_menu_gives_the_focus_back_to_its_button(stage: Stage) -> None:
    stage.open(f'<button popovertarget="more">More</button><div id="more" popover>{LINK}</div>{DIALOG}')
    button = stage.page.get_by_role("button", name="More")
    button.click()
    stage.page.get_by_role("link", name="Delete…").click()
    expect(stage.page.get_by_role("dialog", name="Sure?")).to_be_visible()
    stage.page.keyboard.press("Escape")
    expect(stage.page.get_by_role("dialog")).to_be_hidden()
    expect(button).to_be_focused()


def test_no_key_reaches_what_a_question_covers(stage: Stage) -> None:
    stage.open(ASKING)
    stage.page.get_by_role("link", name="Delete…").click()
    expect(stage.page.get_by_role("dialog")).to_be_visible()
    stage.page.keyboard.press("n")
    stage.page.keyboard.press("Escape")
    expect(stage.page.get_by_role("link", name="Delete…")).to_be_focused()
    assert "other/" not in stage.asked
    stage.page.keyboard.press("n")
    expect(stage.page.locator("body")).to_have_text("Another")


def test_a_page_that_is_left_and_may_come_again_takes_its_question_away(stage: Stage) -> None:
    stage.open(ASKING)
    stage.page.get_by_role("link", name="Delete…").click()
    expect(stage.page.get_by_role("dialog")).to_be_visible()
    stage.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    expect(stage.page.get_by_role("dialog")).to_be_hidden()


def test_a_question_that_cannot_be_asked_here_is_asked_on_its_page(stage: Stage) -> None:
    def answer(route: Route) -> None:
        whole = route.request.is_navigation_request()
        route.fulfill(status=200 if whole else 204, body="The page" if whole else "", content_type="text/html")

    stage.open(ASKING)
    stage.page.route("**/stage/question/", answer)
    stage.page.get_by_role("link", name="Delete…").click()
    expect(stage.page.locator("body")).to_have_text("The page")


def test_a_key_that_is_held_down_is_one_press(stage: Stage) -> None:
    stage.open(LIVE)
    for _ in range(2):
        stage.page.keyboard.down("p")
    expect(stage.page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")


def test_a_letter_that_is_typed_is_no_key(stage: Stage) -> None:
    stage.open(f'{LIVE}<input aria-label="search">')
    stage.page.get_by_label("search").press("p")
    expect(stage.page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "true")


def test_a_time_stays_true_though_it_came_later(stage: Stage) -> None:
    time = '<time class="ago" datetime="2026-03-02T11:59:55Z">5 s ago</time>'
    stage.answers["part/"] = f'<p id="part">{time}</p>'
    stage.open(PART)
    assert stage.asked_within(2_100) == ["part/"]
    expect(stage.page.locator("#part")).to_have_text("5 s ago")
    stage.page.clock.run_for(60_000)
    expect(stage.page.locator("#part")).to_have_text("1 min ago")


def test_scripts_say_times_as_the_server_does(stage: Stage) -> None:
    stage.open("")
    seconds = [
        sign * size
        for size in (0, 0.4, 1, 59, 60, 119, 3_599, 3_600, 5_500, 14_399, 14_400, 86_399, 86_400, 1e6)
        for sign in (1, -1)
    ]
    said = stage.page.evaluate(f"async (all) => all.map((await import('{static('js/ago.js')}')).relative)", seconds)
    assert said == [words.relative(size) for size in seconds]


def test_what_only_scripts_can_do_is_not_offered_without_them(open_browser: Callable[..., Page]) -> None:
    page = open_browser(scripts=False)
    body = f'{HEAD}<body>{LIVE}<button data-copy-text="x">Copy</button><button>Other</button></body>'
    page.route("**/stage/", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto("/stage/")
    assert page.get_by_role("button").all_text_contents() == ["Other"]
