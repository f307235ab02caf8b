r"""Templates: `{{input.user.id}}` in a text becomes the value, escaped for the place where it stands.

Only dotted paths into what is given: no loops, no conditions, no calls, no look at anything's attributes. A number in a
path is a place in a list, from 0. `\{{` is two braces. What a template names and nobody gave is an error that says so.

Where there is a clock, `{{now}}` is its time, and `{{now %Y-%m-%d}}` the same in another format: see moment_formats.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import quote

from badgerjobs.lib.moment_formats import FormatError, check_format, formatted

# The one path after which a format may stand.
NOW = "now"
# What is told to write, where nobody says what fits better.
EXAMPLE = "input.name"
NAME = r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*"
MARK = re.compile(r"\\\{\{|\{\{(?P<inner>[^{}]*)\}\}|(?P<open>\{\{)")
PATH = re.compile(NAME)
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# So many names are offered in the place of one that nobody gave.
OFFERED = 10
# What a template may become, unless whoever fills it says otherwise.
MOST_CHARACTERS = 1_000_000
MISSING = object()


class TemplateError(ValueError):
    """A template that cannot be read or filled. The message names what is wrong with it."""


class Place(Enum):
    """Where a value is put, which decides how it is escaped."""

    TEXT = "text"
    URL = "URL"
    FORM = "form"
    HEADER = "header"
    JSON = "JSON"


def check(text: str, *, with_clock: bool = False, like: str = EXAMPLE) -> None:
    """Raise TemplateError unless the text is a template. `with_clock`: the time is among what it may name.

    `like` is what one may write there, for who wrote something else.
    """
    for path in names(text, like):
        name, form = _parted(path)
        if not form:
            continue
        if not with_clock:
            raise TemplateError(f"“{{{{{path[:56]}}}}}” is no placeholder: {_advice(like)}")
        try:
            check_format(form)
        except FormatError as error:
            raise TemplateError(f"{name}: {error}") from None


def names(text: str, like: str = EXAMPLE) -> Iterator[str]:
    """The paths that a template names, in order. Raises TemplateError, which tells to write one `like` this."""
    return (path for _, path in split(text, like) if path)


def split(text: str, like: str = EXAMPLE) -> Iterator[tuple[str, str]]:
    """Each plain text before a placeholder, and the placeholder's path; the last has none. Raises TemplateError."""
    plain, position = "", 0
    for mark in MARK.finditer(text):
        plain += text[position : mark.start()]
        position = mark.end()
        if mark["open"]:
            raise TemplateError(f"“{text[mark.start() :][:30]}” is no placeholder: write {{{{{like}}}}}.")
        if mark["inner"] is None:
            plain += "{{"
            continue
        path = mark["inner"].strip()
        if not PATH.fullmatch(path) and path.split(maxsplit=1)[:1] != [NOW]:
            raise TemplateError(f"“{mark[0][:60]}” is no placeholder: {_advice(like)}")
        yield plain, path
        plain = ""
    yield plain + text[position:], ""


class Filling:
    """Fills templates with these values: at most `most` characters of them in all, counted while they are put in.

    `what` they make is named where it is too long, and what was `given`. A small template names a large input many
    times, so what is too long must never be made.
    """

    def __init__(self, values: Mapping[str, Any], *, most: int, what: str = "this", given: str = "input") -> None:
        self.values, self.what, self.given = values, what, given
        self.most = self.left = most
        self._escaped: dict[tuple[str, Place, bool], str] = {}
        self._sizes: dict[str, int] = {}

    def render(self, text: str, place: Place = Place.TEXT) -> str:
        """Fill a template. In a text and in a header a null is empty; an object or a list is JSON.

        URL and FORM: percent-encoded, `/` too. HEADER: printable ASCII in one line. JSON: inside a string of the
        template a value is escaped, elsewhere it is a JSON value of its own. Raises TemplateError, naming the path.
        """
        done: list[str] = []
        is_in_string = False
        for plain, path in split(text):
            self._count(len(plain))
            done.append(plain)
            if place is Place.JSON:
                is_in_string = _ends_in_string(plain, is_in_string)
            if path:
                value = self._escape(path, place, is_in_string=is_in_string)
                self._count(len(value))
                done.append(value)
        return "".join(done)

    def fill(self, value: Any) -> Any:
        """Fill the templates in a JSON value, however deep. A text that is one placeholder becomes the value itself."""
        if isinstance(value, dict):
            return {self.render(key): self.fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner) for inner in value]
        if not isinstance(value, str):
            return value
        pieces = list(split(value))
        if len(pieces) == 2 and not pieces[0][0] and not pieces[1][0]:
            return self.find(pieces[0][1])
        return self.render(value)

    def find(self, path: str) -> Any:
        """What stands at a path, as it is. A text counts with its length, all else with that of its JSON."""
        found = find(path, self.values)
        if path not in self._sizes:
            self._sizes[path] = len(found if isinstance(found, str) else _compact(found))
        self._count(self._sizes[path])
        return found

    def _escape(self, path: str, place: Place, *, is_in_string: bool) -> str:
        key = path, place, is_in_string
        if key not in self._escaped:
            value = find(path, self.values)
            self._escaped[key] = (
                _JSON(path, value, is_in_string) if place is Place.JSON else _ESCAPES[place](path, value)
            )
        return self._escaped[key]

    def _count(self, characters: int) -> None:
        self.left -= characters
        if self.left < 0:
            raise TemplateError(f"With the {self.given} in it {self.what} is longer than {self.most:,} characters.")


