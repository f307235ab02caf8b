"""Cache keys as REST shows and takes them."""

import json
from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.lib.finite_numbers import finite
from badgerjobs.lib.json_depth import is_deeper
from badgerjobs.lib.storable import is_storable
from badgerjobs.runs.bulk_serializers import NOT_SAID, dry_run
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.types import no_value_of
from badgerjobs.web.definitions.fields import check_tag
from badgerjobs.web.parsers import MOST_LEVELS
from badgerjobs.web.serializers import BoundedListField, ErrorField, OneOfField, StrictSerializer
from badgerjobs.workspaces.models import Application
from tasks.keys.many import MOST
from tasks.keys.states import KeyState, expiry_of, state_of
from tasks.keys.variables import MOST_BYTES, misfit_of, refusal_of
from tasks.models import CacheKey
from tasks.models.key import LONGEST_NAME

# Of `keys/bulk/` and `keys/delete/`.
RESERVED = ("bulk", "delete")
MOST_TAGS = 20
LONGEST_TAG = 100
# Ten years, in seconds.
LONGEST_S = 10 * 365 * 86_400

TWICE = "“{}” is given twice: here, and at {}."
A_WORD = "“{}” is a word of the addresses themselves: choose another name."


class Sources:
    """The sources that a request names, found together: in one query, when the first is asked for."""

    def __init__(self, application: Application, tags: Iterable[Any]) -> None:
        self._application = application
        self._tags = {tag for tag in tags if isinstance(tag, str) and is_storable(tag)}

    @cached_property
    def _rows(self) -> dict[str, DataSource]:
        rows = DataSource.objects.for_application(self._application).in_rows().filter(tag__in=self._tags)
        return {source.tag: source for source in rows}

    def get(self, tag: str) -> DataSource | None:
        """The one with this tag; None where there is none, alike whether it is nobody's or another's."""
        return self._rows.get(tag)


@extend_schema_field({"type": "string"})
class SourceField(serializers.Field[Any, Any, Any, Any]):
    """The tag of one of the application's sources; its row inside. The context has `sources`."""

    def to_internal_value(self, data: Any) -> DataSource:
        """Raises ValidationError for one that is not there."""
        if not isinstance(data, str):
            raise serializers.ValidationError("Give the tag of a source, as text.")
        found: DataSource | None = self.context["sources"].get(data)
        if found is None:
            raise serializers.ValidationError(f"There is no source with the tag “{data[:99]}” in this application.")
        if reason := no_value_of(found):
            raise serializers.ValidationError(reason)
        return found

    def to_representation(self, value: Any) -> str:
        return str(value.tag)


@extend_schema_field({"type": "object", "additionalProperties": True})
class VariablesField(serializers.Field[Any, Any, Any, Any]):
    """Name → value: any JSON, all of them together within bounds."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Raises ValidationError."""
        if not isinstance(data, dict):
            raise serializers.ValidationError('Must be an object, like {"PRODUCT_ID": "1"}.')
        if refusal := refusal_of(data):
            raise serializers.ValidationError(refusal)
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class SecondsField(serializers.IntegerField):
    """Whole seconds; null for none said."""

    def __init__(self, *, least: int = 0, **kwargs: Any) -> None:
        said = f"Give whole seconds, {least} to {LONGEST_S:,}, which is ten years; or null."
        messages: dict[str, Any] = dict.fromkeys(("invalid", "min_value", "max_value", "max_string_length"), said)
        super().__init__(
            **{"min_value": least, "max_value": LONGEST_S, "error_messages": messages, **kwargs}, allow_null=True
        )

    def run_validation(self, data: Any = serializers.empty) -> int | None:
        """Python takes true for a number."""
        if isinstance(data, bool):
            self.fail("invalid")
        value: int | None = super().run_validation(data)
        return value


def seconds(column: str, least: int, words: str) -> SecondsField:
    """How long, in this column."""
    return SecondsField(source=column, default=None, least=least, help_text=words)


