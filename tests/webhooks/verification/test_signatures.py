"""Whoever signs: what is right passes, and whatever is changed does not. The same table for each of them."""

import json

import pytest

from tests.webhooks.verification.senders import (
    AT,
    BODY,
    NOW,
    SIGNERS,
    TIMED,
    Sender,
    called,
    named,
    old_prefixed,
)
from webhooks.verification import scheme_of

each = pytest.mark.parametrize("sender", named(SIGNERS))
each_timed = pytest.mark.parametrize("sender", named(TIMED))
BODIES = {
    "no JSON": b"name=caf%C3%A9&name=2",
    "not UTF-8": b"\xff\xfe\x00\x80",
    "empty": b"",
    "null bytes": b"\x00\x00",
    "a dot first": b".{}",
    "a megabyte": b"x" * 1_000_000,
}


@each
def test_what_is_signed_with_the_secret_is_believed(sender: Sender) -> None:
    assert sender.judged(sender.signed()) == ""


@each
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_the_raw_bytes_are_what_is_signed_whatever_they_are(sender: Sender, body: bytes) -> None:
    assert sender.judged(sender.signed(body=body), body) == ""
    assert "does not match" in sender.judged(sender.signed(body=body), body + b" ")


@each
def test_another_secret_is_refused(sender: Sender) -> None:
    assert "does not match" in sender.judged(sender.signed(sender.other))


@each
def test_a_changed_body_is_refused(sender: Sender) -> None:
    same = json.dumps(json.loads(BODY), ensure_ascii=False, separators=(",", ":")).encode()
    for changed in (BODY + b"\n", BODY.replace(b"1", b"2"), same, b""):
        assert "does not match" in sender.judged(sender.signed(), changed)


@each
def test_each_header_that_is_missing_or_empty_is_named(sender: Sender) -> None:
    headers = sender.signed()
    for name in headers:
        without = {other: value for other, value in headers.items() if other != name}
        for given in (without, {**without, name: ""}):
            said = sender.judged(given)
            assert said.lower().endswith("is missing."), said
            assert name.partition("-")[2] in said.lower()
    assert sender.judged({}).endswith(" is missing.")


@each_timed
@pytest.mark.parametrize(("seconds", "is_right"), [(-300, True), (-301, False), (300, True), (302, False)])
def test_old_timestamps_and_those_from_the_future_are_refused(sender: Sender, seconds: int, is_right: bool) -> None:
    said = sender.judged(sender.signed(at=AT + seconds + (1 if seconds == -300 else 0)))
    assert (said == "") is is_right, said
    assert is_right or "more than 300 seconds" in said


@each_timed
def test_how_far_clocks_may_differ_is_a_setting(sender: Sender) -> None:
    assert sender.judged(sender.signed(at=AT - 900), tolerance_s=1000) == ""
    assert "more than 20 seconds" in sender.judged(sender.signed(at=AT - 30), tolerance_s=20)


@each_timed
def test_a_timestamp_that_was_changed_is_refused_and_so_is_one_that_is_no_number(sender: Sender) -> None:
    for changed in (str(AT - 1), f"+{AT}", f"{AT}.0", "soon", "١٢٣", "9" * 400, "1e9", "-1", "²"):
        headers = {name: value.replace(str(AT), changed) for name, value in sender.signed().items()}
        assert sender.judged(headers)


@each
def test_of_two_signatures_one_must_be_right(sender: Sender) -> None:
    right, wrong = sender.signed()[sender.signature], sender.signed(sender.other)[sender.signature]
    for joined, is_right in (
        (f"{wrong}{{}}{right}", True),
        (f"{right}{{}}{wrong}", True),
        (f"{wrong}{{}}{wrong}", False),
    ):
        headers = {**sender.signed(), sender.signature: _joined(sender, joined.format(sender.second))}
        assert (sender.judged(headers) == "") is is_right


def _joined(sender: Sender, both: str) -> str:
    """Stripe has its timestamp in the same header, once."""
    if sender.name != "stripe":
        return both
    return f"t={AT},{','.join(part for part in both.split(',') if not part.startswith('t='))}"