def render(text: str, values: Mapping[str, Any], place: Place = Place.TEXT, *, most: int = MOST_CHARACTERS) -> str:
    """One template, as Filling fills it."""
    return Filling(values, most=most).render(text, place)


def fill(value: Any, values: Mapping[str, Any], *, most: int = MOST_CHARACTERS) -> Any:
    """One JSON value, as Filling fills it."""
    return Filling(values, most=most).fill(value)


def check_all(value: Any) -> None:
    """Raise TemplateError unless every text in a JSON value is a template."""
    for text in _texts(value):
        check(text)


def find(path: str, values: Mapping[str, Any]) -> Any:
    """What stands at a path; a moment in its format. Raises TemplateError that names it, and what there is instead."""
    found: Any = values
    gone: list[str] = []
    name, form = _parted(path)
    for step in name.split("."):
        inner = _step(found, step)
        if inner is MISSING:
            where = ".".join(gone) or "the template"
            raise TemplateError(f"There is no {name}: {where} {_offer(found)}.")
        found, gone = inner, [*gone, step]
    if isinstance(found, datetime):
        return formatted(found, form or "iso")
    if form:
        raise TemplateError(f"{name} is no time: “{form}” says how one is written.")
    return found


def _advice(like: str) -> str:
    return f"write a {'path' if '.' in like else 'name'}, like {{{{{like}}}}}."


def _parted(path: str) -> tuple[str, str]:
    """A path and the format behind it, which is empty where there is none."""
    name, *form = path.split(maxsplit=1)
    return name, "".join(form)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _step(found: Any, step: str) -> Any:
    if isinstance(found, Mapping):
        return found.get(step, MISSING)
    if isinstance(found, Sequence) and not isinstance(found, str) and step.isascii() and step.isdigit():
        return found[int(step)] if len(step) < 10 and int(step) < len(found) else MISSING
    return MISSING


def _offer(found: Any) -> str:
    if isinstance(found, Mapping):
        keys = [str(key)[:50] for key in found]
        return f"has {', '.join(keys[:OFFERED])}{' and more' if len(keys) > OFFERED else ''}" if keys else "is empty"
    if isinstance(found, Sequence) and not isinstance(found, str):
        return f"is a list of {len(found)}"
    return "is null" if found is None else "is a text" if isinstance(found, str) else "is no object"


def _ends_in_string(plain: str, is_in_string: bool) -> bool:
    """Whether JSON text that began inside or outside of a string ends inside of one."""
    return is_in_string ^ (len(re.findall(r'(?<!\\)(?:\\\\)*"', plain)) % 2 == 1)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text(_path: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else _dumped(value)


def _url(path: str, value: Any) -> str:
    text = _text(path, value)
    if text in {".", ".."}:
        raise TemplateError(f"{path} is “{text}”, which would lead to another path of the URL.")
    return _form(path, text)


def _form(path: str, value: Any) -> str:
    return quote(_text(path, value), safe="", errors="replace")


def _header(path: str, value: Any) -> str:
    text = _text(path, value)
    if CONTROL.search(text) or not text.isascii():
        raise TemplateError(f"{path} cannot stand in a header: printable ASCII characters only, in one line.")
    return text


def _JSON(path: str, value: Any, is_in_string: bool) -> str:  # noqa: N802
    return _dumped(_text(path, value))[1:-1] if is_in_string else _dumped(value)


_ESCAPES: dict[Place, Callable[[str, Any], str]] = {
    Place.TEXT: _text,
    Place.URL: _url,
    Place.FORM: _form,
    Place.HEADER: _header,
}
