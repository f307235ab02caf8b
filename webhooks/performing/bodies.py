"""Reading the bodies of strangers: JSON, forms and text, as they came or compressed; and a sentence for all else."""

import codecs
import encodings
import json
import zlib
from collections.abc import Mapping
from encodings.aliases import aliases
from typing import Any
from urllib.parse import parse_qsl

from django.utils.http import parse_header_parameters

from badgerjobs.lib.finite_numbers import NotFiniteError, finite, finite_whole
from badgerjobs.lib.javascript import Written
from badgerjobs.lib.json_depth import is_deeper
from badgerjobs.lib.storable import cleaned
from badgerjobs.sources.answers import compact
from badgerjobs.web.parsers import MOST_LEVELS, TOO_DEEP
from webhooks.models.hook import MOST_BODY_BYTES

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1000
# So many encodings in one another are undone.
MOST_ENCODINGS = 3
# What is compressed may have so many parts, each compressed by itself.
MOST_MEMBERS = 100
_GZIP_OR_ZLIB, _BARE = 47, -zlib.MAX_WBITS
# Of what Python has a name for, what is no text, or none that anybody means.
_NO_CHARSETS = {
    "base64_codec",
    "bz2_codec",
    "hex_codec",
    "quopri_codec",
    "uu_codec",
    "zlib_codec",
    "rot_13",
    "mbcs",
    "utf_7",
}
# What text may be written in, as Python calls it. Not all that it knows: some take long for little.
CHARSETS = {*aliases.values(), "cp737", "cp874", "koi8_t", "koi8_u"} - _NO_CHARSETS
# Those that are read as another one, which has all of theirs: as browsers have it.
_READ_AS = {"utf_8": "utf-8-sig", "ascii": "utf-8-sig", "latin_1": "cp1252"}


class BadBodyError(ValueError):
    """What is wrong with a body, in a sentence that quotes none of it."""


def body_of(headers: Mapping[str, str], raw: bytes) -> Written | str:
    """What a transform sees as `body`: JSON, checked and left as it is; a form as an object; else a text.

    JSON is taken as such whatever its Content-Type says; of what is said to be a form, an object or a list: that is
    what many send who say nothing of it. What is empty is null. Raises BadBodyError.
    """
    value, text, is_json = _read(headers, raw)
    if isinstance(value, str) and not is_json:
        return value
    return Written(text if is_json else json.dumps(value))


def value_of(headers: Mapping[str, str], raw: bytes) -> Any:
    """The same as a value that can be kept: what our database cannot hold is replaced. Raises BadBodyError."""
    return cleaned(_read(headers, raw)[0])


def text_of(headers: Mapping[str, str], raw: bytes) -> str:
    """The same as compact JSON."""
    return compact(value_of(headers, raw))


def _read(headers: Mapping[str, str], raw: bytes) -> tuple[Any, str, bool]:
    """The value; and where it is JSON its text, and that it is."""
    given = {name.lower(): value for name, value in headers.items()}
    content_type, charset = _type_of(given.get("content-type", ""))
    body = without_encoding(headers, raw)
    if not body.strip():
        return None, "null", True
    if content_type == FORM and not _begins_as_json(body):
        return _form(_text(body, charset)), "", False
    try:
        return *_json(body), True
    except _NoJsonError as error:
        if "json" in content_type:
            raise BadBodyError(str(error)) from None
        if content_type == FORM:
            return _form(_text(body, charset)), "", False
        return _text(body, charset), "", False


def _type_of(header: str) -> tuple[str, str]:
    """The type and the charset, in lower case; empty where they are not said, or nobody understands it."""
    try:
        content_type, parameters = parse_header_parameters(header[:1000])
    except ValueError:
        return "", ""
    return content_type.strip().lower(), parameters.get("charset", "").strip().lower()


def _begins_as_json(body: bytes) -> bool:
    """Whether it may be an object or a list, which what is a form never is."""
    return body.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in {b"{", b"["}


class _NoJsonError(BadBodyError):
    """It may be something else."""


