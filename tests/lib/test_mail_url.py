"""EMAIL_URL: what it says, and what it must not."""

from typing import Any

import pytest

from badgerjobs.lib.env import BadSettingError
from badgerjobs.lib.server_urls import mail


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("smtp://u:p@mail.example:587", ("mail.example", 587, "u", "p", False, True)),
        ("smtp://mail.example", ("mail.example", 587, "", "", False, True)),
        ("smtps://u%40example.com:p%2Fq%3A@mail.example", ("mail.example", 465, "u@example.com", "p/q:", True, False)),
        ("smtps://u:p@mail.example:4465/", ("mail.example", 4465, "u", "p", True, False)),
        ("smtp://localhost:25?tls=none", ("localhost", 25, "", "", False, False)),
    ],
)
def test_a_mail_server_is_read(url: str, said: tuple[Any, ...]) -> None:
    assert tuple(mail(url).values()) == said


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://u:hunter2@mail.example:port",
        "smtp://u:hun/ter2@mail.example",
        "smtp://u:hunter2@mail.example/path",
        "smtp://u:hunter2@mail.example?timeout=3",
        "smtp://u:hunter2@mail.example?tls",
        "smtps://u:hunter2@mail.example?tls=none",
        "smtp://u:hunter2@[::1",
    ],
)
def test_what_is_no_mail_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(BadSettingError, match="EMAIL_URL must be like smtp://") as told:
        mail(url)
    assert "hun" not in str(told.value)
