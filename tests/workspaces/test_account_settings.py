"""What the environment says about accounts: mail, and the proxy in front."""

import runpy
from pathlib import Path
from typing import Any

import pytest

from badgerjobs.lib.env import BadSettingError

SETTINGS = Path(__file__).resolve().parents[2] / "badgerjobs" / "settings.py"


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    for name in ("EMAIL_URL", "MAIL_FROM", "BEHIND_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(SETTINGS))


def test_without_a_server_mail_goes_to_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch)["EMAIL_BACKEND"] == "badgerjobs.workspaces.mail.LoggedMail"


def test_a_server_is_used_and_waited_for_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, EMAIL_URL="smtps://u:p@mail.example", MAIL_FROM="Jobs <jobs@example.com>")
    assert found["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert (found["EMAIL_HOST"], found["EMAIL_USE_SSL"], found["EMAIL_TIMEOUT"]) == ("mail.example", True, 10)
    assert found["DEFAULT_FROM_EMAIL"] == "Jobs <jobs@example.com>"


@pytest.mark.parametrize("hosts", ["", "*", "jobs.example,*"])
def test_links_in_mail_are_made_of_no_strangers_name(monkeypatch: pytest.MonkeyPatch, hosts: str) -> None:
    monkeypatch.setenv("HOST", "0.0.0.0")
    monkeypatch.setenv("ALLOWED_HOSTS", hosts)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(BadSettingError, match="ALLOWED_HOSTS"):
        read(monkeypatch, EMAIL_URL="smtp://mail.example", MAIL_FROM="jobs@example.com")


@pytest.mark.parametrize("sender", ["", "Jobs", "Jobs <>"])
def test_a_server_needs_a_sender(monkeypatch: pytest.MonkeyPatch, sender: str) -> None:
    with pytest.raises(BadSettingError, match="MAIL_FROM"):
        read(monkeypatch, EMAIL_URL="smtp://mail.example", MAIL_FROM=sender)


@pytest.mark.parametrize(("behind", "is_secure"), [("1", True), ("0", False)])
def test_behind_a_proxy_cookies_travel_by_tls_and_its_word_counts(
    monkeypatch: pytest.MonkeyPatch, behind: str, is_secure: bool
) -> None:
    found = read(monkeypatch, BEHIND_PROXY=behind)
    assert [found.get(name, False) for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")] == [is_secure] * 2
    assert found["ALLAUTH_TRUSTED_PROXY_COUNT"] == int(is_secure)
