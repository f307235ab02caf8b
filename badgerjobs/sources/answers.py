"""What a source answered, as JSON to keep: what it says that it is, and what its sentence for people is."""

import codecs
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

from badgerjobs.lib import said
from badgerjobs.lib.finite_numbers import finite
from badgerjobs.lib.json_depth import is_deeper
from badgerjobs.lib.storable import cleaned, is_storable
from badgerjobs.outbound.calls import Answer
from badgerjobs.web.parsers import MOST_LEVELS

TOO_DEEP = f"The answer is JSON nested more than {MOST_LEVELS} levels deep."
NO_JSON = "The answer says that it is JSON, and is not: {}."
# In an answer that has one of these escapes there may be what PostgreSQL cannot keep.
ODD = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
# What stands between the blanks of JSON, in pieces as long as there are any.
PIECES = re.compile(r'(?>"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^ \t\r\n"]++)++')
# What SOAP says of a fault, in 1.1 and in 1.2.
FAULT = re.compile(r"<(?:[\w.-]+:)?(?:faultstring|Text)(?:\s[^<>]*)?>([^<]{1,1000})</")
CHARSETS = re.compile(r"utf|ascii|iso8859|cp125|shift_jis|euc|gb|big5|koi8")
# No Content-Type is longer. To read one takes time by the square of its length.
LONGEST_TYPE = 200
# An answer longer than this is not searched for one; so many of several errors are told.
SEARCHED_BYTES, TOLD = 64 * 1024, 3


class AnswerError(ValueError):
    """A complete answer that is no success all the same: a word for machines, and a sentence."""

    def __init__(self, error_class: str, message: str) -> None:
        super().__init__(message)
        self.error_class = error_class


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer's `value`, and the same as compact JSON: its numbers, and the order of its names, as they came."""

    value: Any
    body: str


def read(answer: Answer) -> Reading:
    """JSON is read; anything else is a text. Raises AnswerError for what says that it is JSON, and is not."""
    text = text_of(answer)
    try:
        value = json.loads(text, parse_float=finite, parse_constant=finite)
    except RecursionError:
        raise AnswerError("json", TOO_DEEP) from None
    except ValueError as error:
        if is_called_json(answer):
            raise AnswerError("json", NO_JSON.format(_place(error))) from None
        plain = cleaned(text)
        return Reading(plain, compact(plain))
    if is_deeper(value, MOST_LEVELS):
        raise AnswerError("json", TOO_DEEP)
    if ODD.search(text) and not is_storable(value):
        clean = cleaned(value)
        return Reading(clean, compact(clean))
    return Reading(value, "".join(PIECES.findall(text)))


def compact(value: Any) -> str:
    """JSON as it is kept. Raises AnswerError for a number that JSON does not have."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise AnswerError("json", "A number in the answer is larger than can be kept.") from None


def text_of(answer: Answer) -> str:
    """The body as text, in the character set that it says; U+FFFD for what is none of it."""
    try:
        return answer.body.decode(charset_of(answer) or "utf-8-sig", errors="replace")
    except (LookupError, ValueError):
        return answer.body.decode("utf-8-sig", errors="replace")


def charset_of(answer: Answer) -> str:
    """The character set that it says, as Python calls it; empty for UTF-8, and for one that is not known."""
    charset = _content_type(answer).get_param("charset")
    try:
        name = codecs.lookup(str(charset)).name if charset else ""
    except (LookupError, ValueError):
        return ""
    return name if CHARSETS.match(name) and name != "utf-8" else ""


def is_called_json(answer: Answer) -> bool:
    """Whether its Content-Type says so."""
    kind = _content_type(answer).get_content_type()
    return kind == "application/json" or kind.endswith("+json")


def sentence_in(answer: Answer) -> str:
    """What an answer says to people; empty where it is not known to say anything."""
    if len(answer.body) > SEARCHED_BYTES:
        return ""
    text = text_of(answer)
    try:
        return sentence_of(json.loads(text))
    except (ValueError, RecursionError):
        found = FAULT.search(text)
        return html.unescape(found[1]).strip() if found else ""


def sentence_of(value: Any) -> str:
    """The messages of GraphQL's errors, or the sentence that a JSON object has for people; empty without either."""
    if not isinstance(value, Mapping):
        return ""
    errors = value.get("errors")
    rows = errors[:TOLD] if isinstance(errors, list) else []
    messages = [row.get("message") if isinstance(row, Mapping) else row for row in rows]
    told = [one.strip() for one in messages if isinstance(one, str) and one.strip()]
    if told:
        return " ".join(one if one.endswith((".", "!", "?")) else f"{one}." for one in told)
    return said.sentence_in(value)


def _content_type(answer: Answer) -> Message:
    """As mails have it: its readers take whatever servers write."""
    message = Message()
    said = next((value for name, value in answer.headers if name.lower() == "content-type"), "text/plain")
    message["Content-Type"] = said[:LONGEST_TYPE]
    return message


def _place(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}"
    return "a number in it is none, or is larger than can be kept"
