"""A team in real browsers: Alice invites, Bob joins, roles change, somebody goes, and deleting asks for the name."""

from collections.abc import Callable

from django.core import mail
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from badgerjobs.workspaces.models import Application, Invitation, Member, Role, User
from tests.factories import make_member, make_person


def members_of(shop: Application) -> str:
    return reverse("panel:members", args=[shop.workspace.slug])


def row(page: Page, email: str) -> Locator:
    return page.get_by_role("row").filter(has_text=email)


def test_who_is_invited_joins_in_a_browser_of_their_own(
    shop: Application, alice_browser: Page, open_browser: Callable[..., Page]
) -> None:
    carol = open_browser(make_person("carol@example.com"))
    alice_browser.goto(members_of(shop))
    alice_browser.get_by_label("E-mail address").fill("carol@example.com")
    alice_browser.get_by_label("Role", exact=True).select_option("Editor")
    alice_browser.get_by_role("button", name="Invite").click()
    alice_browser.get_by_role("button", name="Copy").click()
    expect(alice_browser.get_by_role("button", name="Copied")).to_be_visible()
    link = alice_browser.evaluate("navigator.clipboard.readText()")
    assert len(mail.outbox) == 1
    assert link in mail.outbox[0].body

    alice_browser.reload()
    expect(alice_browser.get_by_text(link)).to_have_count(0)
    expect(row(alice_browser, "carol@example.com")).to_contain_text("in 7 d")

    carol.goto(link)
    carol.get_by_role("button", name="Join Example Shop as editor").click()
    expect(carol.get_by_text("You have joined “Example Shop” as editor.")).to_be_visible()
    assert reverse("panel:overview", args=[shop.slug]) in carol.url
    alice_browser.reload()
    expect(row(alice_browser, "carol@example.com").get_by_role("combobox")).to_have_value("editor")


def test_a_role_is_changed_and_what_it_opens_with_it(
    shop: Application, alice_browser: Page, open_browser: Callable[..., Page]
) -> None:
    bob = open_browser(User.objects.get(email="bob@example.com"))
    bob.goto(members_of(shop))
    expect(bob.get_by_role("button", name="Invite")).to_have_count(0)
    alice_browser.goto(members_of(shop))
    alice_browser.get_by_label("Role of bob@example.com").select_option("Admin")
    row(alice_browser, "bob@example.com").get_by_role("button", name="Change").click()
    expect(alice_browser.get_by_text("bob@example.com is an admin now.")).to_be_visible()
    bob.reload()
    expect(bob.get_by_role("button", name="Invite")).to_be_visible()


def test_a_removed_members_open_page_is_gone_at_the_next_request(
    shop: Application, alice_browser: Page, open_browser: Callable[..., Page]
) -> None:
    bob = open_browser(User.objects.get(email="bob@example.com"))
    bob.goto(reverse("panel:overview", args=[shop.slug]))
    alice_browser.goto(members_of(shop))
    alice_browser.get_by_role("link", name="Remove bob@example.com…").click()
    alice_browser.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(alice_browser.get_by_text("bob@example.com is not a member any more.")).to_be_visible()
    expect(row(alice_browser, "bob@example.com")).to_have_count(0)
    answer = bob.request.get(bob.url, headers={"Accept": "text/html"})
    assert answer.status == 404
    assert "There is nothing here" in answer.text()


def test_the_last_owner_cannot_leave_and_is_told_what_to_do(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(members_of(shop))
    alice_browser.get_by_role("link", name="Leave…").click()
    alice_browser.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(alice_browser.get_by_text("Make somebody else an owner first.")).to_be_visible()
    assert Member.objects.filter(role=Role.OWNER).count() == 1


def test_without_scripts_one_invites_withdraws_and_leaves(shop: Application, open_browser: Callable[..., Page]) -> None:
    dora = make_member(shop.workspace, Role.OWNER, "dora@example.com")
    page = open_browser(dora.user, scripts=False, width=390)
    page.goto(members_of(shop))
    page.get_by_label("E-mail address").fill("erin@example.com")
    page.get_by_role("button", name="Invite").click()
    expect(page.locator("#fresh-link")).to_contain_text("/invitations/")
    page.get_by_role("button", name="Withdraw the invitation of erin@example.com").click()
    expect(page.get_by_text("The invitation of erin@example.com is withdrawn")).to_be_visible()
    assert not Invitation.objects.pending().exists()
    page.get_by_role("link", name="Leave…").click()
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_text("You have left “Example Shop”.")).to_be_visible()


def test_deleting_asks_for_the_name_and_takes_no_other(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(reverse("panel:settings", args=[shop.slug]))
    alice_browser.get_by_role("link", name="Delete the application…").click()
    asked = alice_browser.get_by_role("dialog")
    expect(asked).to_contain_text("0 jobs and 0 runs with their results go with it")
    asked.get_by_label("Type shop to go on").fill("Shop")
    asked.get_by_role("button", name="Delete the application").click()
    expect(alice_browser.get_by_text("“Shop” is not its name.")).to_be_visible()
    assert Application.objects.contains(shop)
    alice_browser.get_by_label("Type shop to go on").fill("shop")
    alice_browser.get_by_role("button", name="Delete the application").click()
    expect(alice_browser.get_by_text("“shop” is deleted.")).to_be_visible()
    expect(alice_browser.get_by_role("heading", name="No application yet")).to_be_visible()
    assert not Application.objects.exists()
