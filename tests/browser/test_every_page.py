"""Every page, full and empty, narrow and wide, light and dark: nothing sticks out or complains, axe finds nothing.

Pages come from the resolver: a new one is looked at without anything being written here.
"""

import re
from collections.abc import Callable, Sequence

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
from tests.browser.conftest import session_of
from tests.factories import make_application, make_job, make_member
from tests.pages import ACCOUNTS, NO_ROWS, OPEN, PAGES, fill

AXE = Axe()
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
  return ["scrolls sideways", ...beyond.slice(0, 8).map((element) => element.outerHTML.slice(0, 120))];
}"""

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


def faults(page: Page, views: Sequence[tuple[int, str]] = ((1440, "light"), (390, "dark"))) -> list[str]:
    """What is wrong with a page that is open, seen so wide and in this theme."""
    found = []
    for width, theme in views:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        found += [f"{width} px: {said}" for said in page.evaluate(STICKS_OUT)]
        for rule in AXE.run(page, options=RULES).response["violations"]:
            for node in rule["nodes"]:
                found.append(f"{theme}: {rule['id']}: {node['target']} {node['html'][:160]}: {node['failureSummary']}")
    return found


def look(page: Page, at: str) -> None:
    page.goto(at)
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
    found = faults(alice_browser)
    assert not found, "\n".join(found)


def test_a_page_of_who_may_not_is_for_everybody(shop: Application, open_browser: Callable[..., Page]) -> None:
    page = open_browser(make_member(shop.workspace, Role.EDITOR, "erin@example.com").user, expected={403})
    look(page, reverse("panel:signing-key", args=[shop.slug]))


def test_a_page_that_is_not_there_is_for_everybody(open_browser: Callable[..., Page]) -> None:
    look(open_browser(expected={404}), "/no/such/page/")
