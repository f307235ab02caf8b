"""When what keeps failing is warned of, paused and tried again: pure, so that every rule of it is a row in a test.

docs/run-life-cycle.md says it in words.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from badgerjobs.runs.models import Breaker, Trouble

# However often it was tried in vain, it is tried again after so long.
LONGEST_WAIT = timedelta(days=1)
# A probe that nobody heard of for so long got lost: another one is made.
PROBE_LASTS = timedelta(hours=1)
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Ending:
    """A run that was over at `at`. `pauses`: no later run can do better, and the error is the reason.

    `in_part`: it failed, and part of its work was done.
    """

    run_id: UUID
    number: int
    at: datetime
    ok: bool
    error: str = ""
    pauses: bool = False
    is_probe: bool = False
    in_part: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """What ran: how its breaker stands, and what its application settled. None in a threshold: never.

    `plans`: its schedule has more to come, or did when it was paused. What has none is called by hand only: it would be
    no better off paused, and trying it would be a call that nobody asked for. `failures` are those in a row until now;
    `probes` were made in vain since it was paused, at `paused_at`.
    """

    runnable_id: int
    application_id: int
    enabled: bool = True
    plans: bool = True
    breaker: str = Breaker.CLOSED
    failures: int = 0
    probes: int = 0
    paused_at: datetime | None = None
    warn_after: int | None = 5
    pause_after: int | None = 20
    probe_after: timedelta = timedelta(minutes=15)

    @property
    def wait(self) -> timedelta:
        """How long it stays paused before it is tried: twice as long after each time in vain."""
        return min(LONGEST_WAIT, self.probe_after * (1 << min(self.probes, 20)))


@dataclass(frozen=True, slots=True)
class Seen:
    """A trouble, the run that showed it, and the sentence that people are told."""

    trouble: Trouble
    run_id: UUID
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of it: its failures in a row, its breaker, which troubles are over, and which begin after that.

    `reason` is empty unless it is paused now, or stays so for another reason; `until` None: until somebody resumes it.
    """

    owner: Owner
    failures: int
    breaker: str
    closes: frozenset[Trouble] = frozenset()
    opens: tuple[Seen, ...] = field(default=())
    reason: str = ""
    until: datetime | None = None
    resumes: bool = False

    @property
    def pauses(self) -> bool:
        """Whether it was on, and is switched off."""
        return bool(self.reason) and self.owner.enabled


def judge(owner: Owner, endings: Iterable[Ending]) -> Verdict:
    """Follow the endings in the order of their time."""
    verdict = Verdict(owner, owner.failures, owner.breaker)
    for ending in sorted(endings, key=lambda one: (one.at, one.run_id)):
        if ending.in_part:
            verdict = _failed_in_part(verdict, ending)
        else:
            verdict = _succeeded(verdict) if ending.ok else _failed(verdict, ending)
    return verdict


def _succeeded(verdict: Verdict) -> Verdict:
    """It is well again, whoever had it run; what the breaker paused goes on."""
    owner, over = verdict.owner, {Trouble.FAILED, Trouble.WARNED}
    if verdict.breaker == Breaker.CLOSED:  # one that was paused by a person, or for good, stays so
        kept = tuple(seen for seen in verdict.opens if seen.trouble == Trouble.PAUSED)
        return replace(verdict, failures=0, opens=kept, closes=verdict.closes | over)
    over.add(Trouble.PAUSED)
    return Verdict(owner, 0, Breaker.CLOSED, frozenset(over), resumes=not owner.enabled)


def _failed_in_part(verdict: Verdict, ending: Ending) -> Verdict:
    """What does part of its work is not down: pausing it would hold up that part. That it failed is told."""
    works = _succeeded(verdict)
    works = replace(works, closes=works.closes - {Trouble.FAILED})
    return _opening(works, Trouble.FAILED, ending, f"{_run(ending)} failed in part: {ending.error}")


def _run(ending: Ending) -> str:
    return f"Run {ending.number}" if ending.number else "A run"


def _failed(verdict: Verdict, ending: Ending) -> Verdict:
    owner, failures = verdict.owner, verdict.failures + 1
    verdict = replace(verdict, failures=failures)
    verdict = _opening(verdict, Trouble.FAILED, ending, f"{_run(ending)} failed for good: {ending.error}")
    said = f"{failures} runs in a row failed. The last one: {ending.error}"
    if owner.warn_after and failures >= owner.warn_after:
        verdict = _opening(verdict, Trouble.WARNED, ending, said)
    is_on = not verdict.reason and (owner.enabled or verdict.resumes)
    if ending.pauses and (is_on or verdict.breaker):
        return _paused(verdict, ending, ending.error, Breaker.CLOSED, None)
    if ending.is_probe and verdict.breaker == Breaker.HALF_OPEN:
        tried = replace(owner, probes=owner.probes + 1)
        return _paused(verdict, ending, said, Breaker.OPEN, ending.at + tried.wait)
    if is_on and owner.plans and owner.pause_after and failures >= owner.pause_after:
        return _paused(verdict, ending, said, Breaker.OPEN, ending.at + owner.wait)
    return verdict


def _paused(verdict: Verdict, ending: Ending, reason: str, breaker: Breaker, until: datetime | None) -> Verdict:
    paused = replace(verdict, reason=reason[:LONGEST_REASON], breaker=breaker.value, until=until, resumes=False)
    return _opening(paused, Trouble.PAUSED, ending, f"Paused. {reason}")


def _opening(verdict: Verdict, trouble: Trouble, ending: Ending, sentence: str) -> Verdict:
    """The first run that shows a trouble stands for it."""
    if any(seen.trouble == trouble for seen in verdict.opens):
        return verdict
    return replace(verdict, opens=(*verdict.opens, Seen(trouble, ending.run_id, sentence)))
