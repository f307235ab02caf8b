"""What an iteration is given, and what it may ask meanwhile."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.lib.json_copies import NotJSONError
from tests.tasks.background.definitions_of import FakeLink, a_definition, some_params


def test_the_input_is_a_copy() -> None:
    given = {"rows": [1]}
    params = some_params(input=given)

    params.input["rows"].append(2)
    given["rows"].append(3)
    params.store.get_input()["rows"].append(4)

    assert params.store.get_input() == {"rows": [1]}
    assert some_params().input == {}


def test_params_say_which_iteration_they_are_of_and_whose() -> None:
    params = some_params(iteration=3, attempt=5, name="Of Monday")

    assert (params.iteration, params.attempt, params.name) == (3, 5, "Of Monday")
    assert some_params().name == "Sync articles"
    assert params.definition.id == "syncArticles"
    assert (params.context.application.name, params.context.application.workspace.name) == ("Shop", "Alice's")


def test_an_abort_is_seen_at_once() -> None:
    link = FakeLink()
    params = some_params(link)
    assert (params.is_aborted(), params.store.get_status()) == (False, "running")

    link.aborted = True

    assert (params.is_aborted(), params.store.get_status()) == (True, "aborted")


def test_the_remaining_time_runs_out_and_is_never_less_than_none() -> None:
    link = FakeLink()
    params = some_params(link, seconds=900)
    assert params.remaining_seconds() == 900

    link.time += timedelta(seconds=720)
    assert (params.remaining_seconds(), params.is_close_to_timeout(), params.is_close_to_timeout(181)) == (
        180,
        False,
        True,
    )

    link.time += timedelta(seconds=1)
    assert (params.is_close_to_timeout(), params.is_close_to_timeout(60)) == (True, False)

    link.time += timedelta(days=1)
    assert params.remaining_seconds() == 0


def test_a_child_is_triggered_by_id_or_by_what_was_decorated() -> None:
    link = FakeLink()
    params = some_params(link)
    given = {"page": 1}

    assert params.trigger("syncPage", given, name="Page 1", delay=60) == "child 1"
    given["page"] = 2
    params.trigger(a_definition(id="other"))

    assert link.triggered == [("syncPage", {"page": 1}, "Page 1", 60), ("other", {}, "", 0)]


@pytest.mark.parametrize(("definition", "given"), [("syncPage", [1]), ("syncPage", {"a": {1}}), (None, {}), (len, {})])
def test_what_cannot_be_triggered_reaches_nobody(definition: Any, given: Any) -> None:
    link = FakeLink()
    with pytest.raises((TypeError, NotJSONError)):
        some_params(link).trigger(definition, given)
    assert link.triggered == []


def test_children_are_listed_all_or_of_one_definition() -> None:
    link = FakeLink()
    store = some_params(link).store
    assert [store.list_children(), store.list_children("syncPage"), store.list_children(a_definition())] == [
        ["a child"]
    ] * 3
    assert link.asked == [None, "syncPage", "syncArticles"]
