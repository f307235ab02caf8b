"""Configurations on their way in and out: checked by their type, secrets masked out and kept in."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from badgerjobs.lib import vault
from badgerjobs.lib.storable import is_storable
from badgerjobs.web.problems import Invalid
from badgerjobs.web.serializers import StrictSerializer

SECRETS_STAY = "A stored secret was not meant for the server that this names. Send the secrets anew, or without them."

# JSON can hold them; what is stored with one could never be shown again.
UNSTORABLE = "This holds null characters or halves of letters: leave them out."

# It is decrypted and read for each batch of runs, and stands whole in lists: what is longer belongs into the input.
CONFIGURATION_BYTES = 256 * 1024
TOO_LONG = "As JSON, the configuration has {:,} bytes: at most {:,} are kept. What is long belongs into a job's input."


@dataclass(frozen=True, slots=True)
class Secrets:
    """Which parts of a configuration are never shown: whole fields, and in fields of headers those that speak of it.

    `party`: to whom they are sent, given the configuration. Stored ones are never sent to anybody else.
    """

    fields: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    party: Callable[[Mapping[str, Any]], Any] = lambda _: None


NO_SECRETS = Secrets()


def masked(configuration: Mapping[str, Any], secrets: Secrets) -> dict[str, Any]:
    """As it may be shown: stars in the place of what is secret."""
    shown = dict(configuration)
    for name in secrets.fields:
        if shown.get(name):
            shown[name] = vault.MASK
    for name in secrets.headers:
        if isinstance(shown.get(name), Mapping):
            shown[name] = vault.mask(shown[name])
    return shown


def checked(
    serializer: type[StrictSerializer],
    given: Mapping[str, Any],
    secrets: Secrets,
    stored: Mapping[str, Any] | None = None,
    *,
    called: str = "configuration",
) -> dict[str, Any]:
    """The configuration to store, or to try out: complete, stored values in the place of stars.

    Raises ValidationError for what is wrong with it, by what it is `called`, a dot and the field; and Invalid, by the
    field of the secret, when it would send stored ones to somebody they were not meant for: who may change an event
    need not know them.
    """
    stored = stored or {}
    whole, kept = _unmasked(given, secrets, stored, called)
    _ensure_short(whole, called)
    found = serializer(data=whole)
    if not found.is_valid():
        raise serializers.ValidationError({called: found.errors})
    configuration: dict[str, Any] = found.validated_data
    if wrong := {name: [UNSTORABLE] for name, value in configuration.items() if not is_storable(value)}:
        raise serializers.ValidationError({called: wrong})
    kept = [name for name in kept if configuration.get(name)]  # a type may drop what it does not use
    if kept and secrets.party(configuration) != secrets.party(stored):
        raise Invalid(**{f"{called}.{name}": SECRETS_STAY for name in kept})
    return configuration


def _ensure_short(configuration: Mapping[str, Any], called: str) -> None:
    """Looked at before anything else is. Raises ValidationError."""
    text = json.dumps(configuration, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode(errors="surrogatepass"))
    if size > CONFIGURATION_BYTES:
        raise serializers.ValidationError({called: [TOO_LONG.format(size, CONFIGURATION_BYTES)]})


def _unmasked(
    given: Mapping[str, Any], secrets: Secrets, stored: Mapping[str, Any], called: str
) -> tuple[dict[str, Any], Sequence[str]]:
    """With what the stars stand for, and in which fields there were any."""
    whole, kept = dict(given), []
    for name in secrets.fields:
        if whole.get(name) == vault.MASK:
            if not stored.get(name):
                raise Invalid(**{f"{called}.{name}": vault.NOTHING_STORED})
            whole[name] = stored[name]
            kept.append(name)
    for name in secrets.headers:
        headers = whole.get(name)
        if isinstance(headers, Mapping) and vault.MASK in headers.values():
            kept.append(name)
            whole[name] = _headers(f"{called}.{name}", headers, stored.get(name) or {})
    return whole, kept


def _headers(field: str, given: Mapping[str, Any], stored: Mapping[str, str]) -> dict[str, Any]:
    try:
        return vault.unmask(given, stored)
    except vault.NothingStoredError as error:
        raise Invalid(**{field: str(error)}) from None
