"""Cases that are tried in one test are tried as if each had a test of its own."""

import pytest
from django.core.cache import cache

from badgerjobs.workspaces.models import Workspace
from tests.factories import make_application
from tests.in_turn import in_turn
from tests.tables import held


def test_all_are_tried_and_each_that_fails_is_named() -> None:
    seen: list[int] = []

    @in_turn("case", [1, 2, 3, 4, 5])
    def tried(case: int) -> None:
        seen.append(case)
        if case == 4:
            pytest.skip("a case is not left out without a word")
        assert case not in {2, 3}, f"is {case}"

    with pytest.raises(pytest.fail.Exception) as failure:
        tried()
    assert seen == [1, 2, 3, 4, 5]
    said = str(failure.value)
    assert said.startswith("3 of 5 fail.")
    for words in ("\n2\n", "is 2", "\n3\n", "is 3", "\n4\n", "without a word", "test_in_turn.py:"):
        assert words in said


def test_no_case_at_all_is_no_success() -> None:
    with pytest.raises(AssertionError):
        in_turn("case", [])(print)()


@in_turn("name, number", [("one", 1), ("two", 2)])
def test_a_case_may_have_several_values(name: str, number: int) -> None:
    assert len(name) == 3
    assert number in {1, 2}


@in_turn("case", ["first", "second"])
def test_what_one_leaves_behind_the_next_one_does_not_find(db: None, case: str) -> None:
    assert not Workspace.objects.exists()
    assert cache.get("left") is None
    make_application(case)
    cache.set("left", case)


@pytest.mark.django_db
def test_whatever_changes_is_seen_in_what_tables_hold() -> None:
    assert held([Workspace]) == {"workspaces_workspace": []}
    application = make_application("Alice's")
    before = held([Workspace])
    Workspace.objects.filter(pk=application.workspace_id).update(name="Bob's")
    assert held([Workspace]) != before
    assert len(held([Workspace, type(application)])) == 2
