"""What code reaches of its application is that application's alone; and all of it is found in one place."""

from typing import Any

import pytest
from django.conf import settings

from tasks import background
from tasks.background.context import Services, context_of
from tests.factories import make_application


@pytest.mark.django_db
def test_a_context_has_the_application_the_settings_and_verbs_of_that_application() -> None:
    application = make_application()
    context = context_of(application)

    assert (context.application.id, context.application.name) == (application.pk, application.name)
    assert context.application.workspace.name == application.workspace.name
    assert context.settings is settings


@pytest.mark.parametrize(
    ("verb", "given", "named"),
    [
        ("trigger", ("syncArticles", {"page": 1}), {"name": "Page 1", "delay": 60}),
        ("abort", ("an id",), {"message": "Enough.", "cascade": False}),
        ("delete", ("an id",), {}),
        ("get", ("an id",), {}),
        ("list", (), {"limit": 3}),
        ("logs", (), {"where": {"task": "an id"}}),
    ],
)
def test_each_verb_is_bound_to_the_application(
    verb: str, given: Any, named: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def answer(*arguments: Any, **more: Any) -> str:
        asked.append((arguments, more))
        return "came"

    monkeypatch.setattr(background, verb, answer, raising=False)

    assert getattr(Services("the application"), verb)(*given, **named) == "came"
    assert asked == [(("the application", *given), named)]


def test_what_is_promised_is_there() -> None:
    assert [name for name in background.__all__ if not callable(getattr(background, name))] == []
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        background.nothing  # noqa: B018
