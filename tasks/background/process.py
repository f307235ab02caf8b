"""Runs definitions' code in a process of its own: an iteration of a task, or one of its hooks."""

import threading
from typing import Any

from badgerjobs.runs.processes import prints
from badgerjobs.runs.processes.beside import Beside
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pipe import Work
from badgerjobs.workspaces.models import Application
from tasks.background import reading
from tasks.background.calling import called
from tasks.background.context import context_of
from tasks.background.definitions import Definition, definition_of
from tasks.background.errors import NO_DEFINITION
from tasks.background.faults import failure_of
from tasks.background.link import DatabaseLink
from tasks.background.params import Params


def performed(work: Work, beside: Beside, stopped: threading.Event) -> Came:
    """Run the code. Whatever it does and raises, there is an answer, unless it ends the process."""
    definition = definition_of(work.definition)
    if definition is None:
        return _failed({"message": f'There is no definition "{work.definition}" here.', "code": NO_DEFINITION})
    owner = Application.objects.select_related("workspace")
    application = beside.insist(lambda: owner.get(pk=work.application_id), until=stopped)
    if work.kind == "hook":
        return _hooked(work, definition, application)
    return _iterated(
        work,
        definition,
        DatabaseLink(work, beside, stopped, application=application, keeps_info=definition.database_logs),
        application,
    )


def _iterated(work: Work, definition: Definition, link: DatabaseLink, application: Application) -> Came:
    params = None
    try:
        params = Params(
            definition=definition,
            context=context_of(application),
            link=link,
            input=work.input,
            output=work.output,
            ends_at=link.ends_at(),
            id=work.run_id,
            name=work.name,
            iteration=work.iteration,
            attempt=work.attempt,
        )
        return params.came_of(called(definition.run, params))
    except BaseException as error:  # SystemExit, too
        prints.show(error, work.run_id)
        return params.failed(error) if params else _failed(error)
    finally:
        link.end_log()


def _hooked(work: Work, definition: Definition, application: Application) -> Came:
    try:
        if hook := definition.hook(work.hook):
            called(hook, context_of(application), reading.get(application, work.run_id))
    except BaseException as error:  # SystemExit, too
        prints.show(error, work.run_id)
        return _failed(error)
    return Came("done")


def _failed(error: Any) -> Came:
    said = failure_of(error)
    return Came("error", said["message"], error=said)
