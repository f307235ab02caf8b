"""What the page of a definition tells of its configuration."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from rest_framework import serializers

from badgerjobs.web.definitions.facts import Fact, facts_of
from badgerjobs.web.definitions.looks import Look, arranged
from badgerjobs.web.serializers import StrictSerializer


class DefinitionPage:
    """Everything is looked up when it is shown, and once."""

    serializer: type[serializers.Serializer[Any]]

    def __init__(self, row: Any, now: datetime) -> None:
        self.row, self.now = row, now

    @property
    def looks(self) -> Mapping[str, Look]:
        """Field of the configuration → how it is shown."""
        raise NotImplementedError

    @property
    def configuration_serializer(self) -> type[StrictSerializer]:
        """What may stand in its fields."""
        raise NotImplementedError

    @property
    def chooser(self) -> str:
        """The field that decides which others there are; empty where there is none."""
        return ""

    @cached_property
    def configuration(self) -> Mapping[str, Any]:
        """Masked, as REST shows it."""
        found: Mapping[str, Any] = self.serializer(self.row).data["configuration"]
        return found

    @property
    def facts(self) -> list[Fact]:
        """What it says in a line, in the order of the form."""
        return [fact for fact in self._facts if not fact.block]

    @property
    def blocks(self) -> list[Fact]:
        """What it says in many."""
        return [fact for fact in self._facts if fact.block]

    @cached_property
    def _facts(self) -> list[Fact]:
        fields = arranged(self.configuration_serializer, self.looks)
        return facts_of(self.configuration, fields, self.looks, self.configuration.get(self.chooser))
