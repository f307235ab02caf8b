"""What every test may ask for. The servers themselves come from tests/servers.py."""

import gc
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from whitenoise.middleware import WhiteNoiseMiddleware

from badgerjobs.web import spared_cache
from badgerjobs.workspaces.models import Application
from slurps.leftovers import drop_left_tables
from tasks.background import definitions
from tasks.background.definitions import Registry
from tests.callers import Caller, make_caller
from tests.factories import make_application
from tests.parts import pytest_collection_modifyitems, pytest_ignore_collect

__all__ = ["pytest_collection_modifyitems", "pytest_ignore_collect"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported and collected stays until the end: the garbage collector need not look at it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


# What the migrations write, and no test changes.
_KEPT = {"django_migrations", "django_content_type", "auth_permission"}


@pytest.fixture(scope="session", autouse=True)
def _quickly_emptied() -> Iterator[None]:
    """After a test that commits, only tables that hold something are emptied; Django would make all of them anew."""
    with patch.object(TransactionTestCase, "_fixture_teardown", _empty_tables):
        yield


def _empty_tables(_: TransactionTestCase) -> None:
    quote = connection.ops.quote_name
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True)) - _KEPT)
    with connection.cursor() as cursor:
        looks = (f"SELECT '{table}' WHERE EXISTS (SELECT FROM {quote(table)})" for table in tables)
        cursor.execute(" UNION ALL ".join(looks))
        if full := [quote(table) for (table,) in cursor.fetchall()]:
            cursor.execute(f"TRUNCATE {', '.join(full)} CASCADE")
    drop_left_tables()  # in which rows were staged that wait for approval, or that nobody has taken back


@pytest.fixture(scope="session", autouse=True)
def _static_files_found_once() -> Iterator[None]:
    """Every test's client makes its own middleware, and WhiteNoise's looks at all static files, which do not change."""
    find = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def add(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with patch.object(WhiteNoiseMiddleware, "add_files_from_finders", add):
        yield


@pytest.fixture
def passable() -> Iterator[Path]:
    """A place for temporary folders that the servers' account can pass through; pytest's own lets nobody in."""
    made = Path(tempfile.mkdtemp(prefix="badgerjobs-tests-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> None:
    """Rate limits and the like live in the cache: a test that has the database starts with none."""
    marked = request.node.get_closest_marker("django_db")
    if marked or {"db", "transactional_db"} & set(request.fixturenames):
        cache.clear()
        spared_cache._quiet_until = 0.0


@pytest.fixture
def alice(db: None) -> Caller:
    """Somebody with a token of the application under test."""
    return make_caller("Alice's")


@pytest.fixture
def charlie(db: None) -> Caller:
    """A stranger: somebody with a token of another tenant's application."""
    return make_caller("Charlie's")


@pytest.fixture
def shop(db: None) -> Application:
    """Alice's application, where a test goes in by the door of people and not of programs."""
    return make_application("Example Shop", "shop")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """No definitions of background tasks but those that the test makes."""
    registry = Registry()
    monkeypatch.setattr(definitions, "REGISTRY", registry)
    return registry
