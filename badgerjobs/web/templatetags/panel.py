"""What templates say in the panel's language: states, times, sizes, strips."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from badgerjobs.lib import words, zones

register = template.Library()


@register.simple_tag
def state(name: str, style: str = "") -> SafeString:
    """A state's mark and its word. `style`: `word` colours the word too, `only` leaves it to screen readers."""
    return format_html('<span class="state {}{}">{}</span>', name, f" {style}" if style else "", name)


@register.simple_tag
def ago(moment: datetime | None, zone: str = "UTC") -> SafeString | str:
    """How long ago, or in how long; the exact time in its zone and the reader's on hover and for screen readers."""
    if moment is None:
        return ""
    relative = words.relative((moment - timezone.now()).total_seconds())
    return format_html(
        '<time class="ago" datetime="{}">{}<span> {}</span></time>',
        _machine(moment), relative, words.exact(moment, _zone(zone), timezone.get_current_timezone()),
    )  # fmt: skip


@register.simple_tag
def when(moment: datetime | None, zone: str = "UTC") -> str:
    """`Fri 30 Oct 08:00`, in this zone."""
    return f"{words.day(moment, _zone(zone))} {words.clock(moment, _zone(zone))}" if moment else ""


@register.simple_tag
def clock(moment: datetime | None, zone: str = "UTC") -> str:
    """`08:00`, in this zone."""
    return words.clock(moment, _zone(zone)) if moment else ""


@register.simple_tag
def soon(moment: datetime | None, zone: str = "UTC") -> str:
    """`Sat 08:00 New York · 13:00 Zurich`: in its zone and the reader's, with the day where it is not today."""
    if moment is None:
        return ""
    return words.soon(moment, _zone(zone), timezone.get_current_timezone(), timezone.now())


@register.simple_tag
def stamp(moment: datetime | None) -> str:
    """`30 Oct 2026, 14:00:05 Zurich · 13:00:05 UTC`: for what is read long after, with its year."""
    return words.stamp(moment, timezone.get_current_timezone()) if moment else ""


@register.simple_tag
def reader_zone() -> str:
    """The name of the reader's zone, to give to the tags above."""
    return str(timezone.get_current_timezone_name())


@register.filter
def place(zone: str) -> str:
    """`America/New_York` is New York."""
    return words.place(_zone(zone))


@register.filter
def bare(url: str) -> str:
    """An address without its scheme, as a list has it."""
    return url.partition("://")[2] or url


@register.filter
def duration(ms: float | None) -> str:
    """Milliseconds as people read them."""
    return "" if ms is None else words.duration(ms)


@register.filter
def size(count: int | None) -> str:
    """Bytes as people read them."""
    return "" if count is None else words.size(count)


@register.filter
def number(value: float | None) -> str:
    """With a comma for thousands."""
    return "" if value is None else f"{value:,}"


@register.filter
def percent(value: float | None) -> str:
    """A share of a hundred, without its sign."""
    return "" if value is None else words.percent(value)


@register.filter
def figure(ms: float | None) -> SafeString:
    """A duration as one of the few numbers of a page: the unit small."""
    if ms is None:
        return format_html("{}", "\N{EN DASH}")
    value, _, unit = words.duration(ms).partition(" ")
    return format_html("{} <small>{}</small>", value, unit)


# How tall a run's bar may be, and where bars stand in a strip of 20.
_BARS, _STEP, _BASE = 20, 5, 16
_HEIGHTS = {"skipped": 3, "aborted": 3, "duplicate": 3}


@register.simple_tag
def strip(runs: Sequence[Any], *, from_left: bool = False, what: str = "run", many: str = "runs") -> SafeString:
    """The last runs as bars, oldest first: `runs` have `state` and `duration_ms` (or None).

    Few end at the right, so that in a column the newest ones stand below each other; or they begin at the left. `what`
    and `many`: what one of them is called, and several.
    """
    if not runs:
        return format_html('<span class="muted">{}</span>', "none yet")
    shown = list(runs)[-_BARS:]
    longest = max((run.duration_ms or 0 for run in shown), default=0) or 1
    paths: dict[str, str] = {}
    for place_, run in enumerate(shown, start=0 if from_left else _BARS - len(shown)):
        x = place_ * _STEP + 2.5
        kind = "" if run.state == "succeeded" else run.state
        paths[kind] = paths.get(kind, "") + _bar(x, run, longest)
    drawn = format_html_join("", '<path class="{}" d="{}"/>', sorted(paths.items()))
    return format_html(
        '<svg class="strip" viewBox="0 0 100 16" role="img" aria-label="{}">{}</svg>',
        _counted(shown, what, many),
        drawn,
    )


def _bar(x: float, run: Any, longest: float) -> str:
    if run.state in {"failed", "refused"}:
        return f"M{x} 16v-4M{x} 10V0"
    height = _HEIGHTS.get(run.state) or 3 + round(8 * min(1, (run.duration_ms or 0) / longest))
    return f"M{x} {_BASE}v-{height}"


def _counted(runs: Iterable[Any], what: str, many: str) -> str:
    counts: dict[str, int] = {}
    for run in runs:
        counts[run.state] = counts.get(run.state, 0) + 1
    total = sum(counts.values())
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"Last {what}: {said}" if total == 1 else f"Last {total} {many}: {said}"


def _machine(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _zone(name: str | tzinfo) -> tzinfo:
    return name if isinstance(name, tzinfo) else zones.preset_zone(name)
