"""The settings of verifications: what is refused, what is kept, and what is never shown."""

from collections.abc import Mapping
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from badgerjobs.lib import vault
from badgerjobs.web.definitions.configurations import checked, masked
from badgerjobs.web.problems import Invalid
from tests.webhooks.verification.senders import OTHER_WHSEC, WHSEC
from webhooks.models import Verification
from webhooks.verification import SCHEMES, scheme_of

HMAC = {"header": "X-Signature", "secret": "s"}
# What each needs at least.
LEAST: Mapping[str, dict[str, Any]] = {
    "none": {},
    "standard": {"secret": WHSEC},
    "github": {"secret": "s"},
    "gitlab": {"secret": "s"},
    "stripe": {"secret": "s"},
    "shopify": {"secret": "s"},
    "slack": {"secret": "s"},
    "hmac": HMAC,
    "basic": {"username": "u", "secret": "s"},
    "bearer": {"secret": "s"},
    "addresses": {"addresses": ["192.0.2.7"]},
}


def kept(scheme: str, given: Mapping[str, Any], stored: Mapping[str, Any] | None = None) -> dict[str, Any]:
    found = scheme_of(scheme)
    return checked(found.serializer, given, found.secrets, stored)


def refused(scheme: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    with pytest.raises(ValidationError) as error:
        kept(scheme, given)
    said: Any = error.value.detail
    wrong: Mapping[str, Any] = said["configuration"]
    return wrong


def test_each_verification_has_its_scheme_and_says_what_it_is() -> None:
    assert list(SCHEMES) == list(Verification.values) == list(LEAST)
    for name in SCHEMES:
        assert scheme_of(name).word == Verification(name).label
        assert scheme_of(name).hint.endswith(".")
        assert all(one.help_text for one in scheme_of(name).serializer().fields.values())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_setting_that_it_needs_is_asked_for(scheme: str) -> None:
    assert kept(scheme, LEAST[scheme]).items() >= LEAST[scheme].items()
    for name in LEAST[scheme]:
        assert refused(scheme, {other: value for other, value in LEAST[scheme].items() if other != name}).keys() == {
            name
        }
    assert refused(scheme, {**LEAST[scheme], "colour": "red"}).keys() == {"colour"}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_secret_is_shown_and_stars_that_come_back_keep_it(scheme: str) -> None:
    given = {**LEAST[scheme], "verify_token": "shown to nobody"}
    if "secret" in given:
        given |= {"secret": WHSEC, "previous_secret": OTHER_WHSEC}
    stored = kept(scheme, given)
    shown = masked(stored, scheme_of(scheme).secrets)
    assert not {WHSEC, OTHER_WHSEC, "shown to nobody"} & set(map(str, shown.values()))
    assert kept(scheme, shown, stored) == stored


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_left_empty_is_not_kept(scheme: str) -> None:
    empty = {"verify_token": ""} | ({"previous_secret": ""} if "secret" in LEAST[scheme] else {})
    assert not empty.keys() & kept(scheme, {**LEAST[scheme], **empty}).keys()


def test_stars_stand_for_nothing_where_nothing_is_stored() -> None:
    with pytest.raises(Invalid, match="there is none"):
        kept("github", {"secret": vault.MASK})


WRONG = [
    ("standard", {"secret": "no base64!"}, "secret", "whsec_ followed by base64"),
    ("standard", {"secret": "whsec_"}, "secret", "whsec_ followed by base64"),
    ("standard", {"secret": WHSEC, "previous_secret": "no base64!"}, "previous_secret", "whsec_ followed by base64"),
    ("gitlab", {"secret": "whsec_!"}, "secret", "whsec_ followed by base64"),
    ("gitlab", {"secret": "s", "previous_secret": WHSEC}, "previous_secret", "or neither is"),
    ("gitlab", {"secret": WHSEC, "previous_secret": "s"}, "previous_secret", "or neither is"),
    ("stripe", {"secret": "s", "tolerance_s": 0}, "tolerance_s", "at least 1"),
    ("slack", {"secret": "s", "tolerance_s": 3601}, "tolerance_s", "at most 3,600"),
    ("github", {"secret": ""}, "secret", "blank"),
    ("github", {"secret": "x" * 501}, "secret", "500"),
    ("hmac", {**HMAC, "header": "X Signature"}, "header", "letters, digits and hyphens"),
    ("hmac", {**HMAC, "algorithm": "md5"}, "algorithm", "none of sha256"),
    ("hmac", {**HMAC, "prefix": "v1,"}, "prefix", "comma"),
    ("hmac", {**HMAC, "signed": "{x-id}"}, "signed", "{body} must stand in it once"),
    ("hmac", {**HMAC, "signed": "{body}{body}"}, "signed", "{body} must stand in it once"),
    ("hmac", {**HMAC, "signed": "{x_id}.{body}"}, "signed", "In braces stands"),
    ("hmac", {**HMAC, "timestamp_header": "X-Time"}, "timestamp_header", "must hold {X-Time}"),
    ("hmac", {**HMAC, "secret_encoding": "hex"}, "secret", "not hex"),
    ("hmac", {**HMAC, "secret": "ab", "previous_secret": "x", "secret_encoding": "hex"}, "previous_secret", "not hex"),
    ("hmac", {**HMAC, "secret": "é", "secret_encoding": "base64"}, "secret", "not base64"),
    ("hmac", {**HMAC, "secret": "====", "secret_encoding": "base64"}, "secret", "not base64"),
    ("basic", {"username": "a:b", "secret": "s"}, "username", "no colon"),
    ("bearer", {"secret": "s", "header": "X:Y"}, "header", "letters, digits and hyphens"),
    ("addresses", {"addresses": []}, "addresses", "at least one"),
    ("addresses", {"addresses": ["192.0.2.7"] * 201}, "addresses", "200"),
    ("addresses", {"addresses": ["example.com"]}, "addresses", "neither an address nor a network"),
    ("addresses", {"addresses": ["192.0.2.7/24"]}, "addresses", "write 192.0.2.0/24"),
    ("addresses", {"addresses": ["::ffff:192.0.2.0/120"]}, "addresses", "means IPv4"),
]


@pytest.mark.parametrize(("scheme", "given", "field", "said"), WRONG, ids=[f"{a} {c} {d}" for a, _, c, d in WRONG])
def test_what_would_verify_nothing_is_refused_where_it_stands(
    scheme: str, given: Mapping[str, Any], field: str, said: str
) -> None:
    wrong = refused(scheme, given)
    assert wrong.keys() == {field}
    assert said in str(wrong[field])


def test_addresses_are_kept_as_they_are_usually_written() -> None:
    given = {"addresses": [" 192.0.2.7/32 ", "2001:DB8:0:0::/32", "192.0.2.0/24", "2001:db8::1"]}
    assert kept("addresses", given)["addresses"] == ["192.0.2.7", "2001:db8::/32", "192.0.2.0/24", "2001:db8::1"]


def test_a_signature_alone_is_not_kept_where_it_stands_in_a_header_with_keys() -> None:
    settings = kept("hmac", {**HMAC, "signed": "{x-api-key}.{body}"})
    assert scheme_of("hmac").proofs(settings) == {"x-signature"}
