"""The pages of async jobs, collections and slurpers, as their tests need them: who looks, who presses, what it says."""

import re
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, Role
from slurps.models import AsyncJob, Slurper, Stage, Version
from slurps.services import create_async_job
from slurps.slurper_services import create_slurper
from tests.clients import browser_in
from tests.factories import NOW, make_collection, make_run, make_source

WROTE = {
    "collection": "prices", "stage": "ready", "version": 1, "read": 2000, "written": 1000, "added": 18, "changed": 940,
    "bytes": 2_000_000,
}  # fmt: skip


def at(shop: Application, name: str = "list", /, *args: str) -> str:
    return reverse(f"collections:{name}", args=[shop.slug, *args])


def look(shop: Application, name: str = "list", /, *args: str, role: Role = Role.OWNER, **query: Any) -> Any:
    return browser_in(shop, role).get(at(shop, name, *args), query)


def press(shop: Application, name: str, /, *args: str, role: Role = Role.OWNER, **given: Any) -> Any:
    return browser_in(shop, role).post(at(shop, name, *args), given, follow=True)


def text_of(answer: Any) -> str:
    """What a person reads of it, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def queries(shop: Application, name: str = "list", /, *args: str, **query: Any) -> int:
    browser, address = browser_in(shop), at(shop, name, *args)
    browser.get(address, query)
    with CaptureQueriesContext(connection) as caught:
        assert browser.get(address, query).status_code == 200
    return len(caught)


def made_slurper(shop: Application, tag: str = "clean", sources: tuple[str, ...] = ("shop",), **fields: Any) -> Slurper:
    """A slurper through its service, with sources of its own."""
    for source in sources:
        if not shop.sources.filter(tag=source).exists():
            make_source(shop, source, type="JSONL", configuration={"url": "https://example.com/"}, variables=[])
    given = {"sources": list(sources), "name": tag.title(), **fields}
    return create_slurper(application=shop, tag=tag, by=OPERATOR, now=timezone.now(), **given)


def made_job(shop: Application, tag: str = "import", **fields: Any) -> AsyncJob:
    """An async job through its service, so that it is planned."""
    if "slurper" not in fields and not Slurper.objects.filter(application=shop, tag="clean").exists():
        made_slurper(shop)
    given = {"slurper": "clean", "name": tag.title(), **fields}
    return create_async_job(application=shop, tag=tag, by=OPERATOR, now=timezone.now(), **given)


def held_result(job: AsyncJob, number: int = 1, **output: Any) -> Run:
    """A run of it whose result waits for approval."""
    told = {**WROTE, **output, "stage": "held", "version": None}
    run = ended(job, number, output=told)
    collection = job.collections.first() or make_collection(job.application, async_job=job)
    version = Version(application=job.application, collection=collection, stage=Stage.HELD, run_id=run.pk)
    version.generation, version.floor, version.created_at, version.written = 1, 1, NOW, {**WROTE, **output}["written"]
    version.save()
    return run


def ended(job: AsyncJob, number: int = 1, state: State = State.SUCCEEDED, **fields: Any) -> Run:
    """A run of it that is over."""
    given = {"started_at": NOW, "finished_at": NOW, "output": WROTE, **fields}
    return make_run(job.runnable, state, number=number, **given)
