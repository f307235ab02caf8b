"""A foreign key that the database does not enforce: what it points to may have been deleted."""

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor


class _MayBeGone(ForwardManyToOneDescriptor):  # type: ignore[type-arg]  # it takes types for the checker only
    """None for what was deleted since the row was read that points to it, as it is where both are read together."""

    def get_object(self, instance: models.Model) -> Any:
        try:
            return super().get_object(instance)
        except ObjectDoesNotExist:
            return None


class LooseKey(models.ForeignKey):  # type: ignore[type-arg]  # as above
    """For tables that are written thousands of times a second, whose keys nobody has the time to check."""

    forward_related_accessor_class = _MayBeGone

    def deconstruct(self) -> Any:
        """For migrations it is a foreign key like any other."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, kwargs
