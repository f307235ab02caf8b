"""What can be done with cache keys, one at a time; with many at once in `many.py`."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, connection, transaction

from badgerjobs.sources.models import DataSource
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from tasks.cache import copies
from tasks.keys.variables import is_same, misfit_of
from tasks.models import CachedValue, CacheKey

# What is said of a key besides its name.
FIELDS = ("source", "variables", "tags", "ttl_s", "stale_while_revalidate_s", "stale_if_error_s")

GONE = "This key was deleted in the meantime."
SOURCE_GONE = "The source was deleted in the meantime. Make it again, or choose another."
TAKEN = "There is a key with the name “{}” already. Change it with PATCH, or use PUT to create or update."

# What stands under a key that was never fetched, or that asks for something else now.
EMPTY: Mapping[str, Any] = {
    "body": None, "bytes": 0, "etag": "", "started_at": None, "fetched_at": None, "changed_at": None,
    "tried_at": None, "duration_ms": None, "error_class": "", "error": "", "asked_at": None,
}  # fmt: skip


def create_key(*, application: Application, name: str, by: audit.Actor, now: datetime, **fields: Any) -> CacheKey:
    """Make a key, with nothing under it yet. `fields`, checked, are those of FIELDS; `source` is a row.

    Raises Conflict when the application has a key with this name or somebody deleted the source meanwhile, Invalid for
    values that are not those that the source asks for.
    """
    key = CacheKey(application=application, name=name, created_at=now, updated_at=now)
    try:
        with transaction.atomic():
            _set(key, fields)
            _ensure_fits(key)
            key.save(force_insert=True)
            CachedValue.objects.create(key=key)
            _record(key, {}, action="cachekey.create", by=by, now=now)
            forget(application, [name])
    except IntegrityError:
        raise Conflict(TAKEN.format(name)) from None
    return key


@transaction.atomic
def update_key(*, key: CacheKey, by: audit.Actor, now: datetime, **fields: Any) -> CacheKey:
    """Change what is given; values are given whole. With another source or other values the stored one is dropped.

    Raises Conflict when somebody else deleted it or its source meanwhile, Invalid for values that do not fit.
    """
    application = key.application
    held = CacheKey.objects.select_for_update(of=("self",)).whole().filter(pk=key.pk).first()
    if held is None:
        raise Conflict(GONE)
    held.application = application
    before, facts = (held.source_id, held.variables), facts_of(held)
    _set(held, fields)
    _ensure_fits(held)
    if audit.difference(facts, facts_of(held)) or not is_same(before[1], held.variables):
        held.updated_at = now
        held.save()
        if before[0] != held.source_id or not is_same(before[1], held.variables):
            empty([held.pk])
        _record(held, facts, action="cachekey.update", by=by, now=now)
        forget(application, [held.name])
    return held


@transaction.atomic
def create_or_update_key(
    *, application: Application, name: str, by: audit.Actor, now: datetime, **fields: Any
) -> tuple[CacheKey, bool]:
    """Make the key, or change the one that is there, as one step. Returns it and whether it was made."""
    keys = CacheKey.objects.for_application(application)
    found = keys.filter(name=name).first()
    if found is None:
        try:
            return create_key(application=application, name=name, by=by, now=now, **fields), True
        except Conflict:  # somebody made it between the two statements, or its source is gone
            found = keys.filter(name=name).first()
            if found is None:
                raise
    found.application = application
    return update_key(key=found, by=by, now=now, **fields), False


@transaction.atomic
def delete_key(*, key: CacheKey, by: audit.Actor, now: datetime) -> None:
    """Delete a key with its value. What its syncs were is kept as long as any; tasks that name it do so no more."""
    if remove([key.pk]):  # of two at once, one did it
        facts = facts_of(key)
        changes = audit.difference(facts, dict.fromkeys(facts))
        audit.record(
            by=by, action="cachekey.delete", subject=key.name, now=now, application=key.application, changes=changes
        )
    forget(key.application, [key.name])


def remove(ids: Sequence[int]) -> list[str]:
    """Delete these keys, their values and their places in tasks: as many statements for thousands as for one.

    Returns the names of those that were there.
    """
    with connection.cursor() as cursor:
        # In their order, as whoever else takes several of them: so nobody waits for one who waits for them. First the
        # keys and then their values.
        cursor.execute("SELECT FROM tasks_cachekey WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [list(ids)])
        cursor.execute("SELECT FROM tasks_cachedvalue WHERE key_id = ANY(%s) ORDER BY key_id FOR UPDATE", [list(ids)])
        cursor.execute("DELETE FROM tasks_cachedvalue WHERE key_id = ANY(%s)", [list(ids)])
        cursor.execute("DELETE FROM tasks_taskkey WHERE key_id = ANY(%s)", [list(ids)])
        cursor.execute("DELETE FROM tasks_cachekey WHERE id = ANY(%s) RETURNING name", [list(ids)])
        return [name for (name,) in cursor.fetchall()]


def empty(ids: Sequence[int]) -> None:
    """Drop the values of these keys: what was fetched was for another source or other variables.

    In one call for all: whoever takes several values takes them in the order of their keys.
    """
    held = CachedValue.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    list(held.values_list("pk"))
    CachedValue.objects.filter(pk__in=ids).update(**EMPTY)


def hold_sources(ids: Sequence[int]) -> dict[int, DataSource]:
    """These sources as they are now, by id: nobody changes or deletes them before this is committed."""
    with connection.cursor() as cursor:
        # Shared: many may make keys of one source at the same time.
        cursor.execute(
            "SELECT id, tag, variables FROM sources_datasource WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",
            [list(ids)],
        )
        rows = cursor.fetchall()
    return {pk: DataSource(pk=pk, tag=tag, variables=_parsed(variables)) for pk, tag, variables in rows}


def forget(application: Application, names: Sequence[str]) -> None:
    """Once this is committed, nobody is served from an older copy."""
    transaction.on_commit(partial(copies.forget, application.pk, list(names)))


def facts_of(key: CacheKey) -> dict[str, Any]:
    """What a person would say that it is, for the audit log."""
    facts = {name: getattr(key, name) for name in FIELDS if name not in {"source", "variables"}}
    given = {name: _told(value) for name, value in key.variables.items()}
    return {"source": key.source.tag, **{f"variable {name}": value for name, value in given.items()}, **facts}


def _told(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parsed(value: Any) -> Any:
    # Django hands jsonb over as text when the query is written by hand.
    return json.loads(value) if isinstance(value, str) else value


def _ensure_fits(key: CacheKey) -> None:
    """Raises Conflict for a source that is gone, Invalid for values that are not those that it asks for."""
    held = hold_sources([key.source_id]).get(key.source_id)
    if held is None:
        raise Conflict(SOURCE_GONE)
    if misfit := misfit_of(held, key.variables):
        raise Invalid(variables=misfit)


def _set(key: CacheKey, fields: Mapping[str, Any]) -> None:
    for name in FIELDS:
        if name in fields:
            setattr(key, name, fields[name])


def _record(key: CacheKey, before: Mapping[str, Any], **entry: Any) -> None:
    after = facts_of(key)
    gone = dict.fromkeys(name for name in before if name not in after)
    if changes := audit.difference(before, {**after, **gone}):
        audit.record(subject=key.name, application=key.application, changes=changes, **entry)
