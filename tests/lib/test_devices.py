"""Browsers, in words."""

import pytest

from badgerjobs.lib.devices import words

MOZILLA = "Mozilla/5.0"


@pytest.mark.parametrize(
    ("user_agent", "said"),
    [
        (f"{MOZILLA} (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
        (f"{MOZILLA} (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        (f"{MOZILLA} (Macintosh; Intel Mac OS X 14) AppleWebKit/605 Version/18 Safari/605", "Safari on macOS"),
        (f"{MOZILLA} (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 18 like Mac OS X) CriOS/130.0 Safari/604.1", "Chrome on iPhone"),
        ("curl/8.5.0", "curl"),
        ("  something-else/1.0 " + "x" * 100, "something-else/1.0 " + "x" * 21),
        ("", "An unknown browser"),
    ],
)
def test_a_browser_is_named_as_its_owner_knows_it(user_agent: str, said: str) -> None:
    assert words(user_agent) == said
