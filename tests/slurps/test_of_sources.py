"""The page of a source tells which slurpers pull from it, and when that was done last."""

from datetime import timedelta

import pytest

from badgerjobs.runs.models import Runnable
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.uses import last_used
from badgerjobs.workspaces.models import Application
from slurps.models import Slurper, SlurperSource
from slurps.of_sources import SlurpersOfSource
from tests.factories import NOW, make_application, make_async_job, make_source

pytestmark = pytest.mark.django_db


def pulling(source: DataSource, tag: str, *others: DataSource) -> Slurper:
    """A slurper of these sources, with an async job."""
    slurper = Slurper.objects.create(application=source.application, tag=tag, name=tag)
    for place, one in enumerate([source, *others], start=1):
        SlurperSource.objects.create(slurper=slurper, source=one, place=place)
    make_async_job(source.application, tag, slurper=slurper)
    return slurper


def test_its_slurpers_are_told_with_their_jobs_and_when_they_last_ran(shop: Application) -> None:
    source, other = make_source(shop, "a"), make_source(shop, "b")
    pulling(source, "y", other)
    pulling(source, "x")
    pulling(other, "z")
    Runnable.objects.filter(name="y").update(last_run_at=NOW)
    use = SlurpersOfSource(source, NOW)
    told = [(row.tag, row.job_count, row.last_run_at) for row in use.rows]  # type: ignore[attr-defined]
    assert (use.count, told) == (2, [("x", 1, None), ("y", 1, NOW)])


def test_a_source_was_used_when_a_job_that_pulls_from_it_last_ran(shop: Application) -> None:
    used, idle = make_source(shop, "used"), make_source(shop, "idle")
    for tag, days in (("x", 2), ("y", 1)):
        pulling(used, tag)
        Runnable.objects.filter(name=tag).update(last_run_at=NOW - timedelta(days=days))
    pulling(idle, "z")
    theirs = make_source(make_application("Charlie's"), "theirs")
    pulling(theirs, "w")
    Runnable.objects.filter(name="w").update(last_run_at=NOW)
    assert last_used(shop, [used, idle, theirs]) == {used.pk: NOW - timedelta(days=1)}
