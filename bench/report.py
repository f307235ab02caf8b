"""What is said while it measures, and the table at its end."""

import sys
from collections.abc import Sequence


def say(text: str) -> None:
    """Write a line at once: it may be a while until the next."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table: the first column to the left, the figures to the right."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    say("")
    for line in lines:
        first, *figures = (
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        say("  ".join([first, *figures]))
