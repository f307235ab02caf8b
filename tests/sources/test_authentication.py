"""Who asks: credentials on the call, never at another host, and never in what is said of it."""

import base64
import json
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from badgerjobs.lib.vault import MASK
from badgerjobs.sources.authentication import SECRETS
from badgerjobs.sources.types import type_of
from badgerjobs.web.definitions.configurations import checked
from badgerjobs.web.problems import Invalid
from tests.e2e.receiver import Answer, Receiver
from tests.sources.fetching import fetched, says, source_of, unfetched

URL = "https://example.com/"
BASIC = {"authentication": "basic", "username": "ann", "password": "p:ä hunter2"}
BEARER = {"authentication": "bearer", "token": "hunter2-token"}
KEY = {"authentication": "api_key", "api_key": "hunter2-key", "api_key_name": "X-Shop"}
QUERY_KEY = {**KEY, "api_key_in": "query", "api_key_name": "the key", "api_key": "hunter2/key+"}
CLIENT = {
    "authentication": "oauth2_client", "token_url": "https://login.example.com/", "client_id": "c",
    "client_secret": "hunter2-secret",
}  # fmt: skip
BASIC_VALUE = base64.b64encode("ann:p:ä hunter2".encode()).decode()


@pytest.mark.parametrize(
    ("given", "header", "value"),
    [
        (BASIC, "authorization", f"Basic {BASIC_VALUE}"),
        (BEARER, "authorization", "Bearer hunter2-token"),
        (KEY, "x-shop", "hunter2-key"),
    ],
)
def test_credentials_are_sent_in_a_header(given: dict[str, Any], header: str, value: str) -> None:
    with Receiver() as receiver:
        fetched(source_of(url=receiver.url, **given))
        [call] = receiver.calls
    assert call.headers[header] == value


def test_a_key_is_sent_in_the_query_behind_all_else() -> None:
    with Receiver() as receiver:
        fetched(source_of(url=f"{receiver.url}/a?b=1", query={"c": "2"}, **QUERY_KEY))
        [call] = receiver.calls
    assert call.path == "/a?b=1&c=2&the%20key=hunter2%2Fkey%2B"


@pytest.mark.parametrize("given", [BASIC, BEARER, KEY, QUERY_KEY])
@pytest.mark.parametrize("kind", ["REST", "GRAPHQL"])
def test_a_redirect_to_another_host_is_followed_without_credentials(given: dict[str, Any], kind: str) -> None:
    with Receiver() as other, Receiver() as receiver:
        other.answer = lambda _: says('{"data": 1}')
        receiver.answer = lambda _: Answer(307, location=f"http://127.0.0.1:{other.port}/there")
        more = {"query": "{a}"} if kind == "GRAPHQL" else {}
        fetched(source_of(kind, url=receiver.url, headers={"X-Own": "mine", "Accept": "text/x"}, **more, **given))
        [first], [second] = receiver.calls, other.calls
    assert first.headers["x-own"] == "mine"
    assert second.headers["accept"] == "text/x"
    assert not {"x-own", "x-shop", "authorization"} & second.headers.keys()
    assert "hunter2" not in f"{second.path} {second.headers} {second.body!r}"


