"""The page of a source tells which slurpers pull from it, and when that was done last."""

from datetime import timedelta

import pytest
from django.urls import reverse

from badgerjobs.runs.models import Runnable
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.uses import last_used
from badgerjobs.workspaces.models import Application, Role
from slurps.models import Slurper, SlurperSource
from slurps.of_sources import SlurpersOfSource
from tests.clients import browser_in
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


def test_the_page_of_a_source_with_rows_leads_to_a_slurper_of_it(shop: Application) -> None:
    make_source(shop, "lines", type="JSONL", configuration={"url": "https://example.com/"})
    at, new = reverse("sources:source", args=[shop.slug, "lines"]), reverse("collections:new-slurper", args=[shop.slug])
    page = browser_in(shop).get(at).content.decode()
    assert "None yet: its rows go into a collection" in page
    assert f'href="{new}?source=lines"' in page
    assert new not in browser_in(shop, Role.VIEWER).get(at).content.decode()
