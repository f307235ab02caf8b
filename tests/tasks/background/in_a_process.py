"""Background tasks whose code does what code may do. Only processes that run code import this."""

import asyncio
import contextlib
import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.db import connection, transaction

from tasks.background import Params, background_task, log_room, private_background_task


@background_task(id="countOn", title="Count on", description="Counts in its output.")
def count_on(params: Params) -> Any:
    params.store.update_output({"count": params.store.get_output().get("count", 0) + 1})
    if params.input.get("more"):
        return params.response.continue_({"more": params.input["more"] - 1}, seconds=params.input.get("seconds"))
    return params.response.done(f"{params.context.application.name}: {params.name}")


@background_task(id="countAsync", title="Count in a coroutine")
async def count_async(params: Params) -> Any:
    await asyncio.sleep(0)
    params.store.info("counted", {"aborted": params.is_aborted()})
    return params.response.done({"count": 1})


@background_task(id="sayPid", title="Say which process this is")
def say_pid(params: Params) -> Any:
    return params.response.done({"pid": os.getpid(), "parent": os.getppid(), "group": os.getpgid(0)})


@background_task(id="logOn", title="Log without an end")
def log_on(params: Params) -> Any:
    with patch.object(log_room, "MOST_LINES", 3):
        for number in range(params.input["lines"]):
            params.store.info(f"line {number}")
    if params.input.get("raises"):
        raise LookupError("there is no such thing")
    return params.response.done()


@background_task(id="print", title="Print")
def prints(params: Params) -> Any:
    for line in range(params.input.get("lines", 1)):
        print(f"hello {line}")  # noqa: T201
    sys.stdout.flush()
    ctypes.CDLL(None).write(1, b"from C\n", 7)
    subprocess.run(["echo", "from a program"], check=True)
    sys.stderr.write("not the end of a line")
    return params.response.done()


@background_task(id="leave", title="Leave as the input says")
def leave(params: Params) -> Any:
    match params.input["how"]:
        case "raise":
            raise LookupError("there is no such thing")
        case "sys.exit":
            sys.exit(3)
        case "interrupt":
            raise KeyboardInterrupt
        case "cancelled":
            raise asyncio.CancelledError
        case "os._exit":
            os._exit(3)
        case "segfault":
            ctypes.string_at(0)
        case "killed":
            os.kill(os.getpid(), 9)
        case "recursion":
            return leave(params)
    return params.input["how"]


@background_task(id="beSignalled", title="Get what ends a whole service, or a terminal")
def be_signalled(params: Params) -> Any:
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(os.getpid(), number)
    return params.response.done("still here")


@background_task(id="writeInPipe", title="Write into the pipe")
def write_in_pipe(params: Params) -> Any:
    os.write(int(sys.argv[2]), params.input["text"].encode())
    return params.response.done()


@background_task(id="closePipe", title="Close the pipe")
def close_pipe(params: Params) -> Any:
    os.closerange(3, 1000)
    hang(params)


@background_task(id="log", title="Write into the log")
def log(params: Params) -> Any:
    with transaction.atomic():
        params.store.info("read", {"rows": 3})
        params.store.error("odd", error=ValueError("row 2"))
        params.store.progress(0.5, "half-way")
        transaction.set_rollback(True)
    return params.response.done()


@private_background_task(id="logLess", title="Write into the log what is kept", database_logs=False)
def log_less(params: Params) -> Any:
    params.store.info("read")
    params.store.error("odd")
    return params.response.done()


@background_task(id="hang", title="Hang in C")
def hang(params: Params) -> Any:
    Path(params.input.get("begun", os.devnull)).touch()
    ctypes.PyDLL(None).pause()  # holds the interpreter's lock: no thread of Python's goes on


@background_task(id="untilAborted", title="Go on until it is aborted")
def until_aborted(params: Params) -> Any:
    Path(params.input["begun"]).write_text(str(os.getpid()))
    while not params.is_aborted():
        time.sleep(0.001)
    params.store.info("seen")
    Path(params.input["seen"]).touch()
    return params.response.aborted()


@background_task(id="spoilConnection", title="Leave the database's connection in a state")
def spoil_connection(params: Params) -> Any:
    match params.input["how"]:
        case "broken":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (pid,) = cursor.fetchone()
            params.store.update_output({"was": pid})
            with contextlib.suppress(Exception):
                connection.cursor().execute("SELECT pg_terminate_backend(pg_backend_pid())")
        case "entered":
            transaction.atomic().__enter__()
            connection.cursor().execute("SELECT txid_current()")
        case "begun":
            connection.set_autocommit(False)
            connection.cursor().execute("SELECT 1")
        case "failed":
            connection.set_autocommit(False)
            with contextlib.suppress(Exception):
                connection.cursor().execute("SELECT 1 / 0")
    return params.response.done()


@background_task(id="useConnection", title="Ask the database")
def use_connection(params: Params) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT txid_current_if_assigned() IS NULL")
        (clean,) = cursor.fetchone()
    return params.response.done({"clean": clean, "autocommit": connection.get_autocommit()})


@background_task(id="forkAndDie", title="Leave a fork behind and die")
def fork_and_die(params: Params) -> Any:
    fork = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    fork.start()
    program = subprocess.Popen(["sleep", "60"])
    Path(params.input["pids"]).write_text(f"{fork.pid} {program.pid}")
    os._exit(4)


@background_task(id="haveChildren", title="Have children")
def have_children(params: Params) -> Any:
    with transaction.atomic():
        params.trigger("countOn", {"more": 1}, name="kept")
    with transaction.atomic():
        params.trigger(say_pid, name="rolled back")
        transaction.set_rollback(True)
    children = params.store.list_children()
    return params.response.done({"children": [[child.name, child.definition_id, child.input] for child in children]})


@background_task(id="haveChildrenAsync", title="Have children in a coroutine")
async def have_children_async(params: Params) -> Any:
    params.trigger("countOn", delay=60)
    params.trigger(say_pid)
    return params.response.done({"children": [child.name for child in params.store.list_children(say_pid)]})


@background_task(id="hooked", title="Have hooks")
class Hooked:
    def run(self, params: Params) -> Any:
        return params.response.done()

    def on_done(self, context: Any, task: Any) -> None:
        print(f"{context.application.name} is done with {task.name}")  # noqa: T201

    async def on_error(self, context: Any, task: Any) -> None:
        raise LookupError(f"{context.application.name} cannot bear that {task.name} failed")
