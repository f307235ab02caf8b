"""The values that a key gives for the variables of its source."""

import json
from collections.abc import Mapping
from typing import Any

from badgerjobs.lib.storable import is_storable
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.variables import missing, unknown

# All values of a key together, as JSON.
MOST_BYTES = 16 * 1024
# So many names are told.
NAMED = 10

TOO_LONG = "These are {:,} bytes of JSON: the values of a key may have {:,} together."
UNSTORABLE = "A value holds neither null characters nor halves of letters."
NO_NUMBER = "A value is a text, a number, true or false, or other JSON: infinity is none."


def refusal_of(values: Mapping[str, Any]) -> str:
    """Why such values are not kept, whatever their source; empty where they are."""
    try:
        text = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return NO_NUMBER
    size = len(text.encode(errors="surrogatepass"))
    if size > MOST_BYTES:
        return TOO_LONG.format(size, MOST_BYTES)
    return "" if is_storable(values) else UNSTORABLE


def misfit_of(source: DataSource, values: Mapping[str, Any]) -> str:
    """Why these are not the values that the source asks for; empty where they are."""
    lacking, strange = missing(source, values), unknown(source, values)
    said = [f"The source “{source.tag}” asks for {_named(lacking)} too."] if lacking else []
    if strange:
        said.append(f"The source “{source.tag}” has no {_named(strange)}: {_there_is(source)}.")
    return " ".join(said)


def is_same(before: Any, after: Any) -> bool:
    """Whether two JSON values are the same as they are written: true is not 1."""
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)


def _there_is(source: DataSource) -> str:
    return f"there is {_named(source.variables)}" if source.variables else "it has no variables"


def _named(names: list[str]) -> str:
    return ", ".join([*(name[:100] for name in names[:NAMED]), *(["others"] if len(names) > NAMED else [])])
