"""What earlier versions left in the tables means the same after their migrations."""

from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.db import connection

from badgerjobs.runs.models import Runnable
from tests.factories import NOW, make_application, make_runnable

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
POLICIES = import_module("badgerjobs.runs.migrations.0005_policies")


@pytest.mark.parametrize(
    ("fields", "counted"),
    [
        pytest.param({"run_at": NOW, "last_run_at": NOW + HOUR}, 1, id="once, and did"),
        pytest.param({"run_at": NOW, "last_run_at": NOW - HOUR}, 0, id="run by hand before its time"),
        pytest.param({"run_at": NOW, "last_run_at": None}, 0, id="once, and did not"),
        pytest.param({"run_at": NOW, "last_run_at": NOW, "next_run_at": NOW + HOUR}, 0, id="is to come again"),
        pytest.param({"run_at": NOW, "last_run_at": NOW, "run_every": "PT1H"}, 0, id="a series"),
        pytest.param({"last_run_at": NOW}, 0, id="by hand only"),
    ],
)
def test_what_was_to_run_once_and_did_before_that_was_counted_is_counted(
    fields: dict[str, str | datetime | None], counted: int
) -> None:
    runnable = make_runnable(make_application(), **fields)
    assert any(getattr(one, "sql", None) == POLICIES.RAN_ONCE for one in POLICIES.Migration.operations)
    with connection.cursor() as cursor:
        cursor.execute(POLICIES.RAN_ONCE)
    assert Runnable.objects.get(pk=runnable.pk).scheduled_runs == counted
