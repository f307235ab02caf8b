"""What can be done with tasks."""

from collections.abc import Sequence
from copy import copy
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction

from badgerjobs.lib.storable import cleaned
from badgerjobs.runs.models import FINAL, Cause, Run, Runnable
from badgerjobs.runs.owned import apply, facts_of, judge_policies, set_fields
from badgerjobs.runs.services import add_runnable, change_runnable, delete_runnables, run_now
from badgerjobs.runs.switching import pause_owner, resume_owner
from badgerjobs.web.definitions.keeping import made_or_updated
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.retry_policy import columns_of
from tasks.fitting import emptied, usual_overlap
from tasks.hooks import hook_verb
from tasks.keys.many import some
from tasks.models import KIND, CacheKey, KeySync, Task, TaskType
from tasks.webhook_variables import in_lower_case

TASK_FIELDS = ("name", "type", "selection", "pattern", "transform")
# So many keys a task may name; one that means more has a pattern.
MOST_KEYS = 100_000
# So many names are told where keys are missing, and in the audit log.
NAMED = 5

GONE = "This task was deleted in the meantime."
TAKEN = "There is a task with the tag “{}” already. Change it with PATCH, or use PUT to create or update."
GOES_ON = "Run {} is {}: when it is over, the keys that failed in it can be fetched again."
NONE_FAILED = "No key failed in run {}, or the log of it is not kept any more: there is nothing to fetch again."
AGAIN = "The keys that failed in run {} are being fetched again already, by run {}."


def create_task(*, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any) -> Task:
    """Make a task and plan its first run; one for a webhook gets its address.

    `fields`, checked, are those of TASK_FIELDS, of its runnable (SCHEDULE_FIELDS, POLICY_FIELDS, PAUSE_FIELDS,
    RETRY_COLUMNS), and `keys`, names.

    Raises Conflict when the application has a task with this tag, and Invalid for keys that are not there.
    """
    task = Task(application=application, tag=tag, name=tag)
    set_fields(task, fields, TASK_FIELDS)
    fields = _fitted(task, fields)
    try:
        with transaction.atomic():
            runnable = Runnable(application=application, kind=KIND, **columns_of(application.policy))
            task.runnable = add_runnable(apply(runnable, fields, tag), now=now)
            task.save(force_insert=True)
            _name_keys(task, fields["keys"])
            _fit_hook(task, by, now)
            any_task = {**_facts(Task(), Runnable()), "name": tag}
            facts = {name: value for name, value in _facts(task, runnable).items() if value != any_task[name]}
            _record(task, by=by, action="task.create", now=now, changes=audit.difference({}, facts))
    except IntegrityError:
        raise Conflict(TAKEN.format(tag)) from None
    return task


def update_task(*, task: Task, by: audit.Actor, now: datetime, **fields: Any) -> Task:
    """Change what is given and leave the rest, but for what its type has no use for any more. `keys` are given whole.

    A changed schedule aborts waiting runs and plans anew. Raises Conflict when somebody else deleted it meanwhile, or
    changed it so that the two do not go together; Invalid for keys that are not there.
    """
    try:
        with transaction.atomic():
            # Read again under lock: of two changes at once, neither may write back what the other replaced.
            task.refresh_from_db(from_queryset=Task.objects.select_for_update())
            runnable = Runnable.objects.select_for_update().get(pk=task.runnable_id)
            before, facts = copy(runnable), _own_facts(task, runnable)
            set_fields(task, fields, TASK_FIELDS)
            fields = _fitted(task, {"overlap": runnable.overlap, **fields})
            task.save()
            renamed = _name_keys(task, fields["keys"]) if "keys" in fields else {}
            judge_policies(apply(runnable, fields, task.tag), before, "task")
            change_runnable(runnable, before=before, now=now)
            _fit_hook(task, by, now)
            if changes := audit.difference(facts, _own_facts(task, runnable)) | renamed:
                _record(task, by=by, action="task.update", now=now, changes=changes)
    except Task.DoesNotExist:
        raise Conflict(GONE) from None
    except IntegrityError:
        raise Conflict("Somebody changed this task at the same time. Read it again, then change it.") from None
    task.runnable = runnable
    return task


