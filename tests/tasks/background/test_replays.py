"""Background tasks that are replayed where runs are."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs.models import Run, State
from badgerjobs.runs.services import replay_run, replay_runs
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tasks.models import BackgroundRun
from tests.factories import NOW, make_application, make_background_run
from tests.tasks.background.defined import define, define_private

pytestmark = pytest.mark.usefixtures("registry")


def old(shop: Application, **fields: Any) -> BackgroundRun:
    run = {"input": {"cursor": 9}, "iteration": 4}
    return make_background_run(shop, State.FAILED, **{"given": {"rows": 3}, "name": "One", "run": run, **fields})


def test_a_replayed_task_begins_anew_with_what_it_was_triggered_with(shop: Application) -> None:
    define()
    row = old(shop, parent_id=make_background_run(shop, State.RUNNING).pk, created_by={"id": "7"})
    made = replay_run(run=row.run, by=OPERATOR, now=NOW)
    assert (made.replay_of, made.cause, made.state, made.iteration) == (row.pk, "replay", "queued", 1)
    assert (made.kind, made.queue, made.input) == ("background", "compute", {"rows": 3})
    new = BackgroundRun.objects.get(pk=made.pk)
    assert (new.given, new.name, new.definition, new.parent_id, new.iterations) == (
        {"rows": 3}, "One", "syncArticles", None, 0,
    )  # fmt: skip
    assert new.created_by == {"id": "7"}


def test_many_are_replayed_in_their_order_and_pace(shop: Application) -> None:
    define()
    rows = [old(shop, given={"nth": nth}) for nth in range(3)]
    stranger = old(make_application("Charlie's"))
    ids = [row.pk for row in [*rows, stranger]]
    assert replay_runs(application=shop, run_ids=ids, by=OPERATOR, now=NOW, per_minute=6) == 3
    made = Run.objects.filter(cause="replay").order_by("due_at")
    assert [run.replay_of for run in made] == [row.pk for row in rows]
    assert [run.due_at - NOW for run in made] == [timedelta(seconds=s) for s in (0, 10, 20)]
    assert [run.input for run in made] == [{"nth": 0}, {"nth": 1}, {"nth": 2}]


def refused(row: BackgroundRun) -> str:
    with pytest.raises(Conflict) as error:
        replay_run(run=row.run, by=OPERATOR, now=NOW)
    assert not Run.objects.filter(cause="replay").exists()
    return str(error.value.detail)


def test_what_cannot_be_triggered_again_says_why(shop: Application) -> None:
    def before(context: Any, given: Any) -> None:
        raise LookupError("Not on Mondays.")

    define(on_before_trigger=before)
    define_private()
    assert refused(old(shop)) == "It cannot be triggered again: Not on Mondays."
    assert 'The definition "gone" does not exist.' in refused(old(shop, definition="gone"))
    assert 'The definition "secret" does not exist.' in refused(old(shop, definition="secret"))
    row = old(shop)
    BackgroundRun.objects.all().delete()
    assert "deleted" in refused(row)


def test_one_is_not_replayed_beside_another_with_its_key(shop: Application) -> None:
    define(deduplicate=lambda given: f"{given['rows']} rows")
    make_background_run(shop, State.RUNNING, key="3 rows")
    assert "same key" in refused(old(shop))
