"""What somebody wants done with several jobs, and the question that is asked before it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict

from badgerjobs.lib import words
from badgerjobs.runs.pause_form import PauseForm
from badgerjobs.web.bulk_choice import BulkChoice
from jobs.bulk import MOST, VERBS
from jobs.querysets import JobQuerySet
from jobs.standing import GOING_ON, standing_so

# Verb → what its button in the list says.
BUTTONS = {"run": "Run now…", "pause": "Pause…", "resume": "Resume…", "cancel": "Cancel…", "delete": "Delete…"}
# Verb → what the question's button says, what happens to one and to several, and what is said when it is done.
WORDS = {
    "run": (
        "Run",
        "It is called once now, beside its schedule, whether it is paused or not.",
        "Each is called once now, beside its schedule, whether it is paused or not.",
        "waiting to run",
    ),
    "pause": (
        "Pause",
        "Nothing is planned while it is paused. What runs goes on; what waits is aborted, run by hand or not.",
        "Nothing is planned while they are paused. What runs goes on; what waits is aborted, run by hand or not.",
        "paused",
    ),
    "resume": (
        "Resume",
        "Its next run is planned from now on. What was missed is not made up for.",
        "Their next runs are planned from now on. What was missed is not made up for.",
        "resumed",
    ),
    "cancel": (
        "Cancel",
        "Nothing of it is planned any more, and what waits or runs of it is aborted. Its results stay.",
        "Nothing of them is planned any more, and what waits or runs of them is aborted. Their results stay.",
        "cancelled",
    ),
    "delete": (
        "Delete",
        "Its runs and results go with it, and what waits is aborted. No way back.",
        "Their runs and results go with them, and what waits is aborted. No way back.",
        "deleted",
    ),
}
# Verb → what is left out of what was chosen, one and several, and why.
LEFT_OUT = {
    "resume": (
        "was cancelled, and stays so: it is resumed on its own page.",
        "were cancelled, and stay so: each is resumed on its own page.",
    ),
    "cancel": ("has nothing to cancel.", "have nothing to cancel."),
}


@dataclass(frozen=True, slots=True)
class Choice(BulkChoice):
    """A verb of VERBS, and the tags of jobs."""

    field = "job"
    verbs = VERBS

    def narrow(self, matching: JobQuerySet) -> JobQuerySet:
        """Of the jobs that match, those that are meant."""
        if not self.everything:
            return matching.filter(tag__in=self.names)
        return matching if self.shown is None else matching.among(self.shown)

    def without_those_left_out(self, jobs: JobQuerySet) -> JobQuerySet:
        """Of those that are meant, the ones that it is done with: what somebody ended is not revived among others."""
        if self.verb == "resume":
            return jobs.may_be_resumed_together()
        return standing_so(jobs, GOING_ON) if self.verb == "cancel" else jobs

    def refusal(self, count: int, named: JobQuerySet) -> str:
        """Why it cannot be done with so many, of those that were named; empty where it can."""
        if not self.verb:
            return "Choose what to do: run, pause, resume, cancel or delete."
        if not count and (left_out := self._left_out(count, named)):
            return left_out
        if not count:
            return "Tick the jobs that you mean, or choose all that match. Those that you ticked may be gone."
        if count > MOST:
            return f"More than {MOST:,} jobs match: no more can be changed at once. Set a filter, and go on in parts."
        return ""

    def form(self, data: QueryDict, now: datetime) -> PauseForm | None:
        """What else has to be said of it, as far as it was said."""
        return PauseForm(data if self.asked is not None else None, now=now) if self.verb == "pause" else None

    def question(self, ids: Sequence[int], names: Sequence[str], named: JobQuerySet) -> dict[str, Any]:
        """What `pages.ask` is to show. `names` are those of some of them; `named`, all that were chosen."""
        count = len(ids)
        label, text_of_one, text_of_many, _ = WORDS[self.verb]
        text, what = text_of_one if count == 1 else text_of_many, words.counted(count, "job")
        more = count - len(names)
        return {
            "title": f"{label} {what}?",
            "text": " ".join(filter(None, [self.grown(count), text, self._left_out(count, named)])),
            "items": [*names, f"and {more:,} more"] if more else names,
            "confirm": f"{label} {what}" + (" now" if self.verb == "run" else ""),
            "keep": "Keep as they are" if count > 1 else "Keep as it is",
            "danger": self.verb in {"cancel", "delete"},
            "hidden": self.hidden(ids),
        }

    def _left_out(self, count: int, named: JobQuerySet) -> str:
        """How many of those that were chosen it is not done with, and why."""
        if self.verb not in LEFT_OUT or not (left := named.count() - count):
            return ""
        return f"{words.counted(left, 'job')} of these {LEFT_OUT[self.verb][left > 1]}"

    def said(self, done: int, *, of: int) -> str:
        """What is said afterwards: how many, and how many there was nothing to do for."""
        said = f"{words.counted(done, 'job')} {'is' if done == 1 else 'are'} {WORDS[self.verb][3]}."
        return said if done == of else f"{said} Of the others, {of - done:,}, there was nothing to change."
