"""I6: of collections, each thing that must not be, planted once, is found, and nothing else is."""

from dataclasses import replace
from typing import Any

import pytest

from chaos.books import Books, Filled, Load
from chaos.checks.loads import (
    ROWS,
    SAID,
    Aborting,
    Fillings,
    Read,
    Told,
    answers,
    asked,
    counted,
    digest_of,
    ended,
    fails,
    left,
    left_by,
    made_by,
    seen,
    states_of,
)

MODES = ("normal", "upserted", "accumulative", "versioned", "upserted_versioned", "accumulative_versioned")
KEPT = 2
# Those that end with 0 or 1 fail.
FIRST, SECOND, THIRD, FAILING = "ra", "rb", "rc", "r1"
LOADS = [
    *(Load(run, "red/one", "succeeded", number, "") for number, run in enumerate((FIRST, SECOND, THIRD), start=1)),
    Load(FAILING, "red/one", "failed", 0, f"The code failed: Error: {SAID}"),
]


def books(mode: str = "upserted_versioned", *, loads: list[Load] | None = None, **fields: Any) -> Books:
    """Of a collection that three runs have filled, and a fourth could not."""
    found = Filled("red/one", mode, KEPT if mode.endswith("versioned") else 1, 3, 0, 0, {})
    made = Books(loads=LOADS if loads is None else loads, collections=[found])
    states = states_of(found, Books(loads=LOADS))
    whole = replace(found, versions={number: states[number] for number in range(4 - found.keep, 4)})
    made.collections = [replace(whole, **fields)]
    return made


def state(version: int, mode: str = "upserted_versioned") -> Any:
    """What the version holds."""
    return states_of(books(mode).collections[0], books(mode))[version]


def read(version: int, mode: str = "upserted_versioned", **fields: Any) -> Read:
    """Who saw it whole."""
    rows = state(version, mode)
    return replace(Read("red/one", 200, version, digest_of(rows), len(rows)), **fields)


def fillings(**fields: Any) -> Fillings:
    """All four runs were asked for and accepted."""
    runs = (FIRST, SECOND, THIRD, FAILING)
    told = [Told(number, "red/one", 202, run) for number, run in enumerate(runs, start=1)]
    return Fillings(**{"asked": dict.fromkeys(range(1, 5), "red/one"), "told": told, **fields})


def judged(given: Fillings, found: Books) -> list[str]:
    """The kinds of what is wrong, by all checks."""
    of_books = [*counted(found), *left(found)]
    return [
        one.kind
        for one in (*answers(given), *asked(given, found), *ended(given, found), *of_books, *seen(given, found))
    ]


@pytest.mark.parametrize("mode", MODES)
def test_whole_states_one_after_the_other_are_right(mode: str) -> None:
    reads = [read(version, mode) for version in (0, 1, 1, 3)]
    assert judged(fillings(reads=reads), books(mode)) == []


def test_what_a_run_leaves_follows_from_what_was_there() -> None:
    before = made_by("ra")
    assert left_by("rb", before, "versioned") == made_by("rb")
    assert left_by("rb", before, "accumulative") == [*before, *made_by("rb")]
    merged = left_by("rb", before, "upserted_versioned")
    assert merged == [*made_by("rb")[:ROWS], ("ra", "ra"), ("rb", "rb")]
    assert [run for run in ("ra", "r0", "r1") if fails(run)] == ["r0", "r1"]


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        pytest.param({"told": [Told(1, "red/one", 500)]}, ["misled"], id="no answer of a run's"),
        pytest.param({"told": [Told(1, "red/one", 202, "rx")]}, ["lost"], id="accepted, and not there"),
        pytest.param(
            {"told": [Told(1, "red/one", 202, FIRST), Told(1, "red/one", 202, SECOND)]},
            ["doubled"],
            id="accepted twice",
        ),
        pytest.param({"asked": {1: "red/one"}, "told": []}, ["doubled"], id="more runs than were asked for"),
        pytest.param({"aborts": [Aborting(FIRST, 500)]}, ["misled"], id="no answer of an abort's"),
        pytest.param({"aborts": [Aborting(FIRST, 200)]}, ["unheeded"], id="an abort that was accepted"),
        pytest.param({"aborts": [Aborting(FIRST, 409)]}, [], id="an abort that came too late"),
        pytest.param({"aborts": [Aborting(FIRST, 503)]}, [], id="an abort that nobody knows of"),
    ],
)
def test_what_was_asked_for_is_there_once(given: dict[str, Any], kinds: list[str]) -> None:
    assert judged(fillings(**given), books()) == kinds


ABORTED = Load("rd", "red/one", "aborted", 0, "Enough.")


