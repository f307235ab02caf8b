"""Accounts, as somebody with a browser makes and keeps one."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import Page, expect

from badgerjobs.workspaces.models import Application, User
from tests.browser.test_every_page import faults
from tests.factories import make_person
from tests.workspaces.visitors import PASSWORD, QUICK_HASHERS, mailed_link

Opened = Callable[..., Page]


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.SIGN_UP = "open"
    settings.PASSWORD_HASHERS = QUICK_HASHERS


@pytest.fixture
def alice(transactional_db: None) -> User:
    return make_person("alice@example.com", PASSWORD)


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.goto(reverse("account_login"))
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def prove(page: Page) -> None:
    """Before something that matters the password is asked again."""
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def expect_in(page: Page) -> None:
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def expect_sound(page: Page) -> None:
    """Nothing that a screen reader, a keyboard or weak eyes stumble over, however wide and in either theme."""
    found = faults(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_somebody_signs_up_with_three_clicks_and_is_where_work_begins(open_browser: Opened, scripts: bool) -> None:
    page = open_browser(scripts=scripts)
    page.goto(reverse("account_signup"))
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    page.goto(mailed_link())
    page.get_by_role("button", name="Yes, confirm it").click()
    page.wait_for_url(f"**{reverse('panel:overview', args=[Application.objects.get().slug])}")
    expect(page.get_by_text("my-app").first).to_be_attached()


def test_a_wrong_password_is_told_beside_the_form_which_keeps_the_address(alice: User, open_browser: Opened) -> None:
    page = open_browser()
    sign_in(page, "not the password")
    expect(page.get_by_role("alert")).to_have_text("That e-mail and password do not belong together.")
    expect(page.get_by_label("E-mail")).to_have_value("alice@example.com")
    sign_in(page)
    expect_in(page)
    sign_out(page)


def test_who_was_sent_to_sign_in_comes_back_to_where_they_wanted_to_go(shop: Application, open_browser: Opened) -> None:
    alice = User.objects.get(email="alice@example.com")
    alice.set_password(PASSWORD)
    alice.save()
    page = open_browser()
    wanted = reverse("panel:overview", args=[shop.slug])
    page.goto(f"{wanted}?range=1h")
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"**{wanted}?range=1h")


def test_a_forgotten_password_is_set_anew(alice: User, open_browser: Opened) -> None:
    page = open_browser()
    page.goto(reverse("account_login"))
    page.get_by_role("link", name="Forgotten?").click()
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    page.goto(mailed_link())
    page.get_by_label("New password").fill("brand new one")
    page.get_by_label("The same again").fill("brand new one")
    expect_sound(page)
    page.get_by_role("button", name="Set it and sign in").click()
    expect_in(page)


def code_of(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def test_a_second_factor_is_turned_on_asked_for_and_recovered(alice: User, open_browser: Opened) -> None:
    page = open_browser()
    sign_in(page)
    page.goto(reverse("mfa_index"))
    page.get_by_role("link", name="Turn it on").click()
    prove(page)
    expect_sound(page)
    assert page.locator("img.qr").evaluate("image => image.naturalWidth") > 0
    secret = page.locator("#secret").inner_text()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("This code is not the right one.")).to_be_visible()
    assert page.locator("#secret").inner_text() == secret
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Turn it on").click()
    codes = page.locator("#codes").inner_text().split()
    assert len(codes) == 10
    expect_sound(page)
    page.get_by_role("button", name="Copy all").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").split() == codes
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("10 of 10 are left")).to_be_visible()
    expect_sound(page)

    cache.clear()
    for code, is_right in ((code_of(secret), True), (codes[0], True), (codes[0], False), (codes[1], True)):
        sign_out(page)
        sign_in(page)
        page.get_by_label("Code").fill(code)
        page.get_by_role("button", name="Sign in", exact=True).click()
        if is_right:
            expect_in(page)
        else:
            expect(page.get_by_text("This code is not the right one.")).to_be_visible()
            expect_sound(page)
            page.get_by_label("Code").fill(codes[2])
            page.get_by_role("button", name="Sign in", exact=True).click()
            expect_in(page)


def test_a_second_factor_is_turned_off_again(alice: User, open_browser: Opened) -> None:
    page = open_browser(width=390, dark=True)
    sign_in(page)
    page.goto(reverse("mfa_activate_totp"))
    prove(page)
    expect_sound(page)
    page.get_by_label("Code").fill(code_of(page.locator("#secret").inner_text()))
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("link", name="Turn it off…").click()
    expect_sound(page)
    page.get_by_role("button", name="Turn it off").click()
    expect(page.get_by_role("link", name="Turn it on")).to_be_visible()


def test_the_session_of_another_browser_is_ended_from_the_list(alice: User, open_browser: Opened) -> None:
    # What the telephone shows asks for news of itself, and may do so between the end of its session and its next page.
    laptop, phone = open_browser(), open_browser(width=390, expected={401})
    sign_in(laptop)
    sign_in(phone)
    laptop.goto(reverse("usersessions_list"))
    expect_sound(laptop)
    expect(laptop.get_by_text("this one", exact=True)).to_have_count(1)
    laptop.get_by_role("button", name="End the session").click()
    expect(laptop.get_by_text("That session is over.")).to_be_visible()
    expect(laptop.get_by_role("button", name="End the session")).to_have_count(0)
    phone.goto(reverse("usersessions_list"))
    expect(phone.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def give_a_security_key(page: Page) -> None:
    """A device in the browser's own software that has somebody's finger on it."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    traits = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    kind = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": traits | kind})


def test_a_passkey_signs_in_without_a_password(alice: User, open_browser: Opened) -> None:
    page = open_browser()
    give_a_security_key(page)
    sign_in(page)
    page.goto(reverse("mfa_index"))
    page.get_by_role("link", name="Add a passkey").click()
    prove(page)
    expect_sound(page)
    page.get_by_label("Name").fill("my laptop")
    page.get_by_role("button", name="Add it…").click()
    expect(page.locator("#codes")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("rowheader", name="my laptop")).to_be_visible()
    expect_sound(page)
    sign_out(page)
    expect_sound(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect_in(page)

    # After a password it is the second factor, and it can be asked for again before something that matters.
    sign_out(page)
    sign_in(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect_in(page)
    page.goto(reverse("mfa_index"))
    page.get_by_role("link", name="Rename").click()
    page.get_by_role("link", name="Use a passkey").click()
    expect_sound(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_label("Name").fill("the old laptop")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Remove…").click()
    expect(page.get_by_role("heading", name="Remove “the old laptop”?")).to_be_visible()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()


def test_where_no_passkey_fits_the_password_is_still_there(alice: User, open_browser: Opened) -> None:
    page = open_browser()
    give_a_security_key(page)
    page.goto(reverse("account_login"))
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("That passkey could not be used.")).to_be_visible()
    sign_in(page)
    expect_in(page)


def test_without_scripts_nobody_is_offered_a_passkey(alice: User, open_browser: Opened) -> None:
    page = open_browser(scripts=False)
    page.goto(reverse("account_login"))
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    sign_in(page)
    expect_in(page)
