"""Rows out of JSON lines that come in pieces: one value on each line."""

from typing import Any

from badgerjobs.lib.json_texts import LONGEST, JSONFaultError, scan

TOO_LONG = f"it is longer than {LONGEST // 1024 // 1024} MB"


class JSONLines:
    """`feed` it pieces, and then `end` it. Empty lines are no rows."""

    def __init__(self) -> None:
        self._begun: list[str] = []
        self._length = 0
        self.line = 0

    def feed(self, text: str) -> tuple[list[Any], int]:
        """The rows of the lines that end in this piece, and of how many characters. Raises JSONFaultError.

        `line` is then the number of the line that is wrong.
        """
        end = text.rfind("\n")
        if end < 0:
            self._keep(text)
            return [], 0
        whole = "".join([*self._begun, text[:end]]) if self._begun else text[:end]
        self._begun, self._length = [], 0
        self._keep(text[end + 1 :])
        return self._rows(whole.split("\n")), len(whole)

    def end(self) -> tuple[list[Any], int]:
        """The same of what the last line holds, where nothing ends it."""
        whole, self._begun = "".join(self._begun), []
        return (self._rows([whole]), len(whole)) if whole else ([], 0)

    def _keep(self, text: str) -> None:
        if text:
            self._begun.append(text)
            self._length += len(text)
            if self._length > LONGEST:
                self.line += 1
                raise JSONFaultError(TOO_LONG)

    def _rows(self, lines: list[str]) -> list[Any]:
        rows = []
        for line in lines:
            self.line += 1
            if not line or line.isspace():
                continue
            if line[0] in " \t\r" or line[-1] in " \t\r":
                line = line.strip(" \t\r")  # noqa: PLW2901
            found = scan(line, 0, is_all=True)
            if found is None or found[1] != len(line):
                raise JSONFaultError("something follows after its value", found[1] if found else 0)
            rows.append(found[0])
        return rows
