"""Turns incidents that nobody was told of into runs that tell of them. Any number of processes may do so at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from badgerjobs.notices import payloads
from badgerjobs.notices.models import RECOVERED, NoticeSettings, Quiet
from badgerjobs.notices.quiet import (
    Seen,
    Silence,
    Telling,
    Wish,
    judge_closing,
    judge_end_of_quiet,
    judge_opening,
)
from badgerjobs.notices.sending import Ways, send
from badgerjobs.runs import fleet
from badgerjobs.runs.models import Incident
from badgerjobs.runs.shown import entitle

# Incidents that one transaction tells of, and batches that one tick takes: the rest waits for the next one.
BATCH = 500
BATCHES = 10
# A quiet that ended so long ago has nothing to say any more.
FORGOTTEN = timedelta(days=30)

# Whether there is anything to tell: a probe of an index each.
_LOOK = """
SELECT EXISTS (SELECT FROM runs_incident WHERE told_at IS NULL)
    OR EXISTS (SELECT FROM runs_incident WHERE closed_at IS NOT NULL AND closing_told_at IS NULL)
    OR EXISTS (SELECT FROM notices_quiet WHERE held IS NOT NULL AND ends_at <= clock_timestamp())
    OR EXISTS (SELECT FROM notices_quiet WHERE ends_at < clock_timestamp() - interval '1 s' * %s)
