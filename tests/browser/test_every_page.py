"""Every page, full and empty, narrow and wide, each light and dark: nothing sticks out or complains, axe finds nothing.

Pages come from the resolver: a new one is looked at without anything being written here. What only a form shows stands
in FORMS.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from badgerjobs.workspaces.models import Application, Role, User
from tests.addresses import filled
from tests.browser.conftest import see_as, session_of
from tests.factories import make_application, make_job, make_member
from tests.pages import ACCOUNTS, LONG, NO_ROWS, OPEN, PAGES, fill
from tests.workspaces.visitors import code_of

ROOT = Path(__file__).resolve().parents[2]

# What everybody may look at a page with: the width of a telephone and of a desk, by day and by night.
VIEWS = [(width, theme) for width in (1440, 390) for theme in ("light", "dark")]
AXE_SCRIPT = Axe().axe_script
RULES = {
    "resultTypes": ["violations"],
    "preload": False,  # it would fetch imported style sheets anew, from addresses where none are
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
# Those of them that look at colours; by night nothing else differs, as a test below holds.
OF_COLOURS = RULES | {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# The elements that reach beyond the window, outermost first. What scrolls in itself may be as wide as it likes.
STICKS_OUT = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  const beyond = [...document.querySelectorAll("body *")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width && box.right > innerWidth + 1;
  });
  const how = `scrolls sideways: ${document.documentElement.scrollWidth} of ${innerWidth} px`;
  return [how, ...beyond.slice(0, 8).map((element) => element.outerHTML.slice(0, 120))];
}"""

# So wide is the window of a small laptop, and there tables leave out what may be missed.
LAPTOP = 1000
# The tables of which a row has more or fewer cells than there are headings: what leaves, leaves with its heading.
UNEVEN = """() => [...document.querySelectorAll("table:has(> thead)")].flatMap((table) => {
  const seen = (row) => [...row.cells].filter((cell) => getComputedStyle(cell).display !== "none").length;
  const heads = seen(table.tHead.rows[0]);
  const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
  const uneven = rows.find((row) => ![...row.cells].some((cell) => cell.colSpan > 1) && seen(row) !== heads);
  return uneven ? [`${heads} headings: ${uneven.outerHTML.slice(0, 200)}`] : [];
})"""

Rows = Mapping[str, str]
# So many addresses one test asks for: the rows are made once for all of them.
AT_ONCE = 10


