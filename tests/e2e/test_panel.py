"""The control panel with real workers behind it: from signing up to a run, its end, and a token's."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.chromium import Complaints, launched, profile
from tests.e2e.receiver import Answer, Receiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

PASSWORD = "a walk in the wood"
MOST_CLICKS = 10


class Visitor:
    """Somebody at a page, whose clicks are counted: those into fields too, where the page has not put them already."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def click(self, target: Locator) -> None:
        self.clicks += 1
        target.click()

    def press(self, button: str) -> None:
        self.click(self.page.get_by_role("button", name=button))

    def follow(self, link: str) -> None:
        self.click(self.page.get_by_role("link", name=re.compile(rf"^{link}\b")))  # its key may come after it

    def fill(self, label: str, text: str) -> None:
        field = self.page.get_by_label(label, exact=True)
        if not field.evaluate("field => field === document.activeElement"):
            self.click(field)
        self.page.keyboard.insert_text(text)

    def see(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(heading)


@pytest.fixture
def stack(one_of_each: Stack) -> Stack:
    """The same beat and worker for all tests of this file, with nothing to do."""
    return one_of_each


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def visitor(chromium: Browser, stack: Stack) -> Iterator[Visitor]:
    """Somebody who has never been here, while beat and a worker are at work."""
    complaints = Complaints()
    with profile(chromium, f"http://127.0.0.1:{stack.port}") as context:
        yield Visitor(complaints.listen_to(context.new_page()))
    assert complaints.heard == []


def sign_up(visitor: Visitor, stack: Stack, email: str) -> None:
    """Make an account, and open the link in the mail, which goes into web's log."""
    visitor.page.goto("/accounts/signup/")
    visitor.fill("E-mail", email)
    visitor.fill("Password", PASSWORD)
    visitor.press("Make my account")
    visitor.see("Look into your mail")
    [link] = re.findall(r"^http\S+/accounts/confirm-email/\S+$", stack.said(), re.MULTILINE)
    visitor.clicks += 1  # in the mail
    visitor.page.goto(link)
    visitor.press("Yes, confirm it")
    visitor.see("has no jobs yet")


def make_job(visitor: Visitor, name: str, endpoint: str, *, by_hand: bool = False) -> None:
    """In the form, from the first page that somebody sees; as it stands there it runs at once, and then again."""
    visitor.follow("New job")
    visitor.fill("Name", name)
    visitor.fill("Endpoint", endpoint)
    if by_hand:
        visitor.click(visitor.page.get_by_role("radiogroup", name="When").get_by_text("By hand", exact=True))
    visitor.press("Create the job")
    visitor.see(name)


def open_run(visitor: Visitor) -> None:
    """Go from the job's page to its only run, which has not ended."""
    visitor.click(visitor.page.get_by_role("table", name="Waiting and running").get_by_role("link", name="1"))
    visitor.see("running")
    visitor.page.evaluate("window.stays = true")


def see_without_reload(visitor: Visitor, state: str) -> None:
    visitor.see(state)
    assert visitor.page.evaluate("window.stays")


def hold(receiver: Receiver) -> None:
    receiver.answer = lambda _: Answer(gate="slow")


def test_from_sign_up_to_the_first_run_of_ones_own_it_takes_ten_clicks_at_most(
    visitor: Visitor, stack: Stack, receiver: Receiver
) -> None:
    hold(receiver)
    sign_up(visitor, stack, "first@example.com")
    make_job(visitor, "my first", f"{receiver.url}/first")
    open_run(visitor)
    receiver.open("slow")
    see_without_reload(visitor, "succeeded")
    expect(visitor.page.locator("#response-body")).to_have_text("ok")
    assert [call.path for call in receiver.calls] == ["/first"]
    assert visitor.clicks <= MOST_CLICKS


def test_abort_ends_a_slow_run_and_cuts_its_connection(visitor: Visitor, stack: Stack, receiver: Receiver) -> None:
    hold(receiver)
    sign_up(visitor, stack, "slow@example.com")
    make_job(visitor, "slow", f"{receiver.url}/slow", by_hand=True)
    visitor.press("Run now")
    open_run(visitor)
    stack.until(lambda: receiver.calls, "the endpoint is called")
    colleague = Visitor(visitor.page.context.new_page())
    colleague.page.goto(visitor.page.url)
    colleague.see("running")
    colleague.page.evaluate("window.stays = true")
    visitor.press("Abort")
    visitor.see("aborted")
    see_without_reload(colleague, "aborted")
    stack.until(lambda: receiver.cut == receiver.calls, "the connection is cut")
    assert stack.sql("SELECT state FROM runs_run") == [("aborted",)]


def test_a_token_made_in_the_panel_opens_the_api_until_it_is_revoked_there(visitor: Visitor, stack: Stack) -> None:
    sign_up(visitor, stack, "caller@example.com")
    visitor.follow("Tokens")
    visitor.follow("New token")
    visitor.fill("Label", "deploy script")
    visitor.press("Make the token")
    secret = visitor.page.locator("#secret").inner_text()
    job = {"tag": "by-token", "endpoint": "https://example.com/", "verb": "GET"}
    assert stack.request("POST", "jobs/", job, token=secret).status == 201
    visitor.follow("Jobs")
    expect(visitor.page.get_by_role("link", name="by-token")).to_be_visible()

    visitor.follow("Tokens")
    visitor.follow("Revoke deploy script")
    visitor.press("Revoke the token")
    expect(visitor.page.get_by_role("status").filter(has_text="opens nothing any more")).to_be_visible()
    assert stack.request("GET", "jobs/", token=secret).status == 401