@pytest.mark.parametrize(
    ("loads", "aborts", "kinds"),
    [
        pytest.param([replace(LOADS[3], error="Lost.")], [], ["failed"], id="failed for another reason"),
        pytest.param([replace(LOADS[3], run="rd")], [], ["failed"], id="failed, and its code does not"),
        pytest.param([replace(LOADS[3], version=3)], [], ["counted", "kept", "torn"], id="failed, and left a version"),
        pytest.param([replace(LOADS[3], state="succeeded")], [], ["kept", "lost"], id="succeeded, and its code fails"),
        pytest.param([ABORTED], [Aborting("rd", 200)], [], id="aborted"),
        pytest.param([ABORTED], [Aborting("rd", 0)], [], id="aborted, and nobody was told"),
        pytest.param([ABORTED], [], ["unheeded"], id="aborted, and nobody asked"),
        pytest.param([ABORTED], [Aborting("rd", 409)], ["unheeded"], id="aborted, and refused"),
    ],
)
def test_each_run_ends_as_it_must(loads: list[Load], aborts: list[Aborting], kinds: list[str]) -> None:
    given = fillings(aborts=aborts, told=[])
    assert judged(given, books(loads=[*LOADS[:3], *loads])) == kinds


def test_what_an_aborted_run_had_shown_before_is_a_version_as_all_others() -> None:
    late = [*LOADS[:2], replace(LOADS[2], state="aborted"), LOADS[3]]
    assert judged(fillings(aborts=[Aborting(THIRD, 200)], reads=[read(3)]), books(loads=late)) == []


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        pytest.param({"numbered": 4}, ["counted", "counted"], id="a version that no run made"),
        pytest.param({"versions": {3: state(3)}}, ["counted"], id="a version that is not kept"),
        pytest.param(
            {"versions": {1: state(1), 2: state(2), 3: state(3)}}, ["counted"], id="one that is kept too long"
        ),
        pytest.param({"versions": {2: state(2), 3: state(2)}}, ["torn"], id="the rows of the one before"),
        pytest.param({"versions": {2: state(2), 3: state(3)[:-1]}}, ["torn"], id="a row is missing"),
        pytest.param({"versions": {2: state(2), 3: [*state(3), *state(3)[-1:]]}}, ["torn"], id="a row is there twice"),
        pytest.param({"versions": {2: state(2), 3: state(3)[::-1]}}, ["torn"], id="another order"),
        pytest.param({"versions": {2: state(2), 3: made_by("rx")}}, ["torn"], id="the rows of another run"),
        pytest.param({"unready": 1}, ["kept"], id="a version half loaded"),
        pytest.param({"strays": 7}, ["kept"], id="rows that no version has"),
    ],
)
def test_what_is_left_at_the_end_is_what_the_runs_say(fields: dict[str, Any], kinds: list[str]) -> None:
    assert judged(fillings(), books(**fields)) == kinds


def test_a_run_without_its_version_and_two_of_one_version_are_found() -> None:
    without = [*LOADS[:2], replace(LOADS[2], version=0), LOADS[3]]
    assert judged(fillings(), books(loads=without)) == ["counted", "lost"]
    twice = [*LOADS[:2], replace(LOADS[2], version=2), LOADS[3]]
    assert "counted" in judged(fillings(), books(loads=twice))


@pytest.mark.parametrize(
    ("reads", "kinds"),
    [
        pytest.param([Read("red/one", 500)], ["misled"], id="no answer of a reader's"),
        pytest.param([Read("red/one", 404)], ["misled"], id="a collection that is not there"),
        pytest.param([Read("red/one", status) for status in (0, 429, 503)], [], id="told to come again"),
        pytest.param([read(2), read(1)], ["torn"], id="what was before"),
        pytest.param([read(2), read(0)], ["torn"], id="nothing, after something"),
        pytest.param([read(2, count=ROWS)], ["torn"], id="some of the rows"),
        pytest.param([replace(read(2), version=3)], ["torn"], id="the rows of another version"),
        pytest.param([replace(read(2), version=9)], ["torn"], id="a version that there is not"),
        pytest.param([read(3), read(2, asked=2)], [], id="an old version, as it was asked for"),
        pytest.param([read(3), Read("red/one", 404, asked=1)], [], id="one that is kept no more"),
        pytest.param([read(3), read(3, asked=2)], ["torn"], id="another version than was asked for"),
        pytest.param([read(3), read(2, asked=2, count=1)], ["torn"], id="an old version in part"),
    ],
)
def test_readers_see_whole_states_and_never_what_was_before(reads: list[Read], kinds: list[str]) -> None:
    assert judged(fillings(reads=reads), books()) == kinds
