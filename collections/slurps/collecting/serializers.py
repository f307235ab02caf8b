"""Collections as REST shows and takes them."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.web.serializers import BoundedListField, OneOfField, StrictSerializer
from slurps.models import SLOTS, Collection, Mode
from slurps.modes import MODES

MOST_VERSIONS = 1000
# Of the versioned modes, unless somebody says how many.
KEPT = 10
MOST_KEY_COLUMNS = 10
MOST_READERS = 100
LONGEST = 200
ENDPOINT = re.compile(r"[A-Za-z0-9_-]+")

NO_ENDPOINT = "It stands in an address: letters, digits, - and _ only, like “product-prices”."
STAYS = "It is never changed: this one {}. Make another collection instead."
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
        required=False,
        min_value=1,
        max_value=MOST_VERSIONS,
        help_text=f"How many versions are kept where it is versioned: 1 to {MOST_VERSIONS:,}, {KEPT} unless given.",
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
            has = f"has “{'”, “'.join(now) if isinstance(now, list) else now}”" if now else "has none"
            raise serializers.ValidationError(STAYS.format(has))

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
        if self.instance is None and means.is_versioned:
            attrs.setdefault("keep", KEPT)
        guards = attrs.get("guards", {})
        if "smaller_percent" in guards and means.write != "replace":
            errors["guards.smaller_percent"] = NOT_REPLACED
        if guards.get("repeated_keys") and means.write != "upsert":
            errors["guards.repeated_keys"] = NOT_UPSERTED
        if errors:
            raise serializers.ValidationError(errors)
        return attrs
