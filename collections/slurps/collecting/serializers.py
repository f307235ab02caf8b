"""Collections and their versions as REST shows and takes them."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.web.serializers import BoundedListField, OneOfField, StrictSerializer
from slurps.models import SLOTS, Collection, Mode, Version
from slurps.modes import MODES

MOST_VERSIONS = 1000
MOST_KEY_COLUMNS = 10
MOST_READERS = 100
LONGEST = 200
ENDPOINT = re.compile(r"[A-Za-z0-9_-]+")

NO_ENDPOINT = "It stands in an address: letters, digits, - and _ only, like “product-prices”."
STAYS = "It is never changed: this one's is {}. Make another collection instead."
NEEDS_KEY = "An upserted collection needs a key: the columns by which a row is known again, like “id”."
NO_KEY = "Rows of an accumulative collection are only ever added: it has no use for a key."
NOT_VERSIONED = "Only the versioned modes keep versions: leave it out, or choose one of them."
NOT_REPLACED = "Where rows are only merged or added nothing gets smaller: leave it out."
NOT_UPSERTED = "Only an upserted collection has keys that could be repeated: leave it out."


class GuardsSerializer(StrictSerializer):
    """What holds a result until somebody approves it. Whatever is left out is off."""

    empty = serializers.BooleanField(required=False, help_text="Hold a result without any row.")
    smaller_percent = serializers.FloatField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=100,
        help_text="Hold a result that has by more than this, in percent, fewer rows than the version before.",
    )
    columns = OneOfField(
        ["evolve", "freeze", "discard"],
        required=False,
        help_text=(
            "When columns change: `evolve` takes all; `freeze` holds a result whose columns vanish, are new or change "
            "their type; `discard` leaves out values of new columns and of other types, and holds one whose columns "
            "vanish."
        ),
    )
    repeated_keys = serializers.BooleanField(required=False, help_text="Hold a result in which a key comes twice.")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Those that were given."""
        return dict(instance)


def names(most: int, **kwargs: Any) -> BoundedListField:
    """A list of names of columns, each once."""
    child = serializers.CharField(max_length=LONGEST, trim_whitespace=False, allow_blank=True)
    return BoundedListField(child=child, max_length=most, **kwargs)


class CollectionSerializer(StrictSerializer):
    """A collection of an async job."""

    name = serializers.CharField(
        max_length=LONGEST,
        trim_whitespace=False,
        help_text="Its endpoint, under which it is read: unique in the application, and never changed.",
    )
    mode = OneOfField(
        Mode.choices,
        help_text=f"What a run's rows do to those that are there: {', '.join(Mode.values)}. Never changed.",
    )
    key = names(
        MOST_KEY_COLUMNS,
        default=list,
        help_text="The columns by which a row is known again. Needed where rows are upserted; never changed.",
    )
    keep = serializers.IntegerField(
        default=1,
        min_value=1,
        max_value=MOST_VERSIONS,
        help_text=f"How many versions are kept where it is versioned: 1 to {MOST_VERSIONS:,}.",
    )
    indexed = names(
        SLOTS, default=list, help_text=f"Columns that are found quickly: up to {SLOTS}, none of them nested."
    )
    guards = GuardsSerializer(default=dict, help_text="What holds a result until it is approved. Given whole.")
    readers = BoundedListField(
        child=serializers.CharField(max_length=100),
        default=None,
        allow_null=True,
        max_length=MOST_READERS,
        help_text="Labels of the tokens that may read it; null: every one with the scope `collections:read`.",
    )
    active = serializers.BooleanField(
        source="is_active", read_only=True, help_text="Whether runs of its async job fill it: one of its collections."
    )
    version = serializers.IntegerField(
        source="current.number",
        default=None,
        allow_null=True,
        read_only=True,
        help_text="The newest version; null before the first.",
    )
    pinned = serializers.IntegerField(
        source="pinned.number",
        default=None,
        allow_null=True,
        read_only=True,
        help_text="The version that is read in its stead, if any.",
    )
    rows = serializers.IntegerField(
        source="current.rows", default=0, read_only=True, help_text="How many rows the newest version has."
    )
    indexing = serializers.SerializerMethodField(
        help_text="Whether what is indexed is still being prepared: until then it is found, and more slowly."
    )
    created_at = serializers.DateTimeField(read_only=True, help_text="When it was made.")
    updated_at = serializers.DateTimeField(read_only=True, help_text="When it was last changed.")

    @extend_schema_field(serializers.BooleanField())
    def get_indexing(self, collection: Collection) -> bool:
        return collection.filling is not None

    def validate_name(self, name: str) -> str:
        """Raises ValidationError."""
        self._stays("name", name)
        if not ENDPOINT.fullmatch(name):
            raise serializers.ValidationError(NO_ENDPOINT)
        return name

    def validate_mode(self, mode: str) -> str:
        """Raises ValidationError."""
        self._stays("mode", mode)
        return mode

    def validate_key(self, key: list[str]) -> list[str]:
        """Raises ValidationError."""
        self._stays("key", key)
        return list(dict.fromkeys(key))

    def validate_indexed(self, indexed: list[str]) -> list[str]:
        """Each once."""
        return list(dict.fromkeys(indexed))

    def validate_guards(self, guards: dict[str, Any]) -> dict[str, Any]:
        """As plain JSON, without what is null."""
        return {name: value for name, value in guards.items() if value is not None}

    def _stays(self, name: str, value: Any) -> None:
        if self.instance is not None and getattr(self.instance, name) != value:
            now = getattr(self.instance, name)
            raise serializers.ValidationError(STAYS.format(", ".join(now) if isinstance(now, list) else f"“{now}”"))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What does not go with its mode is refused. Raises ValidationError."""
        attrs = super().validate(attrs)
        means = MODES[self.instance.mode if self.instance else attrs["mode"]]
        errors: dict[str, str] = {}
        if self.instance is None and means.write == "upsert" and not attrs["key"]:
            errors["key"] = NEEDS_KEY
        if attrs.get("key") and means.write == "append":
            errors["key"] = NO_KEY
        if attrs.get("keep", 1) != 1 and not means.is_versioned:
            errors["keep"] = NOT_VERSIONED
        guards = attrs.get("guards", {})
        if "smaller_percent" in guards and means.write != "replace":
            errors["guards.smaller_percent"] = NOT_REPLACED
        if guards.get("repeated_keys") and means.write != "upsert":
            errors["guards.repeated_keys"] = NOT_UPSERTED
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


class CollectionColumnSerializer(serializers.Serializer[Any]):
    """A column, as a run's rows had it."""

    name = serializers.CharField(help_text="Its name.")
    types = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="How often it was of which type: text, number, boolean, object, list, null.",
    )


