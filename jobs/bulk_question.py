"""What somebody wants done with several jobs, and the question that is asked before it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from jobs.bulk import MOST, VERBS
from jobs.querysets import JobQuerySet

# Verb → what the button says, what happens, and what is said when it is done.
WORDS = {
    "run": ("Run", "Each is called once now, beside its schedule, whether it is paused or not.", "waiting to run"),
    "pause": (
        "Pause",
        "Nothing is planned until they are resumed. What waits is aborted, what runs goes on.",
        "paused",
    ),
    "resume": ("Resume", "Their next runs are planned from now on. What was missed is not made up for.", "resumed"),
    "delete": ("Delete", "Their runs and results go with them, and what waits is aborted. No way back.", "deleted"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A verb of VERBS (empty: none of them), and the tags of jobs, or all that match.

    `asked` is how many the person was told of who said yes.
    """

    verb: str
    tags: Sequence[str]
    everything: bool
    asked: int | None

    @classmethod
    def read(cls, form: QueryDict) -> "Choice":
        """Take what a form says."""
        verb, asked = form.get("do", ""), form.get("asked", "")
        tags = [tag for tag in form.getlist("job") if "\0" not in tag]
        number = int(asked) if asked.isascii() and asked[:9].isdigit() and len(asked) < 9 else None
        return cls(verb if verb in VERBS else "", tags, "all" in form, number)

    def narrow(self, matching: JobQuerySet) -> JobQuerySet:
        """Of the jobs that match, those that are meant."""
        return matching if self.everything else matching.filter(tag__in=self.tags)

    def refusal(self, count: int) -> str:
        """Why it cannot be done with so many; empty where it can."""
        if not self.verb:
            return "Choose what to do: run, pause, resume or delete."
        if not count:
            return "Tick the jobs that you mean, or choose all that match. Those that you ticked may be gone."
        if count > MOST:
            return f"More than {MOST:,} jobs match: no more can be changed at once. Set a filter, and go on in parts."
        return ""

    def is_confirmed(self, count: int) -> bool:
        """Whether somebody was asked and said yes: to no fewer than there are by now."""
        return self.asked is not None and count <= self.asked

    def question(self, count: int, names: Sequence[str]) -> dict[str, Any]:
        """What `pages.ask` is to show. `names` are those of some of them."""
        label, text, _ = WORDS[self.verb]
        what = _counted(count)
        more = count - len(names)
        return {
            "title": f"{label} {what}?",
            "text": text if self.asked is None else f"There are {count:,} by now, and not {self.asked:,}. {text}",
            "items": [*names, f"and {more:,} more"] if more else names,
            "confirm": f"{label} {what}" + (" now" if self.verb == "run" else ""),
            "keep": "Keep as they are" if count > 1 else "Keep as it is",
            "danger": self.verb == "delete",
            "hidden": {
                "do": [self.verb],
                "asked": [str(count)],
                **({"all": ["1"]} if self.everything else {"job": self.tags}),
            },
        }

    def said(self, done: int, *, of: int) -> str:
        """What is said afterwards: how many, and how many there was nothing to do for."""
        said = f"{_counted(done)} {'is' if done == 1 else 'are'} {WORDS[self.verb][2]}."
        return said if done == of else f"{said} Of the others, {of - done:,}, there was nothing to change."


def _counted(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"
