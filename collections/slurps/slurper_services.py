"""What can be done with slurpers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from badgerjobs.runs.owned import set_fields
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.types import type_of
from badgerjobs.web.definitions.keeping import (
    GONE,
    NAMED,
    Facts,
    Uses,
    alone_with_its_tag,
    delete_unused,
    made_or_updated,
    record,
)
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from slurps.fitting import emptied
from slurps.models import Slurper, SlurperSource

SLURPER_FIELDS = ("name", "language", "code", "function")
# So many sources one slurper pulls in.
MOST_SOURCES = 20

NO_SOURCE = "There is no source “{}” in this application."
NO_SOURCES = "There are no sources {} and “{}” in this application."
NO_ROWS = "The source “{}” gives no rows: a slurper has nothing to pull from it."
USED = Uses(
    lambda slurper: slurper.async_jobs,
    "the async job",
    "The slurper is used by {}. Delete these first, or give them another slurper.",
)


def create_slurper(*, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any) -> Slurper:
    """Make a slurper. `fields`, checked, are SLURPER_FIELDS and `sources`, tags in the order in which they are pulled.

    Raises Conflict when the application has a slurper with this tag, Invalid for sources that are not there.
    """
    slurper = Slurper(application=application, tag=tag, name=tag)
    _set(slurper, fields)
    with alone_with_its_tag("a slurper", slurper):
        slurper.save(force_insert=True)
        _pull_from(slurper, fields.get("sources", ()))
        record(slurper, {}, _facts(slurper), action="slurper.create", by=by, now=now)
    return slurper


@transaction.atomic
def update_slurper(*, slurper: Slurper, by: audit.Actor, now: datetime, **fields: Any) -> Slurper:
    """Change what is given; sources are given whole. It holds from the next run on: one that goes on ends as it began.

    Raises Conflict when somebody else deleted it meanwhile, Invalid for sources that are not there.
    """
    try:
        slurper.refresh_from_db(from_queryset=Slurper.objects.select_for_update())
    except Slurper.DoesNotExist:
        raise Conflict(GONE.format("slurper")) from None
    facts = _facts(slurper)
    _set(slurper, fields)
    if "sources" in fields:
        _pull_from(slurper, fields["sources"])
    if (changed := _facts(slurper)) != facts:
        slurper.save()
        record(slurper, facts, changed, action="slurper.update", by=by, now=now)
    return slurper


def create_or_update_slurper(
    *, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any
) -> tuple[Slurper, bool]:
    """Make the slurper, or change the one that is there, as one step. Returns it and whether it was made."""
    fields |= {"by": by, "now": now}
    return made_or_updated(
        Slurper.objects.for_application(application).filter(tag=tag),
        "slurper",
        make=lambda: create_slurper(application=application, tag=tag, **fields),
        update=lambda found: update_slurper(slurper=found, **fields),
    )


def delete_slurper(*, slurper: Slurper, by: audit.Actor, now: datetime) -> None:
    """Delete a slurper. Raises Conflict, naming them, while async jobs use it."""
    if refusal := USED.refusal(slurper):
        raise Conflict(refusal)
    delete_unused(slurper, USED, _facts(slurper), action="slurper.delete", by=by, now=now)


def tags_of_sources(slurper: Slurper) -> list[str]:
    """The tags of its sources, in the order in which they are pulled."""
    return list(slurper.places.order_by("place").values_list("source__tag", flat=True))


def sources_named(application: Application, tags: Sequence[str]) -> list[DataSource]:
    """The sources with these tags, in this order, held until the end of the transaction. Raises Invalid.

    They are held in the order of their ids, as whoever deletes some of them does.
    """
    rows = DataSource.objects.for_application(application).filter(tag__in=tags).order_by("pk")
    found = {source.tag: source for source in rows.select_for_update(no_key=True)}
    if missing := [tag for tag in dict.fromkeys(tags) if tag not in found]:
        raise Invalid(sources=_missing(missing))
    for source in found.values():
        if type_of(source.type).pull is None:
            raise Invalid(sources=NO_ROWS.format(source.tag))
    return [found[tag] for tag in tags]


def _missing(tags: Sequence[str]) -> str:
    if len(tags) == 1:
        return NO_SOURCE.format(tags[0])
    *first, last = tags[: NAMED + 1]
    return NO_SOURCES.format(", ".join(f"“{tag}”" for tag in first), last)


def _set(slurper: Slurper, fields: Facts) -> None:
    """The fields; what its language has no use for is empty."""
    set_fields(slurper, fields, SLURPER_FIELDS)
    set_fields(slurper, emptied(slurper.language), SLURPER_FIELDS)


def _pull_from(slurper: Slurper, tags: Sequence[str]) -> None:
    sources = sources_named(slurper.application, tags)
    if [source.tag for source in sources] == tags_of_sources(slurper):
        return
    slurper.places.all().delete()
    SlurperSource.objects.bulk_create(
        SlurperSource(slurper=slurper, source=source, place=place) for place, source in enumerate(sources, start=1)
    )


def _facts(slurper: Slurper) -> Facts:
    """What a person would say that it is, for the audit log."""
    return {**{name: getattr(slurper, name) for name in SLURPER_FIELDS}, "sources": tags_of_sources(slurper)}
