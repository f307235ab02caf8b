"""Rows out of one JSON document that comes in pieces: neither the document nor its rows are ever there as a whole."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

from badgerjobs.lib.json_paths import EACH, NAME, PLACE, Step, found_at
from badgerjobs.lib.json_texts import LONGEST, JSONFaultError, scan

_BLANKS = " \t\r\n"
# It asks for more text by yielding.
Reading = Generator[None, None, None]

CUT_OFF = "it ends in the middle"
TOO_LONG = f"a value in it is longer than {LONGEST // 1024 // 1024} MB"


class JSONRows:
    """The rows at a path. `feed` it pieces, and then `end` it.

    A list at the path gives a row for each of its values, null gives none, and anything else is one row. `rest` is the
    document without these rows. `seen`, if there is any, is told the text of what is at the path, value by value.
    """

    def __init__(self, steps: Sequence[Step], seen: Callable[[str], None] | None = None) -> None:
        each = next((place for place, step in enumerate(steps) if step[0] == EACH), len(steps))
        self._way, self._below = tuple(steps[:each]), tuple(steps[each + 1 :])
        # Whether the path says itself that there is a list.
        self._is_list = each < len(steps)
        self._seen = seen
        self._text, self._at, self._is_all = "", 0, False
        self._before = 0  # what was read and let go of, in characters
        self._rest_length = 0
        self._rows: list[Any] = []
        self._given = 0
        self.rest: Any = None
        self.is_found = False
        self._reading = self._document()
        next(self._reading)

    def feed(self, text: str) -> tuple[list[Any], int]:
        """Take a piece. Returns the rows that it completed, and of how many characters. Raises JSONFaultError."""
        if not self._at:
            self._text += text
        else:
            self._before += self._at
            self._text, self._at = self._text[self._at :] + text, 0
        self._go_on()
        rows, self._rows = self._rows, []
        self._given += len(rows)
        return rows, self._at

    def end(self) -> tuple[list[Any], int]:
        """The same when nothing more comes. Raises JSONFaultError for what ends in the middle, too."""
        self._is_all = True
        return self.feed("")

    @property
    def count(self) -> int:
        """How many rows were read, those before a fault too."""
        return self._given + len(self._rows)

    @property
    def place(self) -> int:
        """How many characters were read of the document."""
        return self._before + self._at

    def _go_on(self) -> None:
        try:
            next(self._reading)
        except StopIteration:
            # What follows the end is told from what came by who called.
            self._reading = self._done()
            next(self._reading)

    def _done(self) -> Reading:
        while True:
            yield

    def _document(self) -> Reading:
        yield
        while self._is_blank():
            if self._is_all:
                raise self._fault("it is empty")
            yield
        box: list[Any] = []
        yield from self._below_way(0, box)
        self.rest = box[0]
        while True:
            if not self._is_blank():
                raise self._fault("something follows after its end")
            if self._is_all:
                return
            yield

    def _below_way(self, step: int, box: list[Any]) -> Reading:
        """Read the value here into `box`, but for the rows that are in it."""
        yield from self._more()
        opening = self._text[self._at]
        if step == len(self._way):
            if opening == "[":
                self.is_found = True
                box.append([])
                yield from self._elements()
                return
            yield from self._whole(box, is_row=True)
            self._take_alone(box)
            return
        kind, where = self._way[step]
        if kind == NAME and opening == "{":
            box.append({})
            yield from self._members(step, str(where), box[0])
        elif kind == PLACE and opening == "[":
            box.append([])
            yield from self._places(step, int(where))
        else:
            yield from self._whole(box)

    def _take_alone(self, box: list[Any]) -> None:
        """What is at the path and no list."""
        if box[0] is None or not self._is_list:
            self.is_found = True
            if box[0] is not None:
                self._take(box[0])
                box[0] = None

    def _take(self, value: Any) -> None:
        if self._below:
            self._rows.extend(found_at(value, self._below))
        else:
            self._rows.append(value)

    def _elements(self) -> Reading:
        self._at += 1
        yield from self._more()
        if self._text[self._at] == "]":
            self._at += 1
            return
        while True:
            self._take((yield from self._value(is_row=True)))
            if (yield from self._is_closed("]")):
                return

    def _places(self, step: int, where: int) -> Reading:
        self._at += 1
        yield from self._more()
        if self._text[self._at] == "]":
            self._at += 1
            return
        place = 0
        while True:
            if place == where:
                yield from self._below_way(step + 1, [])
            else:
                yield from self._value()
            place += 1
            if (yield from self._is_closed("]")):
                return

    def _members(self, step: int, wanted: str, members: dict[str, Any]) -> Reading:
        self._at += 1
        yield from self._more()
        if self._text[self._at] == "}":
            self._at += 1
            return
        while True:
            yield from self._more()
            if self._text[self._at] != '"':
                raise self._fault("a name in quotes should stand here")
            name = yield from self._value()
            yield from self._expect(":")
            box: list[Any] = []
            if name == wanted:
                yield from self._below_way(step + 1, box)
            else:
                yield from self._whole(box)
            members[name] = box[0] if box else None
            if (yield from self._is_closed("}")):
                return

    def _is_closed(self, closing: str) -> Generator[None, None, bool]:
        """After a value: whether this was the last one."""
        yield from self._more()
        found = self._text[self._at]
        if found not in {",", closing}:
            raise self._fault(f"a comma or {closing} should stand here")
        self._at += 1
        return found == closing

    def _expect(self, mark: str) -> Reading:
        yield from self._more()
        if self._text[self._at] != mark:
            raise self._fault(f"a {mark} should stand here")
        self._at += 1

    def _whole(self, box: list[Any], *, is_row: bool = False) -> Reading:
        """Read what is no row, and is kept: not without bounds."""
        before = self.place
        box.append((yield from self._value(is_row=is_row)))
        self._rest_length += self.place - before
        if self._rest_length > LONGEST:
            raise self._fault(f"beside the rows it has more than {LONGEST // 1024 // 1024} MB")

    def _value(self, *, is_row: bool = False) -> Generator[None, None, Any]:
        yield from self._more()
        while (found := self._scanned()) is None:
            if self._is_all:
                raise self._fault(CUT_OFF)
            # Not looked at again before there is half as much again: a long one costs its length a few times only.
            enough = len(self._text) - self._at + max(1, (len(self._text) - self._at) // 2)
            if enough > LONGEST * 1.5:
                raise self._fault(TOO_LONG)
            yield
            while len(self._text) - self._at < enough and not self._is_all:
                yield
        value, end = found
        if is_row and self._seen:
            self._seen(self._text[self._at : end])
        self._at = end
        return value

    def _scanned(self) -> tuple[Any, int] | None:
        try:
            return scan(self._text, self._at, is_all=self._is_all)
        except JSONFaultError as fault:
            if self._is_all and fault.at >= len(self._text) - 1:
                raise self._fault(CUT_OFF) from None
            raise JSONFaultError(fault.clause, self._before + fault.at) from None

    def _more(self) -> Reading:
        """Go on to what is no blank."""
        while self._is_blank():
            if self._is_all:
                raise self._fault(CUT_OFF)
            yield

    def _is_blank(self) -> bool:
        """Whether nothing but blanks is left of the text."""
        text, at, end = self._text, self._at, len(self._text)
        while at < end and text[at] in _BLANKS:
            at += 1
        self._at = at
        return at == end

    def _fault(self, clause: str) -> JSONFaultError:
        return JSONFaultError(clause, self.place)