def create_or_update_task(
    *, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any
) -> tuple[Task, bool]:
    """Make the task, or change the one that is there, as one step. Returns it and whether it was made."""
    fields |= {"by": by, "now": now}
    return made_or_updated(
        Task.objects.for_application(application).filter(tag=tag),
        "task",
        make=lambda: create_task(application=application, tag=tag, **fields),
        update=lambda found: update_task(task=found, **fields),
    )


@transaction.atomic
def delete_task(*, task: Task, by: audit.Actor, now: datetime) -> None:
    """Delete a task with its runs and their logs, in a time that does not grow with their number. Its keys stay."""
    facts = _facts(task, task.runnable)
    _hold_keys(task)
    # Before its hook, as who changes it holds them.
    Task.objects.select_for_update(of=("self",)).filter(pk=task.pk).first()
    # All runnables go before any of their runs, as who acts upon deliveries holds them.
    runnable_ids = [task.runnable_id, *hook_verb("runnables")(task)]
    deleted, _ = Task.objects.filter(pk=task.pk).delete()
    delete_runnables(runnable_ids)
    if deleted:  # of two at once, one did it
        _record(task, by=by, action="task.delete", now=now, changes=audit.difference(facts, dict.fromkeys(facts)))


def pause_task(*, task: Task, by: audit.Actor, now: datetime, reason: str = "", until: datetime | None = None) -> bool:
    """Switch it off: neither its schedule nor its webhook runs it, and what waits is aborted. What runs goes on.

    `until` is when it is resumed by itself; None: when somebody does. Returns whether it was on.
    """
    return pause_owner(task, action="task.pause", by=by, now=now, reason=reason, until=until)


def resume_task(*, task: Task, by: audit.Actor, now: datetime) -> bool:
    """Switch it on: its schedule keeps its rhythm. Returns whether it was off."""
    return resume_owner(task, action="task.resume", by=by, now=now)


@transaction.atomic
def run_task(*, task: Task, by: audit.Actor, now: datetime, body: Any = None, headers: Any = None) -> Run:
    """Run it at once, beside its schedule and whether it is enabled or not. Raises Conflict when it is gone.

    `body` and `headers` are what a webhook would bring; None for both: nothing came.
    """
    given = (
        None
        if body is None and headers is None
        else {"body": cleaned(body), "headers": cleaned(in_lower_case(headers or {}))}
    )
    run = run_now(runnable=task.runnable, cause=Cause.MANUAL, now=now, input=given)
    _record(task, by=by, action="task.run", now=now)
    return run


@transaction.atomic
def retry_failed(*, task: Task, run: Run, by: audit.Actor, now: datetime) -> Run:
    """Fetch the keys again that failed in a run of this task, in a new run, and no others.

    Raises Conflict while that run goes on, where none of its keys failed, and while they are being fetched already.
    """
    Task.objects.select_for_update().filter(pk=task.pk).first()  # of two at once, the second sees the first one's
    if run.state not in FINAL:
        raise Conflict(GOES_ON.format(run.number, run.state))
    runs = Run.objects.for_application(task.application).of(task.runnable_id)
    if again := runs.unfinished().filter(input__syncs_of=str(run.pk)).first():
        raise Conflict(AGAIN.format(run.number, again.number))
    if not KeySync.objects.for_application(task.application).failed_in(run.pk).exists():
        raise Conflict(NONE_FAILED.format(run.number))
    made = run_now(runnable=task.runnable, cause=Cause.MANUAL, now=now, input={"syncs_of": str(run.pk)})
    _record(task, by=by, action="task.retry", now=now, changes={"run": [None, run.number]})
    return made


@transaction.atomic
def rotate_webhook(*, task: Task, by: audit.Actor, now: datetime, overlap_s: int = 0) -> Task:
    """Give it another address; the one before leads nowhere after so many seconds. Raises Conflict if it has none."""
    if not Task.objects.select_for_update().filter(pk=task.pk, type=TaskType.WEBHOOK).first():
        raise Conflict("Only a webhook task has an address that others call.")
    hook_verb("rotate")(task, now=now, overlap_s=overlap_s)
    until = now + timedelta(seconds=overlap_s)
    changes = {"the address before leads here until": [None, f"{until:%F %T} UTC"]} if overlap_s else {}
    _record(task, by=by, action="task.rotate", now=now, changes=changes)
    return task


