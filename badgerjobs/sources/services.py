"""What can be done with data sources."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from badgerjobs.sources.files.keeping import give
from badgerjobs.sources.models import DataSource, SourceFile
from badgerjobs.sources.types import type_of
from badgerjobs.sources.types.endpoint import host_of
from badgerjobs.web.definitions.configurations import checked
from badgerjobs.web.definitions.keeping import (
    GONE,
    NAMED,
    Facts,
    Uses,
    alone_with_its_tag,
    delete_unused,
    made_or_changed,
    named,
    record,
)
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application

_USED_BY_SLURPERS = Uses(
    lambda source: source.slurpers,
    "the slurper",
    "The source is used by {}. Delete these first, or let them pull from others.",
)
USED = Uses(
    lambda source: source.keys,
    "the key",
    "The source is used by {}. Delete these first, or give them another source.",
    name="name",
    beside=_USED_BY_SLURPERS,
)
LACKING = "{} no value for {}: until they do, their syncs fail."


def create_source(
    *,
    application: Application,
    tag: str,
    by: audit.Actor,
    now: datetime,
    file: SourceFile | None = None,
    **fields: Any,
) -> DataSource:
    """Make a source. `fields`: type, configuration and perhaps name; the configuration is checked here.

    A `file` that was uploaded becomes its own.

    Raises Conflict when the application has a source with this tag, ValidationError for a configuration that is wrong.
    """
    source = DataSource(application=application, tag=tag, name=fields.get("name", tag), type=fields["type"])
    _set_configuration(source, configuration_of(source, fields.get("configuration", {})))
    with alone_with_its_tag("a source", source):
        source.save(force_insert=True)
        record(source, {}, _facts(source), action="source.create", by=by, now=now)
        if file:
            give(source=source, file=file, by=by, now=now)
    return source


def update_source(
    *, source: DataSource, by: audit.Actor, now: datetime, file: SourceFile | None = None, **fields: Any
) -> DataSource:
    """Change what is given; a configuration is given whole. Stars in it keep what is stored.

    A `file` that was uploaded takes the place of the one before it.

    It holds from the next fetch on. A variable that it declares anew, and that keys do not give, is no reason to refuse
    it: `source.warnings` has the sentences that say which keys. Raises Conflict when somebody else deleted it
    meanwhile, ValidationError for a configuration that is wrong or would send stored secrets to somebody else.
    """
    return _warned(_changed(source=source, by=by, now=now, file=file, **fields))


@transaction.atomic
def _changed(
    *, source: DataSource, by: audit.Actor, now: datetime, file: SourceFile | None = None, **fields: Any
) -> DataSource:
    try:
        source.refresh_from_db(from_queryset=DataSource.objects.select_for_update())
    except DataSource.DoesNotExist:
        raise Conflict(GONE.format("source")) from None
    facts, declared = _facts(source), set(source.variables)
    source.name = fields.get("name", source.name)
    _set_configuration(source, configuration_of(source, fields.get("configuration")))
    if _facts(source) != facts:  # what is given as it is disturbs no fetch that is under way
        source.save()
        record(source, facts, _facts(source), action="source.update", by=by, now=now)
    if file:
        give(source=source, file=file, by=by, now=now)
    source.new_variables = [name for name in source.variables if name not in declared]
    return source


def _warned(source: DataSource) -> DataSource:
    """With its warnings. They are looked for when the source is free again: nobody waits for that to make a key."""
    source.warnings = lacking(source, source.new_variables)
    return source


def create_or_update_source(
    *, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any
) -> tuple[DataSource, bool]:
    """Make the source, or change the one that is there, as one step. Returns it and whether it was made."""
    fields |= {"by": by, "now": now}
    source, is_new = made_or_changed(
        DataSource.objects.for_application(application).filter(tag=tag),
        fields["type"],
        make=lambda: create_source(application=application, tag=tag, **fields),
        change=lambda found: _changed(source=found, **fields),
    )
    return _warned(source), is_new


def delete_source(*, source: DataSource, by: audit.Actor, now: datetime) -> None:
    """Delete a source. Raises Conflict, naming them, when cache keys or slurpers use it."""
    if refusal := refusal_to_delete_source(source):  # before Django reads all of them to say the same
        raise Conflict(refusal)
    delete_unused(source, USED, _facts(source), action="source.delete", by=by, now=now)


def refusal_to_delete_source(source: DataSource) -> str:
    """Why it would not be deleted now: a sentence that names what uses it; empty where nothing stands against it."""
    return USED.refusal(source)


def configuration_of(source: DataSource, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the source is to call, checked; None keeps what is stored. Raises ValidationError."""
    stored = source.configuration if source.pk else None
    if given is None:
        return dict(stored or {})
    found = type_of(source.type)
    return checked(found.serializer, given, found.secrets, stored)


def lacking(source: DataSource, names: Sequence[str]) -> list[str]:
    """For each of these variables that keys of the source give no value for, a sentence that names such keys."""
    found = ((name, list(without(source, name).values_list("name", flat=True)[: NAMED + 1])) for name in names)
    return [
        LACKING.format(f"{named('The key', keys)} {'gives' if len(keys) == 1 else 'give'}", name)
        for name, keys in found
        if keys
    ]


def without(source: DataSource, name: str) -> Any:
    """The keys of the source that give no value for this variable.

    The oldest first: for the first few PostgreSQL then reads no more than these. By name it would read and sort all. It
    is asked for sources from this one to this one: of a single source it might walk the keys of all by their ids.
    """
    keys = source.keys.model._default_manager.filter(source__gte=source.pk, source__lte=source.pk)
    return keys.filter(~Q(variables__has_key=name)).order_by("source", "pk")


def _set_configuration(source: DataSource, configuration: dict[str, Any]) -> None:
    source.configuration = configuration
    source.variables = type_of(source.type).variables(configuration)
    source.host = host_of(configuration)


def _facts(source: DataSource) -> Facts:
    """What a person would say that it is, for the audit log: of a configuration only names are told."""
    return {"name": source.name, "type": source.type, "configuration": source.configuration}
