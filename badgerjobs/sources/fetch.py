"""Fetching a source once: the call, its answer, and the value that is made of it."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from badgerjobs.lib import javascript
from badgerjobs.lib.retry_after import asked_wait
from badgerjobs.lib.said import quoted
from badgerjobs.lib.storable import cleaned, is_storable
from badgerjobs.outbound.calls import Answer, Call, CallFailed, HostBusy
from badgerjobs.outbound.in_words import answer_in_words
from badgerjobs.runs.outcomes import Later
from badgerjobs.sources.answers import AnswerError, Reading, compact, sentence_in, text_of
from badgerjobs.sources.authentication import OAUTH2, authorized, secrets_of
from badgerjobs.sources.means import Means, open_means
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.results import Fetched, NoValueError, Unfetched
from badgerjobs.sources.types import no_value_of, type_of
from badgerjobs.sources.variables import lack_of

__all__ = ["VALUE_BYTES", "Attempt", "Fetched", "Means", "Unfetched", "attempt", "fetch", "open_means"]

# Of a value, as JSON.
VALUE_BYTES = 1_000_000
TRANSFORM_S = 1.0
LONGEST_SENTENCE = 1000
TOO_LARGE = (
    f"The value has more than {VALUE_BYTES:,} bytes as JSON, which is the most that is kept. Let a transform take of it"
    " what is needed."
)
# What is longer is read, and written as JSON, aside: on the loop it would hold up everybody's runs.
SHORT_BYTES = 16 * 1024
TOO_BIG = "The answer has a number that is larger than JavaScript can be given."
BLANKS = b" \t\r\n"
# What goes wrong with the sandbox and not with the code may go well the next time.
PASSING = {"unavailable", "crashed"}
# What the policy refuses, and what is too large, it refuses in ten seconds too.
LASTING = {"refused", "too_large"}


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one, step by step: the answer, what was read of it, and what the transform wrote while it ran."""

    outcome: Fetched | Unfetched | Later
    answer: Answer | None = None
    reading: Reading | None = None
    console: tuple[javascript.Line, ...] = ()


async def fetch(
    source: DataSource, values: Mapping[str, Any], means: Means, *, now: datetime
) -> Fetched | Unfetched | Later:
    """Fetch a source's value for these variables. Later: there was no room, and nothing was asked.

    The source has its application at hand: nothing here asks the database. Never raises for what the source does.
    """
    return (await attempt(source, values, means, now=now)).outcome


async def attempt(source: DataSource, values: Mapping[str, Any], means: Means, *, now: datetime) -> Attempt:
    """The same with all that was seen on the way."""
    try:
        call = _prepared(source, values, now)
        answer, sent = await answered(source, call, means, now)
    except HostBusy as busy:
        return Attempt(Later(busy.wait_s))
    except CallFailed as failure:
        return Attempt(unanswered(failure, now))
    except NoValueError as error:
        return Attempt(error.unfetched)
    try:
        reading = await _aside(partial(_read, answer, source, sent, now), len(answer.body), means)
        return await _valued(source, values, answer, reading, means)
    except NoValueError as error:
        return Attempt(_told(error, answer), answer)


def _prepared(source: DataSource, values: Mapping[str, Any], now: datetime) -> Call:
    """Raises NoValueError for what cannot be filled with these values."""
    if lack := lack_of(source, values):
        raise _none("variables", lack, retry=False)
    found = type_of(source.type)
    if found.prepare is None:
        raise _none("type", no_value_of(source), retry=False)
    try:
        return found.prepare(source.configuration, values, now)
    except ValueError as error:
        raise _none("variables", str(error), retry=False) from None


async def answered(
    source: DataSource, call: Call, means: Means, now: datetime, send: Callable[[Call], Awaitable[Answer]] | None = None
) -> tuple[Answer, Call]:
    """The answer to the call with its credentials, and that call. A token that is refused is replaced, once.

    `send` sends it, in the place of the client's own. Raises NoValueError without a token, and CallFailed.
    """
    configuration, send = source.configuration, send or means.client.send
    if configuration["authentication"] not in OAUTH2:
        sent = authorized(call, configuration)
        return await send(sent), sent
    token = await means.tokens.token(source, now)
    sent = authorized(call, configuration, token.text)
    answer = await send(sent)
    if answer.status != HTTPStatus.UNAUTHORIZED or not (newer := await means.tokens.newer(source, token, now)):
        return answer, sent
    sent = authorized(call, configuration, newer.text)
    answer = await send(sent)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        means.tokens.doubt(newer, now)
    return answer, sent


async def _aside(work: Callable[[], T], length: int, means: Means) -> T:
    """What the work on so many bytes returns."""
    return work() if length <= SHORT_BYTES else await means.heavy.do(work)


