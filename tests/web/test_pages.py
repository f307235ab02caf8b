"""Who may see a page, and the part of it that htmx asks for."""

import re
from typing import Any, cast
from urllib.parse import unquote

import pytest
from django.template import Engine
from django.urls import reverse

from badgerjobs.workspaces.models import Application, Role
from tests.clients import browser_in, browser_of
from tests.factories import make_application, make_job, make_member, make_person


def overview(application: Application) -> str:
    return reverse("panel:overview", args=[application.slug])


def test_nobody_is_sent_to_sign_in_and_comes_back(shop: Application) -> None:
    answer = browser_of().get(f"{overview(shop)}?range=1h")
    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={overview(shop)}%3Frange%3D1h")


def test_a_part_of_a_page_never_becomes_the_sign_in_form(shop: Application) -> None:
    answer = browser_of().get(overview(shop), headers={"HX-Request": "true", "HX-Target": "live"})
    assert (answer.status_code, answer["HX-Refresh"], answer.content) == (401, "true", b"")


def test_a_stranger_gets_what_everybody_gets_for_nothing_at_all(shop: Application) -> None:
    stranger = browser_of(make_member(make_application("Charlie's").workspace, email="charlie@example.com"))
    theirs, nothing = stranger.get(overview(shop)), stranger.get("/a/nosuchthing0/")
    assert theirs.status_code == nothing.status_code == 404
    clock = re.compile(rb'<meta name="now"[^>]*>')
    assert clock.sub(b"", theirs.content) == clock.sub(b"", nothing.content)


def test_a_removed_member_is_a_stranger_at_the_next_request(shop: Application) -> None:
    member = make_member(shop.workspace)
    browser = browser_of(member)
    assert browser.get(overview(shop)).status_code == 200
    member.delete()
    assert browser.get(overview(shop)).status_code == 404


def test_pages_are_kept_by_no_cache(shop: Application) -> None:
    answer = browser_of(make_member(shop.workspace)).get(overview(shop))
    assert answer["Cache-Control"] == "no-store"
    assert "HX-Target" in answer["Vary"]


@pytest.mark.parametrize(
    "part", ["../../etc/passwd", "a/b", "no-such-part", "", pytest.param("a" * 4000, id="longer than a file's name")]
)
def test_a_part_that_is_none_is_the_whole_page(shop: Application, part: str) -> None:
    answer = browser_of(make_member(shop.workspace)).get(overview(shop), headers={"HX-Target": part})
    assert answer.status_code == 200
    assert b"<!doctype html>" in answer.content


def test_whoever_asks_for_parts_that_are_none_fills_no_memory_with_their_names(shop: Application) -> None:
    browser, loader = browser_of(), cast("Any", Engine.get_default().template_loaders[0])
    address = reverse("panel:invitation", args=["no-such-secret"])
    assert browser.get(address).status_code == 404
    before = set(loader.get_template_cache)
    assert browser.get(address, headers={"HX-Target": "no-such-part"}).status_code == 404
    assert set(loader.get_template_cache) == before


@pytest.mark.parametrize(
    ("role", "least", "may"),
    [
        (Role.OWNER, Role.OWNER, True),
        (Role.ADMIN, Role.OWNER, False),
        (Role.ADMIN, Role.EDITOR, True),
        (Role.VIEWER, Role.EDITOR, False),
        (Role.VIEWER, Role.VIEWER, True),
    ],
)
def test_a_role_may_do_what_those_below_it_may(role: Role, least: Role, may: bool) -> None:
    assert role.reaches(least) is may


def test_a_policy_keeps_everything_out_that_is_not_ours(db: None) -> None:
    policy = browser_of().get("/accounts/login/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("zone", ["Europe/Zurich", "../../etc", "", "x" * 5000])
def test_any_zone_that_a_cookie_names_is_survived(shop: Application, zone: str) -> None:
    browser = browser_of(make_member(shop.workspace))
    browser.cookies["zone"] = zone
    assert browser.get(overview(shop)).status_code == 200


def test_a_person_without_a_workspace_finds_a_page_at_the_front_door(db: None) -> None:
    browser = browser_of(make_person("dora@example.com"))
    assert browser.get("/", follow=True).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["jobs:new", "jobs:bulk"])
def test_who_was_signed_out_while_a_form_was_open_is_told_and_comes_back(shop: Application, place: str) -> None:
    at = reverse(place, args=[shop.slug])
    answer = browser_of().post(at, {"name": "x"}, follow=True)
    assert answer.redirect_chain == [(f"/accounts/login/?next={at}", 302)]
    assert "You were signed out, so nothing was changed." in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("place", "above"),
    [
        (("panel:theme",), "/"),
        (("panel:first-token", "shop"), ("panel:overview", "shop")),
        (("panel:rename-application", "shop"), ("panel:settings", "shop")),
        (("jobs:resume", "shop", "nightly: prices & more?"), ("jobs:job", "shop", "nightly: prices & more?")),
        (("jobs:preview", "shop"), ("panel:overview", "shop")),
        (("panel:invite", "work"), ("panel:members", "work")),
        (("panel:change-role", "work", "m"), ("panel:members", "work")),
    ],
    ids=["theme", "first token", "rename", "resume", "preview", "invite", "role"],
)
def test_who_loads_what_is_only_posted_is_sent_to_the_page_above(place: tuple[str, ...], above: Any) -> None:
    application = make_application()
    make_job(application, "nightly: prices & more?")
    slugs = {"shop": application.slug, "work": application.workspace.slug}
    at, where = (
        one if isinstance(one, str) else reverse(one[0], args=[slugs.get(part, part) for part in one[1:]])
        for one in (place, above)
    )
    browser = browser_in(application)
    answer = browser.get(at)
    assert (answer.status_code, unquote(answer["Location"])) == (302, unquote(where))
    assert browser.get(answer["Location"]).status_code in {200, 302}
    assert browser.put(at).status_code == 405
