"""The processes of a worker: when they begin, what they outlive, and how they end."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from badgerjobs.runs.models import LogLine, Run, State
from badgerjobs.runs.processes import pool as pools
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.child import RUBBISH, Child
from badgerjobs.runs.processes.pipe import answer
from badgerjobs.runs.processes.pool import Pool, open_shared
from badgerjobs.workspaces.models import Application
from tests.tasks.background.processes import Line
from tests.waiting import until


def is_alive(pid: int) -> bool:
    """A zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1] not in b"ZX"
    except OSError:
        return False


def is_there(path: Path) -> Callable[[], None]:
    return lambda: until(path.exists)


def test_a_process_serves_one_iteration_after_another(line: Line, shop: Application) -> None:
    assert line.pid(shop) == line.pid(shop)


def test_a_process_is_the_workers_child_in_a_group_of_its_own(line: Line, shop: Application) -> None:
    assert line.came(shop, "sayPid").output == {"pid": line.pid(shop), "parent": os.getpid(), "group": line.pid(shop)}


def test_what_ends_a_service_or_comes_from_a_terminal_ends_no_process(line: Line, shop: Application) -> None:
    assert line.came(shop, "beSignalled").message == "still here"


@pytest.mark.parametrize(
    ("how", "ending"),
    [("os._exit", "ended with status 3"), ("segfault", "was ended by SIGSEGV"), ("killed", "was ended by SIGKILL")],
)
def test_a_process_that_dies_fails_its_iteration_and_is_replaced(
    line: Line, shop: Application, how: str, ending: str
) -> None:
    pid = line.pid(shop)

    came = line.came(shop, "leave", input={"how": how})

    assert came == Came("crashed", f"The process that ran the code {ending} before it answered.")
    assert line.pid(shop) != pid


def test_one_that_died_while_nobody_needed_it_is_replaced_unnoticed(line: Line, shop: Application) -> None:
    pid = line.pid(shop)
    os.kill(pid, signal.SIGKILL)
    [child] = [child for child in line.pool._children if child.pid == pid]
    until(lambda: not child.lives)

    assert line.pid(shop) != pid


@pytest.mark.parametrize("text", ['{"word": "ready"}\n', answer(Came("done", "Mine."), "0" * 16).decode()])
def test_what_its_code_writes_there_is_nobodys_answer(line: Line, shop: Application, text: str) -> None:
    came = line.came(shop, "writeInPipe", input={"text": text})
    assert (came.word, came.message) == ("done", "Task done.")
    assert line.came(shop, "writeInPipe", input={"text": ""}).input == {"text": ""}


@pytest.mark.parametrize(
    "text",
    ["rubbish\n", "[]\n", "\n"],
)
def test_one_that_writes_rubbish_into_its_pipe_is_replaced(line: Line, shop: Application, text: str) -> None:
    pid = line.pid(shop)

    assert line.came(shop, "writeInPipe", input={"text": text}) == Came("crashed", RUBBISH)

    until(lambda: not is_alive(pid))


@pytest.mark.parametrize("holds", ["hang", "closePipe"])
def test_code_that_hangs_in_c_is_ended_when_its_time_is_over(line: Line, shop: Application, holds: str) -> None:
    pid = line.pid(shop)

    came = line.came(shop, holds, timeout_s=0.2)

    assert came == Came("timeout", "It took longer than 0.2 s, and its process was ended.")
    assert not is_alive(pid)


def test_an_abort_is_seen_in_the_database(line: Line, shop: Application, tmp_path: Path) -> None:
    begun, seen = tmp_path / "begun", tmp_path / "seen"
    work = line.work(shop, "untilAborted", input={"begun": str(begun), "seen": str(seen)})

    def abort() -> None:
        until(begun.exists)
        Run.objects.filter(pk=work.run_id).update(state=State.ABORTED, worker=None)
        connection.close()  # this thread's

    async def go() -> Came:
        task = asyncio.create_task(line.pool.iterate(work))
        await asyncio.to_thread(abort)
        return await task

    assert line.run(go()).word == "aborted"
    assert LogLine.objects.get(run_id=work.run_id).message == "seen"


def test_code_whose_work_is_taken_back_is_told_and_its_process_goes_on(
    line: Line, shop: Application, tmp_path: Path
) -> None:
    begun, seen = tmp_path / "begun", tmp_path / "seen"
    work = line.work(shop, "untilAborted", input={"begun": str(begun), "seen": str(seen)})

    line.aborted(work, is_there(begun), is_there(seen))

    assert line.pid(shop) == int(begun.read_text())
    assert not LogLine.objects.exists()  # nobody has aborted it: another one may have it by now


def test_code_that_does_not_listen_is_ended_a_moment_later(line: Line, shop: Application, tmp_path: Path) -> None:
    pid, begun = line.pid(shop), tmp_path / "begun"

    line.aborted(
        line.work(shop, "hang", input={"begun": str(begun)}), is_there(begun), lambda: until(lambda: not is_alive(pid))
    )

    assert line.pid(shop) != pid


def test_one_that_was_taken_back_before_it_began_does_not_begin(line: Line, shop: Application, tmp_path: Path) -> None:
    line.close_idle()
    begun = tmp_path / "begun"
    work = line.work(shop, "hang", input={"begun": str(begun)})

    async def go() -> None:
        task = asyncio.create_task(line.pool.iterate(work))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    line.run(go())
    line.pid(shop)
    assert not begun.exists()


