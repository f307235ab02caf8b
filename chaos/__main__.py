"""`python -m chaos --seed 4 --minutes 10`: what was broken, what was found, and last one line of JSON."""

import json
import os
import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from django.utils.module_loading import import_string

from bench import place

SECONDS, SEED = 45.0, 4
SHORTEST_S = 15.0

# What all processes are told, this one too. One process for code is enough for each worker: it dies with it, and
# another takes a second of a processor to start.
TOLD = {"RATE_LIMIT_PER_SECOND": "100000", "BACKGROUND_TASKS": "chaos.definitions", "CODE_PROCESSES": "1"}


def _long_enough(seconds: float) -> float:
    if not SHORTEST_S <= seconds <= 24 * 3600:
        raise ArgumentTypeError(f"{seconds:g} s is no time for this: from {SHORTEST_S:g} s to a day")
    return seconds


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a number") from None


def parse(words: list[str]) -> Namespace:
    """Read the command line. Without words it takes 45 seconds, and always the same faults."""
    parser = ArgumentParser(
        prog="python -m chaos", description="Breaks it while it works; docs/reliability.md explains."
    )
    how_long = parser.add_mutually_exclusive_group()
    how_long.add_argument(
        "--seconds", type=lambda text: _long_enough(_number(text)), default=SECONDS, help="of faults (%(default)g)"
    )
    how_long.add_argument(
        "--minutes", type=lambda text: _long_enough(_number(text) * 60), dest="seconds", help="the same in minutes"
    )
    parser.add_argument("--seed", type=int, default=SEED, help="what is broken when comes of it (%(default)s)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where to put the log and the receiver's history")
    return parser.parse_args(words)


def main() -> None:
    options = parse(sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # so that every block is left
    os.environ.update(TOLD)
    with place.of_its_own(None):
        figures = import_string("chaos.drill.drill")(seed=options.seed, seconds=options.seconds, keep=options.keep)
    sys.stdout.write(f"\n{json.dumps(figures)}\n")
    sys.exit(1 if figures["violations"] else 0)


if __name__ == "__main__":
    main()
