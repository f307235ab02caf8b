"""`make bench` in a tiny size: that it measures, and the shape of what it says last. No figure is judged here."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.leftovers import started_in

ROOT = Path(__file__).resolve().parents[2]
TINY_RUNS = ["--jobs=20", "--others=100", "--rounds=2", "--rate=20", "--seconds=1", "--history=40"]
TINY_TICK = ["--many=2000", "--applications=20", "--ticks=3"]
TINY_FAIRNESS = ["--pile=50", "--tenants=3", "--each=2", "--singles=2"]
TINY_PAGES = ["--jobs=220", "--runs=2200", "--requests=2"]


def bench(*words: str) -> tuple[str, dict[str, Any]]:
    """Run it as make does. Returns all that it said, and the last line."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return done.stdout, figures


@pytest.mark.e2e
def test_the_last_line_of_runs_is_its_figures() -> None:
    said, figures = bench("runs", *TINY_RUNS)
    assert len(figures["rounds"]) == 2
    assert min(figures["rounds"]) <= figures["runs_per_second"] <= max(figures["rounds"])
    for kind in ("lateness", "created_lateness"):
        assert 0 <= figures[f"{kind}_p50_ms"] <= figures[f"{kind}_p99_ms"] <= figures[f"{kind}_max_ms"]
    assert "created, run_at = now" in said


@pytest.mark.e2e
def test_the_last_line_of_tick_is_a_cost_for_each_size() -> None:
    said, figures = bench("tick", *TINY_TICK)
    sizes = [(tick["applications"], tick["not_due"]) for tick in figures["ticks"]]
    assert sizes == [(1, 1000), (1, 2000), (20, 1000), (20, 2000)]
    for tick in figures["ticks"]:
        assert 0 < tick["idle_pages"] < tick["due_pages"]
        assert tick["idle_ms"] > 0
    assert "applications" in said


@pytest.mark.e2e
def test_the_last_line_of_fairness_is_how_late_a_single_job_was_beside_others() -> None:
    said, figures = bench("fairness", *TINY_FAIRNESS)
    assert [beside["tenants"] for beside in figures["beside"]] == [0, 3]
    for beside in figures["beside"]:
        assert 0 < beside["late_p50_ms"] <= beside["late_max_ms"] <= figures["late_max_ms"]
    assert "beside 3 others" in said


@pytest.mark.e2e
def test_the_last_line_of_pages_is_what_each_of_them_costs() -> None:
    said, figures = bench("pages", *TINY_PAGES)
    assert {"jobs, half way down", "runs, state failed", "overview, 24h", "audit log"} <= figures["pages"].keys()
    for name, page in figures["pages"].items():
        assert 0 < page["p50_ms"] <= page["p95_ms"], name
        assert page["queries"] > 0, name
        assert name in said


@pytest.mark.e2e
def test_the_last_line_of_javascript_is_what_calls_cost_and_that_none_did_harm() -> None:
    said, figures = bench("javascript", "--calls=5", "--hostile=110")
    assert 0 < figures["warm_p50_ms"] <= figures["warm_p99_ms"]
    assert (figures["hostile_wrong"], figures["processes_left"]) == (0, 0), said
    assert figures["honest_calls"] > 0


@pytest.mark.e2e
def test_the_last_line_of_cache_is_what_reading_values_makes_of_what_is_possible() -> None:
    said, figures = bench("cache", "--keys=20", "--reading=1", "--rounds=2")
    assert figures["ratio"] == pytest.approx(figures["values_per_second"] / figures["constant_per_second"], abs=0.01)
    assert {name: len(found) for name, found in figures["rounds"].items()} == {"constant": 2, "values": 2}
    assert 0 < figures["half_p50_ms"] <= figures["half_p99_ms"]
    assert "at half the rate" in said


@pytest.mark.e2e
def test_the_last_line_of_hooks_is_what_accepting_makes_of_an_insert() -> None:
    said, figures = bench("hooks", "--reading=1", "--rounds=2")
    assert figures["ratio"] == pytest.approx(figures["hooks_per_second"] / figures["inserts_per_second"], abs=0.01)
    assert {name: len(found) for name, found in figures["rounds"].items()} == {"insert": 2, "hook": 2}
    assert 0 < figures["half_p50_ms"] <= figures["half_p99_ms"]
    assert "of the insert" in said


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_half_way_it_leaves_no_process_and_no_file(passable: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "runs", *TINY_RUNS, "--seconds=60"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(passable)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        assert any("are ready" in line for line in process.stdout)
        assert len(started_in(passable)) > 5
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert started_in(passable) == []
    assert list(passable.iterdir()) == []


@pytest.mark.e2e
def test_the_last_line_of_collections_is_a_rate_for_each_way_of_writing() -> None:
    said, figures = bench("collections", "--rounds=1", "--collected=300", "--large=500")
    assert set(figures["rows_per_second"]) == {"replace", "append", "merge"}
    assert figures["large"]["rows"] == 500
    assert figures["reading"]["page_p50_ms"] <= figures["reading"]["page_p99_ms"]
    assert "a large collection" in said