def test_a_stop_that_comes_when_the_work_is_done_does_not_reach_the_next(line: Line, shop: Application) -> None:
    first, second = line.work(shop, "sayPid"), line.work(shop, "sayPid")

    async def go() -> Came:
        before = set(line.pool._tasks)
        task = asyncio.create_task(line.pool.iterate(first))
        await asyncio.sleep(0)  # it has begun
        [begun] = line.pool._tasks - before
        begun.add_done_callback(lambda _: task.cancel())
        await asyncio.wait([task])
        assert task.cancelled()
        return await line.pool.iterate(second)

    assert line.run(go()).word == "done"


def test_a_process_that_cannot_be_listened_to_is_ended(
    line: Line, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(**_: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    line.close_idle()
    with monkeypatch.context() as patch:
        patch.setattr(asyncio, "open_connection", fail)
        came = line.came(shop, "sayPid")

    assert came == Came("crashed", "The process that runs the code cannot be listened to: Cannot allocate memory.")
    assert line.pool._children == set()
    assert line.pid(shop)


def test_no_more_run_side_by_side_than_there_are_places(line: Line, shop: Application, tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(3)]
    works = [line.work(shop, "hang", input={"begun": str(path)}) for path in paths]

    async def go() -> int:
        tasks = [asyncio.create_task(line.pool.iterate(work)) for work in works]
        await asyncio.to_thread(until, lambda: paths[0].exists() and paths[1].exists())
        waiting = not paths[2].exists()
        for task in tasks[:2]:
            task.cancel()
        await asyncio.to_thread(until, paths[2].exists)
        tasks[2].cancel()
        await asyncio.wait(tasks)
        return waiting

    assert line.run(go())


def test_one_that_nobody_needs_for_a_while_is_ended(line: Line, shop: Application) -> None:
    work = line.work(shop, "sayPid")

    async def go() -> int:
        async with Pool(1, idle_s=0) as pool:
            came = await pool.iterate(work)
            await asyncio.to_thread(until, lambda: not is_alive(came.output["pid"]))
            return int((await pool.iterate(work)).output["pid"])

    assert not is_alive(line.run(go()))


def test_one_that_has_done_much_is_replaced(line: Line, shop: Application) -> None:
    work = line.work(shop, "sayPid")

    async def go() -> list[int]:
        async with Pool(1, most_works=2) as pool:
            return [(await pool.iterate(work)).output["pid"] for _ in range(3)]

    first, second, third = line.run(go())
    assert first == second != third


def test_a_pool_that_closes_ends_all_whatever_they_do(line: Line, shop: Application, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    idle, busy = line.work(shop, "sayPid"), line.work(shop, "hang", input={"begun": str(begun)})

    async def go() -> tuple[list[int], Came]:
        async with Pool(2) as pool:
            task = asyncio.create_task(pool.iterate(busy))
            await asyncio.to_thread(until, begun.exists)
            await pool.iterate(idle)
            pids = [child.pid for child in pool._children]
        return pids, await task

    pids, came = line.run(go())
    assert came.word == "crashed"
    assert len(pids) == 2
    assert [pid for pid in pids if is_alive(pid)] == []


def test_what_code_leaves_behind_holds_nobody_up_and_is_ended_with_its_process(
    line: Line, shop: Application, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"

    came = line.came(shop, "forkAndDie", input={"pids": str(pids)})

    assert came.message == "The process that ran the code ended with status 4 before it answered."
    until(lambda: not any(is_alive(int(pid)) for pid in pids.read_text().split()))


def test_a_process_ends_with_its_pipe(line: Line, shop: Application) -> None:
    pid = line.pid(shop)
    [child] = [child for child in line.pool._children if child.pid == pid]

    child._door.shutdown(2)

    until(lambda: not is_alive(pid))


def test_where_no_process_can_be_started_the_iteration_fails_and_the_place_is_free(
    line: Line, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> Child:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    line.close_idle()
    with monkeypatch.context() as patch:
        patch.setattr(pools, "Child", fail)
        for _ in range(3):
            came = line.came(shop, "sayPid")
            assert came.message == "No process can be started to run the code: Resource temporarily unavailable."
    assert line.pid(shop)


def test_one_whose_setting_up_fails_says_so(line: Line, shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    line.close_idle()
    with monkeypatch.context() as patch:
        patch.setenv("ENCRYPTION_KEYS", "no key")
        came = line.came(shop, "sayPid")

    assert came == Came("crashed", "The process that ran the code ended with status 2 before it answered.")


def test_all_kinds_of_runs_of_a_loop_share_one_pool() -> None:
    async def go() -> tuple[bool, bool]:
        async with open_shared() as first:
            async with open_shared() as second:
                same = first is second
            async with open_shared() as third:
                return same, third is first

    assert asyncio.run(go()) == (True, True)
    assert pools._shared == {}


def test_one_that_another_process_started_ends(transactional_db: None) -> None:
    manage, somebody = settings.BASE_DIR / "manage.py", os.getpid() + 1
    command = [sys.executable, str(manage), "code_process", "0", str(somebody)]
    assert subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode == 1
