"""How an iteration ends: what it answers or raises, and what is kept of that."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from badgerjobs.lib.json_copies import NotJSONError
from badgerjobs.runs.processes.came import Came
from tasks.background.errors import BackgroundTaskError
from tasks.background.inputs import MOST_BYTES as MOST_INPUT_BYTES
from tasks.background.outputs import TOO_LARGE
from tasks.background.responses import LONGEST_WAIT_S
from tests.tasks.background.definitions_of import NOW, MuteError, some_params

ZURICH = timezone(timedelta(hours=1))


def test_done_is_a_message_and_an_output_over_what_there_was() -> None:
    params = some_params(input={"page": 1}, output={"rows": 2, "pages": 1})
    answer = params.response.done("All read.", {"rows": 3})
    params.store.update_output({"late": True})

    assert params.came_of(answer) == Came(
        "done", "All read.", input={"page": 1}, output={"rows": 3, "pages": 1, "late": True}
    )


@pytest.mark.parametrize(
    ("arguments", "message", "output"),
    [
        ((), "Task done.", {}),
        (("",), "Task done.", {}),
        (("Read.",), "Read.", {}),
        (({"rows": 3},), "Task done.", {"rows": 3}),
        (("", {"rows": 3}), "Task done.", {"rows": 3}),
        (("x" * 2000,), "x" * 1000, {}),
        (("a\0b",), "a\ufffdb", {}),
    ],
    ids=["nothing", "empty", "message", "output", "both", "long", "null character"],
)
def test_done_takes_a_message_an_output_or_both(arguments: Any, message: str, output: Any) -> None:
    params = some_params()
    came = params.came_of(params.response.done(*arguments))
    assert (came.word, came.message, came.output) == ("done", message, output)


@pytest.mark.parametrize("arguments", [(3,), (None,), ("", [1]), ({"a": 1}, {"b": 2}), ("", {"a": {1}})])
def test_done_says_what_it_does_not_take(arguments: Any) -> None:
    with pytest.raises((TypeError, NotJSONError), match=r"done\(\) takes|The output"):
        some_params().response.done(*arguments)


def test_continue_merges_over_the_input() -> None:
    params = some_params(input={"page": 1, "shop": "a"}, output={"rows": 2})
    params.store.update_input({"seen": 1})

    came = params.came_of(params.response.continue_({"page": 2}, seconds=30))

    assert came == Came(
        "continue", "Task continuing.", input={"page": 2, "shop": "a", "seen": 1}, output={"rows": 2}, wait_s=30
    )


def test_an_inner_object_is_replaced_and_not_merged() -> None:
    params = some_params(input={"shop": {"a": 1, "b": 2}})
    assert params.came_of(params.response.continue_({"shop": {"a": 3}})).input == {"shop": {"a": 3}}


@pytest.mark.parametrize(
    ("wait", "wait_s"),
    [
        ({}, 0),
        ({"seconds": 0}, 0),
        ({"seconds": -5}, 0),
        ({"seconds": 0.999}, 0),
        ({"seconds": 1}, 1),
        ({"seconds": 1.5}, 1.5),
        ({"seconds": LONGEST_WAIT_S}, 30_672_000),
        ({"seconds": LONGEST_WAIT_S + 1}, 30_672_000),
        ({"seconds": float("inf")}, 30_672_000),
        ({"date": NOW + timedelta(minutes=2)}, 120),
        ({"date": (NOW + timedelta(minutes=2)).astimezone(ZURICH)}, 120),
        ({"date": NOW + timedelta(milliseconds=500)}, 0),
        ({"date": NOW - timedelta(days=1)}, 0),
        ({"date": datetime.max.replace(tzinfo=UTC)}, 30_672_000),
        ({"seconds": 30, "date": NOW + timedelta(minutes=2)}, 30),
        ({"seconds": 0, "date": NOW + timedelta(minutes=2)}, 0),
    ],
    ids=[
        "neither", "none", "negative", "nearly one", "one", "fraction", "the longest", "longer", "for ever", "date",
        "date elsewhere", "date at once", "past date", "last date", "both", "no seconds and a date",
    ],
)  # fmt: skip
def test_a_wait_is_as_documented(wait: Any, wait_s: float) -> None:
    came = some_params().response.continue_(**wait)
    assert came.wait_s == wait_s
    assert isinstance(came.wait_s, float)


@pytest.mark.parametrize(
    "wait",
    [
        {"seconds": float("nan")},
        {"seconds": "30"},
        {"seconds": True},
        {"seconds": timedelta(1)},
        {"date": datetime(2026, 3, 1)},  # noqa: DTZ001
        {"date": date(2026, 3, 1)},
        {"date": "2026-03-01T00:00:00Z"},
    ],
    ids=["nan", "text", "true", "length", "naive", "day", "text of a date"],
)
def test_a_wait_that_is_none_is_said(wait: Any) -> None:
    with pytest.raises(TypeError, match=r"continue_\(\) (waits for a number of seconds|takes a date with a time)"):
        some_params().response.continue_(**wait)


def test_an_input_that_became_too_long_is_said() -> None:
    params = some_params(input={"a": "x" * (MOST_INPUT_BYTES // 2)})
    answer = params.response.continue_({"b": "x" * (MOST_INPUT_BYTES // 2)})
    with pytest.raises(NotJSONError, match="The input has"):
        params.came_of(answer)


class ShopError(Exception):
    code = "SHOP_CLOSED"
    data = {"until": 9}


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        ("Closed.", {"message": "Closed.", "code": None, "data": None}),
        (ValueError("Closed."), {"message": "Closed.", "code": "ValueError", "data": None}),
        (ValueError(), {"message": "ValueError", "code": "ValueError", "data": None}),
        (ShopError("Closed."), {"message": "Closed.", "code": "SHOP_CLOSED", "data": {"until": 9}}),
        (SystemExit(3), {"message": "3", "code": "SystemExit", "data": None}),
        (MuteError(), {"message": "MuteError, which cannot be shown", "code": "MuteError", "data": None}),
        ({"message": "Closed.", "code": "SHUT", "data": [1]}, {"message": "Closed.", "code": "SHUT", "data": [1]}),
        (
            {"message": "Closed.", "stack": "at 3"},
            {"message": "Closed.", "code": None, "data": None, "stack": "at 3"},
        ),
        ({"message": "Closed.", "code": ""}, {"message": "Closed.", "code": None, "data": None}),
        ({}, {"message": "The task failed, and said nothing.", "code": None, "data": None}),
        ("", {"message": "The task failed, and said nothing.", "code": None, "data": None}),
        (
            {"message": "a\0b", "code": 3, "data": {"a": {1}}},
            {
                "message": "a\ufffdb",
                "code": "3",
                "data": {"message": "The data, at a, is of the type set, which JSON does not have."},
            },
        ),
    ],
    ids=[
        "sentence", "exception", "one that says nothing", "one with a code", "exit", "one that breaks", "mapping",
        "stack", "empty code", "empty mapping", "empty sentence", "what is no json",
    ],
)  # fmt: skip
def test_an_error_is_kept_as_the_output(error: Any, kept: dict[str, Any]) -> None:
    params = some_params(input={"page": 1}, output={"rows": 2})
    params.store.update_input({"page": 2})

    came = params.came_of(params.response.error(error))

    assert came == Came("error", kept["message"], input={"page": 2}, output={"error": kept}, error=kept)
    if not isinstance(error, BaseException):
        assert params.failed(error) == came


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (KeyError("page"), "KeyError: 'page'", "KeyError"),
        (ValueError(), "ValueError", "ValueError"),
        (SystemExit(3), "SystemExit: 3", "SystemExit"),
        (SystemExit(), "SystemExit", "SystemExit"),
        (ShopError("Closed."), "ShopError: Closed.", "SHOP_CLOSED"),
        (MuteError(), "MuteError, which cannot be shown", "MuteError"),
        (ValueError("x" * 2000), f"ValueError: {'x' * 988}", "ValueError"),
        (BackgroundTaskError("NO_PLACE", "There is no place."), "There is no place.", "NO_PLACE"),
    ],
    ids=["key", "silent", "exit", "silent exit", "one with a code", "one that breaks", "long", "refusal of ours"],
)
def test_what_is_raised_is_told_with_its_class(error: BaseException, message: str, code: str) -> None:
    came = some_params().failed(error)
    assert came.error
    assert (came.message, came.error["message"], came.error["code"]) == (message, message, code)
    assert came.output == {"error": came.error}


def test_aborted_keeps_what_there_is() -> None:
    params = some_params(input={"page": 1}, output={"rows": 2})
    came = params.came_of(params.response.aborted())
    assert came == Came("aborted", "Task aborted.", input={"page": 1}, output={"rows": 2})


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        (None, "nothing"),
        (3, "an object of the type int"),
        ({"status": "done"}, "an object of the type dict"),
        (some_params().response.done, "an object of the type method"),
    ],
    ids=["nothing", "number", "object", "method"],
)
def test_what_is_no_answer_is_an_error_that_says_what_is_one(returned: Any, what: str) -> None:
    came = some_params().came_of(returned)
    assert came.word == "error"
    assert came.message.startswith(f"`run` returned {what}. It must end with `return params.response.done()`, or with")
    assert came.error is not None
    assert came.error["code"] == "TASK_RESPONSE_ERROR"


@pytest.mark.parametrize("word", ["done", "continue", "aborted"])
def test_an_output_that_is_too_long_is_replaced_as_documented(word: str) -> None:
    params = some_params()
    params.store.update_output({"a": "x" * 300_000})
    came = params.came_of(getattr(params.response, word if word != "continue" else "continue_")())
    assert came.output == {"message": TOO_LARGE, "size": 300_008, "max": 237_568}


def test_an_error_that_is_too_long_loses_its_stack_first_and_then_its_data() -> None:
    params = some_params()
    error = {"message": "Broken.", "code": "X", "data": [1], "stack": "x" * 300_000}
    came = params.failed(error)
    assert came.output == {"error": {"message": "Broken.", "code": "X", "data": [1]}}
    assert came.error == came.output["error"]

    came = params.failed({**error, "data": "x" * 300_000})
    assert (came.output["message"], came.output["max"]) == (TOO_LARGE, 237_568)
    assert came.error == {"message": "Broken.", "code": "X", "data": came.output}
