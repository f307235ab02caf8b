"""How far back the page of the cache looks."""

from collections.abc import Mapping

from badgerjobs.lib.time_bars import DAY, HOUR, Range

RANGES: Mapping[str, Range] = {
    one.name: one
    for one in (
        Range("24h", "24 h", "Last 24 hours", 24, HOUR, 3, "hour"),
        Range("7d", "7 d", "Last 7 days", 28, 6 * HOUR, 4, "6 hours"),
        Range("30d", "30 d", "Last 30 days", 30, DAY, 5, "day"),
    )
}
DEFAULT = RANGES["24h"]


def range_named(name: str) -> Range:
    """The range that an address names; the usual one for any other word."""
    return RANGES.get(name, DEFAULT)
