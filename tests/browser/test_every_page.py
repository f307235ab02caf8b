"""Every page, full and empty, narrow and wide, each light and dark: nothing sticks out or complains, axe finds nothing.

Pages come from the resolver: a new one is looked at without anything being written here. What only a form shows stands
in FORMS.
"""

import re
from collections.abc import Callable, Mapping, Sequence

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

# What everybody may look at a page with: the width of a telephone and of a desk, by day and by night.
VIEWS = [(width, theme) for width in (1440, 390) for theme in ("light", "dark")]
AXE_SCRIPT = Axe().axe_script
RULES = {
    "resultTypes": ["violations"],
    "preload": False,  # it would fetch imported style sheets anew, from addresses where none are
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
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

Rows = Mapping[str, str]
FULL = sorted(PAGES)
FOR_NOBODY = sorted(ACCOUNTS | set(OPEN))
# Lists and forms; a page about one thing is there with the thing.
EMPTY = [at for at in FULL if set(re.findall(r"{(\w+)}", at)) in ({"application_slug"}, {"workspace_slug"})]
OF_A_SECOND_FACTOR = [at for at in FULL if "2fa" in at or "reauthenticate" in at]


def is_page(at: str, user: User | None) -> bool:
    """Whether somebody who asks for it gets a page, and not a file or another address."""
    browser = Client(headers={"Accept": "text/html"}, raise_request_exception=False)
    if user:
        browser.cookies["sessionid"] = session_of(user)
    answer = browser.get(at)
    return answer.status_code == 200 and answer["Content-Type"].startswith("text/html")


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
        found += [f"{width} px, {theme}: {said}" for said in [*page.evaluate(STICKS_OUT), *violations(page)]]
    see_as(page, before["width"] if before else 1440, "dark" if was_dark else "light")
    return found


def violations(page: Page) -> list[str]:
    """What axe, which is in the page already, finds in it as it is seen now."""
    rules = page.evaluate("async rules => (await axe.run(document, rules)).violations", RULES)
    return [
        f"{rule['id']}: {node['target']} {node['html'][:160]}: {node['failureSummary']}"
        for rule in rules
        for node in rule["nodes"]
    ]


def look(page: Page, at: str) -> None:
    page.goto(at)
    look_around(page)


def look_around(page: Page) -> None:
    page.wait_for_load_state()  # what a form answered is there before its styles are
    found = faults(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("address", FULL)
def test_a_page_with_all_kinds_of_rows_is_for_everybody(
    address: str, transactional_db: None, open_browser: Callable[..., Page]
) -> None:
    rows = fill(make_application("Example Shop"), timezone.now())
    alice = User.objects.get(email="alice@example.com")
    at = filled(address, NO_ROWS if address in ACCOUNTS else rows)
    if is_page(at, alice):
        look(open_browser(alice), at)


@pytest.mark.parametrize("address", EMPTY)
def test_a_page_with_nothing_on_it_is_for_everybody(
    address: str, shop: Application, open_browser: Callable[..., Page]
) -> None:
    alice = User.objects.get(email="alice@example.com")
    at = filled(address, {"application_slug": shop.slug, "workspace_slug": shop.workspace.slug})
    if is_page(at, alice):
        look(open_browser(alice), at)


@pytest.mark.parametrize("address", FOR_NOBODY)
def test_a_page_for_who_is_not_signed_in_is_for_everybody(
    address: str, transactional_db: None, open_browser: Callable[..., Page]
) -> None:
    rows = fill(make_application("Example Shop"), timezone.now())
    at = filled(address, NO_ROWS if address in ACCOUNTS else rows)
    if is_page(at, None):
        look(open_browser(), at)


@pytest.mark.parametrize("address", OF_A_SECOND_FACTOR)
def test_a_page_of_who_has_a_second_factor_is_for_everybody(
    address: str, shop: Application, open_browser: Callable[..., Page]
) -> None:
    alice = User.objects.get(email="alice@example.com")
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(alice)
    at = filled(address, NO_ROWS)
    if is_page(at, alice):
        look(open_browser(alice), at)


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
