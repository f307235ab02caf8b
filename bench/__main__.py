"""`python -m bench WHAT`, one of the MEASURES: a table for people, and last one line of JSON."""

import json
import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.module_loading import import_string

from bench import place


@dataclass(frozen=True)
class Measure:
    """A function by its path, because its module reads settings, and PostgreSQL's settings for it: None, no servers."""

    path: str
    postgres: Mapping[str, str] | None = field(default_factory=dict)


MEASURES = {
    "runs": Measure("bench.runs.measure"),
    "tick": Measure("bench.tick.measure", {"shared_preload_libraries": "pg_stat_statements"}),
    "fairness": Measure("bench.fairness.measure"),
    "memory": Measure("bench.memory.measure", None),
    "pages": Measure("bench.pages.measure"),
    "javascript": Measure("bench.javascript.measure", None),
    "patterns": Measure("bench.patterns.measure"),
    "syncs": Measure("bench.syncs.measure"),
    "cache": Measure("bench.cache.measure"),
    "hooks": Measure("bench.hooks.measure"),
    "background": Measure("bench.background.measure"),
    "collections": Measure("bench.collecting.measure"),
    "deliveries": Measure("bench.deliveries.measure", {"shared_preload_libraries": "pg_stat_statements"}),
}


def whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def positive(text: str) -> int:
    if not whole(text):
        raise ArgumentTypeError("it must be above 0")
    return whole(text)


def parse(words: list[str]) -> Namespace:
    """Read the command line. Without words it measures runs."""
    parser = ArgumentParser(prog="python -m bench", description="How fast it is here; docs/bench.md explains.")
    parser.add_argument("what", nargs="?", choices=MEASURES, default="runs")
    runs = parser.add_argument_group("runs")
    runs.add_argument("--jobs", type=positive, default=10_000, help="due at once (%(default)s)")
    runs.add_argument("--rounds", type=positive, default=3, help="of that, the median counts (%(default)s)")
    runs.add_argument("--rate", type=positive, default=100, help="due each second, for lateness (%(default)s)")
    runs.add_argument("--seconds", type=positive, default=30, help="of each kind of lateness (%(default)s)")
    runs.add_argument("--others", type=positive, default=100_000, help="jobs that are not due (%(default)s)")
    runs.add_argument("--history", type=whole, default=0, help="finished runs kept from before (%(default)s)")
    tick = parser.add_argument_group("tick")
    tick.add_argument("--many", type=positive, default=1_000_000, help="Runnables not due (%(default)s)")
    tick.add_argument("--applications", type=positive, default=10_000, help="that they belong to (%(default)s)")
    tick.add_argument("--ticks", type=positive, default=100, help="measured of each sort (%(default)s)")
    fairness = parser.add_argument_group("fairness")
    fairness.add_argument("--pile", type=positive, default=100_000, help="due at once, of one tenant (%(default)s)")
    fairness.add_argument("--tenants", type=positive, default=1_000, help="others that have work too (%(default)s)")
    fairness.add_argument("--each", type=positive, default=100, help="due at once, of each of them (%(default)s)")
    fairness.add_argument("--singles", type=positive, default=15, help="jobs whose lateness is taken (%(default)s)")
    pages = parser.add_argument_group("pages", "for --jobs of one application, due or not")
    pages.add_argument("--runs", type=positive, default=1_000_000, help="with an attempt each (%(default)s)")
    pages.add_argument("--requests", type=positive, default=100, help="for each page (%(default)s)")
    javascript = parser.add_argument_group("javascript")
    javascript.add_argument("--calls", type=positive, default=500, help="measured of each sort (%(default)s)")
    javascript.add_argument("--hostile", type=positive, default=1_000, help="bodies that mean harm (%(default)s)")
    patterns = parser.add_argument_group("patterns")
    patterns.add_argument("--names", type=positive, default=1_000_000, help="of each of two tenants (%(default)s)")
    cache = parser.add_argument_group("cache", "in each of --rounds")
    cache.add_argument("--keys", type=positive, default=1_000, help="that are read in turn (%(default)s)")
    syncs = parser.add_argument_group("syncs", "--rounds of each sort, of which the median counts")
    syncs.add_argument("--synced", type=positive, default=1_000, help="keys of the task (%(default)s)")
    cache.add_argument("--reading", type=positive, default=5, help="seconds of each rate, of hooks too (%(default)s)")
    deliveries = parser.add_argument_group("deliveries", "--rounds of each sort, of which the median counts")
    deliveries.add_argument("--delivered", type=positive, default=1_000, help="of each sort (%(default)s)")
    background = parser.add_argument_group("background", "--rounds of each sort, of which the median counts")
    background.add_argument("--tasks", type=positive, default=1_000, help="of each sort (%(default)s)")
    collections = parser.add_argument_group(
        "collections", "--rounds of each way of writing, of which the median counts"
    )
    collections.add_argument("--collected", type=positive, default=100_000, help="rows of each (%(default)s)")
    collections.add_argument("--large", type=positive, default=1_000_000, help="rows of the large one (%(default)s)")
    return parser.parse_args(words)


def main() -> None:
    options = parse(sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # so that every block is left
    measure = MEASURES[options.what]
    with place.of_its_own(measure.postgres):
        figures = import_string(measure.path)(options)
    sys.stdout.write(f"\n{json.dumps(figures)}\n")


if __name__ == "__main__":
    main()
