"""Members and invitations in the panel: the mail, the link that is shown once, and what the link opens for whom."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badgerjobs.panel import member_views
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.invitations import GOOD_FOR, invite, withdraw
from badgerjobs.workspaces.models import Application, Invitation, Member, Role, User
from tests.factories import NOW, make_application, make_job, make_member, make_person, make_run
from tests.workspaces.database_texts import places_of

pytestmark = pytest.mark.django_db
LINK = re.compile(r"http://testserver(/invitations/[\w-]+/)(\?mail=[\w-]+)?")


@pytest.fixture
def shop() -> Application:
    application = make_application("Example Shop", "shop")
    make_member(application.workspace, Role.OWNER, "alice@example.com")
    return application


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser("alice@example.com")


def browser(email: str = "") -> Client:
    client = Client(headers={"Accept": "text/html"})
    if email:
        user = User.objects.filter(email=email).first() or make_person(email)
        client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
    return client


def members_of(shop: Application) -> str:
    return reverse("panel:members", args=[shop.workspace.slug])


def invite_by_page(client: Client, shop: Application, email: str = "bob@example.com", role: str = "viewer") -> Any:
    at = reverse("panel:invite", args=[shop.workspace.slug])
    return client.post(at, {"email": email, "role": role}, follow=True)


def make_invitation(shop: Application, **given: Any) -> str:
    """The address of an invitation of Bob's."""
    told = {"email": "bob@example.com", "role": Role.EDITOR, "by": OPERATOR, "now": timezone.now(), **given}
    _, secret = invite(workspace=shop.workspace, **told)
    return reverse("panel:invitation", args=[secret])


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_an_invitation_is_mailed_with_a_link_that_says_where_it_was_read(alice: Client, shop: Application) -> None:
    invite_by_page(alice, shop)
    [letter] = mail.outbox
    assert (letter.to, letter.subject) == (["bob@example.com"], "You are invited to a workspace of Badger Jobs")
    assert "alice@example.com invites you to the workspace “Example Shop”" in letter.body
    assert "as viewer" in letter.body
    link = LINK.search(str(letter.body))
    assert link
    assert link[2]
    assert "Join Example Shop" in words(browser().get(link[0]))


def test_the_link_is_shown_once_and_stands_nowhere_in_the_database(alice: Client, shop: Application) -> None:
    page = invite_by_page(alice, shop).content.decode()
    link = LINK.search(page)
    assert link
    assert link[2] is None
    assert places_of(link[1].split("/")[2]) == []
    assert not LINK.search(alice.get(members_of(shop)).content.decode())


def test_without_a_mail_server_the_page_says_so_and_shows_the_link(alice: Client, shop: Application) -> None:
    answer = invite_by_page(alice, shop)
    assert "has no mail server. Give them the link below yourself" in words(answer)
    assert LINK.search(answer.content.decode())


@pytest.mark.parametrize("error", [ConnectionRefusedError, TimeoutError])
def test_a_mail_server_that_is_away_loses_no_invitation(
    error: type[OSError], alice: Client, shop: Application, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def away(*_: Any) -> None:
        raise error

    settings.EMAIL_URL = "smtp://mail.example.com"
    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", away)
    answer = invite_by_page(alice, shop)
    assert "the mail could not be sent. Give them the link below yourself" in words(answer)
    assert LINK.search(answer.content.decode())
    assert Invitation.objects.open(timezone.now()).count() == 1


@pytest.mark.parametrize(
    ("email", "role", "said"),
    [
        ("", "viewer", "Say whom to invite"),
        ("bob", "viewer", "valid email address"),
        ("alice@example.com", "viewer", "a member already"),
        ("bob@example.com", "king", "Choose one of the roles"),
    ],
)
def test_what_cannot_be_invited_is_said_beside_its_field(
    email: str, role: str, said: str, alice: Client, shop: Application
) -> None:
    answer = invite_by_page(alice, shop, email, role)
    assert said in words(answer)
    assert f'value="{email}"' in answer.content.decode() or not email
    assert not Invitation.objects.exists()
    assert mail.outbox == []


def test_an_admin_is_offered_no_owners_role_and_gets_none(shop: Application) -> None:
    make_member(shop.workspace, Role.ADMIN, "dora@example.com")
    dora = browser("dora@example.com")
    assert 'value="owner"' not in dora.get(members_of(shop)).content.decode()
    assert "Choose one of the roles" in words(invite_by_page(dora, shop, role="owner"))


def test_so_many_mails_in_an_hour_and_no_more(
    alice: Client, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_views, "MAILS_PER_HOUR", 2)
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)
    for name in ("bob", "carol", "erin"):
        answer = invite_by_page(alice, shop, f"{name}@example.com")
    assert "Go on in the next one" in words(answer)
    assert len(mail.outbox) == 2


