import pytest

from badgerjobs.lib.signatures import BadSignatureError, make_secret, sign, verify

# The example of the Standard Webhooks specification.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_specifications_example_is_signed_as_it_says() -> None:
    assert sign(SECRET, ID, AT, BODY) == SIGNATURE
    assert sign(SECRET.removeprefix("whsec_"), ID, AT, BODY) == SIGNATURE


def test_two_secrets_make_two_signatures_and_either_is_enough() -> None:
    other = make_secret()
    both = sign([other, SECRET], ID, AT, BODY)
    assert both.split()[1] == SIGNATURE
    verify(SECRET, ID, str(AT), both, BODY, now=AT)
    verify(other, ID, str(AT), both, BODY, now=AT)
    verify([make_secret(), SECRET], ID, str(AT), SIGNATURE, BODY, now=AT)


def test_make_secrets_differ_and_hold_256_bits() -> None:
    one, other = make_secret(), make_secret()
    assert one != other
    assert len(one) == len("whsec_") + 44


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"body": BODY + b" "}, "does not match"),
        ({"message_id": "msg_other"}, "does not match"),
        ({"message_id": ""}, "webhook-id"),
        ({"message_id": "msg.1614265330"}, "webhook-id"),
        ({"timestamp": str(AT + 1)}, "does not match"),
        ({"timestamp": "soon"}, "not a number"),
        ({"timestamp": "-1"}, "not a number"),
        ({"timestamp": "¹²"}, "not a number"),
        ({"signature": ""}, "does not match"),
        ({"signature": "v1,"}, "does not match"),
        ({"signature": SIGNATURE.removeprefix("v1,")}, "does not match"),
        ({"signature": SIGNATURE.replace("v1", "v2")}, "does not match"),
        ({"signature": "v1,é"}, "does not match"),
        ({"keys": make_secret()}, "does not match"),
        ({"now": AT + 301}, "300 seconds"),
        ({"now": AT - 301}, "300 seconds"),
    ],
)
def test_a_request_that_was_changed_or_is_too_old_is_not_trusted(changed: dict[str, object], says: str) -> None:
    given: dict[str, object] = {
        "keys": SECRET,
        "message_id": ID,
        "timestamp": str(AT),
        "signature": SIGNATURE,
        "body": BODY,
        "now": AT,
    }
    verify(**given)  # type: ignore[arg-type]
    with pytest.raises(BadSignatureError, match=says):
        verify(**(given | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize("age", [-300, 0, 300])
def test_a_clock_that_is_five_minutes_off_is_accepted(age: int) -> None:
    verify(SECRET, ID, str(AT), SIGNATURE, BODY, now=AT + age)


def test_how_far_off_it_may_be_is_for_whoever_verifies_to_say() -> None:
    verify(SECRET, ID, str(AT), SIGNATURE, BODY, now=AT + 900, tolerance_s=900)
    with pytest.raises(BadSignatureError, match="more than 20 seconds"):
        verify(SECRET, ID, str(AT), SIGNATURE, BODY, now=AT + 21, tolerance_s=20)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64", "whsec_ü"])
def test_what_is_not_a_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        sign(secret, ID, AT, BODY)


def test_an_id_with_a_dot_is_not_signed() -> None:
    with pytest.raises(ValueError, match="dot"):
        sign(SECRET, "msg.1", AT, BODY)
