"""OAuth 2: tokens are asked for once, kept, shared, replaced when they are refused, and never told to anybody."""

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.conf import settings
from django.test import override_settings

from badgerjobs.lib import vault
from badgerjobs.sources.fetch import Fetched, Unfetched, attempt, open_means
from badgerjobs.sources.models import DataSource
from badgerjobs.workspaces.models import Application
from tests.e2e.receiver import Answer, Call, Receiver
from tests.factories import NOW, make_source
from tests.sources.fetching import fetched, says, source_of, tried, unfetched

SECRET = "hunter2/secret"


class Server(Receiver):
    """Gives tokens at `/token`: `token1`, `token2` …; everywhere else it takes the newest and those in `good`."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count(1)
        self.good: set[str] = set()
        self.expires_in: Any = 3600
        self.token: Answer | None = None
        self.answer = self.answered

    def answered(self, call: Call) -> Answer:
        if call.path == "/token":
            if self.token:
                return self.token
            text = f"token{next(self.numbers)}"
            self.good.add(text)
            return says(json.dumps({"access_token": text, "token_type": "bearer", "expires_in": self.expires_in}))
        is_good = call.headers.get("authorization", "").removeprefix("Bearer ") in self.good
        return says('"good"') if is_good else says('{"error": "invalid_token"}', 401)

    @property
    def asked(self) -> list[Call]:
        """The calls for a token."""
        return [call for call in self.calls if call.path == "/token"]

    @property
    def sent(self) -> list[str]:
        """The tokens that came with the other calls."""
        return [call.headers["authorization"] for call in self.calls if call.path != "/token"]

    def client(self, **more: Any) -> dict[str, Any]:
        """A configuration that asks with the client's credentials."""
        return {
            "url": f"{self.url}/data", "authentication": "oauth2_client", "token_url": f"{self.url}/token",
            "client_id": "shop", "client_secret": SECRET, **more,
        }  # fmt: skip


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def form(call: Call) -> Mapping[str, str]:
    return dict(parse_qsl(call.body.decode()))


PASSWORD = {"authentication": "oauth2_password", "username": "ann", "password": "p&=ä"}


@pytest.mark.parametrize(
    ("given", "body", "basic"),
    [
        ({"scope": "a b"}, {"grant_type": "client_credentials", "scope": "a b"}, "shop:hunter2%2Fsecret"),
        ({"client_in": "body"},
         {"grant_type": "client_credentials", "client_id": "shop", "client_secret": SECRET}, None),
        (PASSWORD, {"grant_type": "password", "username": "ann", "password": "p&=ä"}, "shop:hunter2%2Fsecret"),
        ({**PASSWORD, "client_secret": ""},
         {"grant_type": "password", "username": "ann", "password": "p&=ä", "client_id": "shop"}, None),
    ],
    ids=["client in the header", "client in the body", "password", "password of a public client"],
)  # fmt: skip
def test_a_token_is_asked_for_and_sent(server: Server, given: Any, body: Any, basic: str | None) -> None:
    assert fetched(source_of(**server.client(**given))) == '"good"'
    [asked] = server.asked
    assert (asked.method, asked.headers["content-type"]) == ("POST", "application/x-www-form-urlencoded")
    assert form(asked) == body
    assert asked.headers.get("authorization") == (basic and f"Basic {base64.b64encode(basic.encode()).decode()}")
    assert server.sent == ["Bearer token1"]


def test_many_at_once_ask_for_one_token(server: Server) -> None:
    came = tried(source_of(**server.client()), times=20)
    assert all(isinstance(one.outcome, Fetched) for one in came)
    assert (len(server.asked), len(server.sent)) == (1, 20)


@pytest.fixture
def stored(server: Server, shop: Application) -> DataSource:
    """A source with a row, whose tokens all processes share."""
    return make_source(shop, configuration=server.client(), variables=[])


