"""How many keys of a run were synced, and how that went: from its output, or from its rows while it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum

from badgerjobs.lib import words
from badgerjobs.runs.models import FINAL
from badgerjobs.workspaces.models import Application
from tasks.models import KeySync, SyncState


@dataclass(frozen=True, slots=True)
class Counts:
    """Keys of a run: all, those that succeeded or failed, those whose value changed; and the bytes stored."""

    keys: int = 0
    succeeded: int = 0
    failed: int = 0
    changed: int = 0
    bytes: int = 0

    @classmethod
    def of_output(cls, output: Any) -> Counts | None:
        """What a run says of itself when it is over; None where it says nothing of keys."""
        if not isinstance(output, Mapping) or not isinstance(output.get("keys"), int):
            return None
        return cls(**{name: int(output.get(name) or 0) for name in cls.__slots__})

    @property
    def waiting(self) -> int:
        """How many are not over."""
        return max(0, self.keys - self.succeeded - self.failed)

    @property
    def is_partly_failed(self) -> bool:
        """Whether some failed and others did not."""
        return bool(self.failed and self.succeeded)

    @property
    def words(self) -> str:
        """`1,000 keys`, `997 of 1,000 keys, 3 failed`, `412 of 1,000 keys, 588 to come`."""
        if not self.keys:
            return "no key"
        if not self.failed and not self.waiting:
            return keys_in_words(self.keys)
        said = f"{self.succeeded:,} of {keys_in_words(self.keys)}"
        said = f"{said}, {self.failed:,} failed" if self.failed else said
        return f"{said}, {self.waiting:,} to come" if self.waiting else said


def keys_in_words(count: int) -> str:
    """`1 key`, `1,000 keys`."""
    return words.counted(count, "key")


def counts_of(application: Application, runs: Iterable[Any]) -> dict[UUID, Counts]:
    """Run → its counts, in one query for those that are not over or say nothing; absent where nothing is known yet."""
    told: dict[UUID, Counts] = {}
    others = []
    for run in runs:
        counts = Counts.of_output(run.output) if run.state in FINAL else None
        if counts:
            told[run.pk] = counts
        else:
            others.append(run.pk)
    return {**told, **(_counted(application, others) if others else {})}


def _counted(application: Application, run_ids: list[UUID]) -> dict[UUID, Counts]:
    rows = KeySync.objects.for_application(application).filter(run_id__in=run_ids).order_by().values("run_id")
    found = rows.annotate(
        keys=Count("pk"),
        succeeded=Count("pk", filter=Q(state=SyncState.SUCCEEDED)),
        failed=Count("pk", filter=Q(state=SyncState.FAILED)),
        changed=Count("pk", filter=Q(changed=True)),
        bytes=Sum("bytes", filter=Q(state=SyncState.SUCCEEDED), default=0),
    )
    return {row["run_id"]: Counts(**{name: row[name] for name in Counts.__slots__}) for row in found}  # type: ignore[literal-required]
