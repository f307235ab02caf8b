"""What the page of a collection tells: the version that readers see, those that are kept, and what waits."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from badgerjobs.lib import words
from badgerjobs.lib.charts import Share, shares
from badgerjobs.runs.models import Run
from badgerjobs.web.cursors import Page, page_of
from slurps.collecting.compared import Changes, Pair, counted, noted
from slurps.collecting.looks import MEANS, guards_in_words
from slurps.collecting.storage import Storage, storage_of
from slurps.collecting.waiting import WouldChange, known
from slurps.models import Collection, Stage, Version
from slurps.modes import MODES
from slurps.progress import stage_of

# So many versions are on a page.
VERSIONS = 10


class VersionRow(NamedTuple):
    """A version, and the number of the run that made it; None where that is not kept any more.

    `before` is the one that is kept before it. `changes` are the rows that it added, changed and removed, None where
    nobody has looked, and `bar` what share of them; `bytes` is what is stored because of it.
    """

    version: Version
    run: int | None
    bytes: int
    before: Version | None
    changes: Changes | None

    @property
    def has_changes(self) -> bool:
        return any(count for _, _, count in self.changes or ())

    @property
    def bar(self) -> list[Share]:
        whole = max(self.version.rows, self.before.rows if self.before else 0)
        return shares([(kind, count) for kind, _, count in self.changes or ()], whole)

    @property
    def more(self) -> str:
        """By how many rows it has more or fewer than the one before: `12 rows more`."""
        count = self.version.rows - (self.before.rows if self.before else 0)
        if not count:
            return "as many rows"
        return f"{words.counted(abs(count), 'row')} {'more' if count > 0 else 'fewer'}"


class CollectionPage:
    """Everything is looked up when it is shown, and once."""

    def __init__(self, collection: Collection, now: datetime) -> None:
        self.collection, self.now = collection, now
        self.application = collection.application

    @property
    def seen(self) -> Version | None:
        """The version that readers see."""
        return self.collection.pinned or self.collection.current

    @property
    def means(self) -> str:
        """What its mode does, in a sentence."""
        return MEANS[self.collection.mode]

    @property
    def is_versioned(self) -> bool:
        return MODES[self.collection.mode].is_versioned

    @property
    def is_replaced(self) -> bool:
        """Whether each run replaces all rows."""
        return MODES[self.collection.mode].write == "replace"

    @property
    def guards(self) -> list[str]:
        """Those that are on, in words."""
        return guards_in_words(self.collection.guards)

    @cached_property
    def held(self) -> Version | None:
        """The result that waits for approval."""
        found: Version | None = self._versions.filter(stage=Stage.HELD).first()
        return found

    @cached_property
    def staging(self) -> Version | None:
        """What is being loaded."""
        found: Version | None = self._versions.filter(stage=Stage.STAGING).order_by("-pk").first()
        return found

    @property
    def stage(self) -> str:
        """What the run is about that loads rows just now."""
        return stage_of(self.staging) if self.staging else ""

    @property
    def poll_s(self) -> int:
        """How often the page looks again at what is loaded or waits, in seconds."""
        return 1 if self.staging else 5

    @cached_property
    def would_change(self) -> WouldChange | None:
        """To the row, if that was looked up already."""
        return known(self.collection, self.held) if self.held else None

    @property
    def guard_mark(self) -> str:
        """Changes whenever there is something else to say of what waits and what is being loaded."""
        collection, held, far = self.collection, self.held, self.staging
        loading = f"{far.pk} {far.read} {far.written} {far.bytes}" if far else ""
        return f"{held.pk if held else ''} {collection.current_id} {collection.pinned_id} {loading}"

    @cached_property
    def storage(self) -> Storage:
        """What its rows take up."""
        return storage_of(self.collection)

    @cached_property
    def ready(self) -> int:
        """How many versions can be read."""
        return int(self._versions.ready().count())

    @property
    def would(self) -> str:
        """What would become of the rows if the result that waits were approved."""
        if self.held is None:
            return ""
        before, now = self.collection.current.rows if self.collection.current else 0, self.held.written
        match MODES[self.collection.mode].write:
            case "replace":
                return f"It has {words.counted(now, 'row')} in the place of {before:,}."
            case "upsert":
                return f"Its {words.counted(now, 'row')} would be merged into {before:,}."
        return f"Its {words.counted(now, 'row')} would be added to {before:,}."

    def version_page(self, cursor: str) -> Page[Any]:
        """A page of the versions that are kept, newest first."""
        page = page_of(self._versions.ready(), order="-number", cursor=cursor, size=VERSIONS)
        runs = Run.objects.for_application(self.application).filter(pk__in=[one.run_id for one in page.rows])
        numbers: dict[Any, int] = dict(runs.values_list("pk", "number"))
        stored = self.storage.versions
        pairs = self._pairs(page.rows)
        changes = noted(pairs) if self.is_replaced else {one.pk: counted(one) for one in page.rows}
        rows: list[Any] = [
            VersionRow(
                one, numbers.get(one.run_id), stored.get(one.number or 0, 0), before=before, changes=changes.get(one.pk)
            )
            for one, before in pairs
        ]
        return Page(rows, page.before, page.earlier, page.later)

    def _pairs(self, rows: Sequence[Any]) -> list[Pair]:
        """Each with the one that is kept before it, newest first."""
        if not rows:
            return []
        brief = self._versions.ready().defer("columns", "known", "flagged", "remembered")
        before = brief.filter(number__lt=rows[-1].number).first()
        return list(zip(rows, [*rows[1:], before], strict=True))

    @property
    def _versions(self) -> Any:
        return Version.objects.for_application(self.application).filter(collection=self.collection)
