"""Which runs somebody means who wants something done with many of them by REST. Notices and hooks are never meant."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs.bulk_serializers import OVER
from badgerjobs.runs.kinds import REPLAYED_WITHOUT_RUNNABLE
from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.runs.querysets import RunQuerySet
from badgerjobs.runs.services import MOST_AT_ONCE
from badgerjobs.web.problems import Invalid
from badgerjobs.workspaces.models import Application

TOO_MANY = "More than {:,} runs are meant, and one request replays no more: narrow them by since and until."


def ids_to_abort(application: Application, choice: Mapping[str, Any]) -> tuple[list[UUID], bool]:
    """Those of the chosen runs that are not over, up to MOST_AT_ONCE; and whether there are more."""
    runs = _chosen(application, choice).unfinished()
    if states := choice.get("state"):
        runs = runs.filter(state__in=states)
    # In no order: their indexes have another one, and who asks again gets the others.
    ids = list(runs.order_by().values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    return ids[:MOST_AT_ONCE], len(ids) > MOST_AT_ONCE


def ids_to_replay(application: Application, choice: Mapping[str, Any]) -> list[UUID]:
    """Those of the chosen runs that can be replayed: by filters, unless these say a state, the failed ones.

    Raises Invalid for more than MOST_AT_ONCE: who asked again would replay the same ones once more.
    """
    runs = runs_to_replay(application, choice)
    ids = list(runs.order_by("-id").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if len(ids) > MOST_AT_ONCE:
        raise Invalid(until=TOO_MANY.format(MOST_AT_ONCE))
    return ids


def runs_to_replay(application: Application, choice: Mapping[str, Any]) -> RunQuerySet:
    """The same as rows, however many."""
    states = choice.get("state") or (OVER if "ids" in choice else [State.FAILED])
    may_be = Q(runnable__isnull=False) | Q(kind__in=REPLAYED_WITHOUT_RUNNABLE)
    return _chosen(application, choice).filter(may_be, state__in=states)


def _chosen(application: Application, choice: Mapping[str, Any]) -> RunQuerySet:
    runs: RunQuerySet = Run.objects.for_application(application).others()
    if "ids" in choice:
        return runs.filter(pk__in=choice["ids"])
    if "cause" in choice:
        runs = runs.filter(cause__in=choice["cause"])
    if "kind" in choice:
        runs = runs.filter(kind__in=choice["kind"])
    if "name" in choice:
        owners = Runnable.objects.for_application(application).ids_named(choice["name"])
        runs = runs.filter(runnable_id__in=owners)
    if "error_class" in choice:
        runs = runs.with_error(choice["error_class"])
    if "since" in choice:
        runs = runs.filter(id__gte=_floor(choice["since"]))
    if "until" in choice:
        runs = runs.filter(id__lt=_floor(choice["until"]))
    return runs


def _floor(moment: datetime) -> UUID:
    return uuid7_floor(max(moment, datetime.fromtimestamp(0, UTC)))  # ids begin in 1970
