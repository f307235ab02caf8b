"""A process that runs the code of definitions: what the code gets, says and leaves."""

import logging
from typing import Any
from uuid import uuid4

import pytest

from badgerjobs.runs.models import LogLine, Run, State
from badgerjobs.runs.processes import serving
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pipe import MOST_BYTES, came_in
from badgerjobs.workspaces.models import Application
from tasks.models import BackgroundRun
from tests.factories import make_application
from tests.tasks.background.processes import Line, running


@pytest.fixture
def other(transactional_db: None) -> Application:
    return make_application("Charlie's")


def said(run_id: Any) -> list[tuple[str, str, Any, int, int]]:
    lines = LogLine.objects.filter(run_id=run_id)
    return [(line.level, line.message, line.data, line.iteration, line.attempt) for line in lines]


def test_an_iteration_leaves_all_of_its_input_and_output(line: Line, shop: Application) -> None:
    came = line.came(shop, "countOn", input={"more": 2, "of": "é"}, output={"count": 3, "kept": [1]})

    assert (came.word, came.wait_s) == ("continue", 0.0)
    assert came.input == {"more": 1, "of": "é"}
    assert came.output == {"count": 4, "kept": [1]}


def test_code_knows_its_application_and_its_run(line: Line, shop: Application, other: Application) -> None:
    assert line.came(shop, "countOn").message == f"{shop.name}: One"
    assert line.came(other, "countOn", name="Another").message == f"{other.name}: Another"


def test_a_coroutine_may_log_and_ask(line: Line, shop: Application) -> None:
    work = line.work(shop, "countAsync", iteration=2, attempt=3)

    assert line.run(line.pool.iterate(work)).output == {"count": 1}

    assert said(work.run_id) == [("info", "counted", {"aborted": False}, 2, 3)]


def test_logs_and_progress_are_written_at_once_though_the_code_rolls_back(line: Line, shop: Application) -> None:
    work = line.work(shop, "log")

    line.run(line.pool.iterate(work))

    assert [(level, message) for level, message, *_ in said(work.run_id)] == [("info", "read"), ("error", "odd")]
    assert said(work.run_id)[0][2] == {"rows": 3}
    assert said(work.run_id)[1][2]["error"]["message"] == "row 2"
    row = BackgroundRun.objects.get(pk=work.run_id)
    assert (row.progress, row.progress_message) == (0.5, "half-way")


@pytest.mark.parametrize("raises", [False, True])
def test_a_log_ends_where_it_is_full_and_says_how_many_lines_were_dropped(
    line: Line, shop: Application, raises: bool
) -> None:
    work = line.work(shop, "logOn", input={"lines": 8, "raises": raises})

    line.run(line.pool.iterate(work))

    assert [(level, message) for level, message, *_ in said(work.run_id)] == [
        ("info", "line 0"), ("info", "line 1"), ("info", "line 2"),
        ("warning", "The log is full, a run may say 100,000 lines, or 64 MB: 5 more of this iteration were dropped."),
    ]  # fmt: skip


def test_without_logs_in_the_database_only_errors_are_kept(line: Line, shop: Application) -> None:
    work = line.work(shop, "logLess")

    line.run(line.pool.iterate(work))

    assert [message for _, message, *_ in said(work.run_id)] == ["odd"]


@pytest.mark.parametrize(
    ("state", "worker", "kept"),
    [(State.RUNNING, uuid4(), 0), (State.QUEUED, None, 0), (State.ABORTED, None, 2)],
    ids=["another worker has it", "nobody has it", "aborted"],
)
def test_what_is_said_of_a_run_that_is_no_longer_ours_is_kept_only_after_an_abort(
    line: Line, shop: Application, state: State, worker: Any, kept: int
) -> None:
    run_id = running(shop, "log", state=state, worker=worker)

    line.came(shop, "log", run_id=run_id)

    assert len(said(run_id)) == kept
    assert BackgroundRun.objects.get(pk=run_id).progress is None


@pytest.mark.parametrize(
    ("how", "message", "code"),
    [
        ("raise", "LookupError: there is no such thing", "LookupError"),
        ("sys.exit", "SystemExit: 3", "SystemExit"),
        ("interrupt", "KeyboardInterrupt", "KeyboardInterrupt"),
        ("cancelled", "CancelledError", "CancelledError"),
        ("recursion", "RecursionError: maximum recursion depth exceeded", "RecursionError"),
        ("nothing", "`run` returned an object of the type str.", "TASK_RESPONSE_ERROR"),
    ],
)
def test_whatever_code_raises_is_an_error_and_the_process_goes_on(
    line: Line, shop: Application, how: str, message: str, code: str
) -> None:
    pid = line.pid(shop)

    came = line.came(shop, "leave", input={"how": how})

    assert came.word == "error"
    assert came.error
    assert came.error["message"].startswith(message)
    assert came.error["code"] == code
    assert "stack" not in came.error
    assert line.pid(shop) == pid