@pytest.mark.parametrize(
    ("expires_in", "later", "asked"),
    [
        (3600, timedelta(seconds=3569), 1),
        (3600, timedelta(seconds=3570), 2),
        (100, timedelta(seconds=89), 1),
        (100, timedelta(seconds=90), 2),
        ("100", timedelta(seconds=90), 2),
        (None, timedelta(seconds=269), 1),
        (None, timedelta(seconds=270), 2),
        ("soon", timedelta(seconds=270), 2),
        (10**12, timedelta(days=1), 2),
        (-1, timedelta(seconds=269), 1),
        (float("nan"), timedelta(seconds=270), 2),
    ],
)
def test_a_token_is_used_until_shortly_before_its_end(
    server: Server, stored: DataSource, expires_in: Any, later: timedelta, asked: int
) -> None:
    server.expires_in = expires_in
    for now in (NOW, NOW + later):
        assert fetched(stored, now=now) == '"good"'
    assert len(server.asked) == asked


class Standing:
    """A cache in which one thing stands everywhere. What is put there is in `kept`."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.kept: dict[str, str] = {}

    def get(self, _: str) -> Any:
        return self.value

    def set(self, name: str, value: str, *, timeout: int) -> None:
        assert timeout > 0
        self.kept[name] = value


def standing(patch: pytest.MonkeyPatch, value: Any) -> Standing:
    made = Standing(value)
    patch.setattr("badgerjobs.sources.oauth.cache", made)
    return made


def test_a_token_is_shared_encrypted(server: Server, stored: DataSource, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = standing(monkeypatch, None)
    fetched(stored)
    [(name, sealed)] = cache.kept.items()
    assert SECRET not in name
    assert "token1" not in sealed
    assert json.loads(vault.decrypt(sealed, settings.ENCRYPTION_KEYS))[0] == "token1"

    cache.value = sealed
    fetched(stored)
    assert server.sent == ["Bearer token1", "Bearer token1"]
    assert len(server.asked) == 1


def test_another_configuration_asks_for_a_token_of_its_own(server: Server, stored: DataSource) -> None:
    fetched(stored)
    stored.configuration = {**stored.configuration, "scope": "more"}
    fetched(stored)
    stored.configuration = {**stored.configuration, "scope": "", "url": f"{server.url}/other"}
    fetched(stored)
    assert server.sent == ["Bearer token1", "Bearer token2", "Bearer token1"]


def test_a_token_that_is_refused_is_replaced_once(server: Server, stored: DataSource) -> None:
    fetched(stored)
    server.good.clear()
    assert fetched(stored) == '"good"'
    assert server.sent == ["Bearer token1", "Bearer token1", "Bearer token2"]
    assert fetched(stored) == '"good"'
    assert len(server.asked) == 2


def test_many_whose_token_is_refused_ask_for_one_new(server: Server, stored: DataSource) -> None:
    fetched(stored)
    server.good.clear()
    came = tried(stored, times=20)
    assert all(isinstance(one.outcome, Fetched) for one in came)
    assert len(server.asked) == 2


def test_a_source_that_refuses_new_tokens_too_is_not_given_one_after_another(server: Server) -> None:
    source = source_of(**server.client(url=f"{server.url}/data"))
    server.token = says('{"access_token": "never good", "expires_in": 3600}')

    first, *_ = came = tried(source, times=20)
    assert isinstance(first.outcome, Unfetched)
    assert (first.outcome.error_class, first.outcome.status) == ("status", 401)
    assert "invalid_token" in first.outcome.error
    assert "never good" not in str([one.outcome for one in came])
    assert len(server.asked) == 2


@pytest.mark.parametrize("is_same", [True, False], ids=["the same", "another each time"])
def test_no_other_token_is_asked_for_within_a_minute_of_one_that_was_no_better(server: Server, is_same: bool) -> None:
    numbers = count(1)

    def refusing(call: Call) -> Answer:
        text = "same" if is_same else f"token{next(numbers)}"
        return says(json.dumps({"access_token": text})) if call.path == "/token" else says("{}", 401)

    server.answer = refusing
    source = source_of(**server.client())

    async def one_after_another() -> list[int]:
        asked = []
        async with open_means() as means:
            for later in (0, 1, 59, 60):
                await attempt(source, {}, means, now=NOW + timedelta(seconds=later))
                asked.append(len(server.asked))
        return asked

    with override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        assert asyncio.run(one_after_another()) == [2, 2, 2, 3]


@pytest.mark.parametrize(
    ("answer", "sentence", "retry"),
    [
        (says(json.dumps({"error": "invalid_client", "error_description": f"no {SECRET}"}), 401),
         "127.0.0.1 gave no token, but answered 401: no ********.", False),
        (says('{"error": "invalid_grant"}', 400), "127.0.0.1 gave no token, but answered 400: invalid_grant.", False),
        (says("", 503, ("Retry-After", "9")), "127.0.0.1 gave no token, but answered 503.", True),
        (says("", 429), "127.0.0.1 gave no token, but answered 429.", True),
        (says("", 302), "127.0.0.1 gave no token, but answered 302.", False),
        (says("{}"), "127.0.0.1 answered 200 without an access_token that could be sent.", True),
        (says("[]"), "127.0.0.1 answered 200 without an access_token that could be sent.", True),
        (says('{"access_token": ""}'), "127.0.0.1 answered 200 without an access_token that could be sent.", True),
        (says('{"access_token": "a\\r\\nX: 1"}'), "127.0.0.1 answered 200 without an access_token", True),
        (says('{"access_token": {"a": 1}}'), "127.0.0.1 answered 200 without an access_token", True),
        (says("<html>"), "127.0.0.1 answered 200 without an access_token", True),
        (says("[" * 50_000), "127.0.0.1 answered 200 without an access_token", True),
    ],
    ids=["client", "grant", "ill", "often", "elsewhere", "none", "list", "empty", "lines", "object", "HTML", "deep"],
)  # fmt: skip
def test_no_token_is_a_failure_that_says_why(server: Server, answer: Answer, sentence: str, retry: bool) -> None:
    server.token = answer
    came = unfetched(source_of(**server.client()))
    assert (came.error_class, came.status, came.retry) == ("auth", None, retry)  # the source was not asked
    assert came.error.startswith(sentence)
    assert not server.sent


def test_a_redirect_of_the_token_endpoint_is_not_followed(server: Server) -> None:
    with Receiver() as other:
        server.token = Answer(307, location=other.url)
        came = unfetched(source_of(**server.client()))
        assert not other.calls
    assert (came.error_class, came.retry) == ("auth", False)


def test_credentials_that_were_refused_are_not_sent_again_and_again(server: Server) -> None:
    server.token = says('{"error": "invalid_client"}', 401)
    came = tried(source_of(**server.client()), times=20)
    assert {one.outcome.error_class for one in came if isinstance(one.outcome, Unfetched)} == {"auth"}
    assert len(server.asked) == 1


def test_a_token_endpoint_at_a_private_address_is_refused() -> None:
    with Receiver() as receiver:
        source = source_of(
            url=receiver.url,
            authentication="oauth2_client",
            token_url="http://10.0.0.1/",
            client_id="a",
            client_secret="b",
        )
        came = unfetched(source)
        assert not receiver.calls
    assert (came.error_class, came.retry) == ("refused", False)
    assert came.error.startswith("No token could be had: 10.0.0.1 is a private address")


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "",
        "nonsense",
        7,
        [1],
        vault.encrypt("7", settings.ENCRYPTION_KEYS),
        vault.encrypt('["t"]', settings.ENCRYPTION_KEYS),
        vault.encrypt('["t", "then"]', settings.ENCRYPTION_KEYS),
        vault.encrypt('["t", "9999-01-01T00:00:00+00:00"]', ["k" * 32]),
    ],
    ids=["nothing", "empty", "text", "number", "list", "sealed number", "no end", "no moment", "another key"],
)
def test_what_lies_in_the_cache_may_be_anything(
    server: Server, stored: DataSource, monkeypatch: pytest.MonkeyPatch, odd: Any
) -> None:
    standing(monkeypatch, odd)
    assert fetched(stored) == '"good"'
    assert server.sent == ["Bearer token1"]
