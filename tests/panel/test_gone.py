"""What was deleted while somebody had its page open, or between the gate and the deed."""

import re
from typing import Any

import pytest

from badgerjobs.web import pages
from badgerjobs.web.pages import _let_in
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.models import Application, Token
from tests.panel.places import POLICY, address, browser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everybody")]

NEW = {"label": "deploy script", "scopes": ["read"], "expiry": "never"}


@pytest.mark.parametrize("name", ["rename-workspace", "change-application", "rotate-key", "end-key"])
def test_what_was_deleted_while_its_page_was_open_is_not_found(
    name: str, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(**_: Any) -> None:
        raise RefusedError("This was deleted in the meantime.")

    for module, verb in (
        ("workspace_views", "rename_workspace"),
        ("application_views", "change_settings"),
        ("application_views", "rotate_key"),
        ("application_views", "end_previous_key"),
    ):
        monkeypatch.setattr(f"badgerjobs.panel.{module}.{verb}", gone)
    place = shop.workspace if name == "rename-workspace" else shop
    assert browser("alice").post(address(name, place), {**POLICY, "name": "x"}).status_code == 404


def delete_behind_the_gate(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next page finds its application, and then somebody deletes it."""

    def let_in(request: Any, *rest: Any) -> None:
        _let_in(request, *rest)
        Application.objects.filter(pk=shop.pk).delete()

    monkeypatch.setattr(pages, "_let_in", let_in)


def test_a_token_for_what_is_deleted_meanwhile_is_refused(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    dora = browser("dora")
    key = re.search(r'name="form_key" value="([^"]+)"', dora.get(address("new-token", shop)).content.decode())
    assert key
    delete_behind_the_gate(shop, monkeypatch)
    page = dora.post(address("new-token", shop), {"form_key": key[1], **NEW})
    assert "This application was deleted in the meantime." in page.content.decode()
    assert not Token.objects.exists()


def test_the_first_token_of_what_is_deleted_meanwhile_is_not_found(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    dora = browser("dora")
    key = re.search(r'name="form_key" value="([^"]+)"', dora.get(address("overview", shop)).content.decode())
    assert key
    delete_behind_the_gate(shop, monkeypatch)
    assert dora.post(address("first-token", shop), {"form_key": key[1]}).status_code == 404
