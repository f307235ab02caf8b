"""Tokens of OAuth 2: asked for once, kept until shortly before they expire, and shared by all processes."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.core.cache import cache

from badgerjobs.lib import vault
from badgerjobs.lib.retry_after import asked_wait
from badgerjobs.lib.said import quoted
from badgerjobs.outbound.calls import Answer, Call, CallFailed, HostBusy
from badgerjobs.outbound.client import Client
from badgerjobs.outbound.headers import check_headers
from badgerjobs.outbound.targets import target_of
from badgerjobs.sources.answers import sentence_in, text_of
from badgerjobs.sources.authentication import HEADER, OAUTH2_CLIENT, OAUTH2_PASSWORD, basic, secrets_of
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.results import NoValueError, Unfetched

# What a server that does not say how long its token lasts is taken to mean, and the longest that any is kept.
UNSAID_S, LONGEST_S = 300, 86_400
# So long before its end, or a tenth of its life if that is less, a token is not used any more.
MARGIN_S = 30
ANSWER_BYTES = 64 * 1024
# So long, a server that refused the credentials is not asked again with the same: it may lock their owner out.
REFUSED_FOR = timedelta(seconds=10)
# So long, a source that refused even a new token does not get another.
DOUBTED_FOR = timedelta(seconds=60)
WHO = ("authentication", "token_url", "username", "password", "client_id", "client_secret", "client_in", "scope")


@dataclass(slots=True)
class Token:
    """`until`: when it is no longer used. `doubted_until`: until when no other is asked for in its place."""

    text: str
    until: datetime
    doubted_until: datetime | None = None


@dataclass(slots=True)
class Tokens:
    """Those of one event loop, by source and what its configuration says of who asks."""

    client: Client
    _kept: dict[str, Token] = field(default_factory=dict)
    _asking: dict[str, asyncio.Task[Token]] = field(default_factory=dict)
    _refused: dict[str, tuple[datetime, Unfetched]] = field(default_factory=dict)

    async def token(self, source: DataSource, now: datetime) -> Token:
        """One that holds now. Raises NoValueError, and HostBusy."""
        name = _name(source)
        kept = self._kept.get(name)
        return kept if kept and kept.until > now else await self._shared(name, source, now, None)

    async def newer(self, source: DataSource, refused: Token, now: datetime) -> Token | None:
        """One in the place of a token that the source refused. None where another one would do no better.

        Raises NoValueError, and HostBusy.
        """
        name = _name(source)
        kept = self._kept.get(name)
        if kept and kept.text != refused.text and kept.until > now:
            return kept
        if kept and kept.doubted_until and kept.doubted_until > now:
            return None
        token = await self._shared(name, source, now, refused.text)
        if token.text != refused.text:
            return token
        self.doubt(token, now)  # some servers give the same one until it expires
        return None

    def doubt(self, token: Token, now: datetime) -> None:
        """The source refused it although it is new: that is not the token's fault."""
        token.doubted_until = now + DOUBTED_FOR

    async def close(self) -> None:
        """Wait for nothing more."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _shared(self, name: str, source: DataSource, now: datetime, refused: str | None) -> Token:
        """Whoever needs one while it is asked for, waits for the same. Who gives up leaves it to the others."""
        task = self._asking.get(name)
        if task is None:
            task = self._asking[name] = asyncio.create_task(self._new(name, source, now, refused))
            task.add_done_callback(lambda done: self._asked(name, done))
        return await asyncio.shield(task)

    def _asked(self, name: str, task: asyncio.Task[Token]) -> None:
        del self._asking[name]
        if not task.cancelled():
            task.exception()  # has been told to those who waited, if any still did

    async def _new(self, name: str, source: DataSource, now: datetime, refused: str | None) -> Token:
        """From the cache, where another process may have put one; else from the server."""
        for each in [each for each, (until, _) in self._refused.items() if until <= now]:
            del self._refused[each]
        if told := self._refused.get(name):
            raise NoValueError(told[1])
        is_stored = source.pk is not None
        token = await asyncio.to_thread(_cached, name) if is_stored else None
        if token is None or token.until <= now or token.text == refused:
            token = await self._asked_for(name, source.configuration, now)
            if is_stored:
                await asyncio.to_thread(_cache, name, token, now)
        self._kept = {each: kept for each, kept in self._kept.items() if kept.until > now} | {name: token}
        return token

    async def _asked_for(self, name: str, configuration: Mapping[str, Any], now: datetime) -> Token:
        host = target_of(configuration["token_url"]).host
        try:
            answer = await self.client.send(call_of(configuration))
        except HostBusy:
            raise
        except CallFailed as failure:
            said, again = f"No token could be had: {failure.message}", failure.error_class != "refused"
            unfetched = Unfetched(failure.error_class, said, retry=again, duration_ms=failure.duration_ms)
            raise NoValueError(unfetched) from None
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            told = _not_given(host, answer, configuration, now)
            if not told.retry:
                self._refused[name] = now + REFUSED_FOR, told
            raise NoValueError(told)
        return _token_in(host, answer, now)


def call_of(configuration: Mapping[str, Any]) -> Call:
    """What asks for a token. No redirect is followed: it would take the credentials along."""
    asked = {"grant_type": "client_credentials" if configuration["authentication"] == OAUTH2_CLIENT else "password"}
    if configuration["authentication"] == OAUTH2_PASSWORD:
        asked |= {"username": configuration["username"], "password": configuration["password"]}
    if configuration["scope"]:
        asked["scope"] = configuration["scope"]
    client, secret = configuration["client_id"], configuration["client_secret"]
    headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")]
    if secret and configuration["client_in"] == HEADER:  # each percent-encoded first, says RFC 6749, 2.3.1
        headers.append(("Authorization", f"Basic {basic(quote(client, safe=''), quote(secret, safe=''))}"))
    else:
        asked |= {name: value for name, value in (("client_id", client), ("client_secret", secret)) if value}
    return Call(
        "POST",
        configuration["token_url"],
        headers=headers,
        body=urlencode(asked).encode(),
        timeout_s=configuration["timeout"],
        keep_bytes=ANSWER_BYTES,
        read_bytes=ANSWER_BYTES,
        redirects=0,
    )


def _not_given(host: str, answer: Answer, configuration: Mapping[str, Any], now: datetime) -> Unfetched:
    said, secrets = sentence_in(answer), secrets_of(configuration, call_of(configuration))
    passes = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in {408, 425, 429}
    return Unfetched(
        "auth",
        f"{host} gave no token, but answered {answer.status}{f': {quoted(said, secrets)}' if said else '.'}",
        retry=passes,
        retry_after=asked_wait(answer.headers, now=now),
        duration_ms=answer.duration_ms,
    )


def _token_in(host: str, answer: Answer, now: datetime) -> Token:
    """Raises NoValueError where the answer has none that could be sent."""
    try:
        told = json.loads(text_of(answer))
        text = _sendable(told["access_token"])
    except (ValueError, KeyError, TypeError, RecursionError):
        said = f"{host} answered {answer.status} without an access_token that could be sent."
        raise NoValueError(Unfetched("auth", said, duration_ms=answer.duration_ms)) from None
    lasts = _seconds(told.get("expires_in"))
    return Token(text, now + timedelta(seconds=lasts - min(MARGIN_S, lasts / 10)))


def _sendable(text: Any) -> str:
    """Raises TypeError, and ValueError, for what cannot stand in a header."""
    if not isinstance(text, str) or not text:
        raise TypeError(text)
    check_headers([("Authorization", f"Bearer {text}")])
    return text


def _seconds(said: Any) -> float:
    """What `expires_in` means, however it is written."""
    try:
        seconds = float(said)
    except (TypeError, ValueError, OverflowError):
        return UNSAID_S
    return min(seconds, LONGEST_S) if seconds > 0 else UNSAID_S


def _name(source: DataSource) -> str:
    """Of a source and of who asks there: it tells nobody who does not know the key what it was made of."""
    who = json.dumps([source.configuration[name] for name in WHO])
    digest = hmac.new(settings.ENCRYPTION_KEYS[0].encode(), who.encode(), hashlib.sha256).hexdigest()
    return f"sources:token:{source.pk}:{digest}"


def _cached(name: str) -> Token | None:
    stored = cache.get(name)
    try:
        text, until = json.loads(vault.decrypt(stored, settings.ENCRYPTION_KEYS))
        return Token(text, datetime.fromisoformat(until))
    except (vault.CannotDecryptError, ValueError, TypeError, AttributeError):
        return None


def _cache(name: str, token: Token, now: datetime) -> None:
    sealed = vault.encrypt(json.dumps([token.text, token.until.isoformat()]), settings.ENCRYPTION_KEYS)
    cache.set(name, sealed, timeout=max(1, int((token.until - now).total_seconds())))
