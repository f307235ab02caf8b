"""WHAT=runs: throughput and lateness of a real stack that calls a receiver on the same machine."""

from argparse import Namespace
from statistics import median
from typing import Any

from django.conf import settings

from bench import history, lateness, rows, stack, throughput
from bench.lateness import Lateness
from bench.report import say, table
from bench.throughput import Round
from jobs.models import Job

DUE = "due"


def measure(options: Namespace) -> dict[str, Any]:
    """Fill the tables, start the stack, let many jobs be due at once, then some each second for a while."""
    with stack.receiving() as receiver:
        job = rows.template(receiver.url)
        _fill(job, options)
        with stack.running() as running:
            say(f"beat and {settings.WORKERS} workers with {settings.IO_SLOTS} slots each are ready")
            rounds = []
            for number in range(1, options.rounds + 1):
                rounds.append(throughput.measure(names=DUE, jobs=options.jobs, stack=running, receiver=receiver))
                say(f"{options.jobs} jobs due at once, round {number}: {rounds[-1].per_second:,.0f} runs/s")
            pace = {"job": job, "rate": options.rate, "seconds": options.seconds, "receiver": receiver}
            planned = lateness.of_planned(**pace)
            say(f"{options.rate} due each second for {options.seconds} s: p99 {planned.p99:.0f} ms late")
            created = lateness.of_created(**pace)
    _show(rounds, planned, created)
    return _figures(options, rounds, planned, created)


def _fill(job: Job, options: Namespace) -> None:
    rows.copy_jobs(job, names=DUE, count=options.jobs)
    rows.copy_jobs(job, names="other", count=options.others, next_run_at=rows.FAR)
    if options.history:
        say(f"filling in {options.history:,} finished runs")
        history.fill(names=DUE, jobs=options.jobs, runs=options.history)
    rows.settle()
    say(f"{options.jobs:,} jobs to measure, {options.others:,} that are not due")


def _show(rounds: list[Round], planned: Lateness, created: Lateness) -> None:
    kinds = [name for name in ("worker", "postgres", "beat", "receiver") if name in rounds[0].processor]
    table(
        ["due at once", "runs", "seconds", "runs/s", *(f"{name} µs/run" for name in kinds)],
        [
            [
                f"round {number}",
                f"{one.runs:,}",
                f"{one.seconds:.2f}",
                f"{one.per_second:,.0f}",
                *(one.micros_per_run[name] for name in kinds),
            ]
            for number, one in enumerate(rounds, start=1)
        ],
    )
    table(
        ["lateness in ms", "calls", "per second", "p50", "p99", "most"],
        [
            [
                name,
                f"{late.calls:,}",
                f"{late.per_second:.0f}",
                f"{late.p50:.1f}",
                f"{late.p99:.1f}",
                f"{late.most:.1f}",
            ]
            for name, late in (("planned before", planned), ("created, run_at = now", created))
        ],
    )


def _figures(options: Namespace, rounds: list[Round], planned: Lateness, created: Lateness) -> dict[str, Any]:
    return {
        "runs_per_second": round(median(one.per_second for one in rounds)),
        "lateness_p50_ms": round(planned.p50, 1),
        "lateness_p99_ms": round(planned.p99, 1),
        "lateness_max_ms": round(planned.most, 1),
        "created_lateness_p50_ms": round(created.p50, 1),
        "created_lateness_p99_ms": round(created.p99, 1),
        "created_lateness_max_ms": round(created.most, 1),
        "created_per_second": round(created.per_second, 1),
        "rounds": [round(one.per_second) for one in rounds],
        "jobs": options.jobs,
        "jobs_not_due": options.others,
        "runs_kept": options.history,
        "due_per_second": options.rate,
        "seconds": options.seconds,
        "workers": settings.WORKERS,
    }
