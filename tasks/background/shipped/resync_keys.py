"""`resyncKeys`: has all keys of a source fetched anew, a batch in each run, one batch after the other."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from badgerjobs.lib.ids import derived, uuid7
from badgerjobs.lib.storable import is_storable
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import FINAL, Run
from badgerjobs.sources.models import DataSource
from badgerjobs.web.serializers import StrictSerializer
from badgerjobs.workspaces.models import Application
from tasks.background import Params, background_task
from tasks.background.context import Context
from tasks.background.errors import WrongInputError
from tasks.background.shipped.asking import actor_of, application_of
from tasks.models import CacheKey, KeySync, SyncState
from tasks.syncs.asking import refresh_keys

# So many keys a batch has, and so many seconds it is waited for, at first and at the most.
BATCH, WAIT_S, LONGEST_WAIT_S = 1000, 1, 30
LONGEST_TAG = 200
NO_SOURCE = "There is no source with the tag “{}” in this application."


class ResyncInput(StrictSerializer):
    """Whose keys."""

    source = serializers.CharField(  # type: ignore[assignment]  # DRF itself calls something so
        max_length=LONGEST_TAG, label="Source", help_text="The tag of the source whose keys are fetched."
    )


def refuse_strangers(context: Context, given: Any) -> None:
    """Before there is a run: a source that is not there. What is none at all, the class of the input says.

    Raises WrongInputError.
    """
    source = given.get("source")
    if isinstance(source, bool) or not isinstance(source, str | int | float):
        return
    tag = str(source).strip()
    if tag and is_storable(tag) and not _source(Application(pk=context.application.id), tag):
        said = NO_SOURCE.format(tag[:LONGEST_TAG])
        field = {"code": "NO_SOURCE", "message": said, "data": {"path": ["source"]}}
        raise WrongInputError("The input is not valid.", {"source": field})


def _source(application: Application, tag: str) -> DataSource | None:
    return DataSource.objects.for_application(application).filter(tag=tag).first()


@background_task(
    id="resyncKeys",
    title="Re-sync all keys of a source",
    description="Fetches every cache key of a source anew, a thousand at a time.",
    input=ResyncInput,
    on_before_trigger=refuse_strangers,
    max_iterations=30_000,
)
def resync_keys(params: Params) -> Any:
    """Ask for a batch, or see what became of the last one and ask for the next. Keys are taken in their order.

    What a batch's run is called is kept before that is made: an iteration that is made again finds it.
    """
    application = application_of(params)
    source = _source(application, params.input["source"])
    if source is None:
        said = NO_SOURCE.format(params.input["source"])
        return params.response.error({"message": said, "code": "NO_SOURCE"})
    keys = CacheKey.objects.filter(source=source)
    so_far = {"asked": 0, "fetched": 0, "failed": 0, "runs": 0, **params.store.get_output()}
    at: dict[str, Any] = params.input.get("at") or {}
    if run_id := at.get("run"):
        if _is_going_on(run_id):
            wait_s = min(LONGEST_WAIT_S, 2 * at["wait_s"])
            return params.response.continue_({"at": {**at, "wait_s": wait_s}}, seconds=at["wait_s"])
        so_far = _counted(so_far, run_id)
    ids = list(keys.filter(pk__gt=at.get("key", 0)).order_by("pk").values_list("pk", flat=True)[:BATCH])
    run = _asked(params, application, ids, at)
    if run is None:
        params.store.progress(1, f"{so_far['asked']:,} keys")
        return params.response.done(_said(so_far), so_far)
    batch = _keys_of(run)
    total = max(keys.count(), so_far["asked"] + len(batch))
    params.store.progress(so_far["asked"] / total, f"{so_far['asked']:,} of {total:,} keys")
    params.store.update_output({**so_far, "asked": so_far["asked"] + len(batch), "runs": so_far["runs"] + 1})
    at = {"key": max(batch), "run": str(run.pk), "next": str(uuid7()), "wait_s": WAIT_S}
    return params.response.continue_({"at": at}, seconds=WAIT_S)


def _asked(params: Params, application: Application, ids: list[int], at: dict[str, Any]) -> Run | None:
    """The run that fetches these, where it was made by this iteration before, too; None where no key is left."""
    run_id = UUID(at["next"]) if at.get("next") else derived(params.id, "first batch") if params.id else None
    by, now = actor_of(params), database_now()
    return refresh_keys(application=application, key_ids=ids, by=by, now=now, run_id=run_id)


def _keys_of(run: Run) -> list[int]:
    given: Any = run.input
    return given["keys"] if "keys" in given else [given["key"]]


def _is_going_on(run_id: str) -> bool:
    return Run.objects.filter(pk=run_id).exclude(state__in=FINAL).exists()


def _counted(so_far: dict[str, Any], run_id: str) -> dict[str, Any]:
    syncs = KeySync.objects.filter(run_id=run_id)
    fetched = syncs.filter(state=SyncState.SUCCEEDED).count()
    failed = syncs.filter(state=SyncState.FAILED).count()
    return {**so_far, "fetched": so_far["fetched"] + fetched, "failed": so_far["failed"] + failed}


def _said(so_far: dict[str, Any]) -> str:
    failed = f", {so_far['failed']:,} failed" if so_far["failed"] else ""
    return f"{so_far['fetched']:,} of {so_far['asked']:,} keys were fetched{failed}."
