"""The versions of a collection, and what differs between two of them, as REST shows them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from slurps.models import Stage, Version
from slurps.storing.swapping import COUNTED_LATER


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


def count_later(words: str) -> serializers.IntegerField:
    """How many, once it is ready."""
    return serializers.IntegerField(allow_null=True, help_text=f"{words} Null before it is ready: nobody has counted.")


class CollectionVersionSerializer(serializers.Serializer[Any]):
    """What one run left of a collection's rows."""

    number = serializers.IntegerField(allow_null=True, help_text="Counted up, never reused; null before it is ready.")
    stage = serializers.CharField(help_text="`staging` while it is loaded, `held` while it waits, `ready`.")
    current = serializers.SerializerMethodField(help_text="Whether it is the newest one.")
    pinned = serializers.SerializerMethodField(help_text="Whether readers see it in the newest one's stead.")
    rows = count_later("How many rows it has.")
    read = count("How many rows the run read from its sources.")
    written = count("How many rows its code made of them.")
    added = count_later("How many were new.")
    changed = count_later("How many replaced another one with their key.")
    unchanged = count_later("How many were there already, alike.")
    removed = count_later("How many of the version before it has no more.")
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
    approved_at = serializers.DateTimeField(
        allow_null=True, help_text="When somebody approved it; null unless it had waited for that."
    )

    def to_representation(self, version: Version) -> dict[str, Any]:
        """What is only known when it is shown is not nought before."""
        told = super().to_representation(version)
        return told if version.stage == Stage.READY else {**told, **dict.fromkeys(COUNTED_LATER)}

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