@each
def test_no_more_than_ten_signatures_are_looked_at(sender: Sender) -> None:
    right, wrong = sender.signed()[sender.signature], sender.signed(sender.other)[sender.signature]
    many = _joined(sender, sender.second.join([*[wrong] * 10, right]))
    assert "does not match" in sender.judged({**sender.signed(), sender.signature: many})


@each
def test_while_a_secret_is_changed_both_are_believed(sender: Sender) -> None:
    other = sender.written(sender.other)
    assert sender.judged(sender.signed(), previous_secret=other) == ""
    assert sender.judged(sender.signed(sender.other), previous_secret=other) == ""
    assert "does not match" in sender.judged(sender.signed(sender.other), previous_secret="")


@each
def test_the_case_of_letters_means_nothing_in_hex_and_all_in_base64(sender: Sender) -> None:
    prefix, _, digest = sender.signed()[sender.signature].rpartition("=" if sender.is_hex else " ")
    if sender.name == "stripe":
        prefix, digest = f"t={AT},v1", sender.signed()[sender.signature].split("v1=")[1].split(",")[0]
    joined = f"{prefix}={digest.upper()}" if prefix and sender.is_hex else f"{prefix} {digest.upper()}".strip()
    said = sender.judged({**sender.signed(), sender.signature: joined})
    assert said == "" if sender.is_hex else "does not match" in said


@each
def test_what_is_no_signature_is_refused_and_never_an_error(sender: Sender) -> None:
    right = sender.signed()[sender.signature]
    for odd in (
        "é",
        "\udcff",
        "\x00",
        ",",
        "=",
        "v1,",
        "v1=",
        "v0=",
        "sha256=",
        "t=",
        " ",
        "\n",
        right[:-1],
        "a" * 9000,
    ):
        assert sender.judged({**sender.signed(), sender.signature: odd}), repr(odd)


@each
def test_where_no_secret_is_set_nobody_is_believed(sender: Sender) -> None:
    settings = {name: value for name, value in sender.set_up().items() if name != "secret"}
    assert scheme_of(sender.scheme).verify(settings, called(sender.signed()), NOW)


@each
def test_no_reason_quotes_a_secret_or_what_came(sender: Sender) -> None:
    headers = dict.fromkeys(sender.signed(), "shown to nobody")
    for said in (sender.judged(headers), sender.judged({**sender.signed(), sender.signature: "shown to nobody"})):
        assert said
        assert "shown" not in said
        assert len(said) <= 300
        assert sender.secret not in said


@each
def test_what_vouches_for_one_body_only_may_be_kept_and_suffices_to_verify_it_again(sender: Sender) -> None:
    assert sender.signature in scheme_of(sender.scheme).proofs(sender.set_up())


def test_stripes_timestamp_stands_once() -> None:
    sender = next(one for one in SIGNERS if one.name == "stripe")
    said = sender.signed()["stripe-signature"]
    assert "not one timestamp but 2" in sender.judged({"stripe-signature": f"t={AT - 5},{said}"})
    assert "not one timestamp but 0" in sender.judged({"stripe-signature": said.partition(",")[2]})


def test_only_stripes_first_version_is_believed() -> None:
    sender = next(one for one in SIGNERS if one.name == "stripe")
    said = sender.signed()["stripe-signature"].replace("v1=", "v2=")
    assert "does not match" in sender.judged({"stripe-signature": said})


def test_a_signature_stands_behind_its_prefix() -> None:
    for sender in SIGNERS:
        said = sender.signed()[sender.signature]
        bare = said.removeprefix("sha256=").removeprefix("sha1=").removeprefix("v0=").removeprefix("HMAC ")
        if bare != said:
            assert "does not match" in sender.judged({**sender.signed(), sender.signature: bare}), sender.name


def test_githubs_older_signature_may_be_kept_too_and_is_not_believed() -> None:
    sender = next(one for one in SIGNERS if one.name == "github")
    older = {"x-hub-signature": old_prefixed(sender.secret, BODY, AT)["x-hub-signature"]}
    assert older.keys() <= scheme_of("github").proofs(sender.set_up())
    assert "X-Hub-Signature-256 is missing" in sender.judged(older)
