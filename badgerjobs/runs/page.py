"""What the page of a run shows. Each part is read when it is asked for, and once."""

from datetime import datetime, tzinfo
from functools import cached_property

from django.db.models import QuerySet, Value

from badgerjobs.runs import skipped, story
from badgerjobs.runs.kinds import REPLAYED_WITHOUT_RUNNABLE
from badgerjobs.runs.measures import first_due
from badgerjobs.runs.models import ACTIVE, FINAL, Attempt, LogLine, Run, State
from badgerjobs.runs.origins import Origin, origin_of
from badgerjobs.runs.schedules import place_of
from badgerjobs.runs.shown import Exchange, Parts, entitle, entitle_alone, shown_as
from badgerjobs.runs.verdicts import Verdict, lateness, verdict_on
from badgerjobs.workspaces.models import Application

# A log is shown up to here: the last lines of a longer one.
MOST_LINES = 500
# So many runs that repeat this one are named.
MOST_REPLAYS = 20


class RunPage:
    """A run of this application, its runnable loaded, with the attempt that was chosen: its number, or the last one."""

    def __init__(self, application: Application, run: Run, *, chosen: int | None, now: datetime) -> None:
        run.application = application
        entitle([run.runnable])
        entitle_alone([run])
        self.run, self.now = run, now
        self._application, self._number = application, chosen

    @property
    def is_over(self) -> bool:
        return self.run.state in FINAL

    @property
    def may_be_replayed(self) -> bool:
        """What is over, unless what it belonged to is gone."""
        return self.is_over and (self.run.runnable is not None or self.run.kind in REPLAYED_WITHOUT_RUNNABLE)

    @cached_property
    def zone(self) -> tzinfo:
        return place_of(self.run.runnable)

    @property
    def first_due(self) -> datetime:
        return first_due(self.run)

    @property
    def stamp(self) -> str:
        """Another one whenever the page would show something else."""
        run = self.run
        moved = f"{run.state}-{run.held:d}-{run.attempts}-{run.rescues}-{run.skipped_count or 0}"
        far = f"-{self.parts.stamp}" if self.parts else ""
        return f"{moved}-{self._number or 0}-{run.due_at.timestamp()}{far}"

    @cached_property
    def attempts(self) -> list[Attempt]:
        """In their order; the chosen one and the last with all of their results, the others without the bodies."""
        found = list(
            Attempt.objects.for_application(self._application).filter(run=self.run).in_brief().order_by("number")
        )
        for one in found:
            one.result = one.brief  # type: ignore[attr-defined]  # an annotation
        whole = {one.pk for one in (*found[-1:], *(one for one in found if one.number == self._number))}
        results = dict(Attempt.objects.filter(pk__in=whole).values_list("pk", "result")) if whole else {}
        for one in found:
            one.result = results.get(one.pk, one.result)
        return found

    @cached_property
    def chosen(self) -> Attempt | None:
        """The attempt whose request and response are shown."""
        return next((one for one in self.attempts if one.number == self._number), next(iter(self.attempts[-1:]), None))

    @cached_property
    def verdict(self) -> Verdict:
        return verdict_on(self.run, self.attempts)

    @property
    def owner(self) -> str:
        """The address of the page of what it belongs to."""
        return shown_as(self.run.kind).owner(self.run)

    @cached_property
    def origin(self) -> Origin | None:
        """What it came from, where its cause alone does not say it."""
        return origin_of(self.run)

    @property
    def backfill(self) -> str:
        """The address at which what was skipped is run all the same."""
        return shown_as(self.run.kind).backfill(self.run)

    @property
    def title(self) -> str:
        """`Run 412`; of those that nobody counts what they are: `Notice`."""
        if self.run.state == State.SKIPPED:
            return skipped.counted(self.run)
        is_counted = self.run.runnable and self.run.number
        return f"Run {self.run.number}" if is_counted else shown_as(self.run.kind).word.capitalize()

    @cached_property
    def parts(self) -> Parts | None:
        """How far a run of many parts is; None for any other."""
        return None if self.run.state == State.SKIPPED else shown_as(self.run.kind).parts(self.run)

    @property
    def lateness(self) -> str:
        return lateness(self.run)

    @property
    def path(self) -> list[story.Step]:
        return story.path_of(self.run, self.attempts, self.zone)

    @property
    def rows(self) -> list[story.Row]:
        return story.rows_of(self.run, self.attempts, self.zone)

    @cached_property
    def lane(self) -> story.Lane | None:
        return story.lane_of(self.run, self.attempts, self.zone, self.now)

    @property
    def longest_ms(self) -> int:
        return max(one.duration_ms for one in self.attempts)

    @cached_property
    def exchange(self) -> Exchange | None:
        """What was asked and answered; None where nothing ever is."""
        if self.run.state == State.SKIPPED:
            return None
        return shown_as(self.run.kind).exchange(self.run, self.chosen)

    @cached_property
    def log(self) -> list[story.Line]:
        lines = LogLine.objects.for_application(self._application).filter(run=self.run)
        return story.log_of(self.run, self.attempts, lines.order_by("-id")[:MOST_LINES], self.zone)

    @cached_property
    def in_the_way(self) -> Run | None:
        """The run that a held one waits for; None where that is over by now."""
        active = self._of_its_owner.filter(state__in=ACTIVE, held=False)
        return active.order_by("pk").only("id", "number").first()

    @cached_property
    def waiting_before(self) -> int:
        """How many others wait for that, and go before a held one."""
        return self._of_its_owner.filter(held=True, pk__lt=self.run.pk).count()

    @property
    def _of_its_owner(self) -> QuerySet[Run]:
        return self._runs.filter(runnable=self.run.runnable)

    @property
    def _runs(self) -> QuerySet[Run]:
        # The run came by the gate, which joins; what is found from it need not.
        return Run.objects.filter(application=self._application)

    @property
    def since(self) -> str:
        """What became of the occurrences that were skipped."""
        return skipped.since(self.run)

    @property
    def neighbours(self) -> dict[str, Run]:
        """The runs of the same runnable before and after this one: `older`, `newer`."""
        return {side: run for side in ("older", "newer") for run in self._others.get(side, [])}

    @property
    def replays(self) -> list[Run]:
        """The runs that repeat this one, as far as anybody wants to know."""
        return self._others.get("replay", [])

    @property
    def original(self) -> Run | None:
        """The run that this one repeats; None where it is none, or that one was deleted."""
        return next(iter(self._others.get("original", [])), None)

    @cached_property
    def _others(self) -> dict[str, list[Run]]:
        """The runs that the page leads to, by what they are to this one: in one query, each part by its own index."""
        runs, run = self._runs, self.run
        beside = self._of_its_owner
        parts = {"replay": runs.filter(replay_of=run.pk).order_by("id")[:MOST_REPLAYS]}
        if run.runnable:  # those of no runnable stand among all the others
            parts["older"] = beside.filter(id__lt=run.pk).order_by("-id")[:1]
            parts["newer"] = beside.filter(id__gt=run.pk).order_by("id")[:1]
        if run.replay_of:
            parts["original"] = runs.filter(pk=run.replay_of)
        first, *rest = (part.only("id", "number", "state").annotate(what=Value(what)) for what, part in parts.items())
        found: dict[str, list[Run]] = {}
        for one in sorted(first.union(*rest, all=True), key=lambda one: one.pk):
            found.setdefault(one.what, []).append(one)
        return found
