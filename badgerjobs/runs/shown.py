"""How runs of a kind are shown to people: a literal table, kind → where its `Shown` is, and what that is made of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from django.utils.module_loading import import_string

from badgerjobs.runs.models import Attempt, Cause, Run, Runnable
from badgerjobs.workspaces.models import Application

SHOWN_KINDS = {
    "http": "jobs.exchange.HTTP",
    "event": "jobs.events.exchange.EVENT",
    "event_once": "jobs.events.once_showing.EVENT_ONCE",
    "notice": "badgerjobs.notices.showing.NOTICE",
    "sync": "tasks.syncs.showing.SYNC",
    "refresh": "tasks.syncs.showing.REFRESH",
    "background": "tasks.background.showing.BACKGROUND",
    "background_hook": "tasks.background.showing.BACKGROUND_HOOK",
    "slurp": "slurps.showing.SLURP",
    "delivery": "webhooks.performing.showing.DELIVERY",
}

# Why there is a run, in a word or two: the same in lists, filters and on its page.
CAUSE_WORDS: Mapping[str, str] = {
    Cause.SCHEDULE: "schedule",
    Cause.MANUAL: "by hand",
    Cause.CODE: "code",
    Cause.REPLAY: "replay",
    Cause.BACKFILL: "backfill",
    Cause.PROBE: "probe",
    Cause.WEBHOOK: "webhook",
}


@dataclass(frozen=True, slots=True)
class Body:
    """What was sent or came back. `text` is empty where there is none or it is no text; `note` says what is to know.

    `size` is in bytes, of what is kept. `called`: what whoever copies it has then.
    """

    text: str = ""
    size: int = 0
    note: str = ""
    called: str = "body"


@dataclass(frozen=True, slots=True)
class Code:
    """What was carried out, in a language of `lib/code_tones.py`. `wrong` is the line of an error, from 1; 0: none.

    `note` says what of it is not shown.
    """

    label: str
    text: str
    language: str
    wrong: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that came back, as text, in the order of the columns. `note` says what of them is not shown."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an exchange: its first line in two parts, its headers with secrets masked, its body.

    Of what is no call, `facts` are names with values, `lines` what was written meanwhile: level and text, `code` what
    was carried out; `address` is that of a page about what the first line names; and `begun` is what was begun by it:
    what that is, what it is called, and the address of its page.
    """

    first: str
    rest: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = Body()
    facts: Sequence[tuple[str, str]] = ()
    table: Table | None = None
    lines: Sequence[tuple[str, str]] = ()
    code: Code | None = None
    address: str = ""
    begun: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """What went out and what came back in an attempt. `curl` makes the same call by hand, without the secrets.

    The request is as its owner is now; `is_older` says that the owner was changed after the attempt. `is_call`: they
    are a request and its response, and not an event and its result. `tells_output`: the response has what else is told
    as the run's output. `title`: what the first side is, where that is neither.
    """

    request: Side
    response: Side | None = None
    curl: str = ""
    is_older: bool = False
    is_call: bool = True
    tells_output: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """How far a run of many parts is: names with values, and where each part is told of: words and an address."""

    title: str
    facts: Sequence[tuple[str, str]] = ()
    link: tuple[str, str] | None = None

    @property
    def stamp(self) -> str:
        """Another one whenever the page would show something else."""
        return "-".join(value for _, value in self.facts)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page asks of a kind.

    `word` is the kind in words. `answer` says what came of an attempt in a few words, given its result without the body
    and the class of its error; empty where neither tells. `exchange` is None where the owner is gone. `advice` is what
    a person may do about a failed attempt, given whole; `content` is what came back, as bytes. `owner`: the address of
    the page of what it belongs to. `titles` are what people call runnables, by their ids, in one query; absent where
    that is the runnable's own name. `named`: a query for the ids of those that people call something with these letters
    in it. `errors`: the classes of what can be wrong with an attempt, in words.
    `backfill`: the address at which the occurrences of a skipped run are run all the same. `parts`: how far a run of
    many parts is; they are told as its output. `subjects` are what people call runs of no runnable, by their ids, in a
    constant number of queries.
    """

    word: str
    answer: Callable[[Mapping[str, Any], str], str]
    exchange: Callable[[Run, Attempt | None], Exchange | None]
    advice: Callable[[Attempt], str]
    content: Callable[[Mapping[str, Any]], bytes]
    owner: Callable[[Run], str]
    titles: Callable[[Sequence[int]], Mapping[int, str]] = lambda _: {}
    named: Callable[[Application, str], Any] = lambda _application, _letters: ()
    errors: Mapping[str, str] = field(default_factory=dict)
    backfill: Callable[[Run], str] = lambda _: ""
    parts: Callable[[Run], Parts | None] = lambda _: None
    subjects: Callable[[Sequence[Run]], Mapping[UUID, str]] = lambda _: {}


# A kind without a row: its runs have states, attempts and a log like all others, and no exchange.
PLAIN = Shown(
    "run", lambda _result, _error_class: "", lambda _run, _attempt: None, lambda _: "", lambda _: b"", lambda _: ""
)


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


# What the engine itself says was wrong.
_ENGINES_ERRORS = {"superseded": "superseded by the next occurrence", "lost": "lost with its workers"}


def errors_shown() -> dict[str, str]:
    """The classes of errors of all kinds, in words."""
    return {name: said for kind in SHOWN_KINDS for name, said in shown_as(kind).errors.items()} | _ENGINES_ERRORS


def entitle(runnables: Iterable[Runnable | None]) -> None:
    """Let each have its `title`, what people call it: a query for each kind, however many there are."""
    kinds: dict[str, list[Runnable]] = {}
    for runnable in runnables:
        if runnable:
            kinds.setdefault(runnable.kind, []).append(runnable)
    for kind, its in kinds.items():
        titles = shown_as(kind).titles([runnable.pk for runnable in its])
        for runnable in its:
            runnable.title = titles.get(runnable.pk, runnable.name)


def entitle_alone(runs: Iterable[Run]) -> None:
    """Let each run of no runnable have its `subject`, what people call it; empty where that is nothing."""
    kinds: dict[str, list[Run]] = {}
    for run in runs:
        if run.runnable is None:
            kinds.setdefault(run.kind, []).append(run)
    for kind, its in kinds.items():
        subjects = shown_as(kind).subjects(its)
        for run in its:
            run.subject = subjects.get(run.pk, "")


def called(run: Run) -> str:
    """`Reprice the catalogue 412`, as the pages call a run; by its id where what it belonged to is gone.

    Of what nobody counts, such as deliveries, the name is told alone.
    """
    if run.runnable is None:
        return str(run.pk)
    if not run.runnable.title:
        entitle([run.runnable])
    return numbered(run.runnable.title, run.number)


def numbered(name: str, number: int) -> str:
    """`Reprice the catalogue 412`; the name alone of a run that nobody counted."""
    return f"{name} {number}" if number else name


def owners_called(application: Application, letters: str) -> list[int]:
    """The runnables whose name, as people or as programs call them, has these letters in it, in any case."""
    named = [shown_as(kind).named(application, letters) for kind in SHOWN_KINDS]
    return Runnable.objects.for_application(application).ids_called(letters, *named)
