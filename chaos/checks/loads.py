"""I6: collections. Readers see what some run left, whole, and later never what was before; a failed run leaves nothing.

Each row says which run made it. So what a version must hold follows from the runs of the versions up to it.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from chaos.books import Books, Filled, Load, Rows
from chaos.checks.violation import Violation

# What the source gives each time; the code adds a row of the run's own, which no other one has.
ROWS = 40
# The code fails of runs whose ids end with one of these, whatever is tried; and says so.
FAILS, SAID = "01", "as it should"

NO_ANSWER = 0
OK, ACCEPTED, GONE, IS_OVER = 200, 202, 404, 409
# What an answer may be: done, or told to come again; of an abort also that the run is over.
LATER = {429, 503, NO_ANSWER}
PROPER, PROPER_OF_READS, PROPER_OF_ABORTS = {ACCEPTED, *LATER}, {OK, *LATER}, {OK, IS_OVER, *LATER}


@dataclass(frozen=True, slots=True)
class Told:
    """What was answered to who asked for a run of a collection's job: `run` is the id that a 202 gave."""

    number: int
    collection: str
    status: int
    run: str = ""


@dataclass(frozen=True, slots=True)
class Aborting:
    """An abort that was asked for, and the status of the answer."""

    run: str
    status: int


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader got: of which version, and a digest of its rows. `asked`: the old version that it wanted."""

    collection: str
    status: int
    version: int = 0
    digest: str = ""
    count: int = 0
    asked: int | None = None


@dataclass
class Fillings:
    """All that was asked for and answered, in order. `asked` is the number of a run → its collection."""

    asked: dict[int, str] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    aborts: list[Aborting] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)


def fails(run: str) -> bool:
    """Whether the code fails of this run."""
    return run[-1] in FAILS


def digest_of(rows: Rows) -> str:
    """By which the rows of a version are known again, and their order."""
    return hashlib.blake2b("\n".join(f"{row} {run}" for row, run in rows).encode(), digest_size=12).hexdigest()


def made_by(run: str) -> Rows:
    """The rows that this run makes."""
    return [*((str(number), run) for number in range(ROWS)), (run, run)]


def left_by(run: str, before: Rows, mode: str) -> Rows:
    """What is there after it, where this was there before."""
    match mode.removesuffix("_versioned"):
        case "accumulative":
            return [*before, *made_by(run)]
        case "upserted":
            return list({**dict(before), **dict(made_by(run))}.items())
    return made_by(run)


def states_of(collection: Filled, books: Books) -> list[Rows]:
    """What each version holds, from 0, as far as they follow each other."""
    runs = {load.version: load.run for load in books.loads if load.collection == collection.name}
    states: list[Rows] = [[]]
    while run := runs.get(len(states)):
        states.append(left_by(run, states[-1], collection.mode))
    return states


def answers(fillings: Fillings) -> Iterator[Violation]:
    """Who asks for a run, aborts one or reads is answered, or told to come again; nothing else."""
    for one in fillings.told:
        if one.status not in PROPER:
            yield Violation("misled", f"Run {one.number} of {one.collection} was answered {one.status}.")
    for abort in fillings.aborts:
        if abort.status not in PROPER_OF_ABORTS:
            yield Violation("misled", f"An abort of run {abort.run} was answered {abort.status}.")
    for read in fillings.reads:
        is_old = read.asked is not None and read.status == GONE  # it may be kept no more
        if read.status not in PROPER_OF_READS and not is_old:
            yield Violation("misled", f"A reader of {read.collection} was answered {read.status}.")


def asked(fillings: Fillings, books: Books) -> Iterator[Violation]:
    """What was accepted is there, and what was asked for is there once at the most."""
    there = {load.run for load in books.loads}
    given: dict[int, set[str]] = defaultdict(set)
    for one in fillings.told:
        if one.run:
            given[one.number].add(one.run)
    for number, runs in given.items():
        if len(runs) > 1:
            yield Violation("doubled", f"Run {number} was accepted as {len(runs)} of them.", len(runs) - 1)
        for run in runs - there:
            yield Violation("lost", f"Run {number} was accepted as {run}, and is not there.")
    wanted = Counter(fillings.asked.values())
    for collection, count in Counter(load.collection for load in books.loads).items():
        if count > wanted[collection]:
            said = f"{collection} has {count} runs, and {wanted[collection]} were asked for."
            yield Violation("doubled", said, count - wanted[collection])


def ended(fillings: Fillings, books: Books) -> Iterator[Violation]:
    """Runs fail whose code does, and no others; those are aborted of which somebody asked it."""
    accepted = {one.run for one in fillings.aborts if one.status == OK}
    may_be = accepted | {one.run for one in fillings.aborts if one.status in {NO_ANSWER, 503}}
    for load in books.loads:
        if load.state == "failed" and not (fails(load.run) and SAID in load.error):
            yield Violation("failed", f"{_name(load)} failed: {load.error}")
        if load.state == "succeeded" and fails(load.run):
            yield Violation("kept", f"{_name(load)} succeeded, and its code fails.")
        if load.state == "aborted" and load.run not in may_be:
            yield Violation("unheeded", f"{_name(load)} was aborted, and nobody asked for that: {load.error}")
        if load.run in accepted and load.state != "aborted":
            yield Violation("unheeded", f"The abort of {_name(load)} was accepted, and it is {load.state}.")


def counted(books: Books) -> Iterator[Violation]:
    """Each run that succeeded has one version, those that failed none, and versions have no gap."""
    for collection in books.collections:
        loads = [load for load in books.loads if load.collection == collection.name]
        numbers = sorted(load.version for load in loads if load.version)
        if numbers != list(range(1, collection.numbered + 1)):
            said = f"{collection.name} says {collection.numbered} versions, and its runs made {numbers}."
            yield Violation("counted", said)
        for load in loads:
            if load.state == "succeeded" and not load.version:
                yield Violation("lost", f"{_name(load)} succeeded, and made no version.")
            if load.version and load.state == "failed":
                yield Violation("kept", f"{_name(load)} failed, and left version {load.version}.")


def left(books: Books) -> Iterator[Violation]:
    """The versions that are kept are the newest, each with its rows; of what was half loaded nothing is left."""
    for collection in books.collections:
        states = states_of(collection, books)
        kept = range(max(1, collection.numbered - collection.keep + 1), collection.numbered + 1)
        if sorted(collection.versions) != list(kept):
            said = f"{collection.name} keeps the versions {sorted(collection.versions)}, and not {list(kept)}."
            yield Violation("counted", said)
        for number, rows in collection.versions.items():
            if number < len(states) and rows != states[number]:
                yield Violation("torn", f"{collection.name}: version {number} has {_told(rows, states[number])}.")
        if collection.unready or collection.strays:
            said = f"{collection.unready} versions half loaded, and {collection.strays} rows that no version has"
            yield Violation("kept", f"{collection.name} has {said}.")


def seen(fillings: Fillings, books: Books) -> Iterator[Violation]:
    """Each reader saw all rows of one version, and then never an older one."""
    known = {one.name: [(digest_of(rows), len(rows)) for rows in states_of(one, books)] for one in books.collections}
    newest: Counter[str] = Counter()
    for read in fillings.reads:
        if read.status != OK:
            continue
        if (read.digest, read.count) not in known[read.collection][read.version : read.version + 1]:
            said = f"{read.count} rows as version {read.version}, which no run left so"
            yield Violation("torn", f"A reader of {read.collection} saw {said}.")
        if read.asked is not None:
            if read.version != read.asked:
                said = f"asked for version {read.asked}, and was given {read.version}"
                yield Violation("torn", f"A reader of {read.collection} {said}.")
        elif read.version < newest[read.collection]:
            said = f"version {newest[read.collection]}, and after that version {read.version}"
            yield Violation("torn", f"A reader of {read.collection} saw {said}.")
        else:
            newest[read.collection] = read.version


def _told(rows: Rows, wanted: Rows) -> str:
    return f"{len(rows)} rows of {len({run for _, run in rows})} runs, and should have {len(wanted)}"


def _name(load: Load) -> str:
    return f"{load.collection}: run {load.run}"