class KeyFields(StrictSerializer):
    """What a key is: what is given for it."""

    name = serializers.CharField(
        max_length=LONGEST_NAME,
        trim_whitespace=False,
        validators=[partial(check_tag, what="A name")],
        help_text="Its identity in the application: unique, and never changed. It stands in addresses: it has no “/”.",
    )
    source = SourceField(  # type: ignore[assignment]  # a field, and not where one comes from
        help_text="The tag of the source that its value comes from."
    )
    variables = VariablesField(
        default=dict, help_text=f"A value for each variable of the source: any JSON, {MOST_BYTES // 1024} KB together."
    )
    tags = BoundedListField(
        child=serializers.CharField(max_length=LONGEST_TAG, trim_whitespace=False, validators=[check_tag]),
        default=list,
        max_length=MOST_TAGS,
        help_text=f"Words to choose it by: up to {MOST_TAGS}, each once.",
    )
    ttl = seconds(
        "ttl_s", 1, "Seconds for which its value is fresh after it was fetched. Null: until a task brings another."
    )
    stale_while_revalidate = seconds(
        "stale_while_revalidate_s",
        0,
        "Seconds for which an old value is served while it is fetched. Null: as long as that takes; 0: not at all.",
    )
    stale_if_error = seconds(
        "stale_if_error_s",
        0,
        "Seconds for which an old value is served while its source fails. Null: as long as it fails; 0: not at all.",
    )

    def validate_name(self, name: str) -> str:
        """Never changed, and none of the addresses' own words."""
        if self.instance is not None and name != self.instance.name:
            raise serializers.ValidationError(f"A name is never changed: this one's is “{self.instance.name}”.")
        if name in RESERVED:
            raise serializers.ValidationError(A_WORD.format(name))
        return name

    def validate_tags(self, tags: list[str]) -> list[str]:
        """Each once, in their order."""
        return list(dict.fromkeys(tags))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Values are those that the source asks for. Raises ValidationError."""
        stored = self.instance and {"source": self.instance.source, "variables": self.instance.variables}
        whole = {**(stored or {}), **attrs}
        if misfit := misfit_of(whole["source"], whole["variables"]):
            raise serializers.ValidationError({"variables": [misfit]})
        return attrs


class KeySerializer(KeyFields):
    """A cache key, and what is known of its value. The context has the clock, `now`."""

    state = serializers.SerializerMethodField(help_text=f"How it stands now: {', '.join(KeyState.values)}.")
    fetched_at = serializers.DateTimeField(
        source="value.fetched_at",
        allow_null=True,
        read_only=True,
        help_text="When its value came; null if it never did.",
    )
    expires_at = serializers.SerializerMethodField(help_text="When its value is no longer fresh; null for never.")
    changed_at = serializers.DateTimeField(
        source="value.changed_at",
        allow_null=True,
        read_only=True,
        help_text="When its value last differed from the one before.",
    )
    tried_at = serializers.DateTimeField(
        source="value.tried_at",
        allow_null=True,
        read_only=True,
        help_text="When it was last tried to fetch it, for good or bad.",
    )
    bytes = serializers.IntegerField(source="value.bytes", read_only=True, help_text="How long its value is.")
    etag = serializers.CharField(
        source="value.etag", read_only=True, help_text="The hash of its value; empty if there is none."
    )
    duration = serializers.IntegerField(
        source="value.duration_ms",
        allow_null=True,
        read_only=True,
        help_text="Milliseconds that fetching its value took.",
    )
    error = serializers.SerializerMethodField(
        help_text="What was wrong with the last try: its `class` and `message`; null if nothing was."
    )
    created_at = serializers.DateTimeField(read_only=True, help_text="When it was made.")
    updated_at = serializers.DateTimeField(read_only=True, help_text="When it was last changed.")

    @extend_schema_field(serializers.ChoiceField(KeyState.choices))
    def get_state(self, key: CacheKey) -> str:
        return state_of(key, key.value, self.context["now"]).value

    @extend_schema_field({"type": "string", "format": "date-time", "nullable": True})
    def get_expires_at(self, key: CacheKey) -> Any:
        expires_at = expiry_of(key, key.value)
        return expires_at and serializers.DateTimeField().to_representation(expires_at)

    @extend_schema_field(ErrorField)
    def get_error(self, key: CacheKey) -> dict[str, str] | None:
        value = key.value
        return {"class": value.error_class, "message": value.error} if value.error_class else None


@extend_schema_field({"nullable": True})
class StoredField(serializers.JSONField):
    """Any JSON."""


class WholeKeySerializer(KeySerializer):
    """A cache key with its value."""

    value = serializers.SerializerMethodField(
        "get_stored",
        help_text="What stands under it, as JSON; null if nothing does. `cache/{key}` serves it as it was stored.",
    )

    @extend_schema_field(StoredField)
    def get_stored(self, key: CacheKey) -> Any:
        return None if key.value.body is None else _parsed(key.value.body)


def _parsed(body: str) -> Any:
    """The JSON; as text where it is deeper, or has larger or longer numbers, than can be passed on."""
    try:
        value = json.loads(body, parse_float=finite, parse_constant=finite)
    except (ValueError, RecursionError):
        return body
    return body if is_deeper(value, MOST_LEVELS) else value


class UpsertSerializer(serializers.Serializer[Any]):
    """Many keys, each as it is to be."""

    keys = BoundedListField(
        child=KeyFields(),
        max_length=MOST,
        allow_empty=False,
        help_text=f"Up to {MOST:,} keys, each with its own name. What one leaves out takes its default.",
    )

    def validate_keys(self, keys: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """No name twice. Raises ValidationError, by place."""
        seen: dict[str, int] = {}
        error: dict[Any, Any]
        for place, key in enumerate(keys):
            if (first := seen.setdefault(key["name"], place)) != place:
                error = {place: {"name": [TWICE.format(key["name"], first)]}}
                raise serializers.ValidationError(error)
        return keys


class UpsertedSerializer(serializers.Serializer[Any]):
    """How many keys were made, and how many were there."""

    created = serializers.IntegerField(help_text="How many were made.")
    updated = serializers.IntegerField(help_text="How many were there and are changed.")
    unchanged = serializers.IntegerField(help_text="How many were as given already.")


class KeyChoiceSerializer(StrictSerializer):
    """Which keys are meant: those that all of these hold for."""

    names = BoundedListField(
        child=serializers.CharField(max_length=LONGEST_NAME, trim_whitespace=False),
        required=False,
        allow_empty=False,
        max_length=MOST,
        help_text=f"Keys with these names, up to {MOST:,}.",
    )
    contains = serializers.CharField(
        required=False, max_length=LONGEST_NAME, trim_whitespace=False, help_text="Part of the name, as it is written."
    )
    prefix = serializers.CharField(
        required=False, max_length=LONGEST_NAME, trim_whitespace=False, help_text="How the name begins."
    )
    source = serializers.CharField(  # type: ignore[assignment]
        required=False, max_length=200, help_text="The tag of their source."
    )
    tag = serializers.CharField(required=False, max_length=LONGEST_TAG, help_text="A tag that they bear.")
    state = OneOfField(KeyState.choices, required=False, help_text=f"{', '.join(KeyState.values)}.")
    dry_run = dry_run()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nobody means all keys by saying nothing. Raises ValidationError."""
        if not attrs.keys() - {"dry_run"}:
            raise serializers.ValidationError({"names": [NOT_SAID.format("keys", "names", "").strip()]})
        return attrs


class KeyCountSerializer(serializers.Serializer[Any]):
    """How many it were, and whether that was all."""

    count = serializers.IntegerField(help_text="How many keys; in a dry run, how many it would be.")
    more = serializers.BooleanField(help_text=f"Whether there are more: one request takes {MOST:,}. Send it again.")
