"""How runs of a kind are shown to people: a literal table, kind → where its `Shown` is, and what that is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.utils.module_loading import import_string

from badgerjobs.runs.models import Attempt, Cause, Run

SHOWN_KINDS = {
    "http": "jobs.exchange.HTTP",
}

# Why there is a run, in a word or two: the same in lists, filters and on its page.
CAUSE_WORDS: Mapping[str, str] = {
    Cause.SCHEDULE: "schedule",
    Cause.MANUAL: "by hand",
    Cause.CODE: "code",
    Cause.REPLAY: "replay",
}


@dataclass(frozen=True, slots=True)
class Body:
    """What was sent or came back. `text` is empty where there is none or it is no text; `note` says what is to know.

    `size` is in bytes, of what is kept.
    """

    text: str = ""
    size: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an exchange: its first line in two parts, its headers with secrets masked, its body."""

    first: str
    rest: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = Body()


@dataclass(frozen=True, slots=True)
class Exchange:
    """What went out and what came back in an attempt. `curl` makes the same call by hand, without the secrets.

    The request is as its owner is now; `is_older` says that the owner was changed after the attempt.
    """

    request: Side
    response: Side | None = None
    curl: str = ""
    is_older: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page asks of a kind.

    `word` is the kind in words. `answer` says an attempt's answer in a few words, given its result without the body;
    empty where none came. `exchange` is None where the owner is gone. `advice` is what a person may do about a failed
    attempt, given whole; `content` is what came back, as bytes. `owner`: the address of the page of what it belongs to.
    """

    word: str
    answer: Callable[[Mapping[str, Any]], str]
    exchange: Callable[[Run, Attempt | None], Exchange | None]
    advice: Callable[[Attempt], str]
    content: Callable[[Mapping[str, Any]], bytes]
    owner: Callable[[Run], str]


# A kind without a row: its runs have states, attempts and a log like all others, and no exchange.
PLAIN = Shown("run", lambda _: "", lambda _run, _attempt: None, lambda _: "", lambda _: b"", lambda _: "")


@cache
def shown_as(kind: str) -> Shown:
    """How runs of this kind are shown. Raises ImportError for a row that leads nowhere."""
    path = SHOWN_KINDS.get(kind)
    if path is None:
        return PLAIN
    shown = import_string(path)
    if not isinstance(shown, Shown):
        raise ImportError(f"{path} is not a Shown.")  # noqa: TRY004  the row is wrong, not a value
    return shown
