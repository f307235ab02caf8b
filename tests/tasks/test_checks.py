"""What tasks ask of webhooks is looked for at every start."""

import pytest

from tasks import checks, hooks


def test_a_table_that_is_right_is_passed() -> None:
    assert checks.every_verb_of_hooks_is_there() == []


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("webhooks.nowhere.make_hook", "No module named"),
        ("webhooks.services.nothing", "does not define"),
        ("tasks.hooks.HOOK_VERBS", "cannot be called"),
    ],
)
def test_a_verb_of_hooks_that_is_not_there_stops_the_start(
    path: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(hooks.HOOK_VERBS, "lost", path)

    (error,) = checks.every_verb_of_hooks_is_there()

    assert error.msg.startswith(f"What tasks ask of hooks, 'lost', is not at {path}: ")
    assert why in error.msg