@pytest.mark.parametrize("given", [BASIC, BEARER, KEY, QUERY_KEY])
def test_an_answer_that_repeats_credentials_is_quoted_without_them(given: dict[str, Any]) -> None:
    said = f"no hunter2-token, hunter2-key, hunter2/key+, hunter2%2Fkey%2B, p:ä hunter2 nor {BASIC_VALUE}"
    with Receiver() as receiver:
        receiver.answer = lambda _: says(json.dumps({"detail": said}), 403)
        came = unfetched(source_of(url=receiver.url, **given))
    secret = next(given[name] for name in ("token", "api_key", "password") if name in given)
    assert secret not in came.error
    assert BASIC_VALUE not in came.error or "password" not in given
    assert "hunter2%2Fkey%2B" not in came.error or given is not QUERY_KEY
    assert MASK in came.error
    assert "The source answered 403 Forbidden. It says: “no " in came.error


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ({"authentication": "digest"}, "authentication", "“digest” is none of none, basic, bearer, api_key,"),
        ({"authentication": "basic"}, "username", "This authentication needs it."),
        ({**BASIC, "username": "a:b"}, "username", "no user with a colon"),
        ({"authentication": "bearer"}, "token", "This authentication needs it."),
        ({**BEARER, "token": "a\nb"}, "token", "printable ASCII characters only"),
        ({**BEARER, "headers": {"authorization": "x"}}, "headers", "writes the header Authorization: leave it out"),
        ({"authentication": "api_key", "api_key": "k"}, "api_key_name", "This authentication needs it."),
        ({**KEY, "api_key_name": "Host"}, "api_key_name", "belongs to the connection"),
        ({**KEY, "api_key_name": "a b"}, "api_key_name", "is not a header name"),
        ({**KEY, "api_key": "ä"}, "api_key", "printable ASCII characters only"),
        ({**KEY, "headers": {"x-shop": "x"}}, "headers", "writes the header X-Shop: leave it out"),
        ({**CLIENT, "token_url": ""}, "token_url", "This authentication needs it."),
        ({**CLIENT, "token_url": "file:///etc"}, "token_url", "Only http:// and https://"),
        ({**CLIENT, "client_secret": ""}, "client_secret", "This authentication needs it."),
        ({**CLIENT, "authentication": "oauth2_password"}, "username", "This authentication needs it."),
    ],
)
def test_what_could_not_authenticate_is_refused_by_its_field(given: Any, field: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        source_of(**{"url": URL, **given})
    assert sentence in str(refused.value.detail["configuration"][field])  # type: ignore[index, call-overload]


def test_what_the_authentication_does_not_use_is_not_kept() -> None:
    source = source_of(**{"url": URL, **CLIENT, **KEY, **BASIC})
    kept = {name: value for name, value in source.configuration.items() if value and name in {*CLIENT, *KEY, *BASIC}}
    assert kept == BASIC


@pytest.mark.parametrize(
    ("stored", "changed"),
    [
        (BASIC, {"url": "https://evil.example.com/"}),
        (BASIC, {"url": "http://example.com/"}),
        (BASIC, {"url": "https://example.com:8443/"}),
        (CLIENT, {"url": "https://evil.example.com/"}),
        (CLIENT, {"token_url": "https://evil.example.com/"}),
        ({**CLIENT, "authentication": "oauth2_password", "username": "u", "password": "hunter2"},
         {"authentication": "basic"}),
        ({**BASIC, "headers": {"X-Token": "hunter2"}}, {**CLIENT, "client_secret": "new"}),
    ],
)  # fmt: skip
def test_a_stored_secret_goes_to_nobody_else(stored: dict[str, Any], changed: dict[str, Any]) -> None:
    found = type_of("REST")
    kept = checked(found.serializer, {"url": URL, **stored}, SECRETS)
    stars = {name: MASK for name in SECRETS.fields if kept[name]}
    headers = dict.fromkeys(kept["headers"], MASK)
    with pytest.raises(Invalid) as refused:
        checked(found.serializer, {**kept, **stars, "headers": headers, **changed}, SECRETS, kept)
    assert "was not meant for the server that this names" in str(refused.value.detail)
    same = checked(found.serializer, {**kept, **stars, "headers": headers, "url": f"{URL}other"}, SECRETS, kept)
    assert same == {**kept, "url": f"{URL}other"}


def test_stars_for_a_secret_that_is_not_used_any_more_keep_nobody_from_moving() -> None:
    found = type_of("REST")
    kept = checked(found.serializer, {"url": URL, **BASIC}, SECRETS)
    moved = {**kept, "password": MASK, "authentication": "none", "url": "https://other.example.com/"}
    assert checked(found.serializer, moved, SECRETS, kept)["password"] == ""
