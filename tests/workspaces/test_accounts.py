"""Accounts: whose words their pages have, what they offer, and how an address or a password is changed."""

import re
from pathlib import Path
from typing import Any

import allauth
import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command
from django.template.loader import get_template
from django.urls import reverse

from badgerjobs.workspaces import account_urls
from badgerjobs.workspaces.models import User, Workspace
from tests.factories import make_person
from tests.in_turn import in_turn
from tests.workspaces.visitors import (
    PASSWORD,
    browser,
    is_in,
    mailed_link,
    prove,
    sign_in,
    subjects,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_house")]

ROOT = Path(__file__).resolve().parents[2]
THEIRS = Path(allauth.__file__).parent / "templates"
# Mails and messages of what we do not offer: codes by mail, phones.
UNUSED = re.compile(r"login_code|password_reset_code|phone|primary_email_not")


def templates_of_views() -> set[str]:
    views = [pattern.callback for pattern in account_urls.urlpatterns]
    named = {getattr(getattr(view, "view_class", None), "template_name", None) for view in views}
    return {name for name in named if name} | {"account/signup_closed.html", "account/verification_sent.html"}


def texts() -> set[str]:
    folders = [THEIRS / app / kind for app in ("account", "mfa", "usersessions") for kind in ("email", "messages")]
    found = {str(path.relative_to(THEIRS)) for folder in folders for path in folder.glob("*.txt")}
    return {name for name in found if not UNUSED.search(name)}


@in_turn("name", sorted(templates_of_views() | texts()))
def test_every_page_mail_and_message_is_in_our_words(name: str) -> None:
    template: Any = get_template(name)
    assert Path(template.origin.name).is_relative_to(ROOT / "templates")


@pytest.mark.parametrize(
    "path",
    [
        "login/code/", "login/code/confirm/", "signup/passkey/", "phone/verify/", "phone/change/", "2fa/trust/",
        "2fa/recovery-codes/download/", "password/reset/confirm/", "password/reset/complete/", "3rdparty/",
        "social/login/error/", "2fa/webauthn/signup/",
    ],
)  # fmt: skip
def test_what_we_do_not_offer_is_not_there(path: str) -> None:
    assert browser().get(f"/accounts/{path}").status_code == 404


def test_a_new_address_counts_once_it_is_confirmed_and_the_old_one_is_told() -> None:
    make_person("alice@example.com", PASSWORD)
    visitor = browser()
    sign_in(visitor)
    prove(visitor)
    visitor.post(reverse("account_email"), {"email": "new@example.com", "action_add": ""})
    assert User.objects.get().email == "alice@example.com"
    visitor.post(mailed_link("new@example.com"))
    assert User.objects.get().email == "new@example.com"
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("new@example.com", True)]
    assert "Your address was changed" in subjects()


def test_a_reset_signs_in_and_ends_every_other_session() -> None:
    make_person("alice@example.com", PASSWORD)
    laptop, phone = browser(), browser()
    sign_in(laptop)
    phone.post(reverse("account_reset_password"), {"email": "alice@example.com"})
    form = phone.get(mailed_link(), follow=True)
    password = "one that is new"
    phone.post(form.request["PATH_INFO"], {"password1": password, "password2": password}, follow=True)
    assert (is_in(phone), is_in(laptop)) == (True, False)
    assert not is_in(browser())


@pytest.mark.parametrize("setting", ["open", "invitation", "closed"])
def test_the_owner_whom_a_command_named_comes_in_by_a_reset(setting: str, settings: Any) -> None:
    settings.SIGN_UP = setting
    call_command("create_application", "shop", "--workspace", "Acme", "--owner", "alice@example.com")
    visitor = browser()
    visitor.post(reverse("account_reset_password"), {"email": "alice@example.com"})
    form = visitor.get(mailed_link(), follow=True)
    visitor.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
    assert subjects() == ["Set a new password", "Your password was changed"]
    assert visitor.get("/", follow=True).request["PATH_INFO"].startswith("/a/")
    assert Workspace.objects.count() == 1
