"""What a claim reads: bounded by what it takes, never by how much work there is, nor by how many have work."""

from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest
from django.db import connection, transaction

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs import lifecycle
from badgerjobs.runs.models import Cause, Run, State
from badgerjobs.runs.quotas import NO_LIMITS
from tests.factories import NOW
from tests.runs.claims import ME

pytestmark = pytest.mark.django_db

LIMIT = 100
# Measured: 15 to 27 pages of 8 KiB, from cache or disk, for each run taken (found, locked, written, entered into the
# indexes), and 3 for each application with waiting work: one probe down the index `run_queued`.
PAGES_A_RUN, PAGES_AN_APPLICATION = 40, 5

Plan = dict[str, Any]  # a node of EXPLAIN's JSON

# Nobody else's: index entries that an earlier test left behind would be read as well.
_new_applications = count(1_000_000)


def queue(applications: int, each: int = 1) -> None:
    """So many new applications with so many queued runs each."""
    owners = [next(_new_applications) for _ in range(applications)]
    Run.objects.bulk_create(
        Run(
            id=uuid7(),
            application_id=owner,
            kind="http",
            queue="io",
            cause=Cause.MANUAL,
            state=State.QUEUED,
            due_at=NOW,
            created_at=NOW,
        )
        for _ in range(each)
        for owner in owners
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE runs_run")


def plans_of_a_claim() -> list[Plan]:
    """Claim `LIMIT` runs under EXPLAIN, and leave them queued: the look for who has work, and the claim itself.

    The second time: the first one tidies up as it reads.
    """
    plans: list[Plan] = []

    def explained(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", parameters, many, context)
        plans.append(context["cursor"].fetchone()[0][0]["Plan"])
        return None if "UPDATE" in sql else execute(sql, parameters, many, context)

    for _ in range(2):
        plans.clear()
        with transaction.atomic():
            with connection.cursor() as cursor:  # a small table is read whole where a big one is not
                cursor.execute("SET LOCAL enable_seqscan = off")
            with connection.execute_wrapper(explained):
                lifecycle.claim(queue="io", worker=ME, limit=LIMIT, now=NOW, rooms=NO_LIMITS)
            transaction.set_rollback(True)
    assert plans[-1]["Actual Rows"] == LIMIT
    return plans


def pages_of(plans: Iterable[Plan]) -> int:
    return sum(int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]) for plan in plans)


def runs_looked_at(plans: Iterable[Plan]) -> int:
    return sum(_looked_at(plan) for plan in plans)


def _looked_at(plan: Plan) -> int:
    here = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    is_scan = plan.get("Relation Name") == "runs_run" and plan["Node Type"].endswith("Scan")
    return (here if is_scan else 0) + runs_looked_at(plan.get("Plans", []))


def test_a_claim_looks_at_no_more_of_a_long_queue_than_of_a_short_one() -> None:
    queue(applications=100, each=200)
    plans = plans_of_a_claim()
    # Each application once to find it; of what is taken, each run to lock it and to change it.
    assert runs_looked_at(plans) <= 1.1 * (100 + 2 * LIMIT)
    assert pages_of(plans) <= LIMIT * PAGES_A_RUN + 100 * PAGES_AN_APPLICATION


def test_a_claim_reads_a_few_pages_for_each_application_that_it_serves_and_none_for_the_others() -> None:
    queue(applications=100)
    of_a_hundred = pages_of(plans_of_a_claim())
    assert of_a_hundred <= LIMIT * PAGES_A_RUN + 100 * PAGES_AN_APPLICATION

    queue(applications=9_900)
    # One page more for each probe: the index has a level more.
    assert pages_of(plans_of_a_claim()) - of_a_hundred <= LIMIT * PAGES_AN_APPLICATION
