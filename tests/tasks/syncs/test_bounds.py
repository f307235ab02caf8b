"""How much syncs may have in their hands: fetches of one application, of all, and what a webhook brought."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from badgerjobs.lib.javascript import Result, Written
from badgerjobs.workspaces.models import Application
from tasks.models import KeySync, TaskType
from tasks.syncs import means, perform, syncing
from tasks.syncs.means import open_means
from tests.factories import make_application, make_task
from tests.runs.claims import claimed
from tests.tasks.syncs.stages import Found, Sources, aside, begun, make_keys, performed
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_one_application_no_more_are_fetched_at_once_than_its_share_however_many_runs_it_has(
    shop: Application, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(means, "AT_ONCE", 5)
    monkeypatch.setattr(means, "AT_ONCE_EACH", 3)
    other = make_application("Charlie's", "other")
    for owner in (shop, other):
        make_keys(owner, 8)
    tasks = [make_task(owner, f"task-{n}") for owner, n in ((shop, 1), (shop, 2), (shop, 3), (other, 4))]
    inside: Counter[int] = Counter()
    most: Counter[Any] = Counter()

    async def fetch(source: Any, values: Mapping[str, Any], *given: Any, **how: Any) -> Found:
        owner = source.application_id
        inside[owner] += 1
        most[owner] = max(most[owner], inside[owner])
        most["all"] = max(most["all"], inside.total())
        try:
            return await sources.fetch(source, values, *given, **how)
        finally:
            inside[owner] -= 1

    monkeypatch.setattr(syncing, "fetch", fetch)
    runs = [begun(task) for task in tasks]

    async def story() -> None:
        sources.gates[""] = asyncio.Event()
        async with open_means() as shared:
            performing = [
                asyncio.create_task(perform.perform_task(claimed(run, kind="sync", worker=run.worker), task, shared))
                for run, task in zip(runs, tasks, strict=True)
            ]
            await aside(until, lambda: inside.total() == 5)
            sources.gates[""].set()
            await asyncio.gather(*performing)

    asyncio.run(story())
    assert (most[shop.pk], most["all"]) == (3, 5)
    assert KeySync.objects.filter(state="succeeded").count() == 32


def test_a_webhooks_body_is_let_go_once_the_keys_are_chosen_and_is_never_read_here_as_a_whole(
    shop: Application, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_keys(shop, 1)
    task = make_task(
        shop, type=TaskType.WEBHOOK, selection="contains", pattern="{{name}}", transform="return {variables: body}"
    )
    run = begun(task, input={"body": {"name": "product"}, "headers": {"x-a": "1"}})
    seen: list[Any] = []

    async def arun(_: str, arguments: Mapping[str, Any], **__: Any) -> Result:
        seen.append(arguments["body"])
        return Result({"variables": {"name": "product"}})

    monkeypatch.setattr("badgerjobs.lib.javascript.arun", arun)
    mine = claimed(run, kind="sync", worker=run.worker, input=run.input)

    async def story() -> None:
        sources.gates[""] = asyncio.Event()
        async with open_means() as shared:
            performing = asyncio.create_task(perform.perform_task(mine, task, shared))
            await aside(until, lambda: sources.inside)
            assert (mine.input_text, mine.input) == (None, None)
            sources.gates[""].set()
            await performing

    asyncio.run(story())
    assert seen == [Written(json.dumps({"name": "product"}))]


def test_the_sandbox_reads_a_webhooks_body(shop: Application, sources: Sources) -> None:
    make_keys(shop, 2)
    task = make_task(
        shop, type=TaskType.WEBHOOK, selection="contains", pattern="{{name}}", transform="return {variables: body}"
    )
    run = begun(task, input={"body": {"name": "product-0002"}, "headers": {}})
    assert performed(run, task).output["succeeded"] == 1  # type: ignore[union-attr]
