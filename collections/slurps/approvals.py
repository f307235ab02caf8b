"""What became of results that waited for approval: their runs are over by then, and tell it all the same."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from badgerjobs.runs.models import Run
from badgerjobs.workspaces.models import Application
from slurps.models import Stage, Version
from slurps.storing.swapping import COUNTED_LATER, DROPPED, GONE, REPLACED, approved_output

WAITS = "waits for approval: readers see what they saw"
# Stages of results that no reader ever saw, in the words of lists: `10 rows, dropped`.
NEVER_SHOWN = {DROPPED: "dropped", REPLACED: "replaced by a later run", GONE: "waits no longer"}


def outputs_now(application: Application, outputs: Mapping[UUID, Any]) -> dict[UUID, Any]:
    """Run → its output; of one that was held, as its version is by now: one query, and none where none was held.

    `stage` is then `ready` with `approved`, or stays `held`, or is `gone` where nobody knows any more: versions that
    were dropped, or are not kept, leave no row.
    """
    held = [pk for pk, output in outputs.items() if isinstance(output, Mapping) and output.get("stage") == Stage.HELD]
    if not held:
        return dict(outputs)
    versions = Version.objects.for_application(application).filter(run_id__in=held).exclude(stage=Stage.STAGING)
    found = {one.run_id: one for one in versions.defer("columns", "known", "flagged", "remembered")}
    return {**outputs, **{pk: _now(outputs[pk], found.get(pk)) for pk in held}}


def bring_up_to_date(application: Application, runs: Iterable[Run]) -> None:
    """Let each run's output say what became of what it left."""
    runs = list(runs)
    outputs = outputs_now(application, {run.pk: run.output for run in runs})
    for run in runs:
        run.output = outputs[run.pk]


def said_of(output: Mapping[str, Any]) -> str:
    """What became of a result that was held, in words; empty where none was."""
    stage = output.get("stage")
    if stage == Stage.HELD:
        return WAITS
    if output.get("approved"):
        return f"approved as version {output.get('version'):,}"
    if stage == REPLACED and (number := output.get("replaced_by")):
        return f"replaced by run {number:,} before it was approved: readers never saw it"
    if stage in {DROPPED, REPLACED}:
        return f"{NEVER_SHOWN[stage]}: readers never saw it"
    if stage == GONE:
        return "waits no longer: it was dropped, or a later run replaced it"
    return ""


def _now(output: Mapping[str, Any], version: Version | None) -> dict[str, Any]:
    if version is None:
        return {**output, "stage": GONE}
    if version.number:
        return approved_output(version, str(output.get("collection")))
    return {**output, **dict.fromkeys(COUNTED_LATER)}
