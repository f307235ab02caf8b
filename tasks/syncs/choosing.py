"""Which syncs of keys are meant by the address of a list, by REST."""

from collections.abc import Mapping
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter

from badgerjobs.web.filters import Filter, one_of
from tasks.models import SyncState


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise ValueError(f"“{value[:99]}” is not the id of a run.") from None


SYNC_FILTERS: Mapping[str, Filter] = {
    "run": lambda syncs, value: syncs.filter(run_id=_uuid(value)),
    "state": lambda syncs, value: syncs.filter(state__in=one_of(SyncState.values, value.lower())),
    "key": lambda syncs, value: syncs.filter(key_name=value),
}

SYNCS_DESCRIBED = [
    OpenApiParameter("run", str, description="Only those of the run with this id."),
    OpenApiParameter("state", str, description=f"One or more of {', '.join(SyncState.values)}, with commas."),
    OpenApiParameter("key", str, description="Only those of the key with this name."),
]
