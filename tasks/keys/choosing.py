"""Which keys are meant by REST: by the address of a list, and by a request to do something with many."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter

from badgerjobs.sources.models import DataSource
from badgerjobs.web.filters import Filter, one_of
from badgerjobs.workspaces.models import Application
from tasks.keys.states import KeyState, standing
from tasks.models import Selection
from tasks.querysets import CacheKeyQuerySet
from tasks.selection import matching

KEYS_DESCRIBED = [
    OpenApiParameter("contains", str, description="Part of the name, as it is written: letters' case counts."),
    OpenApiParameter("prefix", str, description="How the name begins."),
    OpenApiParameter("source", str, description="Only those of the source with this tag."),
    OpenApiParameter("tag", str, description="Only those that bear this tag."),
    OpenApiParameter("state", str, description=f"One or more of {', '.join(KeyState.values)}, with commas."),
]


def key_filters(application: Application, now: datetime) -> Mapping[str, Filter]:
    """Name → how it narrows the application's keys."""
    return {
        "contains": lambda keys, value: keys & matching(application, Selection.CONTAINS, value),
        "prefix": lambda keys, value: keys & matching(application, Selection.PREFIX, value),
        "source": lambda keys, value: of_source(keys, application, value),
        "tag": lambda keys, value: keys.filter(tags__contains=[value]),
        "state": lambda keys, value: in_states(keys, one_of(KeyState.values, value.lower()), now),
    }


def of_source(keys: CacheKeyQuerySet, application: Application, tag: str) -> CacheKeyQuerySet:
    """Those of the source with this tag, which is looked up first: with its id known, an index finds them."""
    found = DataSource.objects.for_application(application).filter(tag=tag).values_list("pk", flat=True)
    return keys.filter(source_id__in=list(found))


def in_states(keys: CacheKeyQuerySet, states: list[str], now: datetime) -> CacheKeyQuerySet:
    """Those that are in one of these states now."""
    if not states:
        return keys
    first, *others = (standing(state, now) for state in states)
    for other in others:
        first |= other
    return keys.filter(first)


def chosen(keys: CacheKeyQuerySet, application: Application, choice: Mapping[str, Any], now: datetime) -> Any:
    """Of the application's keys those for which all holds that is said of them."""
    for name, narrow in key_filters(application, now).items():
        if name in choice:
            keys = narrow(keys, choice[name])
    return keys.filter(name__in=choice["names"]) if "names" in choice else keys
