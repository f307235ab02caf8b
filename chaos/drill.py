"""A whole run: make work, let it go on while the plan breaks things, let it come to rest, and judge."""

import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from badgerjobs.runs import pausing
from badgerjobs.runs.models import Run, Runnable
from badgerjobs.workspaces.audit import OPERATOR
from bench.report import say
from bench.stack import free_port, wait_until
from chaos import books, history, hooks, verdict, work
from chaos.asking import Asker
from chaos.checks.background import Orders
from chaos.checks.deliveries import Sent
from chaos.checks.lateness import quiet
from chaos.checks.loads import Fillings
from chaos.checks.violation import Violation
from chaos.eras import INSTANT, Promise
from chaos.faults import Storm
from chaos.filling import Filler, Reader, make_collections
from chaos.peeking import peek
from chaos.plan import BEATS, CALM_S, WEB, WORKERS, kinds, plan
from chaos.stack import Stack, until_the_database_answers
from chaos.triggering import Triggerer
from jobs.models import Job
from jobs.services import update_job
from slurps.leftovers import tidy
from webhooks.models import Delivery, Standing

# Between making the jobs and their first occurrences: for beats and workers to start.
AHEAD_S = 8.0
# After the last fault, what is left must be over within this time: two leases, the last retries, a slow machine.
DRAIN_S = 120.0
# A schedule whose next run is due for so long when everything is well does not go on.
STALLED = timedelta(seconds=10)


def drill(*, seed: int, seconds: float, keep: Path | None = None) -> dict[str, Any]:
    """Run it. Returns the figures of the last line. `keep` is a folder for what is of interest afterwards."""
    port, folder = free_port(), settings.DATA_DIR.parent
    os.environ["EGRESS_ALLOW"] = f"127.0.0.1:{port}"
    # What is asked for here rings at a broker that may be away: no news in a run of this kind.
    logging.getLogger("badgerjobs.runs.worker").setLevel(logging.ERROR)
    strikes = plan(seed, seconds)
    with Stack(settings.LAYOUT, port, free_port(), folder / "history.log", folder / "stack.log") as stack:
        try:
            return _Drill(stack, seed, seconds).go(strikes)
        finally:
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                for file in folder.glob("*.log"):
                    shutil.copy(file, keep)


