"""What tests of GraphQL may ask for."""

from typing import Any

import pytest

from badgerjobs.graphql import answering
from tasks.background import definitions
from tasks.background.definitions import Registry, public_definitions
from tests.graphql.asking import schema_with
from tests.tasks.background.defined import define, define_private


@pytest.fixture
def defined(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Definitions of the test's own, syncArticles and the private `secret` at first. Called, it defines another one."""

    def also(**fields: Any) -> None:
        define(**fields)
        monkeypatch.setattr(answering, "SCHEMA", schema_with(public_definitions()))

    monkeypatch.setattr(definitions, "REGISTRY", Registry())
    define_private()
    also()
    return also
