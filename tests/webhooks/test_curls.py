"""The call of a hook in a shell: carried out with the secret in it, its verification finds it right."""

import re
import shutil
import subprocess
from base64 import b64encode
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.workspaces.models import Application
from tests.factories import make_hook
from webhooks.curls import curl_of
from webhooks.models import Hook, Verification
from webhooks.receiving.calls import Call
from webhooks.verification import scheme_of

URL = "https://jobs.example.com/hooks/of-nobody"
KEY = b64encode(b"thirty-two bytes of some secret!").decode()
# It must mean nothing to a shell that quotes it.
ODD = "a b'\"$(exit 1)`exit 1`\\"
# In the place of curl: it says what it was given.
CURL = "curl() { printf '%s\\0' \"$@\"; }\n"

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "none": ("none", {}),
    "standard": ("standard", {"secret": f"whsec_{KEY}"}),
    "standard, without its prefix": ("standard", {"secret": KEY}),
    "github": ("github", {"secret": "a secret"}),
    "gitlab": ("gitlab", {"secret": "a secret"}),
    "gitlab, signed": ("gitlab", {"secret": f"whsec_{KEY}"}),
    "stripe": ("stripe", {"secret": f"whsec_{KEY}"}),
    "shopify": ("shopify", {"secret": "a secret"}),
    "slack": ("slack", {"secret": "a secret"}),
    "hmac": ("hmac", {"secret": "a secret", "header": "X-Sign"}),
    "hmac, otherwise": (
        "hmac",
        {
            "secret": KEY, "header": "X-Sign", "algorithm": "sha512", "encoding": "base64", "prefix": "v1=",
            "secret_encoding": "base64", "signed": "v0:{x-at}:{x-id}.{body}", "timestamp_header": "X-At",
        },
    ),
    "hmac, in hex": (
        "hmac",
        {
            "secret": "00ff10", "header": "X-Sign", "secret_encoding": "hex", "prefix": ODD, "signed": f"{ODD}{{body}}",
        },
    ),
    "basic": ("basic", {"username": "a user's", "secret": "a secret"}),
    "bearer": ("bearer", {"secret": "a secret"}),
    "bearer, in another header": ("bearer", {"secret": "a secret", "header": "X-Api-Key"}),
    "addresses": ("addresses", {"addresses": ["203.0.113.0/24"]}),
}  # fmt: skip


def called(hook: Hook, secret: str = "") -> tuple[str, Call]:
    """What curl is given by the lines that are shown, with the secret in the place that is left for it."""
    shell = shutil.which("sh")
    assert shell
    script = CURL + curl_of(hook, URL).replace("'paste it here'", f"'{secret}'")
    done = subprocess.run([shell, "-eu", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    given = done.stdout.split("\0")[:-1]
    flags = list(pairwise(given))
    headers = dict(value.split(": ", 1) for flag, value in flags if flag == "-H")
    for flag, value in flags:
        if flag == "-u":
            headers["Authorization"] = f"Basic {b64encode(value.encode()).decode()}"
    method = next((value for flag, value in flags if flag == "-X"), "POST")
    [body] = [value for flag, value in flags if flag == "-d"]
    url = next(one for one in given if one.startswith("https:"))
    lower = {name.lower(): value for name, value in headers.items()}
    return url, Call(method, "", lower, body.encode(), "203.0.113.7")


def test_every_verification_has_its_call() -> None:
    assert {scheme for scheme, _ in CASES.values()} == set(Verification.values)


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here, with which the lines sign")
@pytest.mark.parametrize("case", sorted(CASES))
def test_the_call_that_is_shown_is_found_right(shop: Application, case: str) -> None:
    verification, settings = CASES[case]
    hook = make_hook(shop, "orders", verification=verification, settings=settings)
    url, call = called(hook, settings.get("secret", ""))
    assert url == URL
    scheme = scheme_of(verification)
    assert scheme.verify(settings, call, timezone.now()) == ""
    if verification not in {"none", "addresses"}:
        _, wrong = called(hook, KEY[::-1] if "whsec" in str(settings) or settings["secret"] == KEY else "0011")
        assert scheme.verify(settings, wrong, timezone.now()) != ""


@pytest.mark.parametrize("case", sorted(CASES))
def test_no_secret_stands_in_the_call(shop: Application, case: str) -> None:
    verification, settings = CASES[case]
    shown = curl_of(make_hook(shop, "orders", verification=verification, settings=settings), URL)
    assert settings.get("secret", "nothing to hide") not in shown


@pytest.mark.parametrize(("methods", "said"), [(["POST", "GET"], None), (["PUT"], "PUT"), (["GET"], "GET")])
def test_the_call_has_a_method_that_is_taken(shop: Application, methods: list[str], said: str | None) -> None:
    shown = curl_of(make_hook(shop, "orders", methods=methods), URL)
    found = re.search(r"-X (\w+)", shown)
    assert (found[1] if found else None) == said