"""

# Of which trouble of which job, or of which application (0).
Subject = tuple[int, int, str]


def tell() -> int:
    """Tell of all that is untold, as far as one tick may go. Returns how much was done."""
    done = 0
    for _ in range(BATCHES):
        if not (_is_anything_untold() and (count := tell_some(now=fleet.database_now()))):
            break
        done += count
    return done


def _is_anything_untold() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, [FORGOTTEN.total_seconds()])
        return bool(cursor.fetchone()[0])


@transaction.atomic
def tell_some(*, now: datetime, limit: int = BATCH) -> int:
    """Tell of some: the runs are made in the transaction that marks the incidents as told. Returns how much was done.

    What somebody else is telling of, or opening and closing at this moment, is passed over.
    """
    opened_ids, closed_ids = _found(OPENED, limit), _found(CLOSED, limit)
    ended = list(Quiet.objects.filter(held__isnull=False, ends_at__lte=now).order_by("ends_at")[:limit])
    applications = {*opened_ids.values(), *closed_ids.values(), *(one.application_id for one in ended)}
    # Held until the end, and before all else: of one application nobody else decides anything meanwhile, and it is not
    # deleted.
    settings = NoticeSettings.objects.filter(application_id__in=applications).for_telling().order_by("pk")
    held = settings.select_for_update()
    book = Book({row.application_id: row for row in held}, now)
    opened, closed = _taken(OPENED, opened_ids), _taken(CLOSED, closed_ids)
    book.read((*opened, *closed), [one for one in ended if one.application_id in book.settings])
    book.judge(opened, closed)
    send(book.notices(), now=now)
    book.write()
    Incident.objects.filter(pk__in=[one.pk for one in opened]).update(told_at=now)
    over = [one.pk for one in (*closed, *(one for one in opened if one.closed_at))]
    Incident.objects.filter(pk__in=over, closing_told_at=None).update(closing_told_at=now)
    nobodys = [one.pk for one in ended if one.application_id not in book.settings]
    forgotten, _ = Quiet.objects.filter(Q(ends_at__lt=now - FORGOTTEN) | Q(pk__in=nobodys)).delete()
    return len(opened) + len(closed) + len(book.released) + forgotten


# Whose opening is untold; whose end is, once the opening was.
OPENED = Q(told_at=None)
CLOSED = Q(closed_at__isnull=False, closing_told_at=None, told_at__isnull=False)


def _found(which: Q, limit: int) -> dict[UUID, int]:
    """The first of them, and whose they are."""
    return dict(Incident.objects.filter(which).order_by("id").values_list("pk", "application_id")[:limit])


def _taken(which: Q, ids: Iterable[UUID]) -> list[Incident]:
    """Those of them that nobody else has, locked, in the order in which they opened."""
    found = _incidents().filter(which, pk__in=list(ids)).order_by("id")
    return list(found.select_for_update(skip_locked=True, of=("self",)))


def _incidents() -> QuerySet[Incident]:
    """With what is said of their owners, and none of their secrets: one that cannot be read must not stop others."""
    names = ("slug", "name", "workspace"), ("name", "kind")
    owners = [f"{of}__{name}" for of, its in zip(("application", "runnable"), names, strict=True) for name in its]
    own = [field.name for field in Incident._meta.concrete_fields]
    return Incident.objects.select_related("application", "runnable").only(*own, *owners)


@dataclass(slots=True)
class Book:
    """What is known of those who want to be told, and of what they were told: read once, judged, and written back."""

    settings: dict[int, NoticeSettings]
    now: datetime
    silences: dict[Subject, Silence] = field(default_factory=dict)
    released: dict[Subject, Incident | None] = field(default_factory=dict)
    openings: list[tuple[Incident, Telling]] = field(default_factory=list)
    closings: list[Incident] = field(default_factory=list)
    before: dict[Subject, Silence] = field(default_factory=dict)

    def read(self, incidents: Iterable[Incident], ended: Sequence[Quiet]) -> None:
        """Read the quiet of all these, now that nobody else can change it."""
        subjects = {_subject(one) for one in incidents if one.application_id in self.settings}
        subjects |= {(one.application_id, one.runnable_id, one.trouble) for one in ended}
        rows = Quiet.objects.filter(
            application_id__in={application for application, _, _ in subjects},
            runnable_id__in={runnable for _, runnable, _ in subjects},
        )
        for row in rows:
            subject = (row.application_id, row.runnable_id, row.trouble)
            if subject in subjects:
                self.before[subject] = Silence(row.ends_at, row.told, row.held, row.more, row.more_since)
        self.silences = dict(self.before)
        over = {at: one.held for at, one in self.before.items() if one.held is not None and one.ends_at <= self.now}
        found = _incidents().in_bulk(list(over.values()))
        self.released = {at: found.get(held) for at, held in over.items()}

    def judge(self, opened: Sequence[Incident], closed: Sequence[Incident]) -> None:
        """Decide on each: on what is over first, so that what opened anew is judged by what was left."""
        for one in closed:
            at = _subject(one)
            silence, telling = judge_closing(_seen(one), self.silences.get(at), self._wish(at))
            self._keep(at, silence)
            if telling:
                self.closings.append(one)
        for at, held in self.released.items():
            if self.silences[at].held is None:  # it was closed just now
                continue
            silence, telling = judge_end_of_quiet(
                self.silences[at], _seen(held) if held else None, self._wish(at), self.now
            )
            self._keep(at, silence)
            if telling and held:
                self.openings.append((held, telling))
        for one in opened:
            at = _subject(one)
            silence, telling = judge_opening(_seen(one), self.silences.get(at), self._wish(at), self.now)
            self._keep(at, silence)
            if telling:
                self.openings.append((one, telling))

    def notices(self) -> list[tuple[Ways, list[dict[str, object]]]]:
        """What each application's people are told, in the order in which it happened."""
        told: dict[int, list[dict[str, object]]] = {}
        entitle(one.runnable for one in (*self.closings, *(one for one, _ in self.openings)))
        for group in _together(self.closings):
            found = told.setdefault(group[0].application_id, [])
            found.append(payloads.of_closing(group, base_url=self._base_url(group[0])))
        for one, telling in self.openings:
            found = told.setdefault(one.application_id, [])
            found.append(payloads.of_opening(one, telling, base_url=self._base_url(one)))
        for found in told.values():
            found.sort(key=lambda payload: str(payload["timestamp"]))
        return [(_ways(self.settings[application]), found) for application, found in told.items()]

    def write(self) -> None:
        """Write down how quiet it is from now on: what has changed, in one statement."""
        Quiet.objects.bulk_create(
            [
                Quiet(
                    application_id=application,
                    runnable_id=runnable,
                    trouble=trouble,
                    ends_at=one.ends_at,
                    told=one.told,
                    held=one.held,
                    more=one.more,
                    more_since=one.more_since,
                )
                for (application, runnable, trouble), one in self.silences.items()
                if self.before.get((application, runnable, trouble)) != one
            ],
            update_conflicts=True,
            unique_fields=["application", "runnable_id", "trouble"],
            update_fields=["ends_at", "told", "held", "more", "more_since"],
        )

    def _keep(self, at: Subject, silence: Silence | None) -> None:
        if silence:
            self.silences[at] = silence

    def _wish(self, at: Subject) -> Wish | None:
        wanted = self.settings.get(at[0])
        if wanted is None or not wanted.enabled or not (wanted.emails or _ways(wanted).calls):
            return None
        troubles = set(wanted.troubles)
        return Wish(troubles - {RECOVERED}, timedelta(minutes=wanted.quiet_minutes), RECOVERED in troubles)

    def _base_url(self, incident: Incident) -> str:
        return self.settings[incident.application_id].base_url


def _ways(settings: NoticeSettings) -> Ways:
    return Ways(settings.pk, calls=settings.has_url, mails=bool(settings.emails))  # type: ignore[attr-defined]  # an annotation


def _subject(incident: Incident) -> Subject:
    return incident.application_id, incident.runnable_id or 0, incident.trouble


def _seen(incident: Incident) -> Seen:
    # Only what a person ended has been told the end of before the opening was told.
    by_hand = incident.told_at is None and incident.closing_told_at is not None
    return Seen(incident.pk, incident.trouble, incident.opened_at, incident.closed_at, by_hand)


def _together(closed: Sequence[Incident]) -> list[list[Incident]]:
    """What closed, by whose it was: a job that is well again has nothing wrong any more, and is told of once."""
    groups: dict[tuple[int, int | None], list[Incident]] = {}
    for one in closed:
        groups.setdefault((one.application_id, one.runnable_id), []).append(one)
    return list(groups.values())
