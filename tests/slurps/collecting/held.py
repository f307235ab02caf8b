"""A result that waits for approval."""

from collections.abc import Sequence
from typing import Any

from slurps.models import Collection, Version
from slurps.storing.swapping import hold, loaded_by
from tests.slurps.storing.loads import staged

FLAGS = [{"guard": "empty", "message": "It has no rows."}]


def hold_rows(collection: Collection, rows: Sequence[Any]) -> Version:
    """What a run would leave whose guards hold its rows."""
    version, loader = staged(collection, rows)
    return hold(version, loaded_by(loader.encoder, read=len(rows)), FLAGS, worker=version.worker)