class FlagSerializer(serializers.Serializer[Any]):
    """Why a result waits."""

    guard = serializers.CharField(help_text="The guard that holds it.")
    message = serializers.CharField(help_text="What it found, in a sentence.")


def count(words: str) -> serializers.IntegerField:
    """How many."""
    return serializers.IntegerField(help_text=words)


class CollectionVersionSerializer(serializers.Serializer[Any]):
    """What one run left of a collection's rows."""

    number = serializers.IntegerField(allow_null=True, help_text="Counted up, never reused; null before it is ready.")
    stage = serializers.CharField(help_text="`staging` while it is loaded, `held` while it waits, `ready`.")
    current = serializers.SerializerMethodField(help_text="Whether it is the newest one.")
    pinned = serializers.SerializerMethodField(help_text="Whether readers see it in the newest one's stead.")
    rows = count("How many rows it has.")
    read = count("How many rows the run read from its sources.")
    written = count("How many rows its code made of them.")
    added = count("How many were new.")
    changed = count("How many replaced another one with their key.")
    unchanged = count("How many were there already, alike.")
    removed = count("How many of the version before it has no more.")
    dropped = count("How many values a guard left out.")
    bytes = count("How long what came was, as JSON.")
    columns = CollectionColumnSerializer(
        many=True, help_text="The columns of what came, in the order in which they were seen."
    )
    flagged = FlagSerializer(many=True, help_text="Why it waits, or waited, for approval.")
    run = serializers.UUIDField(
        source="run_id", allow_null=True, help_text="The run that made it; null if rolled back."
    )
    rolled_back_to = serializers.IntegerField(allow_null=True, help_text="The version whose rows it took up again.")
    created_at = serializers.DateTimeField(help_text="When loading it began.")

    @extend_schema_field(serializers.BooleanField())
    def get_current(self, version: Version) -> bool:
        return version.collection.current_id == version.pk

    @extend_schema_field(serializers.BooleanField())
    def get_pinned(self, version: Version) -> bool:
        return version.collection.pinned_id == version.pk


_ROW: dict[str, Any] = {"description": "A row: any JSON object.", "type": "object", "additionalProperties": True}


@extend_schema_field(_ROW)
class RowField(serializers.JSONField):
    """A row as it is stored."""


class RowsSerializer(serializers.Serializer[Any]):
    """Rows that only one of two versions has."""

    count = serializers.IntegerField(help_text="How many.")
    rows = serializers.ListField(child=RowField(), help_text="The first of them.")


class BothSerializer(serializers.Serializer[Any]):
    """A row in both versions."""

    before = RowField(help_text="As it was.")
    after = RowField(help_text="As it is.")


class ChangedSerializer(serializers.Serializer[Any]):
    """Rows that both versions have, otherwise."""

    count = serializers.IntegerField(help_text="How many.")
    rows = BothSerializer(many=True, help_text="The first of them.")


class DifferenceSerializer(serializers.Serializer[Any]):
    """What differs between two versions."""

    by = serializers.CharField(
        help_text="How rows are known again: by their `place`, by their `key`, or by all they hold (`content`)."
    )
    added = RowsSerializer(help_text="Rows of the later one alone.")
    removed = RowsSerializer(help_text="Rows of the earlier one alone.")
    changed = ChangedSerializer(help_text="Rows that both have, with other values. None where they go by content.")
