"""`bulkReplay`: replays the runs that are meant, in batches, and no more of them in a minute than is said."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.dateparse import parse_datetime
from rest_framework import serializers

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.lib.words import counted
from badgerjobs.runs.bulk_serializers import OVER, WordsField, per_minute
from badgerjobs.runs.choosing import runs_to_replay
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.kinds import OWN_KINDS, REPLAYED_BY_OWNERS, REPLAYED_WITHOUT_RUNNABLE, RUN_KINDS
from badgerjobs.runs.models import Run, Runnable
from badgerjobs.runs.querysets import RunQuerySet
from badgerjobs.runs.services import replay_runs
from badgerjobs.web.filters import BACKWARDS
from badgerjobs.web.serializers import MomentField, StrictSerializer
from badgerjobs.workspaces.models import Application
from tasks.background import Params, background_task
from tasks.background.definitions import definitions
from tasks.background.shipped.asking import actor_of, application_of
from tasks.models import BackgroundRun

# What may be replayed so: the engine's own, and those of a runnable.
KINDS = [
    kind for kind in RUN_KINDS if kind in REPLAYED_WITHOUT_RUNNABLE or kind not in {*OWN_KINDS, *REPLAYED_BY_OWNERS}
]
# So many are replayed in an iteration.
BATCH = 500
ID = "bulkReplay"


class ReplayInput(StrictSerializer):
    """Which runs, as the filters of the list of runs have them."""

    state = WordsField(OVER, default=["failed"], help_text=f"One or more of {', '.join(OVER)}; failed unless given.")
    name = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Of what: the tag of a job or a task; of background tasks the name, or the definition's id or title.",
    )
    kind = WordsField(KINDS, help_text="What they perform: one or more. All, unless given.")
    error_class = WordsField(help_text="What was wrong with the last attempt, like timeout or status: one or more.")
    since = MomentField(required=False, help_text="Created at or after this time, ISO 8601 with a zone.")
    until = MomentField(required=False, help_text="Created before this time; and before the task, unless given.")
    per_minute = per_minute()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for a span that ends before it begins."""
        if "since" in attrs and "until" in attrs and attrs["since"] > attrs["until"]:
            raise serializers.ValidationError({"since": [BACKWARDS]})
        return attrs


@background_task(
    id=ID,
    title="Bulk replay",
    description="Replays the runs that the filters mean, oldest first: all that failed, unless told otherwise.",
    input=ReplayInput,
    max_iterations=30_000,
)
def bulk_replay(params: Params) -> Any:
    """Replay a batch. What came after the task began is not meant, and so nothing that it makes itself."""
    application = application_of(params)
    began = _began(params.id)
    runs = _called(params.input.get("name"), application, runs_to_replay(application, _choice(params.input, began)))
    # It would replay itself, and that one itself again.
    runs = runs.exclude(kind="background", pk__in=BackgroundRun.objects.filter(definition=ID).values("pk"))
    left = runs.filter(pk__gt=UUID(params.input["after"])) if "after" in params.input else runs
    a_minute = params.input.get("per_minute")
    ids = list(left.order_by("pk").values_list("pk", flat=True)[: min(BATCH, a_minute or BATCH)])
    so_far = params.store.get_output().get("replayed", 0)
    if not ids:
        params.store.progress(1, counted(so_far, "run"))
        return params.response.done(f"{counted(so_far, 'run')} replayed.", {"replayed": so_far})
    wanted = _not_yet(ids, began)
    count = len(ids) - len(wanted) + replay_runs(
        application=application, run_ids=wanted, by=actor_of(params), now=database_now(),
        per_minute=a_minute,
    )  # fmt: skip
    total = params.store.get_output().get("total") or left.count()
    seen = params.store.get_output().get("seen", 0) + len(ids)
    params.store.progress(min(1.0, seen / total), f"{seen:,} of {counted(total, 'run')}")
    params.store.update_output({"replayed": so_far + count, "seen": seen, "total": total})
    wait_s = len(ids) * 60 / a_minute if a_minute else 0
    return params.response.continue_({"after": str(ids[-1])}, seconds=wait_s)


def _began(run_id: UUID | None) -> datetime:
    """When a run was made: its id says so."""
    assert run_id is not None  # noqa: S101  a run has one
    return datetime.fromtimestamp((run_id.int >> 80) / 1000, UTC)


def _called(name: str | None, application: Application, runs: RunQuerySet) -> RunQuerySet:
    """Those of what is called so. Background tasks are of no runnable: their rows and definitions say what they are."""
    if name is None:
        return runs
    titled = [one.id for one in definitions() if name in {one.id, one.title}]
    rows = BackgroundRun.objects.for_application(application)
    meant = rows.filter(Q(name=name) | Q(definition__in=[name, *titled]))
    owners = Runnable.objects.for_application(application).ids_named(name)
    return runs.filter(Q(runnable_id__in=owners) | Q(kind="background", pk__in=meant.values("pk")))


def _choice(given: dict[str, Any], began: datetime) -> dict[str, Any]:
    """The filters as they are asked for in code; none of what came later."""
    moments: dict[str, Any] = {name: parse_datetime(given[name]) for name in ("since", "until") if name in given}
    until = min(moments.get("until") or began, began)
    words: dict[str, Any] = {name: given[name] for name in ("state", "kind", "error_class") if name in given}
    return {**words, **moments, "until": until}


def _not_yet(ids: list[UUID], began: datetime) -> list[UUID]:
    """Those of which no replay was made since: an iteration whose worker died may have made some already."""
    made = Run.objects.filter(replay_of__in=ids, pk__gte=uuid7_floor(began - timedelta(milliseconds=1)))
    done = set(made.values_list("replay_of", flat=True))
    return [one for one in ids if one not in done]