# The keys that it names and those that it is to name are held before its places change, in the order in which they are
# deleted: who deletes some of them waits here, or is waited for, and never in a ring.
_NAME = """
WITH meant AS (
    SELECT id, bool_or(wanted) AS wanted, bool_or(had) AS had FROM (
        SELECT k.id, true AS wanted, false AS had FROM tasks_cachekey k
        WHERE k.application_id = %(application)s AND k.name = ANY(%(names)s)
        UNION ALL
        SELECT t.key_id, false, true FROM tasks_taskkey t WHERE t.task_id = %(task)s
    ) AS one GROUP BY id
), held AS MATERIALIZED (
    SELECT k.id, k.name, m.wanted, m.had FROM tasks_cachekey k JOIN meant m ON m.id = k.id
    ORDER BY k.id FOR KEY SHARE OF k
), dropped AS (
    DELETE FROM tasks_taskkey t USING held WHERE t.task_id = %(task)s AND t.key_id = held.id AND NOT held.wanted
), added AS (
    INSERT INTO tasks_taskkey (task_id, key_id) SELECT %(task)s, id FROM held WHERE wanted
    ON CONFLICT (task_id, key_id) DO NOTHING
)
SELECT count(*) FILTER (WHERE wanted),
    coalesce(array_agg(name ORDER BY name) FILTER (WHERE wanted AND NOT had), '{}'),
    coalesce(array_agg(name ORDER BY name) FILTER (WHERE had AND NOT wanted), '{}')
FROM held
"""

_HOLD = """
SELECT FROM tasks_cachekey WHERE id IN (SELECT key_id FROM tasks_taskkey WHERE task_id = %s) ORDER BY id FOR KEY SHARE
"""


def _name_keys(task: Task, names: Sequence[str]) -> dict[str, list[Any]]:
    """Let the task mean these keys and no others: one statement, however many. Raises Invalid for some not there.

    Returns what the audit log says of it: which keys it named anew and which it names no more, whatever their number.
    """
    wanted = set(names)
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"application": task.application_id, "task": task.pk, "names": list(wanted)}
        cursor.execute(_NAME, values)
        [(found, added, dropped)] = cursor.fetchall()
    if found < len(wanted):
        raise Invalid(keys=_missing(task.application, wanted))
    return {called: [None, some(told)] for called, told in (("keys added", added), ("keys dropped", dropped)) if told}


def _hold_keys(task: Task) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [task.pk])


def _missing(application: Application, names: set[str]) -> str:
    there = CacheKey.objects.for_application(application).filter(name__in=names).values_list("name", flat=True)
    missing = sorted(names - set(there))
    said = [f"“{name[:100]}”" for name in missing[:NAMED]]
    if len(missing) > NAMED:
        said.append(f"{len(missing) - NAMED:,} others")
    if len(said) == 1:
        return f"There is no key {said[0]} in this application."
    return f"There are no keys {', '.join(said[:-1])} and {said[-1]} in this application."


def _fitted(task: Task, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, and what its type and its selection leave empty; with the overlap that its type has."""
    fitted = {**fields, **emptied(task.type, task.selection)}
    if task.pk is None:
        fitted.setdefault("keys", [])
    set_fields(task, fitted, TASK_FIELDS)
    return {**fitted, "overlap": usual_overlap(task.type, fields.get("overlap", Runnable().overlap))}


def _fit_hook(task: Task, by: audit.Actor, now: datetime) -> None:
    """A task for a webhook has a hook, with its transform, and no other has one."""
    if task.type == TaskType.WEBHOOK:
        hook_verb("fit")(task, by=by.name, now=now)
    else:
        hook_verb("end")(task)


def _facts(task: Task, runnable: Runnable) -> dict[str, Any]:
    """What a person would say that the task is, for the audit log."""
    return {**_own_facts(task, runnable), "keys": _told_keys(task)}


def _own_facts(task: Task, runnable: Runnable) -> dict[str, Any]:
    """The same but for the keys that it names."""
    return {**{name: getattr(task, name) for name in TASK_FIELDS}, **facts_of(runnable)}


def _told_keys(task: Task) -> str:
    """`12 keys: a, b, c…`; empty where it names none."""
    if not task.pk or not (count := task.keys.count()):
        return ""
    first = task.keys.order_by("name").values_list("name", flat=True)[: NAMED * 4]
    return f"{count:,} key{'' if count == 1 else 's'}: {', '.join(first)}"


def _record(task: Task, **entry: Any) -> None:
    audit.record(subject=task.tag, application=task.application, **entry)
