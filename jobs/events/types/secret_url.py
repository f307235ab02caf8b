"""What came of a call whose URL is a secret, as it may be shown: servers like to repeat what they were asked for."""

import base64
import html
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from badgerjobs.lib.said import masked
from badgerjobs.outbound.targets import target_of
from badgerjobs.runs.outcomes import Done, Failed

# A shorter path, or query, is in many texts. It gives nothing away.
LEAST = 6
# A part of them that has so many characters is no word that an answer has for reasons of its own.
LEAST_ALONE = 12


def hidden(outcome: Done | Failed, url: str) -> Done | Failed:
    """The same without the URL, its path and its query, whole or in part; and without the address of a redirect."""
    secrets = secrets_of(url)
    result = _hidden(outcome.result, secrets) if outcome.result else outcome.result
    if isinstance(outcome, Done):
        return replace(outcome, result=result)
    return replace(outcome, error=masked(outcome.error, secrets), result=result)


def secrets_of(url: str) -> set[str]:
    """All that would give the URL away, in each way to write it."""
    return {form for part in _parts(url) for form in _forms(part)}


def _parts(url: str) -> Iterator[str]:
    for whole in (url, target_of(url).text):
        _, _, path, query, _ = urlsplit(whole)
        pieces = [*path.split("/"), *(piece for pair in query.split("&") for piece in (pair, pair.partition("=")[2]))]
        named = (whole.partition("#")[0], f"{path}?{query}", path, path.rstrip("/"), query)
        yield from (one for one in named if len(one) >= LEAST)
        yield from (one for one in pieces if len(one) >= LEAST_ALONE)


def _forms(part: str) -> Iterator[str]:
    """As it is, and in another URL, in JSON and in HTML."""
    for one in (part, unquote(part)):
        yield from (one, quote(one), quote(one, safe=""), one.replace("/", "\\/"), html.escape(one))


def _hidden(result: Mapping[str, Any], secrets: set[str]) -> dict[str, Any]:
    headers = {name: masked(value, secrets) for name, value in result["headers"].items() if name != "location"}
    if result["body_is_base64"]:
        text = masked(base64.b64decode(result["body"]).decode("latin-1"), secrets)
        body = base64.b64encode(text.encode("latin-1")).decode()
    else:
        body = masked(result["body"], secrets)
    return {**result, "headers": headers, "body": body}
