"""What programs say, as lines: read from their pipes as it comes, written to one readable log."""

import os
import sys
import time

NAME_WIDTH = 8
LONGEST_LINE = 16_384  # bytes; a program that never ends its line must not fill our memory


class Log:
    """Standard output, each line with the time and who says it."""

    def __init__(self) -> None:
        self.is_read = True  # false once the other end is closed: a terminal that is gone, a pipe into `head`

    def say(self, text: str, name: str) -> None:
        """Write lines that `name` says."""
        now = time.strftime("%H:%M:%S")
        self.write("".join(f"{now} {name:<{NAME_WIDTH}} | {line}\n" for line in text.splitlines() or [""]))

    def write(self, text: str) -> None:
        """Write text as it is."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            self.is_read = False


class Pipe:
    """The reading end of a pipe, read without waiting."""

    def __init__(self) -> None:
        """Open both ends; `theirs` is to be handed to a program and closed here."""
        self._ours, self.theirs = os.pipe()
        os.set_blocking(self._ours, False)
        self._rest = b""
        self.is_open = True

    def fileno(self) -> int:
        """For a selector."""
        return self._ours

    def read(self) -> list[str]:
        """Take the lines that are there. The pipe is closed once nobody can write to it any more."""
        lines: list[bytes] = []
        while self.is_open:
            try:
                some = os.read(self._ours, 65_536)
            except BlockingIOError:
                break
            if not some:
                return [*_decoded(lines), *self.close()]
            *whole, self._rest = (self._rest + some).split(b"\n")
            lines += whole
            if len(self._rest) > LONGEST_LINE:
                lines.append(self._rest)
                self._rest = b""
        return _decoded(lines)

    def close(self) -> list[str]:
        """Close it and return what stood on a line without an end."""
        if self.is_open:
            os.close(self._ours)
        self.is_open = False
        rest, self._rest = self._rest, b""
        return _decoded([rest] if rest else [])


def _decoded(lines: list[bytes]) -> list[str]:
    return [line.decode(errors="replace") for line in lines]
