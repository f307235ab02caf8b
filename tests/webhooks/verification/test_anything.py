"""Whatever is sent, a verification says yes or no, and never breaks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webhooks.verification.senders import AT, NOW, SIGNERS, WHSEC, Headers, called
from webhooks.verification import scheme_of

SETTINGS = {
    **{sender.name: (sender.scheme, sender.set_up()) for sender in SIGNERS},
    "gitlab": ("gitlab", {"secret": "s"}),
    "basic": ("basic", {"username": "u", "secret": "s"}),
    "bearer": ("bearer", {"secret": "s"}),
    "addresses": ("addresses", {"addresses": ["192.0.2.0/24"]}),
}
NAMES = sorted({*(name for sender in SIGNERS for name in sender.signed()), "x-gitlab-token", "authorization"})
WORDS = [
    "",
    "v1,",
    "v0=",
    "t=",
    "sha256=",
    ",",
    " ",
    ".",
    "Basic ",
    "Bearer ",
    "dTpz",
    str(AT),
    WHSEC,
    "é",
    "\x00",
    "\udcff",
]
values = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=6).map("".join))
headers = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)


@pytest.mark.parametrize("name", SETTINGS)
@settings(max_examples=40, deadline=None)
@given(headers=headers, body=st.binary(max_size=40), address=st.one_of(st.none(), st.text(max_size=40)))
def test_whatever_is_sent_is_refused_in_a_sentence(
    name: str, headers: Headers, body: bytes, address: str | None
) -> None:
    scheme, given_settings = SETTINGS[name]
    call = called(headers, body, address)
    reason = scheme_of(scheme).verify(given_settings, call, NOW)
    is_known = name in {"basic", "bearer", "gitlab", "addresses"}  # what these look for may be guessed: it is short
    assert is_known or reason
    assert len(reason) <= 300
    assert not reason or reason.endswith(".")
    assert len(scheme_of(scheme).event_id(call)) <= 200