def _json(body: bytes) -> tuple[Any, str]:
    """The value and its text. Raises _NoJsonError; and BadBodyError for JSON that nobody could keep."""
    try:
        text = body.decode(json.detect_encoding(body))
        value = json.loads(text, parse_float=finite, parse_constant=finite, parse_int=finite_whole)
    except RecursionError:
        raise BadBodyError(TOO_DEEP) from None
    except NotFiniteError as error:
        said = f"{error} is too large, or no number"
        raise _NoJsonError(f"The body is no JSON that could be kept: {said}.") from None
    except json.JSONDecodeError as error:
        said = f"{error.msg}, at line {error.lineno}, column {error.colno}"
        raise _NoJsonError(f"The body is no JSON: {said}.") from None
    except UnicodeDecodeError:
        raise _NoJsonError("The body is no JSON: it is not in UTF-8.") from None
    except ValueError:  # the one that Python's whole numbers know
        raise BadBodyError("A number in the body has too many digits.") from None
    if is_deeper(value, MOST_LEVELS):
        raise BadBodyError(TOO_DEEP)
    return value, text


def _form(text: str) -> dict[str, Any]:
    """Name → value; several of one name are a list."""
    try:
        pairs = parse_qsl(text.strip(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise BadBodyError(f"The body is a form with more than {MOST_FIELDS:,} fields.") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _text(body: bytes, charset: str) -> str:
    encoding = _encoding_of(charset)
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        named = "UTF-8" if encoding == "utf-8-sig" else charset[:50]
        raise BadBodyError(f"The body is no text that could be read: it is not in {named}.") from None


def _encoding_of(charset: str) -> str:
    """What Python calls a charset, by any of its names; UTF-8 where none is said. Raises BadBodyError.

    Python itself is not asked for names of strangers: it would keep each that it does not know.
    """
    name = encodings.normalize_encoding(charset or "utf-8")
    found = aliases.get(name, name)
    if found not in CHARSETS:
        raise BadBodyError(f"The body is no text that could be read: its charset {charset[:50]} is not known.")
    return _READ_AS.get(found, found)


def is_encoded(headers: Mapping[str, str]) -> bool:
    """Whether a body may be longer than it came."""
    return any(name.lower() == "content-encoding" for name in headers)


def without_encoding(headers: Mapping[str, str], raw: bytes) -> bytes:
    """The body without its Content-Encoding, as far as it is not too long. Raises BadBodyError."""
    given = next((value for name, value in headers.items() if name.lower() == "content-encoding"), "")
    named = [name.strip().lower() for name in given.split(",")]
    packed = [name for name in named if name not in {"", "identity"}]
    if not raw or not packed:
        return raw
    if len(packed) > MOST_ENCODINGS:
        raise BadBodyError(f"The body is encoded {len(packed)} times.")
    for name in reversed(packed):
        if name not in {"gzip", "x-gzip", "deflate"}:
            raise BadBodyError(f"The body is encoded with {name[:50]}: gzip and deflate can be read.")
        raw = _inflated(raw, name)
    return raw


def _inflated(raw: bytes, name: str) -> bytes:
    for window in (_GZIP_OR_ZLIB, _BARE):  # what is called deflate comes in two forms
        try:
            return _whole(raw, window, name)
        except zlib.error:
            continue
    raise BadBodyError(f"The body is said to be encoded with {name}, and is not.")


def _whole(raw: bytes, window: int, name: str) -> bytes:
    """All members of it, one after the other. Raises zlib.error."""
    whole = b""
    for _ in range(MOST_MEMBERS):
        member = zlib.decompressobj(window)
        whole += member.decompress(raw, MOST_BODY_BYTES + 1 - len(whole))
        if len(whole) > MOST_BODY_BYTES:
            raise BadBodyError(f"Without its encoding the body has more than {MOST_BODY_BYTES:,} bytes.")
        if not member.eof:
            raise BadBodyError(f"The body is encoded with {name}, and its end is missing.")
        raw = member.unused_data
        if not raw:
            return whole
    raise BadBodyError(f"The body is encoded with {name} in more than {MOST_MEMBERS} parts.")
