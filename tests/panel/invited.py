"""Inviting, and coming by an invitation, as people do it in the panel."""

import re
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.invitations import invite
from badgerjobs.workspaces.models import Application, Role, User
from tests.clients import browser_of
from tests.factories import make_person

LINK = re.compile(r"http://testserver(/invitations/[\w-]+/)(\?mail=[\w-]+)?")


def visitor(email: str = "") -> Client:
    """The browser of whoever has this address, with an account or from now on with one; without, nobody's."""
    return browser_of((User.objects.filter(email=email).first() or make_person(email)) if email else None)


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
