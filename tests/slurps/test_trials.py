"""A slurper is tried over rows that are given, or the first that its sources have: nothing is stored."""

import sys
from collections.abc import AsyncGenerator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from badgerjobs.sources.models import DataSource
from badgerjobs.sources.rows.pulling import Given, PullError
from badgerjobs.workspaces.models import AuditEntry
from slurps import slurpers, trials
from slurps.models import Row, Slurper, Version
from slurps.slurping import apart
from tests.callers import Caller
from tests.factories import make_source
from tests.in_turn import in_turn

LAMPS = [{"id": 1, "stock": 3}, {"id": 2, "stock": 0}]
SOLD = {"language": "javascript", "code": "return dataMap.lamps.filter(p => p.stock)", "sources": ["lamps"]}


CLEANERS = """
import os, sys, time
from datetime import datetime
from slurps.slurpers import slurper

@slurper(id="cleanLamps", title="Clean lamps")
def clean(ctx, data_map):
    return (lamp for lamp in data_map["lamps"] if lamp["stock"])

@slurper(id="failing", title="Failing")
def failing(ctx, data_map):
    raise ValueError("no lamps")

@slurper(id="exiting", title="Exiting")
def exiting(ctx, data_map):
    sys.exit(3)

@slurper(id="ending", title="Ending")
def ending(ctx, data_map):
    os._exit(3)

@slurper(id="undated", title="Undated")
def undated(ctx, data_map):
    return [{"at": datetime.now()}]

@slurper(id="large", title="Large")
def large(ctx, data_map):
    return [{"text": "x" * 1_000_000}] * 17

@slurper(id="endless", title="Endless")
def endless(ctx, data_map):
    while True:
        time.sleep(1)
"""


