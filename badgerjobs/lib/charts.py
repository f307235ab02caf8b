"""Drawings as numbers: what stands in the attributes of SVG. Words are never inside a drawing that is stretched."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# All drawings over time are this wide, in units of their own.
WIDTH = 240


@dataclass(frozen=True, slots=True)
class Rect:
    """A bar: where it stands, what it says, and how many it stands for."""

    x: float
    y: float
    width: float
    height: float
    title: str
    count: int


def rects(counts: Sequence[tuple[str, int]], height: float, word: str) -> list[Rect]:
    """Bars from the bottom up, the highest as high as the drawing; none where there is nothing. (title, count) each."""
    most = max((count for _, count in counts), default=0)
    step = WIDTH / len(counts) if counts else 0
    return [
        _rect(place * step, step, (height, count / most), f"{title} {count:,} {word}", count)
        for place, (title, count) in enumerate(counts)
        if count
    ]


def _rect(x: float, step: float, tall: tuple[float, float], title: str, count: int) -> Rect:
    """`tall` is the height of the drawing, and which share of it the bar has."""
    height, share = tall
    high = max(1.5, height * share)  # one among a million is seen too
    return Rect(round(x + step * 0.15, 2), round(height - high, 1), round(step * 0.7, 2), round(high, 1), title, count)


def line(heights: Sequence[float | None], width: float = WIDTH) -> str:
    """A path through the middle of each bar's place, at these heights from the top; it breaks off where one is None."""
    step = width / len(heights) if heights else 0
    path, is_drawing = "", False
    for place, height in enumerate(heights):
        if height is None:
            is_drawing = False
            continue
        x = (place + 0.5) * step
        # It begins a little before its first point: one that stands alone is a dash, and not nothing.
        path += f"L{x:.4g} {height:.4g}" if is_drawing else f"M{x - step / 4:.4g} {height:.4g}H{x:.4g}"
        is_drawing = True
    return path


def logarithmic(value: float | None, most: float, height: float) -> float | None:
    """How far from the top a duration stands, in milliseconds from 1 to `most`: tenfold is the same step anywhere.

    Half of a line's width is kept free at both ends: it belongs to its own lane altogether.
    """
    if value is None:
        return None
    share = math.log(min(max(value, 1), most)) / math.log(most)
    return round(1 + (height - 2) * (1 - share), 1)


def ticks(places: Iterable[int], top: int = 4, length: int = 16) -> str:
    """A path of upright strokes, one at each place however often it is named."""
    return "".join(f"M{x} {top}v{length}" for x in sorted(set(places)))


def stretches(pairs: Iterable[tuple[float, float]], middle: int = 12) -> str:
    """A path of lying strokes, from and to, each at least two units long."""
    return "".join(f"M{first:g} {middle}H{max(last, first + 2):g}" for first, last in sorted(set(pairs)))


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a bar: what it is, where it begins and how wide it is."""

    kind: str
    x: float
    width: float


def shares(counts: Iterable[tuple[str, int]], whole: int, width: float = 200) -> list[Share]:
    """What shares of a whole some counts are, one beside the other; each that is not 0 is seen, and none sticks out."""
    given = [(kind, count) for kind, count in counts if count]
    total, found, x = max(whole, sum(count for _, count in given)), [], 0.0
    for kind, count in given:
        wide = max(2.0, count / total * width)
        found.append(Share(kind, round(min(x, width - 2.0), 1), round(min(wide, width - min(x, width - 2.0)), 1)))
        x += wide
    return found