def stretches(addresses: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Addresses that stand together, by the first of them."""
    ats = sorted(addresses)
    return {f"from {ats[first]}": ats[first : first + AT_ONCE] for first in range(0, len(ats), AT_ONCE)}


FULL = stretches(PAGES)
FOR_NOBODY = stretches(ACCOUNTS | set(OPEN))
# Lists and forms; a page about one thing is there with the thing.
EMPTY = stretches([at for at in PAGES if set(re.findall(r"{(\w+)}", at)) in ({"application_slug"}, {"workspace_slug"})])
OF_A_SECOND_FACTOR = stretches([at for at in PAGES if "2fa" in at or "reauthenticate" in at])


def are_pages(ats: Sequence[str], user: User | None) -> Iterator[str]:
    """Those of which somebody who asks for them gets a page, and not a file or another address."""
    browser = Client(headers={"Accept": "text/html"}, raise_request_exception=False)
    if user:
        browser.cookies["sessionid"] = session_of(user)
    for at in ats:
        answer = browser.get(at)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            yield at


def faults(page: Page, views: Sequence[tuple[int, str]] = VIEWS) -> list[str]:
    """What is wrong with a page that is open, seen so wide and in this theme. The window is then as it was before.

    The page is not loaded again: width and theme are its styles' business, and no script of ours asks for either.
    """
    before = page.viewport_size
    was_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    page.evaluate(AXE_SCRIPT)
    found = []
    for width, theme in views:
        see_as(page, width, theme)
        rules = OF_COLOURS if (width, "light") in views and theme == "dark" else RULES
        found += [f"{width} px, {theme}: {said}" for said in [*page.evaluate(STICKS_OUT), *violations(page, rules)]]
    see_as(page, before["width"] if before else 1440, "dark" if was_dark else "light")
    return found


def violations(page: Page, rules: Mapping[str, Any]) -> list[str]:
    """What axe, which is in the page already, finds in it as it is seen now."""
    broken = page.evaluate("async rules => (await axe.run(document, rules)).violations", rules)
    return [
        f"{rule['id']}: {node['target']} {node['html'][:160]}: {node['failureSummary']}"
        for rule in broken
        for node in rule["nodes"]
    ]


def look(page: Page, at: str) -> None:
    page.goto(at)
    look_around(page)


def look_around(page: Page) -> None:
    page.wait_for_load_state()  # what a form answered is there before its styles are
    found = faults(page)
    assert not found, "\n".join(found)


def look_at_each(page: Page, ats: Sequence[str], user: User | None) -> None:
    """Look at those that are pages; what is found bears the address of the page."""
    found = []
    for at in are_pages(ats, user):
        answer = page.goto(at)
        assert answer, at
        assert (answer.status, answer.request.redirected_from) == (200, None), at
        found += [f"{at}, {said}" for said in faults(page)]
        see_as(page, LAPTOP, "light")
        found += [f"{at}, {LAPTOP} px: {said}" for said in [*page.evaluate(STICKS_OUT), *page.evaluate(UNEVEN)]]
        see_as(page, 1440, "light")
    assert not found, "\n".join(found)


def at_rows(ats: Sequence[str], rows: Rows) -> list[str]:
    return [filled(at, NO_ROWS if at in ACCOUNTS else rows) for at in ats]


@pytest.mark.parametrize("ats", FULL.values(), ids=FULL)
def test_pages_with_all_kinds_of_rows_are_for_everybody(
    ats: Sequence[str], transactional_db: None, open_browser: Callable[..., Page]
) -> None:
    rows = fill(make_application("Example Shop"), timezone.now())
    alice = User.objects.get(email="alice@example.com")
    look_at_each(open_browser(alice), at_rows(ats, rows), alice)


@pytest.mark.parametrize("ats", EMPTY.values(), ids=EMPTY)
def test_pages_with_nothing_on_them_are_for_everybody(
    ats: Sequence[str], shop: Application, open_browser: Callable[..., Page]
) -> None:
    alice = User.objects.get(email="alice@example.com")
    slugs = {"application_slug": shop.slug, "workspace_slug": shop.workspace.slug}
    look_at_each(open_browser(alice), [filled(at, slugs) for at in ats], alice)


@pytest.mark.parametrize("ats", FOR_NOBODY.values(), ids=FOR_NOBODY)
def test_pages_for_who_is_not_signed_in_are_for_everybody(
    ats: Sequence[str], transactional_db: None, open_browser: Callable[..., Page]
) -> None:
    rows = fill(make_application("Example Shop"), timezone.now())
    look_at_each(open_browser(), at_rows(ats, rows), None)


@pytest.mark.parametrize("ats", OF_A_SECOND_FACTOR.values(), ids=OF_A_SECOND_FACTOR)
def test_pages_of_who_has_a_second_factor_are_for_everybody(
    ats: Sequence[str], shop: Application, open_browser: Callable[..., Page]
) -> None:
    alice = User.objects.get(email="alice@example.com")
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(alice)
    look_at_each(open_browser(alice), at_rows(ats, NO_ROWS), alice)


def test_by_night_nothing_differs_but_colours() -> None:
    """Why it is enough to look for what has to do with colours then."""
    ours = [file for folder in ("static", "templates") for file in (ROOT / folder).rglob("*.*")]
    texts = {file.name: file.read_text() for file in ours if file.suffix in {".css", ".js", ".html"}}
    assert [name for name, text in texts.items() if "prefers-color-scheme" in text] == []
    styles = "".join(text for name, text in texts.items() if name.endswith(".css"))
    by_theme = re.findall(r"\[data-theme[^{}]*{([^{}]*)}", styles)
    assert by_theme
    assert [said for said in by_theme if not re.fullmatch(r"\s*color-scheme: \w+;\s*", said)] == []
    assert styles.count("light-dark(") == len(re.findall(r"light-dark\(oklch\([^()]*\), oklch\([^()]*\)\)", styles)) > 9


def test_the_menu_of_a_narrow_page_is_for_everybody(shop: Application, alice_browser: Page) -> None:
    alice_browser.set_viewport_size({"width": 390, "height": 900})
    alice_browser.goto(reverse("panel:overview", args=[shop.slug]))
    alice_browser.get_by_role("button", name="Menu").click()
    expect(alice_browser.get_by_role("link", name="Overview")).to_be_visible()
    found = faults(alice_browser, [(390, "light"), (390, "dark")])
    assert not found, "\n".join(found)


def test_a_question_in_a_dialog_is_for_everybody(shop: Application, alice_browser: Page) -> None:
    job = make_job(shop, "nightly")
    alice_browser.goto(reverse("jobs:job", args=[shop.slug, job.tag]))
    alice_browser.locator("[popovertarget=more]").click()
    alice_browser.get_by_role("link", name="Delete…").click()
    expect(alice_browser.get_by_role("dialog")).to_be_visible()
    look_around(alice_browser)


def test_a_page_of_who_may_not_is_for_everybody(shop: Application, open_browser: Callable[..., Page]) -> None:
    page = open_browser(make_member(shop.workspace, Role.EDITOR, "erin@example.com").user, expected={403})
    look(page, reverse("panel:signing-key", args=[shop.slug]))


def test_a_page_that_is_not_there_is_for_everybody(open_browser: Callable[..., Page]) -> None:
    look(open_browser(expected={404}), "/no/such/page/")


# What a button or a link shows and no address of its own: how it is come by, from an application's rows.
SEND = """([action, fields]) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action });
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  for (const [name, value] of [["csrfmiddlewaretoken", token], ...Object.entries(fields)]) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(form);
  form.submit();
}"""


def send(page: Page, action: str, **fields: str) -> None:
    """Send a form as it is sent without scripts: what comes is a page, and not a part or a dialog."""
    page.goto(reverse("panel:keys"))
    with page.expect_navigation():
        page.evaluate(SEND, [action, fields])


def fill_in(page: Page, at: str, button: str, label: str = "", text: str = "") -> None:
    """Send the form of a page, with a text in the field of this label."""
    page.goto(at)
    if label:
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name=button).click()


def a_bulk_question(page: Page, rows: Rows) -> None:
    send(page, reverse("jobs:bulk", args=[rows["application_slug"]]), do="delete", all="on")
    expect(page.get_by_role("heading", name="Delete 7 jobs?")).to_be_visible()


def a_question_about_runs(page: Page, rows: Rows) -> None:
    page.goto(f"{reverse('runs:abort-many', args=[rows['application_slug']])}?all=1")
    expect(page.get_by_role("button", name="Abort")).to_be_visible()


def a_new_token(page: Page, rows: Rows) -> None:
    fill_in(page, reverse("panel:new-token", args=[rows["application_slug"]]), "Make the token", "Label", LONG[:100])
    expect(page.locator("#secret")).to_be_visible()


def a_token_in_anothers_place(page: Page, rows: Rows) -> None:
    fill_in(page, reverse("panel:rotate-token", args=[rows["application_slug"], rows["token_slug"]]), "Make the new")
    expect(page.locator("#secret")).to_be_visible()


def a_token_made_already(page: Page, rows: Rows) -> None:
    a_new_token(page, rows)
    page.reload()
    expect(page.locator("#secret")).to_have_count(0)


def a_token_that_may_not_be(page: Page, rows: Rows) -> None:
    fill_in(page, reverse("panel:new-token", args=[rows["application_slug"]]), "Make the token", "Label", " ")
    expect(page.get_by_role("alert").first).to_be_visible()


def an_invitations_link(page: Page, rows: Rows) -> None:
    at = reverse("panel:members", args=[rows["workspace_slug"]])
    fill_in(page, at, "Invite", "E-mail address", "carol@example.com")
    expect(page.locator("#fresh-link")).to_be_visible()


def an_invitation_that_may_not_be(page: Page, rows: Rows) -> None:
    send(page, reverse("panel:invite", args=[rows["workspace_slug"]]), email="nobody", role="owner")


def another_name(page: Page, rows: Rows) -> None:
    at = reverse("panel:delete-application", args=[rows["application_slug"]])
    send(page, at, name="Another")


FORMS = [
    a_bulk_question, a_question_about_runs, a_new_token, a_token_in_anothers_place, a_token_made_already,
    a_token_that_may_not_be, an_invitations_link, an_invitation_that_may_not_be, another_name,
]  # fmt: skip


@pytest.mark.parametrize("ask_for", FORMS, ids=lambda form: form.__name__)
def test_what_only_a_form_shows_is_for_everybody(
    ask_for: Callable[[Page, Rows], None], transactional_db: None, open_browser: Callable[..., Page]
) -> None:
    rows = fill(make_application("Example Shop"), timezone.now())
    page = open_browser(User.objects.get(email="alice@example.com"), expected={400, 409, 422})
    ask_for(page, rows)
    look_around(page)


def test_the_first_token_is_for_everybody(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(reverse("panel:overview", args=[shop.slug]))
    alice_browser.get_by_role("button", name="token").first.click()
    expect(alice_browser.locator("#token")).to_be_visible()
    look_around(alice_browser)


def test_recovery_codes_are_for_everybody(shop: Application, open_browser: Callable[..., Page]) -> None:
    alice = User.objects.get(email="alice@example.com")
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    page = open_browser(alice)
    fill_in(page, reverse("mfa_generate_recovery_codes"), "Go on", "Code", code_of("JBSWY3DPEHPK3PXP"))
    page.get_by_role("button", name="Make new ones").click()
    expect(page.locator("#codes")).to_be_visible()
    look_around(page)