class Pulls:
    """What sources give, in place of pulling: `rows` of each by its tag, or what it raises."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: dict[str, Any] = {}
        self.given: list[Given] = []
        self.batches_made = 0
        self.kept: list[bool] = []
        monkeypatch.setattr(trials, "pull", self._pull)

    def _pull(self, source: DataSource, given: Given, _means: Any) -> Any:
        self.given.append(given)
        rows, pulls = self.rows[source.tag], self

        class Pulling:
            async def batches(self) -> AsyncGenerator[list[Any], None]:
                if isinstance(rows, Exception):
                    raise rows
                for start in range(0, len(rows), 60):
                    pulls.batches_made += 1
                    yield rows[start : start + 60]

            async def settle(self, *, kept: bool) -> None:
                pulls.kept.append(kept)

        return Pulling()


@pytest.fixture
def pulls(monkeypatch: pytest.MonkeyPatch) -> Pulls:
    return Pulls(monkeypatch)


@pytest.fixture(autouse=True)
def lamps(alice: Caller) -> DataSource:
    return make_source(alice.application, "lamps")


@pytest.fixture
def cleaners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package that the operator has registered, here and in the processes that are started."""
    (tmp_path / "cleaners.py").write_text(CLEANERS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("SLURPERS", "cleaners")
    monkeypatch.setattr(slurpers, "REGISTRY", slurpers.Registry())
    slurpers.load(["cleaners"])
    yield
    del sys.modules["cleaners"]


def in_python(function: str) -> dict[str, Any]:
    return {"language": "python", "function": function, "sources": ["lamps"]}


def tried(alice: Caller, **asked: Any) -> Any:
    answer = alice.post("/slurpers/try/", {"definition": SOLD, **asked})
    assert answer.status == 200, answer.body
    return answer.body


def test_over_rows_that_are_given_it_shows_them_before_and_after(alice: Caller) -> None:
    code = "console.warn(ctx.collection); return dataMap.lamps.filter(p => p.stock)"
    came = tried(alice, rows={"lamps": LAMPS}, definition={**SOLD, "code": code})
    assert (came["before"], came["after"], came["made"]) == ({"lamps": LAMPS}, LAMPS[:1], 1)
    assert (came["ok"], came["error"], came["cut"]) == (True, None, False)
    assert came["console"] == [{"level": "warn", "text": "null"}]
    assert not AuditEntry.objects.filter(action="slurper.test").exists()


def test_over_the_first_rows_that_its_sources_have_it_takes_no_more(alice: Caller, pulls: Pulls) -> None:
    make_source(alice.application, "desks")
    pulls.rows = {"lamps": [{"id": n, "stock": 1} for n in range(500)], "desks": [{"id": 1}]}
    came = tried(alice, definition={**SOLD, "sources": ["lamps", "desks"]}, values={"PRODUCT_ID": 7})
    assert {tag: len(rows) for tag, rows in came["before"].items()} == {"lamps": 100, "desks": 1}
    assert (came["made"], len(came["after"]), pulls.batches_made) == (100, 100, 3)
    assert pulls.kept == [False, False]  # brokers keep what was only looked at
    assert [(given.values, given.remembered) for given in pulls.given] == [({"PRODUCT_ID": 7}, None)] * 2
    assert AuditEntry.objects.filter(action="slurper.test").count() == 1
    assert (Row.objects.count(), Version.objects.count()) == (0, 0)


def test_batch_by_batch_it_sees_one_source_at_a_time(alice: Caller) -> None:
    make_source(alice.application, "desks")
    batches = {"language": "javascript_batches", "code": "return [{source, n: rows.length}]",
               "sources": ["lamps", "desks"]}  # fmt: skip
    came = tried(alice, rows={"lamps": LAMPS}, definition=batches)
    assert came["after"] == [{"source": "lamps", "n": 2}, {"source": "desks", "n": 0}]


def test_a_stored_one_is_tried_with_what_is_given_in_its_place(alice: Caller) -> None:
    alice.post("/slurpers/", {**SOLD, "tag": "s"})
    rows = {"rows": {"lamps": LAMPS}}
    assert alice.post("/slurpers/s/try/", rows).body["after"] == LAMPS[:1]
    changed = alice.post("/slurpers/s/try/", {**rows, "definition": {"code": "return [{}]"}})
    assert changed.body["after"] == [{}]
    assert Slurper.objects.get().code == SOLD["code"]


def test_more_rows_than_are_shown_are_counted(alice: Caller) -> None:
    came = tried(alice, rows={"lamps": []}, definition={**SOLD, "code": "return Array(250).fill({a: 1})"})
    assert (came["made"], len(came["after"]), came["cut"]) == (250, 100, True)


def test_rows_that_are_long_are_shown_as_far_as_they_go(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "SHOWN_BYTES", 60)
    came = tried(alice, rows={"lamps": [{"id": n, "stock": 1} for n in range(9)]})
    assert (len(came["before"]["lamps"]), len(came["after"]), came["made"], came["cut"]) == (2, 2, 9, True)


@in_turn(
    "code, error_class, said",
    [
        ("throw new Error('no')", "code", "no"),
        ("return 5", "code", "The code must return a list of rows, and returned a number."),
        ("return [{}, 5]", "rows", "Row 2 is no object with names and values"),
        ("return [{}, {a: 'x'.repeat(1e6)}]", "rows", "Row 2 has 1,000,008 bytes as JSON, and at most 1,000,000"),
    ],
)
def test_what_would_fail_a_run_is_said(alice: Caller, code: str, error_class: str, said: str) -> None:
    came = tried(alice, rows={"lamps": LAMPS}, definition={**SOLD, "code": code})
    assert (came["ok"], came["error"]["class"], came["failed_source"]) == (False, error_class, None)
    assert said in came["error"]["message"]
    assert came["before"] == {"lamps": LAMPS}


def test_a_source_that_fails_is_named(alice: Caller, pulls: Pulls) -> None:
    make_source(alice.application, "desks")
    pulls.rows = {"lamps": LAMPS, "desks": PullError("status", "It answered 500.", retry_after=timedelta(hours=1))}
    came = tried(alice, definition={**SOLD, "sources": ["lamps", "desks"]})
    assert came["error"] == {"class": "status", "message": "It answered 500."}
    assert (came["failed_source"], came["before"], came["after"]) == ("desks", {"lamps": LAMPS}, [])


@in_turn(
    "asked, field, said",
    [
        ({"rows": {"desks": []}}, "rows", "The slurper pulls from no source “desks”."),
        ({"rows": {"lamps": [{}] * 101}}, "rows", "Give at most 100 of them"),
        ({"definition": {**SOLD, "code": "return ("}}, "definition.code", "SyntaxError"),
        ({"definition": {**SOLD, "sources": ["desks"]}}, "sources", "There is no source “desks”"),
        ({"definition": {"language": "python", "function": "x"}}, "definition.function", "There is no slurper “x”"),
    ],
)
def test_what_cannot_be_tried_is_refused(alice: Caller, asked: Any, field: str, said: str) -> None:
    answer = alice.post("/slurpers/try/", {"definition": SOLD, **asked})
    assert answer.status == 400
    found = " ".join(sentence for name, said in answer.errors.items() if name.startswith(field) for sentence in said)
    assert said in found


@pytest.mark.usefixtures("cleaners")
class TestPython:
    def test_it_is_tried_as_runs_do_it(self, alice: Caller) -> None:
        came = tried(alice, rows={"lamps": LAMPS}, definition=in_python("cleanLamps"))
        assert (came["before"], came["after"], came["made"], came["ok"]) == ({"lamps": LAMPS}, LAMPS[:1], 1, True)

    @pytest.mark.parametrize(
        ("function", "error_class", "said"),
        [
            ("failing", "code", "ValueError: no lamps"),
            ("exiting", "code", "SystemExit: 3"),
            ("ending", "code", "The code did not come to its end: The process that ran the code ended with status 3"),
            ("undated", "rows", "What it made cannot be written as JSON: Object of type datetime"),
            ("large", "too_large", "It made more than 16 MB of rows"),
        ],
    )
    def test_what_fails_says_why(self, alice: Caller, function: str, error_class: str, said: str) -> None:
        came = tried(alice, rows={"lamps": LAMPS}, definition=in_python(function))
        assert (came["ok"], came["after"], came["error"]["class"]) == (False, [], error_class)
        assert came["error"]["message"].startswith(said)

    def test_what_takes_too_long_is_ended(self, alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(apart, "LONGEST_S", 0.1)
        came = tried(alice, rows={"lamps": LAMPS}, definition=in_python("endless"))
        assert "It took longer than 0.1 s, and its process was ended." in came["error"]["message"]

    def test_a_stored_one_is_tried(self, alice: Caller) -> None:
        made = alice.post("/slurpers/", {"tag": "clean", **in_python("cleanLamps")})
        assert made.status == 201
        answer = alice.post("/slurpers/clean/try/", {"rows": {"lamps": LAMPS}})
        assert answer.body["after"] == LAMPS[:1]


def test_they_are_tried_so_often_and_no_more(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "PER_MINUTE", 0)
    answer = alice.post("/slurpers/try/", {"definition": SOLD, "rows": {}})
    assert (answer.status, answer.headers["Retry-After"]) == (429, "10")


def test_what_takes_too_long_is_ended(alice: Caller, pulls: Pulls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "LONGEST_S", 0)
    pulls.rows = {"lamps": LAMPS}
    came = tried(alice)
    assert (came["ok"], came["error"]["class"]) == (False, "timeout")
