"""What the page of a collection tells: the version that readers see, those that are kept, and what waits."""

from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from badgerjobs.lib import words
from badgerjobs.runs.models import Run
from badgerjobs.web.cursors import Page, page_of
from slurps.collecting.looks import MEANS, guards_in_words
from slurps.models import Collection, Stage, Version
from slurps.modes import MODES
from slurps.progress import stage_of

# So many versions are on a page.
VERSIONS = 10


class VersionRow(NamedTuple):
    """A version, and the number of the run that made it; None where that is not kept any more."""

    version: Version
    run: int | None


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
        rows: list[Any] = [VersionRow(version, numbers.get(version.run_id)) for version in page.rows]
        return Page(rows, page.before, page.earlier, page.later)

    @property
    def _versions(self) -> Any:
        return Version.objects.for_application(self.application).filter(collection=self.collection)
