"""Values as tests of delivery make them, and the moment at which they are read."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from badgerjobs.workspaces.models import Application
from tasks.cache import api
from tasks.models import CachedValue, CacheKey
from tests.factories import NOW, make_key, make_source

BODY = '{"b": 1,"a":  [2.0, "é"]}'
ERROR = "The source answered 500."


@dataclass
class Clock:
    """What the time is for who reads."""

    now: datetime = NOW

    def time(self) -> float:
        return self.now.timestamp()

    def goes_on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Readers read at NOW, the moment at which factories fill values, until told otherwise."""
    made = Clock()
    monkeypatch.setattr(api, "time", made)
    return made


def keep(application: Application, name: str = "product-1", body: str | None = BODY, **fields: Any) -> CacheKey:
    """A key with its value; all keys of an application have one source."""
    source = application.sources.first() or make_source(application)
    return make_key(source, name, body, **fields)


def note_failure(key: CacheKey, seconds: float) -> None:
    """The last try failed, so many seconds after NOW."""
    at = NOW + timedelta(seconds=seconds)
    CachedValue.objects.filter(key=key).update(tried_at=at, error_class="status", error=ERROR)


def as_http(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