def _read(answer: Answer, source: DataSource, sent: Call, now: datetime) -> Reading:
    """What a good answer says. Raises NoValueError for any other."""
    if not_good := refusal_in(answer, source, sent, now):
        raise NoValueError(not_good)
    if not source.configuration["transform"].strip() and len(answer.body) > VALUE_BYTES:
        _ensure_may_be_kept(answer)
    found = type_of(source.type)
    assert found.read is not None  # noqa: S101  it has `prepare`
    try:
        return found.read(answer)
    except AnswerError as error:
        raise _none(error.error_class, quoted(str(error), secrets_of(source.configuration, sent))) from None


def refusal_in(answer: Answer, source: DataSource, sent: Call, now: datetime) -> Unfetched | None:
    """What an answer means that is none of 200 to 299; None for one that is."""
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    sentence = sentence_in(answer)
    said = f" It says: “{quoted(sentence, secrets_of(source.configuration, sent))}”" if sentence else ""
    return Unfetched(
        "status",
        _storable(f"The source answered {answer_in_words(answer.status)}.{said}"),
        status=answer.status,
        retry=answer.status != HTTPStatus.GONE,
        retry_after=asked_wait(answer.headers, now=now),
    )


def _ensure_may_be_kept(answer: Answer) -> None:
    """Raises NoValueError for what would be too large a value also without its blanks: nothing of it is read then."""
    if len(text_of(answer).encode(errors="replace").translate(None, BLANKS)) > VALUE_BYTES:
        raise _none("too_large", TOO_LARGE, retry=False)


async def _valued(
    source: DataSource, values: Mapping[str, Any], answer: Answer, reading: Reading, means: Means
) -> Attempt:
    """The value as it is kept. Raises NoValueError where there is none."""
    if not source.configuration["transform"].strip():
        return Attempt(_fetched(reading.body, answer), answer, reading)
    came = await _transformed(source, values, answer, reading)
    if came.error and came.error.word == "busy":
        workspace, time = str(source.application.workspace_id), asyncio.get_running_loop().time()
        return Attempt(Later(means.transforms.next(workspace, time)), answer, reading)
    try:
        outcome = await _aside(partial(_of_transform, came, answer), came.length, means)
    except NoValueError as error:
        return Attempt(_told(error, answer), answer, reading, came.console)
    return Attempt(outcome, answer, reading, came.console)


async def _transformed(
    source: DataSource, values: Mapping[str, Any], answer: Answer, reading: Reading
) -> javascript.Result:
    """What the code makes of an answer. Raises NoValueError for one that JavaScript cannot be given."""
    seen = {"response": javascript.Written(reading.body), "headers": headers_of(answer), "variables": dict(values)}
    try:
        return await transform(source, seen)
    except (ValueError, RecursionError):
        raise _none("transform", TOO_BIG, retry=False) from None


async def transform(source: DataSource, seen: Mapping[str, Any]) -> javascript.Result:
    """Run the source's code over `response`, `headers` and `variables`."""
    return await javascript.arun(
        source.configuration["transform"],
        seen,
        tenant=source.application.workspace_id,
        part=source.application_id,
        timeout_s=TRANSFORM_S,
        output_bytes=VALUE_BYTES,
    )


def _of_transform(came: javascript.Result, answer: Answer) -> Fetched:
    if came.error:
        raise _none("transform", f"The transform failed: {came.error}", retry=came.error.word in PASSING)
    value = came.value if is_storable(came.value) else cleaned(came.value)
    return _fetched(compact(value), answer)


def _fetched(body: str, answer: Answer) -> Fetched:
    """Raises NoValueError for a value that is too large."""
    whole = body.encode()
    if len(whole) > VALUE_BYTES:
        raise _none("too_large", TOO_LARGE, retry=False)
    return Fetched(body, len(whole), hashlib.sha256(whole).hexdigest(), answer.status, answer.duration_ms)


def unanswered(failure: CallFailed, now: datetime) -> Unfetched:
    """What it means that no complete answer came."""
    came = failure.answer
    return Unfetched(
        failure.error_class,
        _storable(failure.message),
        status=came.status if came else None,
        retry=failure.error_class not in LASTING,
        retry_after=asked_wait(came.headers, now=now) if came else None,
        duration_ms=failure.duration_ms,
    )


def _none(error_class: str, error: str, **more: Any) -> NoValueError:
    return NoValueError(Unfetched(error_class, _storable(error), **more))


def _told(error: NoValueError, answer: Answer) -> Unfetched:
    return replace(error.unfetched, status=answer.status, duration_ms=answer.duration_ms)


def _storable(error: str) -> str:
    return str(cleaned(error))[:LONGEST_SENTENCE]


def headers_of(answer: Answer) -> dict[str, str]:
    """By name in lower case; those that came twice joined with a comma."""
    joined: dict[str, str] = {}
    for name, value in answer.headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