class _Drill:
    def __init__(self, stack: Stack, seed: int, seconds: float) -> None:
        self._stack = stack
        self._seconds = seconds
        self._seed = seed
        self._noticed: list[Violation] = []

    def go(self, strikes: list[Any]) -> dict[str, Any]:
        """Everything in its order."""
        self._set_up()
        storm, watch = Storm(self._stack, strikes), books.Watch()
        asker = Asker(self._promises, Random(self._seed + 1))  # noqa: S311
        sender = hooks.Sender(self._hooks, self._stack.web_port, Random(self._seed + 2))  # noqa: S311
        pauser = hooks.Pauser([one.hook for one in self._hooks], Random(self._seed + 3))  # noqa: S311
        triggerer = Triggerer(self._tenants, self._stack.web_port, Random(self._seed + 4))  # noqa: S311
        filler = Filler(self._places, self._tenants, self._stack.web_port, Random(self._seed + 5))  # noqa: S311
        reader = Reader(self._places, self._tenants, self._stack.web_port, Random(self._seed + 6))  # noqa: S311
        since = time.time()
        for thread in (asker, sender, pauser, triggerer, filler, reader):
            thread.start()
        watch.start()
        storm.rage(self._seconds)
        self._notice_the_dead()
        asker.stop(seconds=90)
        pauser.stop()
        triggerer.stop()
        filler.stop()
        self._go_on()
        sender.stop()
        until = time.time()
        self._switch_off()
        self._drain()
        reader.stop()
        watch.stop()
        self._stack.kill_all(*BEATS, *WORKERS, *WEB, "receiver")
        windows = quiet(storm.felt, since, until)
        filler.fillings.reads = reader.reads
        evidence = self._evidence(watch, windows, sender.sent, triggerer.orders, filler.fillings)
        violations = verdict.judge(evidence)
        asked = asker.asked + Counter({f"webhooks ({said})": count for said, count in sender.answered.items()})
        asked["pauses of webhooks"] = pauser.count
        asked += triggerer.counted + filler.counted
        self._report(kinds(strikes), asked, violations, evidence)
        return {
            "seconds": self._seconds,
            "seed": self._seed,
            "faults": {name: count for name, count in kinds(strikes).items() if count},
            "faults_in_all": len(strikes),
            "asked": dict(asked),
            **verdict.figures(violations, evidence),
        }

    # Before

    def _set_up(self) -> None:
        stack = self._stack
        for name in ("postgres", "valkey", "receiver"):
            stack.start(name)
        stack.wait_for_servers()
        call_command("migrate", verbosity=0)
        self._tenants = work.make_tenants(datetime.now(UTC))
        begins = datetime.now(UTC) + timedelta(seconds=AHEAD_S)
        self._promises = work.make_jobs(
            self._tenants,
            url=f"http://127.0.0.1:{stack.port}/",
            begins=begins,
            seconds=self._seconds,
            rng=Random(self._seed),  # noqa: S311
        )
        self._hooks = hooks.make_hooks(self._tenants, now=datetime.now(UTC))
        self._places = make_collections(self._tenants, url=f"http://127.0.0.1:{stack.port}/", now=datetime.now(UTC))
        for name in (*BEATS, *WORKERS, *WEB):
            stack.start(name)
        stack.wait_for(*BEATS, *WORKERS, *WEB)
        made = (self._promises.by_name, "jobs"), (self._hooks, "hooks"), (self._places, "collections")
        counted = f"{', '.join(f'{len(rows)} {word}' for rows, word in made)} of {len(self._tenants)} tenants"
        say(f"{counted}; three beats, three workers and web run")
        time.sleep(max(0.0, (begins - datetime.now(UTC)).total_seconds()))

    # After

    def _notice_the_dead(self) -> None:
        self._stack.look_after()
        self._noticed += [Violation("died", f"{name} ended by itself.") for name in self._stack.died]

    def _go_on(self) -> None:
        """Switch on again what was paused, by whomever, and let a calm pass."""
        for promise in self._promises.kept():
            until_the_database_answers(lambda promise=promise: _resume(promise))  # type: ignore[misc]
        time.sleep(CALM_S / 2)

    def _switch_off(self) -> None:
        """End all schedules, and write down how far each of them had come."""
        # What has no schedule stays on: webhooks that came in the last moments have it run still.
        kept = {promise.runnable_id: promise for promise in self._promises.kept() if promise.eras}
        with transaction.atomic():
            rows = Runnable.objects.select_for_update(no_key=True).filter(pk__in=list(kept)).order_by("pk")
            paused = [row for row in rows if not row.enabled]  # locked, before the clock is read
            now = datetime.now(UTC)
            _resume_again(paused, kept, now)
            found = list(rows.all())
            rows.update(enabled=False, next_run_at=None)
        for runnable in found:
            self._noticed += _ended(kept[runnable.pk], runnable, now)

    def _drain(self) -> None:
        began = time.monotonic()
        try:
            wait_until(_is_all_over, seconds=DRAIN_S, what="runs", every=0.5)
        except TimeoutError:
            say(f"not all is over after {DRAIN_S:.0f} s\n{self._stack.said()}")
        say(f"everything had {time.monotonic() - began:.1f} s to come to its end")

    def _evidence(
        self, watch: books.Watch, windows: Any, sent: Sequence[Sent], orders: Orders, fillings: Fillings
    ) -> verdict.Evidence:
        tidy()  # as the system's tick does, from time to time
        found = books.read()
        books.write(found, self._stack.log.with_name("runs.log"))
        return verdict.Evidence(
            promises=self._promises,
            books=found,
            history=history.read(self._stack.history),
            over=watch.over,
            freezes=self._stack.freezes,
            windows=windows,
            shown=[peek(tenant, found) for tenant in self._tenants],
            noticed=self._noticed,
            sent=sent,
            orders=orders,
            fillings=fillings,
        )

    def _report(
        self, faults: dict[str, int], asked: Counter[str], violations: list[Violation], evidence: verdict.Evidence
    ) -> None:
        say("\nfaults: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in faults.items() if count))
        say("asked for meanwhile: " + ", ".join(f"{count} {name}" for name, count in asked.items()))
        verdict.tell(violations)
        if not violations:
            say(f"\nnothing was lost, doubled or stuck in {len(evidence.books.runs)} rows")


def _is_all_over() -> bool:
    held = Delivery.objects.filter(standing=Standing.HELD)
    return not held.exists() and not Run.objects.unfinished().exists()


def _resume(promise: Promise) -> None:
    job = Job.objects.select_related("runnable", "application").get(runnable_id=promise.runnable_id)
    if not job.runnable.enabled:
        now = datetime.now(UTC)
        promise.note("resumed at the end", now)
        promise.forgiven_at = now if job.runnable.breaker else None
        update_job(job=job, by=OPERATOR, now=now, enabled=True)


def _resume_again(paused: Sequence[Runnable], kept: Mapping[int, Promise], now: datetime) -> None:
    """What was paused once more in the last calm: with this, what came since then is accounted for."""
    for row in paused:
        kept[row.pk].note("resumed once more", now)
        if row.breaker:
            kept[row.pk].forgiven_at = now
    pausing.resume(paused, now=now, by_hand=True)


def _ended(promise: Promise, runnable: Runnable, now: datetime) -> list[Violation]:
    """Up to where a schedule was dispatched, it must be in the books; and that must be up to now."""
    following, offset = runnable.next_run_at, timedelta(milliseconds=runnable.offset_ms)
    promise.end((following - INSTANT if following and following <= now else now) - offset)
    if following and following < now - STALLED:
        return [Violation("stuck", f"{promise.name} was due at {following}, and nothing had come of it at {now}.")]
    return []
