"""From one page to the next: where each begins, when there are no more, and when they go round in circles."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from badgerjobs.lib.json_paths import Step, first_at
from badgerjobs.outbound.targets import Target, UnsendableError, target_of
from badgerjobs.sources.rows.pulling import PullError

NONE, PAGE, OFFSET, CURSOR, NEXT, LINK = "none", "page", "offset", "cursor", "next", "link"

SAME_ROWS = (
    "Page {:,} has the same rows as one before it: the source gives the same page again and again (page loop). Check"
    " what asks for the next page."
)
SAME_PLACE = "Page {:,} leads to a page that was read before: they would never end (page loop)."
TOO_MANY = "After {:,} pages there are still more, and no more are read. Raise most_pages if that is right."
ELSEWHERE = "The next page is said to be on {}, which the source was not made for: its credentials stay where they are."
NO_LINK = "What should lead to the next page is no URL that can be called. {}"
NO_CURSOR = "What should be the cursor of the next page is neither a text nor a number."

_RELATION = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s\";,]*))?)*)")
_IS_NEXT = re.compile(r";\s*rel\s*=\s*(?:\"(?:[^\"]*\s)?next(?:\s[^\"]*)?\"|next(?=[\s;]|$))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Read:
    """A page that was read: how many rows it had, the rest of it, what it says before its body, and where it was."""

    rows: int
    rest: Any
    headers: Sequence[tuple[str, str]]
    url: str


@dataclass(slots=True)
class Pages:
    """Where a pull stands. `at` is what asks for the next page: a number, a cursor or a URL; None for the first.

    `way` is the path to the cursor, to the link, or to what says whether there are more; `more`, another such path.
    """

    kind: str
    way: Sequence[Step] = ()
    more: Sequence[Step] = ()
    start: int = 1
    most: int = 1000
    at: Any = None
    read: int = 0
    _rows: int = 0
    _seen: set[bytes] = field(default_factory=set)
    _digest: Any = field(default_factory=hashlib.blake2b)

    def __post_init__(self) -> None:
        self.at = {PAGE: self.start, OFFSET: 0}.get(self.kind)

    def see(self, row: str) -> None:
        """The text of a row, by which pages are known again."""
        self._digest.update(row.encode(errors="surrogatepass"))

    def turn(self, page: Read) -> bool:
        """After a page: whether there is another one. Raises PullError."""
        if self.kind == NONE:
            return False
        self.read += 1
        self._rows += page.rows
        if page.rows:
            self._note(self._digest.digest(), SAME_ROWS)
        self._digest = hashlib.blake2b()
        self.at = _NEXT[self.kind](self, page)
        if self.at is None or (self.more and not first_at(page.rest, self.more)):
            return False
        if self.kind in {CURSOR, NEXT, LINK}:
            self._note(f"at {self.at!r}".encode(errors="surrogatepass"), SAME_PLACE)
        if self.read >= self.most:
            raise PullError("pages", TOO_MANY.format(self.most), retry=False)
        return True

    def ends_with(self, status: int | None) -> bool:
        """Whether an answer like this is no failure, but says that there are no more pages."""
        return status == 404 and self.read > 0 and self.kind in {PAGE, OFFSET}

    def _note(self, what: bytes, said: str) -> None:
        mark = hashlib.blake2b(what, digest_size=16).digest()
        if mark in self._seen:
            raise PullError("loop", said.format(self.read), retry=False)
        self._seen.add(mark)

    def _number(self, page: Read) -> int | None:
        if not page.rows or (self.way and not first_at(page.rest, self.way)):
            return None
        return self._rows if self.kind == OFFSET else int(self.at) + 1

    def _cursor(self, page: Read) -> str | int | float | None:
        cursor = first_at(page.rest, self.way)
        if cursor is None or cursor is False or cursor == "":
            return None
        if isinstance(cursor, bool) or not isinstance(cursor, str | int | float):
            raise PullError("pages", NO_CURSOR, retry=False)
        return cursor

    def _link_in_answer(self, page: Read) -> str | None:
        link = first_at(page.rest, self.way)
        if not link:
            return None
        if not isinstance(link, str):
            raise PullError("pages", NO_LINK.format("It is no text."), retry=False)
        return link_to(link, page.url)

    def _link_in_headers(self, page: Read) -> str | None:
        said = ", ".join(value for name, value in page.headers if name.lower() == "link")
        found = next((link for link, after in _RELATION.findall(said) if _IS_NEXT.search(after)), None)
        return None if found is None else link_to(found, page.url)


_NEXT: Mapping[str, Callable[[Pages, Read], Any]] = {
    PAGE: Pages._number,
    OFFSET: Pages._number,
    CURSOR: Pages._cursor,
    NEXT: Pages._link_in_answer,
    LINK: Pages._link_in_headers,
}


def link_to(link: str, here: str) -> str:
    """Where a link on a page leads. Raises PullError for one that leads to somebody else.

    A server behind a proxy may not know that it is called by https: its links are taken as if it did.
    """
    try:
        near, far = target_of(here), target_of(urljoin(here, link.strip().replace(" ", "%20")))
    except UnsendableError as error:
        raise PullError("pages", NO_LINK.format(error), retry=False) from None
    except ValueError:
        raise PullError("pages", NO_LINK.format("It is none."), retry=False) from None
    if far.origin == near.origin:
        return far.text
    if _unaware(near, far):
        return far.text.replace("http://", "https://", 1)
    raise PullError("pages", ELSEWHERE.format(f"{far.scheme}://{far.host}:{far.port}"), retry=False)


def _unaware(near: Target, far: Target) -> bool:
    return (near.scheme, far.scheme, near.port, far.port) == ("https", "http", 443, 80) and near.host == far.host
