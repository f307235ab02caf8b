"""What the pages of cache keys tell: how each stands, what stands under it, and how it was fetched."""

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote

from django.conf import settings

from badgerjobs.lib import words
from badgerjobs.runs.shown import Body
from badgerjobs.web.cursors import Page, page_of
from badgerjobs.web.definitions import json_text
from tasks.keys.states import KeyState, expiry_of, state_of
from tasks.keys.taking import Taking, tasks_taking
from tasks.models import CachedValue, CacheKey, KeySync, SyncState, Task

# A value is shown up to here, in characters; the key itself has all of it.
LONGEST_SHOWN = 64 * 1024
# So many tasks are listed; their number is told. And so many syncs a page has.
TASKS, SYNCS = 20, 25
# Who asked for longer ago than this is waited for no more.
PATIENCE = timedelta(minutes=5)


class Variable(NamedTuple):
    """A value of a key, as text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The mark and the words of a state."""

    mark: str
    said: str

    @classmethod
    def of(cls, state: KeyState) -> "Standing":
        """Of this one."""
        return cls(state.value, str(state.label).lower())


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key in a list."""

    key: CacheKey
    now: datetime

    @property
    def value(self) -> CachedValue:
        found: CachedValue = self.key.value
        return found

    @property
    def state(self) -> Standing:
        return Standing.of(state_of(self.key, self.key.value, self.now))

    @property
    def expires_at(self) -> datetime | None:
        return expiry_of(self.key, self.key.value)


def rows_of(keys: Iterable[CacheKey], now: datetime) -> list[KeyRow]:
    """The rows of a list of keys, which come with their values."""
    return [KeyRow(key, now) for key in keys]


@dataclass(frozen=True, slots=True)
class SyncRow:
    """A sync, and the task that asked for it, if one did and is still there."""

    sync: KeySync
    task: Task | None

    @property
    def at(self) -> datetime:
        """When it was over, or its first attempt began, or it is due."""
        return self.sync.finished_at or self.sync.started_at or self.sync.due_at


class KeyPage(KeyRow):
    """Everything is looked up when it is shown, and once: a part of the page asks for nothing but its own."""

    @property
    def kept_days(self) -> int:
        """How long syncs are kept."""
        return self.key.application.retention_days or settings.RETENTION_DAYS

    @property
    def variables(self) -> list[Variable]:
        """What its source is given, in the order of the source."""
        given = self.key.variables
        names = [name for name in self.key.source.variables if name in given]
        names += [name for name in given if name not in names]
        return [Variable(name, _text(given[name])) for name in names]

    @property
    def lives(self) -> list[tuple[str, str]]:
        """How long its value is fresh, and served when it is no longer: names and sentences."""
        key = self.key
        fresh = f"for {_long(key.ttl_s)} after it was fetched" if key.ttl_s else "until a task brings another"
        stale = _while(key.stale_while_revalidate_s, "as long as that takes")
        failing = _while(key.stale_if_error_s, "as long as it fails")
        if key.ttl_s is None:
            return [("Fresh", fresh)]
        return [("Fresh", fresh), ("Served while it is fetched anew", stale), ("While its source fails", failing)]

    @cached_property
    def body(self) -> Body:
        """What stands under it, laid out, as far as it is shown."""
        body = self.value.body or ""
        if len(body) <= LONGEST_SHOWN:
            return Body(body, self.value.bytes, called="value")
        note = f"Only its beginning is shown: the whole value has {self.value.bytes:,} bytes."
        return Body(_laid_out(body), self.value.bytes, note, "value")

    def curl(self, origin: str) -> str:
        """A command that reads it, at this origin."""
        address = f"{origin}/api/v1/cache/{quote(self.key.name, safe='')}"
        return f"curl {shlex.quote(address)} -H 'Authorization: Bearer TOKEN'"

    @cached_property
    def tasks(self) -> Sequence[Task]:
        """The tasks that name it exactly: so many, and no more."""
        return list(self._tasks.order_by("name", "pk")[:TASKS])

    @cached_property
    def tasks_count(self) -> int:
        """How many name it."""
        return int(self._tasks.count())

    @cached_property
    def taking(self) -> Taking:
        """The tasks that fetch it by their pattern."""
        return tasks_taking(self.key)

    @property
    def _tasks(self) -> Any:
        return Task.objects.for_application(self.key.application).filter(keys=self.key)

    @cached_property
    def newest(self) -> KeySync | None:
        """The last sync that was begun."""
        found: KeySync | None = self._syncs.order_by("-pk").first()
        return found

    @property
    def _syncs(self) -> Any:
        return KeySync.objects.for_application(self.key.application).filter(key_id=self.key.pk)

    @property
    def is_under_way(self) -> bool:
        """Whether it is being fetched, or about to be."""
        if self.newest and self.newest.state == SyncState.WAITING and self.newest.due_at <= self.now + PATIENCE:
            return True
        asked, tried = self.value.asked_at, self.value.tried_at
        return bool(asked and self.now - asked < PATIENCE and (tried is None or tried < asked))

    @property
    def poll_s(self) -> int:
        """How often the page looks again, in seconds."""
        return 2 if self.is_under_way else 10

    @property
    def mark(self) -> str:
        """Changes whenever the page has something else to say."""
        value, newest = self.value, self.newest
        last = f"{newest.pk} {newest.state} {newest.attempts}" if newest else ""
        return f"{self.state.mark} {value.tried_at} {value.fetched_at} {value.asked_at} {self.key.updated_at} {last}"

    def syncs(self, cursor: str) -> Page[Any]:
        """A page of its syncs, newest first, each with the task that asked for it."""
        page: Page[Any] = page_of(self._syncs, order="-pk", cursor=cursor, size=SYNCS)
        runnables = {sync.runnable_id for sync in page.rows if sync.runnable_id}
        found = Task.objects.for_application(self.key.application).filter(runnable_id__in=runnables)
        tasks = {task.runnable_id: task for task in found} if runnables else {}
        rows = [SyncRow(sync, tasks.get(sync.runnable_id)) for sync in page.rows]
        return Page(rows, page.before, page.earlier, page.later)

    def question_before_deleting(self) -> dict[str, Any]:
        """What `pages.ask` is to show."""
        count = self.tasks_count
        named = f" {count:,} task{'' if count == 1 else 's'} that name{'s' if count == 1 else ''} it" if count else ""
        text = (
            f"What is stored under it goes too.{f'{named} will do so no more.' if named else ''} There is no way back."
        )
        return {
            "title": f"Delete {self.key.name}?", "text": text, "confirm": "Delete the key", "keep": "Keep it",
            "danger": True,
        }  # fmt: skip


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _long(seconds: int) -> str:
    return words.duration(seconds * 1000)


def _while(seconds: int | None, without_end: str) -> str:
    if seconds is None:
        return without_end
    return f"for {_long(seconds)}" if seconds else "not at all"


def _laid_out(body: str) -> str:
    try:
        return json_text.beginning(json.loads(body), LONGEST_SHOWN)
    except (ValueError, RecursionError):
        return body[:LONGEST_SHOWN]
