"""Reading jobs, events and connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, Count, F, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Left, Lower

from badgerjobs.runs.models import FINAL, Run
from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from badgerjobs.workspaces.models import Application
    from jobs.models import Connection, Event, Job

# So much of its body comes with a job in a list, in bytes: a page of a hundred stays within a few megabytes.
BODY_IN_LISTS = 64 * 1024
# An input that is longer, in characters of its JSON, does not come along: read, it takes many times as many bytes.
INPUT_IN_LISTS = 16 * 1024

_PLANNED = Q(runnable__next_run_at__isnull=False)
_AT_A_TIME = Q(runnable__run_at__isnull=False)
_BY_HAND = Q(runnable__run_at=None, runnable__run_every="", runnable__cron="", runnable__preset="")

_PAUSED_SINCE = Q(runnable__paused_at=None) | Q(runnable__paused_at__lte=F("cancelled_at"))
# A pause that began after it was cancelled is another one: it was resumed in between.
IS_CANCELLED = Q(runnable__enabled=False, cancelled_at__isnull=False) & _PAUSED_SINCE

# The states of a job, and besides all of them: running.
STATES = {
    "enabled": Q(runnable__enabled=True) & (_PLANNED | _BY_HAND),
    "paused": Q(runnable__enabled=False) & ~IS_CANCELLED,
    "cancelled": IS_CANCELLED,
    "ended": Q(runnable__enabled=True) & ~_PLANNED & ~_BY_HAND,
}
SCHEDULES = {
    "at a time": _AT_A_TIME & Q(runnable__run_every="", runnable__cron="", runnable__preset=""),
    "every": ~Q(runnable__run_every=""),
    "cron": ~Q(runnable__cron=""),
    "preset": ~Q(runnable__preset=""),
    "by hand": _BY_HAND,
}


class JobQuerySet(OwnedQuerySet["Job"]):
    def whole(self) -> JobQuerySet:
        """With what the engine knows of each and its event, but for what that holds, in the same query."""
        return self.select_related("runnable", "event").defer("event__configuration")

    def in_brief(self) -> JobQuerySet:
        """The same without bodies and inputs, of which it has the beginnings.

        `beginning` is one character more of each body than a list may show bytes, `input_text` one more of each input,
        as JSON, than a list may show characters.
        """
        briefly = self.whole().with_input_as_text(INPUT_IN_LISTS + 1)
        return briefly.defer("body").annotate(beginning=Left("body", BODY_IN_LISTS + 1))

    def in_rows(self) -> JobQuerySet:
        """What a row of the panel's list says: neither bodies nor inputs, nor headers, which would be decrypted."""
        return self.whole().defer("body", "headers", "input")

    def with_input_as_text(self, most: int | None = None) -> JobQuerySet:
        """Without `input`, and with `input_text`, its JSON: all of it, or so many characters. None where it is null."""
        text = Cast("input", TextField())
        return self.defer("input").annotate(input_text=Left(text, most) if most else text)

    def search(self, words: str) -> JobQuerySet:
        """Those whose tag, name, endpoint or event's tag contains the words, in any case."""
        its_own = Q(tag__icontains=words) | Q(name__icontains=words) | Q(endpoint__icontains=words)
        return self.filter(its_own | Q(event__tag__icontains=words))

    def sortable(self) -> JobQuerySet:
        """With `title`, which sorts names as people do: in any case."""
        return self.annotate(title=Lower("name"))

    def in_state(self, state: str, application: Application) -> JobQuerySet:
        """Those that are enabled (planned, or by hand), paused, cancelled or ended (nothing is to come); or running."""
        if state == "running":
            return self.filter(runnable_id__in=Run.objects.for_application(application).running_runnables())
        return self.filter(STATES[state])

    def scheduled(self, way: str) -> JobQuerySet:
        """Those with this way of saying when."""
        return self.filter(SCHEDULES[way])

    def may_be_resumed_together(self) -> JobQuerySet:
        """Without those that were cancelled: such a job is resumed alone, by who means it."""
        return self.exclude(IS_CANCELLED)

    def of_types(self, types: Sequence[str]) -> JobQuerySet:
        """Those that perform an event of one of these types; a call of a job's own is an ACTION."""
        meant = Q(event__type__in=types)
        return self.filter(meant | Q(event=None) if "ACTION" in types else meant)

    def last_was(self, state: str) -> JobQuerySet:
        """Those whose last run that is over ended so: one look into an index for each job.

        It is asked here and now, so that who counts them and who reads a page of them do not ask twice.
        """
        ended = Run.objects.filter(runnable_id=OuterRef("runnable_id"), state__in=FINAL).order_by("-id")
        found = self.order_by().annotate(last_state=Subquery(ended.values("state")[:1])).filter(last_state=state)
        ids = list(found.values_list("pk", flat=True))
        return self.among(ids)

    def among(self, ids: Sequence[int]) -> JobQuerySet:
        """Those of these ids."""
        # One array: ten thousand numbers in a list of their own take as long to plan as all the rest.
        return self.filter(RawSQL("jobs_job.id = ANY(%s)", [list(ids)], BooleanField()))


class EventQuerySet(OwnedQuerySet["Event"]):
    def whole(self) -> EventQuerySet:
        """With the connection that each uses, in the same query."""
        return self.select_related("connection")

    def in_rows(self) -> EventQuerySet:
        """What a row of the panel's list says: no configurations, which would have to be decrypted."""
        return self.whole().defer("configuration", "connection__configuration")

    def with_users(self) -> EventQuerySet:
        """With `users`: how many jobs perform each."""
        return self.annotate(users=_count_of(self, "jobs"))

    def search(self, words: str) -> EventQuerySet:
        """Those whose tag or name contains the words, in any case."""
        return self.filter(Q(tag__icontains=words) | Q(name__icontains=words))


class ConnectionQuerySet(OwnedQuerySet["Connection"]):
    def in_rows(self) -> ConnectionQuerySet:
        """What a row of the panel's list says: no configurations, which would have to be decrypted."""
        return self.defer("configuration")

    def with_users(self) -> ConnectionQuerySet:
        """With `users`: how many events use each."""
        return self.annotate(users=_count_of(self, "events"))

    def search(self, words: str) -> ConnectionQuerySet:
        """Those whose tag or name contains the words, in any case."""
        return self.filter(Q(tag__icontains=words) | Q(name__icontains=words))


def _count_of(rows: QuerySet[Any], name: str) -> Subquery:
    """How many of these each row has: counted for those rows alone that are read, when the page is cut already."""
    itself = rows.model._base_manager.filter(pk=OuterRef("pk")).values("pk")
    return Subquery(itself.annotate(found=Count(name)).values("found"))
