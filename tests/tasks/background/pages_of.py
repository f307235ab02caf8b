"""The pages of background tasks, as their tests need them: rows in every state, who looks and presses, what is read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.urls import reverse
from rest_framework import serializers

from badgerjobs.runs.models import LogLine, State
from badgerjobs.workspaces.models import Application, Role
from tasks.background.definitions import REGISTRY, Definition
from tasks.models import BackgroundRun
from tests.clients import browser_in
from tests.factories import NOW, make_background_run


class ArticlesInput(serializers.Serializer[Any]):
    """A property of each sort."""

    site = serializers.CharField(label="Site", help_text="Which one is read")
    pages = serializers.IntegerField(default=10, min_value=1, max_value=500)
    ratio = serializers.FloatField(required=False)
    draft = serializers.BooleanField(default=False)
    mode = serializers.ChoiceField(["fast", "whole"], default="fast")
    tags = serializers.ListField(child=serializers.CharField(), required=False)


def definition(id: str = "syncArticles", **fields: Any) -> Definition:  # noqa: A002  it is called so
    """A public one, unless told otherwise."""
    given = {"title": "Sync articles", "description": "Reads all articles of a site.", "run": print}
    return Definition(id=id, **{**given, **fields})


@contextmanager
def defined(*definitions: Definition) -> Iterator[None]:
    """With these definitions, and no others."""
    with patch.dict(REGISTRY.by_id, {one.id: one for one in definitions}, clear=True):
        yield


def make_background(application: Application, state: State = State.RUNNING, **fields: Any) -> BackgroundRun:
    """One that Alice triggered."""
    alice = {"id": "alice@example.com", "displayName": "Alice", "type": "admin"}
    return make_background_run(application, state, **{"created_by": alice, **fields})


def say(background: BackgroundRun, message: str, iteration: int = 1, **fields: Any) -> LogLine:
    """A line of its log."""
    given = {"level": "info", "attempt": iteration, "created_at": NOW, **fields}
    return LogLine.objects.create(
        run=background.run, application_id=background.application_id, message=message, iteration=iteration, **given
    )


def look(shop: Application, name: str = "list", /, *args: Any, role: Role = Role.OWNER, **query: Any) -> Any:
    return browser_in(shop, role).get(reverse(f"background:{name}", args=[shop.slug, *args]), query)


def press(shop: Application, name: str, /, *args: Any, role: Role = Role.OWNER, **given: Any) -> Any:
    return browser_in(shop, role).post(reverse(f"background:{name}", args=[shop.slug, *args]), given, follow=True)


def text_of(answer: Any) -> str:
    """What a person reads of it, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def names_of(answer: Any) -> list[str]:
    """The names of the rows of a list, in their order."""
    return re.findall(r'class="name" id="task-[^"]+"[^>]*>([^<]*)</a>', answer.content.decode())
