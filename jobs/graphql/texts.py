"""The long texts of an answer, headers and bodies: loaded where asked for, and no more than one answer takes."""

from functools import reduce
from operator import add

from django.db.models import F, Func, IntegerField, Sum

from badgerjobs.runs.last_attempts import LastAttempt
from badgerjobs.web.graphql import Asker, size_of
from jobs.querysets import JobQuerySet

TEXTS = ("headers", "body")


def wants_texts(asker: Asker) -> bool:
    """Whether the query names what is long in a result."""
    return not asker.selected.isdisjoint({f"JobResult.{name}" for name in TEXTS})


def without_unread(rows: JobQuerySet, asker: Asker) -> JobQuerySet:
    """With their runnables, without inputs, and without headers and bodies that nobody asked for.

    Raises Invalid for too many bytes.
    """
    read = [name for name in TEXTS if f"Job.{name}" in asker.selected]
    if read:
        lengths = [Func(F(name), function="octet_length", output_field=IntegerField()) for name in read]
        held = rows.annotate(bytes=reduce(add, lengths)).aggregate(held=Sum("bytes"))["held"]
        asker.texts.load(held or 0)
    return rows.whole().defer("input", *(name for name in TEXTS if name not in read))


def count_loaded(rows: list[LastAttempt], asker: Asker) -> None:
    """What results brought along counts too. Raises Invalid for too many bytes."""
    asker.texts.load(sum(size_of(row.headers) + size_of(row.body) for row in rows))
