"""Whole runs that pull from a database: what the next one goes on from is stored with the rows, or not at all."""

from threading import Event
from typing import Any

import pytest
from django.db import connection as django_connection

from badgerjobs.sources.models import DataSource
from badgerjobs.workspaces.models import Application
from slurps.models import AsyncJob, Collection, Mode
from slurps.slurping.plan import Plan, SlurpError
from slurps.slurping.slurping import slurp
from tests.factories import NOW, make_async_job, make_collection
from tests.slurps.storing.loads import running, seen
from tests.sources.fetching import source_of
from tests.stand_ins import Door

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def orders(postgres: Door, shop: Application, settings: Any) -> DataSource:
    """A table of somebody's with three orders, and the source that asks for those after the last one."""
    settings.EGRESS_ALLOW = ["127.0.0.1"]
    own = django_connection.settings_dict
    made = source_of(
        "SQL", host="127.0.0.1", port=postgres.port, database=own["NAME"], user=own["USER"], password=own["PASSWORD"],
        tls="none", remember="id", remember_start="0",
        query="SELECT id, total FROM (VALUES (1, 9.90), (2, 20.00), (3, 1.25)) orders(id, total)"
        " WHERE id > {{remembered}}::int AND id <= {{LAST}}::int AND 1 / ({{LAST}}::int + 1) = 0 ORDER BY id",
    )  # fmt: skip
    made.application, made.tag = shop, "orders"
    return made


class Runs:
    """Runs of a job that adds what it finds."""

    def __init__(self, shop: Application, source: DataSource) -> None:
        self.job = make_async_job(shop)
        self.source = source
        self.collection = make_collection(shop, async_job=self.job, mode=Mode.ACCUMULATIVE)

    def run(self, last: int) -> dict[str, Any]:
        job = AsyncJob.objects.get(pk=self.job.pk)
        run = running(self.collection)
        values = {"LAST": last}
        plan = Plan(job, job.slurper, [self.source], self.collection, run.pk, run.worker, 1, NOW, _say, values)
        try:
            return slurp(plan, stopped=Event())
        finally:
            run.delete()

    @property
    def rows(self) -> list[Any]:
        return seen(Collection.objects.get(pk=self.collection.pk))

    @property
    def remembered(self) -> Any:
        return AsyncJob.objects.get(pk=self.job.pk).remembered


def _say(*_: Any) -> None:
    """Nobody reads it."""


@pytest.fixture
def runs(shop: Application, orders: DataSource) -> Runs:
    return Runs(shop, orders)


def test_each_run_goes_on_where_the_last_one_ended(runs: Runs) -> None:
    runs.run(2)
    assert (runs.rows, runs.remembered) == ([{"id": 1, "total": 9.9}, {"id": 2, "total": 20.0}], {"orders": 2})
    assert runs.run(3)["added"] == 1
    assert (runs.rows[2:], runs.remembered) == ([{"id": 3, "total": 1.25}], {"orders": 3})
    runs.run(3)
    assert (len(runs.rows), runs.remembered) == (3, {"orders": 3})


def test_a_run_that_fails_changes_nothing_and_remembers_nothing(runs: Runs) -> None:
    runs.run(2)
    with pytest.raises(SlurpError, match="“orders”: The database says: division by zero") as raised:
        runs.run(-1)
    assert (raised.value.error_class, raised.value.retry) == ("data", False)
    assert (len(runs.rows), runs.remembered) == (2, {"orders": 2})