def test_a_definition_that_is_not_there_is_an_error(line: Line, shop: Application) -> None:
    came = line.came(shop, "nobodyDefinedThis")

    assert came.error == {
        "message": 'There is no definition "nobodyDefinedThis" here.',
        "code": "TASK_DEFINITION_ERROR",
        "data": None,
    }


def test_what_code_prints_and_its_tracebacks_go_to_the_workers_log_with_the_run(
    line: Line, shop: Application, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tasks.background")
    prints, fails = line.work(shop, "print", input={"lines": 2}), line.work(shop, "leave", input={"how": "raise"})

    line.run(line.pool.iterate(prints))
    line.run(line.pool.iterate(fails))
    line.close_idle()

    lines = [(record.levelno, record.getMessage()) for record in caplog.records]
    expected = ["hello 0", "hello 1", "from C", "from a program", "not the end of a line"]
    assert [text for _, text in lines if str(prints.run_id) in text] == [
        f"run {prints.run_id}: {one}" for one in expected
    ]
    traceback = [level for level, text in lines if str(fails.run_id) in text]
    assert set(traceback) == {logging.ERROR}
    assert lines[-1][1] == f"run {fails.run_id}: LookupError: there is no such thing"


def test_what_is_printed_without_end_is_cut(line: Line, shop: Application, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tasks.background")

    line.came(shop, "print", input={"lines": 5000})
    line.close_idle()

    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2001
    assert lines[-1].endswith(": what else it prints is left out")


@pytest.mark.parametrize("how", ["broken", "entered", "begun", "failed"])
def test_the_next_iteration_finds_a_connection_that_works_and_no_transaction(
    line: Line, shop: Application, how: str
) -> None:
    pid = line.pid(shop)
    assert line.came(shop, "spoilConnection", input={"how": how}).word == "done"

    came = line.came(shop, "useConnection")

    assert came.output == {"clean": True, "autocommit": True}
    assert line.pid(shop) == pid


def test_children_are_there_exactly_if_the_codes_transaction_is_committed(line: Line, shop: Application) -> None:
    work = line.work(shop, "haveChildren")

    assert line.run(line.pool.iterate(work)).output == {"children": [["kept", "countOn", {"more": 1}]]}
    # The same iteration once more: its child is there already.
    line.run(line.pool.iterate(work))

    [child] = BackgroundRun.objects.filter(parent_id=work.run_id)
    assert (child.name, child.parent_iteration, child.parent_place) == ("kept", 1, 1)
    assert Run.objects.get(pk=child.pk).state == State.QUEUED


def test_a_coroutine_may_have_children(line: Line, shop: Application) -> None:
    work = line.work(shop, "haveChildrenAsync")

    assert line.run(line.pool.iterate(work)).output == {"children": ["Say which process this is"]}
    assert BackgroundRun.objects.filter(parent_id=work.run_id).count() == 2


def test_a_hook_is_given_the_application_and_the_task(
    line: Line, shop: Application, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tasks.background")
    done = line.work(shop, "hooked", kind="hook", hook="on_done", worker=None)
    failing = line.work(shop, "hooked", kind="hook", hook="on_error", worker=None)

    assert line.run(line.pool.iterate(done)).word == "done"
    came = line.run(line.pool.iterate(failing))
    line.close_idle()

    assert came.error == {
        "message": "LookupError: shop cannot bear that One failed",
        "code": "LookupError",
        "data": None,
    }
    assert f"run {done.run_id}: {shop.name} is done with One" in caplog.messages


def test_messages_of_several_megabytes_pass(line: Line, shop: Application) -> None:
    text = "é" * 500_000  # six bytes each

    came = line.came(shop, "countOn", input={"more": 1, "text": text})

    assert came.input == {"more": 0, "text": text}


def test_what_is_too_large_for_a_message_is_an_error() -> None:
    came = came_in(serving.line_of(Came("done", output={"text": "x" * MOST_BYTES}), "n"), "n")

    assert came
    assert came.error
    assert came.error["code"] == "TASK_TOO_LARGE"
