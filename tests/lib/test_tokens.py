import re

import pytest

from badgerjobs.lib import tokens


def test_a_token_is_made_of_its_prefix_and_256_random_bits() -> None:
    made = tokens.make()
    assert re.fullmatch(rf"bj_{made.prefix}_[A-Za-z0-9_-]{{43}}", made.secret)
    assert re.fullmatch(r"[a-z0-9]{8}", made.prefix)
    assert re.fullmatch(r"[0-9a-f]{64}", made.digest)


def test_no_two_tokens_are_alike() -> None:
    made = [tokens.make() for _ in range(200)]
    assert len({one.secret for one in made}) == len({one.prefix for one in made}) == 200


def test_a_secret_matches_its_own_digest_only() -> None:
    one, other = tokens.make(), tokens.make()
    assert tokens.matches(one.secret, one.digest)
    assert not tokens.matches(other.secret, one.digest)
    assert not tokens.matches(one.secret[:-1], one.digest)


def test_the_digest_does_not_hold_the_secret() -> None:
    made = tokens.make()
    assert made.secret not in made.digest
    assert tokens.digest_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "bj_",
        "bj_abcd1234_short",
        f"bj_ABCD1234_{'x' * 43}",
        f"xx_abcd1234_{'x' * 43}",
        f"bj_abcd1234_{'x' * 44}",
        f"bj_abcd1234_{'x' * 43}\n",
        f"bj_abcd1234_{'é' * 43}",
    ],
)
def test_what_cannot_be_one_of_our_secrets_has_no_prefix(secret: str) -> None:
    assert tokens.prefix_of(secret) is None


def test_the_prefix_is_read_from_the_secret() -> None:
    made = tokens.make()
    assert tokens.prefix_of(made.secret) == made.prefix
