"""What acts were given by their transform, for whoever reads of them: short, and what is long is cut and says so."""

import json
from collections.abc import Mapping
from typing import Any

from django.db.models import TextField
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast, Left, Length

from badgerjobs.workspaces.querysets import OwnedQuerySet
from webhooks.models import Act

# In characters of JSON: so much of each stands on a page, and so much of a value in REST.
SHOWN, TOLD = 300, 10_000


def with_given(acts: OwnedQuerySet[Act]) -> OwnedQuerySet[Act]:
    """Each with what `given_to` reads: the beginnings, so that a page never loads megabytes."""
    texts = {name: Cast(KeyTransform(name, "given"), TextField()) for name in ("variables", "value")}
    beginnings = {f"{name}_text": Left(text, SHOWN) for name, text in texts.items()}
    lengths = {f"{name}_length": Length(text) for name, text in texts.items()}
    return acts.defer("given").annotate(**beginnings, **lengths)


def given_to(act: Act) -> list[tuple[str, str]]:
    """`variables` and `value` of an act from `with_given`, each with its JSON, as far as it was given any."""
    variables, value = _text(act, "variables"), _text(act, "value")
    return [
        *([("variables", variables)] if variables not in {"", "{}"} else []),
        *([("value", value)] if value else []),
    ]


def _text(act: Act, name: str) -> str:
    text, length = getattr(act, f"{name}_text") or "", getattr(act, f"{name}_length") or 0
    return f"{text}… (in all {length:,} characters)" if length > SHOWN else text


def value_told(given: Mapping[str, Any]) -> tuple[Any, bool]:
    """The value, None where there is none; of a long one the beginning of its JSON, and that it is cut."""
    value = given.get("value")
    text = json.dumps(value, ensure_ascii=False)
    return (text[:TOLD], True) if len(text) > TOLD else (value, False)
