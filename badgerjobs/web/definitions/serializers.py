"""What every definition has as REST shows and takes it: a tag, a name, a type and what its type makes of it."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from badgerjobs.web.definitions.configurations import Secrets, masked
from badgerjobs.web.definitions.fields import check_tag
from badgerjobs.web.definitions.keeping import type_stays
from badgerjobs.web.serializers import StrictSerializer


class ConfigurationField(serializers.DictField):
    """What each type makes of it, its serializer says."""

    default_error_messages = {"not_a_dict": "Must be an object."}


class DefinitionSerializer(StrictSerializer):
    """What definitions have in common. `reserved`: words of the addresses themselves, which are nobody's tag."""

    reserved: ClassVar[Collection[str]] = ()
    example = "low-stock"

    tag = serializers.CharField(
        max_length=200,
        required=False,
        trim_whitespace=False,
        validators=[check_tag],
        help_text="Its identity in the application: unique, and never changed. Its name unless given.",
    )
    name = serializers.CharField(max_length=200, required=False, help_text="For people; its tag unless given.")
    created_at = serializers.DateTimeField(read_only=True, help_text="When it was made.")
    updated_at = serializers.DateTimeField(read_only=True, help_text="When it was last changed.")

    def validate_type(self, name: str) -> str:
        """Never changed: an update may repeat it, no more."""
        if self.instance is not None and name != self.instance.type:
            raise serializers.ValidationError(type_stays(self.instance))
        return name

    def validate_tag(self, tag: str) -> str:
        """Never changed, and none of the addresses' own words."""
        if self.instance is not None and tag != self.instance.tag:
            raise serializers.ValidationError(f"A tag is never changed: this one's is “{self.instance.tag}”.")
        if tag in self.reserved:
            raise serializers.ValidationError(f"“{tag}” is a word of the addresses themselves: choose another tag.")
        return tag

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A new one has a tag: the one given, or its name."""
        attrs = super().validate(attrs)
        if self.instance is None and "tag" not in attrs:
            if "name" not in attrs:
                raise serializers.ValidationError({"tag": [f"Give it a tag, like “{self.example}”, or a name."]})
            try:
                check_tag(attrs["name"])
                attrs["tag"] = self.validate_tag(attrs["name"])
            except serializers.ValidationError:
                raise serializers.ValidationError(
                    {"tag": ["The name cannot be the tag, which is part of an address: give a tag too."]}
                ) from None
        return attrs


class ConfiguredSerializer(DefinitionSerializer):
    """One whose configuration is as its type says: new code in it is looked at, and what is secret reads as stars."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Code that does not compile is refused where it is written. All else its type says."""
        wrong = self.faults(attrs)
        try:
            attrs = super().validate(attrs)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **wrong}) from None  # type: ignore[dict-item]  # a dict here
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Stars for what is secret."""
        shown, (serializer, secrets) = super().to_representation(instance), self.configured(instance)
        return {**shown, "configuration": masked(serializer(instance.configuration).data, secrets)}

    def configured(self, instance: Any) -> tuple[type[StrictSerializer], Secrets]:
        """What makes a configuration of this one's type readable, and what is secret in it."""
        raise NotImplementedError

    def faults(self, attrs: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """What is wrong with code that is new, by its field: what was stored before may stay."""
        return {}
