"""Who sends a secret with each call, who calls from a known address, and who need not prove anything."""

import base64
from typing import Any

import pytest

from badgerjobs.lib import vault
from tests.webhooks.verification.senders import NOW, WHSEC, called, standard
from webhooks.verification import scheme_of

Headers = dict[str, str]


def judged(scheme: str, settings: dict[str, Any], headers: Headers, address: str | None = "198.51.100.7") -> str:
    found = scheme_of(scheme).serializer(data=settings)
    found.is_valid(raise_exception=True)
    return scheme_of(scheme).verify(found.validated_data, called(headers, b"{}", address), NOW)


def basic(name: str, password: str, word: str = "Basic") -> Headers:
    return {"authorization": f"{word} {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}


TOKENS = [
    ("gitlab", {"secret": "right"}, {"x-gitlab-token": "right"}, {"x-gitlab-token": "Right"}),
    ("bearer", {"secret": "right"}, {"authorization": "Bearer right"}, {"authorization": "Bearer rightt"}),
    ("bearer", {"secret": "right", "header": "X-API-Key"}, {"x-api-key": "right"}, {"x-api-key": "Bearer right"}),
    ("basic", {"username": "u", "secret": "right"}, basic("u", "right"), basic("u", "wrong")),
    ("basic", {"username": "u", "secret": "a:b"}, basic("u", "a:b"), basic("u:a", "b:")),
]
each = pytest.mark.parametrize(
    ("scheme", "settings", "right", "wrong"), TOKENS, ids=["GitLab", "bearer", "another header", "basic", "colons"]
)


@each
def test_the_right_token_is_believed_and_no_other(
    scheme: str, settings: dict[str, Any], right: Headers, wrong: Headers
) -> None:
    assert judged(scheme, settings, right) == ""
    assert judged(scheme, settings, wrong)
    assert judged(scheme, {**settings, "secret": "another"}, right)


@each
def test_a_missing_header_is_named_and_an_empty_one_is_missing(
    scheme: str, settings: dict[str, Any], right: Headers, wrong: Headers
) -> None:
    for headers in ({}, dict.fromkeys(right, "")):
        assert judged(scheme, settings, headers).lower() == f"the header {next(iter(wrong))} is missing."


@each
def test_while_a_token_is_changed_both_are_believed(
    scheme: str, settings: dict[str, Any], right: Headers, wrong: Headers
) -> None:
    changing = {**settings, "secret": "next", "previous_secret": settings["secret"]}
    assert judged(scheme, changing, right) == ""
    assert judged(scheme, changing, wrong)


@each
def test_no_token_is_kept_with_a_delivery(
    scheme: str, settings: dict[str, Any], right: Headers, wrong: Headers
) -> None:
    assert not scheme_of(scheme).proofs(settings) & right.keys()
    masked = dict.fromkeys(wrong, vault.MASK)
    assert "is not kept" in judged(scheme, settings, masked)


@each
def test_what_is_no_token_is_refused_and_never_an_error(
    scheme: str, settings: dict[str, Any], right: Headers, wrong: Headers
) -> None:
    name, value = next(iter(right.items()))
    for odd in (
        "é",
        "\udcff",
        "\x00",
        " ",
        "Bearer",
        "Basic",
        "Basic !!",
        "Basic /w==",
        "Basic dQ==",
        value[:-1],
        "a" * 9000,
    ):
        assert judged(scheme, settings, {name: odd}), repr(odd)
    assert len(wrong) == 1


def test_words_before_a_token_are_in_any_case_and_no_others() -> None:
    assert judged("bearer", {"secret": "right"}, {"authorization": "bearer  right "}) == ""
    assert judged("bearer", {"secret": "right"}, {"authorization": "right"}) == "Authorization is not Bearer."
    assert judged("basic", {"username": "u", "secret": "p"}, basic("u", "p", "BASIC")) == ""
    assert judged("basic", {"username": "u", "secret": "p"}, basic("u", "p", "Bearer")) == "Authorization is not Basic."


def test_tokens_may_hold_any_letters() -> None:
    as_servers_read_it = "café".encode().decode("latin-1")
    assert judged("bearer", {"secret": "café"}, {"authorization": f"Bearer {as_servers_read_it}"}) == ""
    assert judged("gitlab", {"secret": "café"}, {"x-gitlab-token": as_servers_read_it}) == ""
    assert judged("gitlab", {"secret": "café"}, {"x-gitlab-token": "cafe"})
    assert judged("basic", {"username": "é", "secret": "ü"}, basic("é", "ü")) == ""


def test_where_gitlab_signs_a_token_that_is_merely_sent_is_not_believed() -> None:
    assert "missing" in judged("gitlab", {"secret": WHSEC}, {"x-gitlab-token": WHSEC})
    assert judged("gitlab", {"secret": WHSEC}, standard(WHSEC, b"{}", int(NOW.timestamp()))) == ""


ADDRESSES = [
    ("192.0.2.7", ["192.0.2.7"], True),
    ("192.0.2.8", ["192.0.2.7"], False),
    ("192.0.2.255", ["198.51.100.0/24", "192.0.2.0/24"], True),
    ("192.0.3.0", ["192.0.2.0/24"], False),
    ("::ffff:192.0.2.7", ["192.0.2.0/24"], True),
    ("2001:db8::7", ["2001:db8::/32"], True),
    ("2001:DB8:0::7", ["2001:db8::7"], True),
    ("2001:db9::7", ["2001:db8::/32"], False),
    ("192.0.2.7", ["::/0"], False),
    ("192.0.2.7", ["0.0.0.0/0"], True),
]


@pytest.mark.parametrize(("address", "believed", "is_right"), ADDRESSES)
def test_only_the_addresses_that_are_named_are_believed(address: str, believed: list[str], is_right: bool) -> None:
    said = judged("addresses", {"addresses": believed}, {}, address)
    assert said == "" if is_right else "none of the addresses" in said


@pytest.mark.parametrize("address", [None, "", "unknown", "192.0.2.7, 192.0.2.8"])
def test_an_address_that_nobody_knows_is_not_believed(address: str | None) -> None:
    assert "Nobody knows" in judged("addresses", {"addresses": ["0.0.0.0/0", "::/0"]}, {}, address)


def test_where_nothing_is_asked_everybody_is_believed() -> None:
    assert judged("none", {}, {}, None) == ""
