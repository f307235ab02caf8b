"""I3 and I4: calls that overlap, are repeated or come out of nowhere are found; what a killed worker had is not one."""

from dataclasses import replace

import pytest

from chaos.books import Books
from chaos.checks.calls import Seen, answered, explained, one_at_a_time, policies_hold, strangers
from chaos.history import CUT, Call
from chaos.stack import Freeze
from tests.chaos.stories import START, attempt, call, run

T = START.timestamp()


def seen(*calls: Call, overlap: str = "skip", freezes: tuple[Freeze, ...] = (), **books: object) -> Seen:
    runs = [run(0), run(1), run(2, cause="manual", occurrence=None)]
    return Seen(Books(**{"runs": runs, **books}), calls, freezes, {"red/a": overlap})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("calls", "wrong"),
    [
        pytest.param([call(0, 1), call(1, 2)], 0, id="one after the other"),
        pytest.param([call(0, 2), call(1, 3)], 1, id="two at once"),
        pytest.param([call(0, 5), call(1, 2), call(3, 4)], 2, id="two during one"),
        pytest.param([call(0, 2, status=CUT), call(1, 3)], 1, id="one that is cut later"),
        pytest.param([call(0, 1.1, status=CUT), call(1, 3)], 0, id="one that is cut at that moment"),
        pytest.param([call(0, 2), call(1, 3, "r1")], 0, id="two runs"),
    ],
)
def test_two_calls_of_one_run_at_once_are_found(calls: list[Call], wrong: int) -> None:
    assert [one.kind for one in one_at_a_time(seen(*calls))] == ["overlapping"] * wrong


@pytest.mark.parametrize(
    ("overlap", "wrong"), [("skip", 1), ("queue_one", 1), ("queue_all", 1), ("cancel_running", 0), ("allow", 0)]
)
@pytest.mark.parametrize("other", ["r1", "r2"])
def test_two_runs_of_a_job_at_once_are_found_where_the_policy_forbids_it(overlap: str, wrong: int, other: str) -> None:
    found = policies_hold(seen(call(0, 2), call(1, 3, other), overlap=overlap))
    assert [one.kind for one in found] == ["concurrent"] * wrong


def test_jobs_do_not_mind_each_other() -> None:
    assert list(policies_hold(seen(call(0, 2), call(1, 3, "r9", job="red/b")))) == []


FROZEN = Freeze("worker-1", T - 1, T + 22)


@pytest.mark.parametrize(
    ("frozen", "handed_back", "excused"),
    [
        pytest.param(FROZEN, {"r0": [T + 20]}, True, id="frozen and taken back"),
        pytest.param(FROZEN, {}, False, id="not taken back"),
        pytest.param(FROZEN, {"r1": [T + 20]}, False, id="another taken back"),
        pytest.param(Freeze("worker-1", T - 1, T + 10), {"r0": [T + 20]}, False, id="for less than the lease"),
        pytest.param(Freeze("beat-1", T - 1, T + 22), {"r0": [T + 20]}, False, id="a beat"),
        pytest.param(Freeze("worker-1", T - 90, T - 60), {"r0": [T + 20]}, False, id="long before"),
        pytest.param(Freeze("worker-1", T + 60, T + 90), {"r0": [T + 20]}, False, id="long after"),
    ],
)
def test_only_what_was_taken_from_a_frozen_worker_is_excused_and_it_is_counted(
    frozen: Freeze, handed_back: dict[str, list[float]], *, excused: bool
) -> None:
    story = seen(call(0, 30), call(21, 23), freezes=(frozen,), handed_back=handed_back)
    assert (list(one_at_a_time(story)) == []) is excused
    assert story.taken_over == excused


@pytest.mark.parametrize(
    ("calls", "attempts", "wrong"),
    [
        pytest.param([call(0, 1)], 1, [], id="once"),
        pytest.param([call(0, 1), call(2, 3)], 2, [], id="twice"),
        pytest.param([call(0, 1), call(2, 3)], 1, ["repeated"], id="once too often"),
        pytest.param([replace(call(0, 1), died_with_us=True), call(2, 3)], 1, [], id="sent again to who came back"),
        pytest.param([], 1, [], id="nobody could be reached"),
    ],
)
def test_more_calls_than_the_books_explain_are_found(calls: list[Call], attempts: int, wrong: list[str]) -> None:
    assert [one.kind for one in explained(seen(*calls, runs=[run(0, attempts=attempts)]))] == wrong


def test_one_call_more_is_explained_by_a_rescue_or_an_abort() -> None:
    twice = [call(0, 1), call(2, 3)]
    assert list(explained(seen(*twice, handed_back={"r0": [T]}))) == []
    assert list(explained(seen(*twice, runs=[run(0, state="aborted")]))) == []


def test_a_call_with_the_id_of_no_run_or_of_another_job_is_found() -> None:
    found = strangers(seen(call(0, 1), call(0, 1, "r9"), call(0, 1, "r1", job="red/b"), call(0, 1, "")))
    assert [one.kind for one in found] == ["stranger"] * 3


@pytest.mark.parametrize(
    ("statuses", "wrong"),
    [((200,), 0), ((200, 500), 1), ((500,), 1), ((200, 200), 1), ((None,), 0)],
    ids=["as it was", "one too many", "another", "twice", "none came"],
)
def test_an_answer_that_was_never_given_is_found(statuses: tuple[int | None, ...], wrong: int) -> None:
    tries = [attempt(number, status=status) for number, status in enumerate(statuses, 1)]
    assert [one.kind for one in answered(seen(call(0, 1), attempts=tries))] == ["unheard"] * wrong


@pytest.mark.parametrize(("state", "wrong"), [("running", []), ("retrying", ["repeated"])])
def test_a_run_that_is_under_way_has_a_call_that_is_not_on_record_yet(state: str, wrong: list[str]) -> None:
    told = explained(seen(call(0, 1), call(2, 3), runs=[run(0, attempts=1, state=state)]))
    assert [one.kind for one in told] == wrong
