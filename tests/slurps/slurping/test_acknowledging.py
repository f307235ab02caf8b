"""A broker forgets what a run stored when that is committed, and nothing else."""

import asyncio
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from django.db import connection

from badgerjobs.sources.rows.amqp_messages import QueueReader
from badgerjobs.sources.rows.pulling import PullError
from slurps.models import Collection, Language, Row, Slurper, SlurperSource, Version
from slurps.slurping import slurping
from slurps.slurping.plan import SlurpError
from slurps.slurping.pulling import pulled
from slurps.slurping.streaming import GivenUpError
from tests.factories import make_application, make_async_job, make_collection, make_source
from tests.slurps.slurping.attempts import Attempts, ids
from tests.slurps.storing.loads import seen
from tests.stand_ins import Broker

pytestmark = pytest.mark.django_db(transaction=True)

THERE = [b'{"id": 1}', b'{"id": 2}']


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    settings.EGRESS_ALLOW = ["127.0.0.1"]


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker({"orders": 0}) as server:
        server.waiting["orders"] = list(THERE)
        yield server


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    """Their sources are pulled for real."""
    made = Attempts(monkeypatch)
    monkeypatch.setattr(slurping, "pulled", pulled)
    return made


@pytest.fixture
def job(broker: Broker) -> Any:
    shop = make_application()
    given = {"place": "queue", "name": "orders", "host": "127.0.0.1", "port": broker.port, "tls": "none",
             "user": "me", "password": "secret"}  # fmt: skip
    source = make_source(shop, "orders", type="STREAM", configuration=given, variables=[])
    slurper = Slurper.objects.create(application=shop, tag="orders", name="Orders")
    SlurperSource.objects.create(slurper=slurper, source=source, place=1)
    return make_async_job(shop, slurper=slurper)


def collection_of(job: Any, **fields: Any) -> Collection:
    return make_collection(job.application, async_job=job, **fields)


def test_what_is_stored_is_acknowledged(job: Any, attempts: Attempts, broker: Broker) -> None:
    collection = collection_of(job, mode="accumulative")
    attempts.slurp(job)
    assert ids(seen(collection)) == [1, 2]
    assert (broker.waiting["orders"], broker.acknowledged) == ([], THERE)
    broker.waiting["orders"] = [b'{"id": 3}']
    attempts.slurp(job)
    assert ids(seen(collection)) == [1, 2, 3]


def test_it_is_acknowledged_after_the_commit(
    job: Any, attempts: Attempts, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = collection_of(job)
    acknowledge, found = QueueReader.acknowledge, []

    def looked() -> tuple[list[Any], list[bytes]]:
        try:
            return ids(seen(collection)), list(broker.acknowledged)
        finally:
            connection.close()

    async def noticed(self: QueueReader) -> None:
        found.append(await asyncio.to_thread(looked))
        await acknowledge(self)

    monkeypatch.setattr(QueueReader, "acknowledge", noticed)
    attempts.slurp(job)
    assert (found, broker.acknowledged) == ([([1, 2], [])], THERE)


def test_a_run_that_fails_leaves_all_of_them(job: Any, attempts: Attempts, broker: Broker) -> None:
    collection_of(job)
    job.slurper.language, job.slurper.code = Language.JAVASCRIPT, "throw new Error('no')"
    job.slurper.save()
    with pytest.raises(SlurpError, match="no"):
        attempts.slurp(job)
    assert (broker.waiting["orders"], broker.acknowledged, Row.objects.count()) == (THERE, [], 0)


def test_what_cannot_be_shown_is_left(
    job: Any, attempts: Attempts, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection_of(job)

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(slurping, "show", fails)
    with pytest.raises(RuntimeError):
        attempts.slurp(job)
    assert (broker.waiting["orders"], broker.acknowledged) == (THERE, [])


def test_what_is_held_back_is_stored_too(job: Any, attempts: Attempts, broker: Broker) -> None:
    collection_of(job, guards={"smaller_percent": 10})
    broker.waiting["orders"] = [b'{"id": %d}' % number for number in range(10)]
    attempts.slurp(job)
    broker.waiting["orders"] = list(THERE)
    attempts.slurp(job)
    assert Version.objects.filter(stage="held").count() == 1
    assert (broker.waiting["orders"], len(broker.acknowledged)) == ([], 12)


def test_without_a_collection_nothing_is_taken(job: Any, attempts: Attempts, broker: Broker) -> None:
    attempts.slurp(job)
    assert (broker.waiting["orders"], broker.acknowledged) == (THERE, [])


def test_what_was_given_up_is_left(job: Any, attempts: Attempts, broker: Broker) -> None:
    collection_of(job)
    attempts.stopped = Event()
    attempts.stopped.set()
    with pytest.raises(GivenUpError):
        attempts.slurp(job)
    assert (broker.waiting["orders"], broker.acknowledged) == (THERE, [])


def test_a_broker_that_does_not_hear_it_is_told_of(
    job: Any, attempts: Attempts, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = collection_of(job)

    async def unheard(_: QueueReader) -> None:
        raise PullError("connect", "127.0.0.1 closed the connection.")

    monkeypatch.setattr(QueueReader, "acknowledge", unheard)
    attempts.slurp(job)
    assert (ids(seen(collection)), broker.waiting["orders"]) == ([1, 2], THERE)
    level, sentence = attempts.said[-1]
    assert (level, sentence.endswith("gives them again the next time: 127.0.0.1 closed the connection.")) == (
        "error", True,
    )  # fmt: skip
