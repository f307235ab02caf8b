"""The row of anything that runs, in the lists of pages: what its last runs were, and how it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from badgerjobs.runs.measures import so_far
from badgerjobs.runs.models import Runnable, State
from badgerjobs.runs.recent import Bar, Ended
from badgerjobs.runs.saying import Saying, saying, state_of
from badgerjobs.runs.schedules import place_of


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """`strip`: its last runs, the newest last; `ended`: the last one that is over."""

    runnable: Runnable
    strip: Sequence[Bar]
    ended: Ended | None
    now: datetime

    @property
    def running(self) -> Bar | None:
        """The run that runs longest, of those in the strip."""
        return next((bar for bar in self.strip if bar.state == State.RUNNING), None)

    @property
    def so_far(self) -> str:
        """How long that has run by now: `41 s so far`."""
        return so_far(self.running.started_at if self.running else None, self.now)

    @property
    def state(self) -> str:
        return state_of(self.runnable)

    @property
    def schedule(self) -> Saying:
        return saying(self.runnable)

    @property
    def zone(self) -> tzinfo:
        return place_of(self.runnable)
