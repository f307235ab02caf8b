"""How a source is told who asks: the fields of a configuration that say so, and how they are put onto a call."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from rest_framework import serializers

from badgerjobs.lib import vault
from badgerjobs.outbound.calls import Call
from badgerjobs.outbound.headers import check_headers
from badgerjobs.outbound.targets import UnsendableError, check_url
from badgerjobs.web.definitions.configurations import Secrets
from badgerjobs.web.definitions.request_templates import origin_of
from badgerjobs.web.serializers import OneOfField, StrictSerializer

NONE, BASIC, BEARER, API_KEY = "none", "basic", "bearer", "api_key"
OAUTH2_CLIENT, OAUTH2_PASSWORD = "oauth2_client", "oauth2_password"
OAUTH2 = frozenset({OAUTH2_CLIENT, OAUTH2_PASSWORD})
HEADER, QUERY, BODY = "header", "query", "body"

# Authentication → the fields that it has, and those of them that it cannot do without.
FIELDS: Mapping[str, tuple[str, ...]] = {
    NONE: (),
    BASIC: ("username", "password"),
    BEARER: ("token",),
    API_KEY: ("api_key", "api_key_name", "api_key_in"),
    OAUTH2_CLIENT: ("token_url", "client_id", "client_secret", "client_in", "scope"),
    OAUTH2_PASSWORD: ("token_url", "username", "password", "client_id", "client_secret", "client_in", "scope"),
}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    NONE: (),
    BASIC: ("username",),
    BEARER: ("token",),
    API_KEY: ("api_key", "api_key_name"),
    OAUTH2_CLIENT: ("token_url", "client_id", "client_secret"),
    OAUTH2_PASSWORD: ("token_url", "username", "password"),
}
ALL = tuple(dict.fromkeys(name for names in FIELDS.values() for name in names))

NEEDED = "This authentication needs it."
TAKEN = "The authentication writes the header {}: leave it out here."


class AuthenticationConfiguration(StrictSerializer):
    """Who asks. Fields that another authentication would have are dropped: what is not used is not kept."""

    authentication = OneOfField(
        [
            (NONE, "None"),
            (BASIC, "User and password"),
            (BEARER, "Bearer token"),
            (API_KEY, "API key"),
            (OAUTH2_CLIENT, "OAuth 2, client credentials"),
            (OAUTH2_PASSWORD, "OAuth 2, user and password"),
        ],
        default=NONE,
        help_text="none, basic, bearer, api_key, oauth2_client or oauth2_password: which of the fields below it has.",
    )
    username = serializers.CharField(default="", allow_blank=True, max_length=500, help_text="Of basic and OAuth 2.")
    password = serializers.CharField(
        default="", allow_blank=True, max_length=2000, trim_whitespace=False, help_text="Read as stars."
    )
    token = serializers.CharField(
        default="", allow_blank=True, max_length=8000, help_text="What is sent as `Authorization: Bearer …`."
    )
    api_key = serializers.CharField(default="", allow_blank=True, max_length=4000, help_text="Read as stars.")
    api_key_name = serializers.CharField(
        default="", allow_blank=True, max_length=200, help_text="Of the header or the query parameter, like X-API-Key."
    )
    api_key_in = OneOfField(
        [(HEADER, "Header"), (QUERY, "Query")], default=HEADER, help_text="Where the key is sent: header or query."
    )
    token_url = serializers.CharField(
        default="", allow_blank=True, max_length=2000, help_text="Where OAuth 2 has tokens: absolute, http or https."
    )
    client_id = serializers.CharField(default="", allow_blank=True, max_length=1000, help_text="Of OAuth 2.")
    client_secret = serializers.CharField(
        default="", allow_blank=True, max_length=4000, trim_whitespace=False, help_text="Read as stars."
    )
    client_in = OneOfField(
        [(HEADER, "Header"), (BODY, "Body")],
        default=HEADER,
        help_text="How the token's server is told the client: header (HTTP Basic, which all should take) or body.",
    )
    scope = serializers.CharField(
        default="", allow_blank=True, max_length=2000, help_text="What the token is for, as the server names it."
    )

    def validate_token_url(self, url: str) -> str:
        """Something that can be called."""
        if url:
            _sendable(check_url, url)
        return url

    def validate_token(self, token: str) -> str:
        """It stands in a header."""
        _sendable(check_headers, [("Authorization", token)])
        return token

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """All that the chosen one needs, and nothing of the others."""
        attrs = super().validate(attrs)
        kind = attrs["authentication"]
        for name in ALL:
            if name not in FIELDS[kind]:
                attrs[name] = self.fields[name].get_default()
        wrong = {name: [NEEDED] for name in REQUIRED[kind] if not attrs[name]}
        if wrong := wrong or self._wrong(kind, attrs):
            raise serializers.ValidationError(wrong)
        return attrs

    def _wrong(self, kind: str, attrs: Mapping[str, Any]) -> dict[str, list[str]]:
        if kind == BASIC and ":" in attrs["username"]:
            return {"username": ["Basic authentication knows no user with a colon in the name."]}
        written = header_of(attrs)
        if kind == API_KEY and written:
            try:
                check_headers([(written, "")])
            except UnsendableError as error:
                return {"api_key_name": [str(error)]}
            try:
                check_headers([(written, attrs["api_key"])])
            except UnsendableError as error:
                return {"api_key": [str(error)]}
        if written in {name.lower() for name in attrs.get("headers", {})}:
            return {"headers": [TAKEN.format(attrs["api_key_name"] if kind == API_KEY else "Authorization")]}
        return {}


def _sendable(check: Any, what: Any) -> None:
    try:
        check(what)
    except UnsendableError as error:
        raise serializers.ValidationError(str(error)) from None


def header_of(configuration: Mapping[str, Any]) -> str:
    """The header that the authentication writes, in lower case; empty for none."""
    kind = configuration["authentication"]
    if kind == API_KEY:
        return str(configuration["api_key_name"]).lower() if configuration["api_key_in"] == HEADER else ""
    return "" if kind == NONE else "authorization"


def party(configuration: Mapping[str, Any]) -> Any:
    """Whom the secrets are sent to: the source, and where OAuth 2, if it is that, has its tokens."""
    return origin_of(configuration.get("url")), origin_of(configuration.get("token_url"))


SECRETS = Secrets(fields=("password", "token", "api_key", "client_secret"), headers=("headers",), party=party)


BASIC_PAIRS = (("username", "password"), ("client_id", "client_secret"))


def basic(user: str, password: str) -> str:
    """A user and a password as HTTP Basic has them."""
    return base64.b64encode(f"{user}:{password}".encode(errors="replace")).decode()


def secrets_of(configuration: Mapping[str, Any], call: Call | None = None) -> list[str]:
    """What must not be repeated to anybody, however a server quotes it: credentials, and what a call has of them."""
    kept = [str(configuration[name]) for name in SECRETS.fields]
    kept += [basic(configuration[user], configuration[word]) for user, word in BASIC_PAIRS if configuration[word]]
    sent = [value for name, value in call.headers if vault.is_secret(name)] if call else []
    words = [value.rpartition(" ")[2] for value in sent]
    return [one for one in (*kept, *(_encoded(each) for each in kept), *sent, *words) if one]


def authorized(call: Call, configuration: Mapping[str, Any], token: str = "") -> Call:
    """The call with the credentials on it. `token` is that of OAuth 2.

    A redirect to another host is followed without them: their headers are among the call's sensitive ones, and a query
    is never taken along.
    """
    kind = configuration["authentication"]
    if kind == API_KEY and configuration["api_key_in"] == QUERY:
        return replace(call, url=with_query(call.url, {configuration["api_key_name"]: configuration["api_key"]}))
    name, value = _header(configuration, token)
    if not name:
        return call
    return replace(call, headers=[*call.headers, (name, value)], sensitive=call.sensitive | {name.lower()})


def _header(configuration: Mapping[str, Any], token: str) -> tuple[str, str]:
    kind = configuration["authentication"]
    if kind == API_KEY:
        return configuration["api_key_name"], configuration["api_key"]
    if kind == BASIC:
        return "Authorization", f"Basic {basic(configuration['username'], configuration['password'])}"
    if kind == BEARER:
        return "Authorization", f"Bearer {configuration['token']}"
    return ("Authorization", f"Bearer {token}") if kind in OAUTH2 else ("", "")


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """The URL with these behind its own parameters, percent-encoded."""
    if not parameters:
        return url
    whole, _, fragment = url.partition("#")
    added = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in parameters.items())
    separator = "" if whole.endswith(("?", "&")) else "&" if "?" in whole else "?"
    return f"{whole}{separator}{added}{'#' if fragment else ''}{fragment}"


def _encoded(text: str) -> str:
    return quote(text, safe="", errors="replace")