def test_nobody_is_mailed_without_end_by_however_many_inviters(
    alice: Client, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_views, "MAILS_TO_ONE", 2)
    monkeypatch.setattr("time.time", lambda: 1_700_003_600.0)
    charlies = make_application("Charlie's")
    make_member(charlies.workspace, Role.OWNER, "charlie@example.com")
    charlie = browser("charlie@example.com")
    invite_by_page(alice, shop, "Bob@example.com")
    invite_by_page(charlie, charlies)
    assert "Try again in the next one" in words(invite_by_page(alice, shop))
    slug = Invitation.objects.get(workspace=charlies.workspace).slug
    again = charlie.post(reverse("panel:send-anew", args=[charlies.workspace.slug, slug]), follow=True)
    assert "Try again in the next one" in words(again)
    assert len(mail.outbox) == 2
    invite_by_page(alice, shop, "carol@example.com")
    assert len(mail.outbox) == 3


def test_an_address_longer_than_any_is_said_beside_its_field(alice: Client, shop: Application) -> None:
    long = f"{'b' * 60}@{'.'.join(['b' * 60] * 4)}.com"
    assert "at most 254 characters" in words(invite_by_page(alice, shop, long))


def test_sent_anew_the_new_link_works_and_the_old_one_does_not(alice: Client, shop: Application) -> None:
    old = LINK.search(invite_by_page(alice, shop).content.decode())
    again = reverse("panel:send-anew", args=[shop.workspace.slug, Invitation.objects.get().slug])
    new = LINK.search(alice.post(again, follow=True).content.decode())
    assert old
    assert new
    assert [browser().get(link[1]).status_code for link in (old, new)] == [404, 200]
    assert len(mail.outbox) == 2


def test_a_withdrawn_one_leaves_the_list_and_opens_nothing(alice: Client, shop: Application) -> None:
    link = LINK.search(invite_by_page(alice, shop).content.decode())
    assert link
    at = reverse("panel:withdraw", args=[shop.workspace.slug, Invitation.objects.get().slug])
    assert "is withdrawn" in words(alice.post(at, follow=True))
    assert at not in alice.get(members_of(shop)).content.decode()
    assert "was withdrawn" in words(browser().get(link[1]))


def test_whom_it_is_for_joins_by_a_button_and_lands_in_the_application(shop: Application) -> None:
    link, bob = make_invitation(shop), browser("bob@example.com")
    assert "Join Example Shop as editor" in words(bob.get(link))
    assert not Member.objects.filter(user__email="bob@example.com").exists()
    assert bob.post(link)["Location"] == reverse("panel:overview", args=[shop.slug])
    assert Member.objects.get(user__email="bob@example.com").role == "editor"
    assert bob.get(link)["Location"] == reverse("panel:workspace", args=[shop.workspace.slug])


def test_nobody_is_sent_to_sign_in_or_up_and_comes_back(shop: Application) -> None:
    link, nobody = make_invitation(shop), browser()
    page = nobody.get(link)
    assert "b…b@example.com" in words(page)
    assert "bob@example.com" not in words(page)
    for name in ("account_login", "account_signup"):
        assert f"{reverse(name)}?next={link}" in page.content.decode()
    assert nobody.post(link).status_code == 200
    assert nobody.session["invitation"] == link.split("/")[2]
    assert not Member.objects.filter(role="editor").exists()


def test_where_sign_up_is_closed_the_page_offers_none(shop: Application, settings: Any) -> None:
    settings.SIGN_UP = "closed"
    assert reverse("account_signup") not in browser().get(make_invitation(shop)).content.decode()


def test_another_account_is_told_for_whom_it_is_and_may_sign_out(shop: Application) -> None:
    link, charlie = make_invitation(shop), browser("charlie@example.com")
    for answer in (charlie.get(link), charlie.post(link)):
        assert (answer.status_code, "b…b@example.com" in words(answer)) == (403, True)
        assert "bob@example.com" not in answer.content.decode()
        assert "Example Shop" not in answer.content.decode()
    assert Member.objects.count() == 1
    answer = charlie.post(reverse("account_logout"), {"next": link})
    assert answer["Location"] == link
    assert "Sign in" in words(charlie.get(link))


