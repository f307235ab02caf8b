import pytest
from cryptography.fernet import Fernet

from badgerjobs.lib import vault
from badgerjobs.lib.vault import MASK

OLD, NEW, OTHER = "old-" * 10, Fernet.generate_key().decode(), "other-" * 10


@pytest.mark.parametrize("text", ["Bearer abc", "", "ä\n€\x00", "x" * 100_000])
def test_what_is_encrypted_comes_back(text: str) -> None:
    stored = vault.encrypt(text, [NEW])
    assert stored.isascii()
    assert vault.decrypt(stored, [NEW]) == text


def test_the_stored_form_does_not_show_the_text_and_is_never_the_same() -> None:
    first, second = (vault.encrypt("a very secret text", [NEW]) for _ in range(2))
    assert "secret" not in first
    assert first != second


def test_after_a_rotation_old_secrets_are_read_and_new_ones_use_the_first_key() -> None:
    stored = vault.encrypt("kept", [OLD])
    assert vault.decrypt(stored, [NEW, OLD]) == "kept"
    again = vault.encrypt("kept", [NEW, OLD])
    assert vault.decrypt(again, [NEW]) == "kept"
    with pytest.raises(vault.CannotDecryptError):
        vault.decrypt(again, [OLD])


@pytest.mark.parametrize("stored", [vault.encrypt("x", [OTHER]), "not a token", "", "é"], ids=range(4))
def test_what_no_key_opens_is_said_with_the_setting_to_look_at(stored: str) -> None:
    with pytest.raises(vault.CannotDecryptError, match="ENCRYPTION_KEYS"):
        vault.decrypt(stored, [NEW, OLD])


@pytest.mark.parametrize("keys", [[], ["short"], [NEW, "short"], [""]])
def test_a_missing_or_short_key_is_refused_by_the_name_of_the_setting(keys: list[str]) -> None:
    with pytest.raises(vault.BadKeyError, match="ENCRYPTION_KEYS"):
        vault.encrypt("x", keys)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "Set-Cookie",
        "X-API-Key",
        "api-key",
        "apikey",
        "X-Auth-Token",
        "X-Amz-Security-Token",
        "webhook-signature",
        "X-Hub-Signature-256",
        "Client_Secret",
        "X-Password",
        "X-Session",
        "Ocp-Apim-Subscription-Key",
    ],
)
def test_headers_that_carry_secrets_are_masked(name: str) -> None:
    assert vault.mask({name: "hush"}) == {name: MASK}


@pytest.mark.parametrize("name", ["Accept", "Content-Type", "Idempotency-Key", "webhook-id", "X-Monkey", "User-Agent"])
def test_other_headers_are_shown(name: str) -> None:
    assert vault.mask({name: "plain"}) == {name: "plain"}


def test_a_masked_value_that_comes_back_keeps_the_stored_one() -> None:
    old = {"Authorization": "Bearer a", "X-Api-Key": "b", "Accept": "*/*"}
    new = vault.mask(old) | {"Accept": "text/plain"}
    assert vault.unmask(new, old) == old | {"Accept": "text/plain"}


def test_the_stored_value_is_found_though_the_name_changed_its_case() -> None:
    assert vault.unmask({"authorization": MASK}, {"Authorization": "Bearer a"}) == {"authorization": "Bearer a"}


def test_a_new_value_replaces_and_a_name_left_out_is_gone() -> None:
    assert vault.unmask({"Cookie": "new"}, {"Cookie": "old", "X-Token": "t"}) == {"Cookie": "new"}


def test_stars_that_stand_for_nothing_are_refused_by_the_header_s_name() -> None:
    with pytest.raises(vault.NothingStoredError, match=r"X-Api-Key: \*{8}") as raised:
        vault.unmask({"X-Api-Key": MASK}, {"Authorization": "Bearer a"})
    assert raised.value.name == "X-Api-Key"


def test_stars_in_a_header_that_is_never_masked_are_just_stars() -> None:
    assert vault.unmask({"X-Rating": MASK}, {"X-Rating": "five"}) == {"X-Rating": MASK}
