"""Which actions of a hook act upon something that was deleted: each of them fails, and pages say so before."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import CharField, QuerySet, Value

from badgerjobs.workspaces.models import Application
from webhooks.actions import action_of

# The type of an action, and the name of its target.
Target = tuple[str, str]


def gone_targets(application: Application, actions: Iterable[Mapping[str, Any]]) -> set[Target]:
    """Those that are not there: one query for all, whatever their types."""
    wanted = {(action["type"], action_of(action["type"]).target(action)) for action in actions}
    there: set[Target] = set()
    queries: list[QuerySet[Any, Any]] = []
    for kind in sorted({kind for kind, _ in wanted}):
        found = action_of(kind).there(application, {name for one, name in wanted if one == kind})
        there |= {(kind, name) for name in found.known}
        if found.looked_for is not None:
            queries.append(found.looked_for.annotate(of_type=Value(kind, CharField())).values_list("of_type", found.by))
    if queries:
        there |= set(queries[0].union(*queries[1:], all=True))
    return wanted - there