def over(shop: Application, how: str) -> str:
    if how == "expired":
        return make_invitation(shop, now=timezone.now() - GOOD_FOR - timedelta(seconds=1))
    link = make_invitation(shop)
    if how == "withdrawn":
        withdraw(invitation=Invitation.objects.get(), by=OPERATOR, now=NOW)
    elif how == "used":
        Invitation.objects.update(accepted_at=NOW)
    else:
        Invitation.objects.all().delete()
    return link


@pytest.mark.parametrize("who", ["", "bob@example.com"], ids=["nobody", "Bob"])
@pytest.mark.parametrize(
    ("how", "status", "said"),
    [
        ("unknown", 404, "There is no such invitation"),
        ("expired", 410, "has expired"),
        ("withdrawn", 410, "was withdrawn"),
        ("used", 410, "was used"),
    ],
)
def test_one_that_is_over_says_what_to_do_and_opens_nothing(
    how: str, status: int, said: str, who: str, shop: Application
) -> None:
    link, client = over(shop, how), browser(who)
    for answer in (client.get(link), client.post(link)):
        assert (answer.status_code, said in words(answer)) == (status, True)
        assert "Example Shop" not in answer.content.decode()
    assert "invitation" not in client.session
    assert Member.objects.count() == 1


@pytest.fixture
def bob(shop: Application) -> Member:
    return make_member(shop.workspace, Role.VIEWER, "bob@example.com")


def test_a_role_is_changed_and_what_is_refused_is_said(alice: Client, shop: Application, bob: Member) -> None:
    at = reverse("panel:change-role", args=[shop.workspace.slug, bob.slug])
    assert "bob@example.com is an editor now." in words(alice.post(at, {"role": "editor"}, follow=True))
    own = Member.objects.get(role="owner")
    at = reverse("panel:change-role", args=[shop.workspace.slug, own.slug])
    assert "is the only owner" in words(alice.post(at, {"role": "viewer"}, follow=True))
    assert "no such role" in words(alice.post(at, {"role": "king"}, follow=True))
    assert list(Member.objects.order_by("pk").values_list("role", flat=True)) == ["owner", "editor"]


def test_a_removed_members_session_sees_nothing_from_then_on(alice: Client, shop: Application, bob: Member) -> None:
    make_run(make_job(shop).runnable)
    theirs = browser("bob@example.com")
    places = [members_of(shop), *(reverse(f"panel:{name}", args=[shop.slug]) for name in ("overview", "settings"))]
    assert [theirs.get(at).status_code for at in places] == [200] * 3
    alice.post(reverse("panel:remove-member", args=[shop.workspace.slug, bob.slug]))
    assert [theirs.get(at).status_code for at in places] == [404] * 3
    assert "Example Shop" not in theirs.get(reverse("panel:workspaces")).content.decode()


def test_who_leaves_is_out_and_the_last_owner_stays(alice: Client, shop: Application, bob: Member) -> None:
    at = reverse("panel:leave", args=[shop.workspace.slug])
    theirs = browser("bob@example.com")
    assert "Leave “Example Shop”?" in words(theirs.get(at))
    assert theirs.post(at)["Location"] == reverse("panel:workspaces")
    assert theirs.get(members_of(shop)).status_code == 404
    assert "is the only owner" in words(alice.post(at, follow=True))


@pytest.mark.parametrize("name", ["change-role", "remove-member", "withdraw", "send-anew"])
def test_what_is_another_workspaces_is_not_found(name: str, alice: Client, shop: Application, bob: Member) -> None:
    theirs = make_application("Charlie's")
    charlie = make_member(theirs.workspace, Role.OWNER, "charlie@example.com")
    make_invitation(theirs, email="erin@example.com")
    slug = charlie.slug if name in {"change-role", "remove-member"} else Invitation.objects.get().slug
    answer = alice.post(reverse(f"panel:{name}", args=[shop.workspace.slug, slug]), {"role": "viewer"})
    assert answer.status_code == 404
    assert Invitation.objects.pending().count() == 1
    assert charlie.user.memberships.get().role == "owner"


@pytest.fixture(autouse=True)
def _no_mail_left() -> Iterator[None]:
    yield
    mail.outbox.clear()
