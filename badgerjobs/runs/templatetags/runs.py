"""What the pages about runs say that no other page does."""

import json
from collections.abc import Iterable
from datetime import tzinfo
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from badgerjobs.lib import code_tones
from badgerjobs.lib.json_layout import laid_out
from badgerjobs.runs.measures import first_due, late_ms, took_ms
from badgerjobs.runs.measures import so_far as so_far_at
from badgerjobs.runs.models import Run
from badgerjobs.runs.schedules import place_of
from badgerjobs.runs.shown import CAUSE_WORDS, Code
from badgerjobs.runs.skipped import counted, line

register = template.Library()

register.filter(first_due)
register.filter(late_ms)
register.filter(place_of)
register.filter(took_ms)


@register.filter
def marked(text: str) -> SafeString:
    """A body as people read it: JSON laid out and marked, everything else as it came. Nothing in it is markup."""
    pieces = laid_out(text)
    return escape(text) if pieces is None else _spans(pieces)


@register.filter
def toned(text: str, language: str) -> SafeString:
    """Code in a language as people read it, or JSON, or any text."""
    return _spans(code_tones.toned(text, language)) if language in code_tones.LANGUAGES else marked(text)


@register.filter
def numbered(code: Code) -> SafeString:
    """The same line by line, each with room for its number, and marked where it is wrong."""
    lines = code_tones.lines_of(code_tones.toned(code.text, code.language))
    return format_html_join(
        "",
        "<code>{}</code>",
        (
            (format_html("<mark>{}</mark>", _spans(line)) if number == code.wrong else _spans(line),)
            for number, line in enumerate(lines, 1)
        ),
    )


def _spans(pieces: Iterable[tuple[str, str]]) -> SafeString:
    parts = (
        format_html('<span class="{}">{}</span>', sort, piece) if sort else escape(piece) for sort, piece in pieces
    )
    return format_html_join("", "{}", ((part,) for part in parts))


@register.filter
def as_json(value: Any) -> str:
    """A JSON value as text."""
    return json.dumps(value, ensure_ascii=False)


@register.filter
def not_run(run: Run, zone: tzinfo | None = None) -> str:
    """`12 occurrences · 08:00-09:50 · the run before was not over`, in this zone or its own."""
    return line(run, zone or place_of(run.runnable))


@register.filter
def occurrences(run: Run) -> str:
    """`12 occurrences`: for how many a skipped one stands."""
    return counted(run)


@register.filter
def so_far(run: Run) -> str:
    """`41 s so far`: how long it has run by now."""
    return so_far_at(run.started_at, timezone.now())


@register.filter
def cause_words(run: Run) -> str:
    """Why there is this run, in a word or two."""
    return CAUSE_WORDS.get(run.cause, run.cause)
