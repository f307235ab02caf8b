"""Runs of deliveries in this process, and an action whose answers a test makes up."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from rest_framework import serializers

from badgerjobs.runs import fleet
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import LogLine, Run, State
from badgerjobs.runs.outcomes import Outcome
from badgerjobs.web.serializers import StrictSerializer
from tests.factories import NOW, make_delivery
from tests.runs.claims import ME, claimed
from webhooks.actions import ACTIONS, Action, Did, Doing, There
from webhooks.models import ActState, Delivery, Hook
from webhooks.performing import perform
from webhooks.performing.loading import load
from webhooks.performing.means import Means, open_means

Answer = Callable[[Doing], Did]


class Marks:
    """Stands in for what hooks do: `answer` is asked with each doing, and `begun` says which came, in their order.

    What it does is a line in the log of the run, so that it is undone with the transaction. `batches`: how many came
    together.
    """

    def __init__(self) -> None:
        self.answer: Answer = lambda doing: Did(ActState.DONE, f"Marked {doing.fields['mark']}.", uuid4())
        self.begun: list[Doing] = []
        self.batches: list[int] = []

    def act(self, doings: Sequence[Doing]) -> list[Did]:
        self.batches.append(len(doings))
        self.begun += doings
        return [self._one(doing) for doing in doings]

    def _one(self, doing: Doing) -> Did:
        LogLine.objects.create(
            run_id=doing.run_id, application_id=doing.application_id, attempt=1, level="info",
            message=doing.fields["mark"], created_at=NOW,
        )  # fmt: skip
        return self.answer(doing)

    @property
    def done(self) -> list[str]:
        """What was done in the end."""
        return list(LogLine.objects.order_by("id").values_list("message", flat=True))


marks = Marks()


class MarkFields(StrictSerializer):
    mark = serializers.CharField()


MARK = Action(
    word="Mark",
    hint="",
    serializer=MarkFields,
    act=marks.act,
    field="mark",
    target=lambda fields: str(fields["mark"]),
    address=lambda _application, _fields: "",
    there=lambda _application, names: There(names),
)


@pytest.fixture(name="marks")
def marks_fixture(monkeypatch: pytest.MonkeyPatch) -> Marks:
    monkeypatch.setitem(ACTIONS, "mark", "tests.webhooks.performing.stages.MARK")
    marks.__init__()  # type: ignore[misc]
    return marks


def doing(*names: str) -> list[dict[str, Any]]:
    """Actions with these names, each of which marks its own."""
    return [{"name": name, "type": "mark", "mark": name} for name in names]


def begun(hook: Hook, **fields: Any) -> Run:
    """A run of a new delivery in this worker's hands."""
    delivery = make_delivery(hook, State.RUNNING, **fields)
    Run.objects.filter(pk=delivery.pk).update(worker=ME, started_at=fleet.database_now())
    return Run.objects.get(pk=delivery.pk)


def taken(run: Run) -> Claimed:
    """The same as a worker has it."""
    run.refresh_from_db()
    return claimed(run, kind="delivery", number=run.number, input=run.input, worker=run.worker)


def performed(*runs: Run) -> list[Outcome]:
    """What came of these, performed beside each other."""
    claims = [taken(run) for run in runs]
    return asyncio.run(performed_by(claims))


async def performed_by(claims: Sequence[Claimed], means: Means | None = None) -> list[Outcome]:
    """The same on a loop of the test's."""
    async with open_means() as own:
        works = await own.statements.run(load, claims)
        return await asyncio.gather(*(perform.perform(one, works[one.id], means or own) for one in claims))


def delivery_of(run: Run) -> Delivery:
    given: Any = run.input
    return Delivery.objects.get(pk=UUID(given["delivery"]))
