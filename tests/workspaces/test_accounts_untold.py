"""Nobody is told who has an account: not by words, and not by the time that an answer takes."""

from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher

from tests.factories import make_person
from tests.workspaces.visitors import PASSWORD, browser, sign_up

pytestmark = pytest.mark.django_db

HASHED: list[str] = []


class Counted(MD5PasswordHasher):
    """Remembers what it was given: the real one takes nearly all of the time that signing up takes."""

    def encode(self, password: str, salt: str) -> str:
        HASHED.append(password)
        return super().encode(password, salt)


@pytest.mark.parametrize("has_account", [True, False])
def test_signing_up_takes_as_long_for_an_address_that_has_an_account(has_account: bool, settings: Any) -> None:
    settings.SIGN_UP, settings.PASSWORD_HASHERS = "open", [f"{__name__}.Counted"]
    make_person("alice@example.com" if has_account else "bob@example.com")
    HASHED.clear()
    assert sign_up(browser()).status_code == 200
    assert [PASSWORD] == HASHED
