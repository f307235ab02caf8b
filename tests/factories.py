"""Rows that tests stand on. Alice's application is the one under test; Charlie's belongs to another tenant."""

import hashlib
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.lib.tokens import digest_of
from badgerjobs.runs.models import FINAL, Attempt, Cause, Overlap, Run, Runnable, State
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.types import type_of
from badgerjobs.sources.types.endpoint import host_of
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.issuing import issue_token
from badgerjobs.workspaces.models import Application, Member, Role, User, Workspace
from jobs.events.services import create_connection, create_event
from jobs.models import Connection, Event, Job
from jobs.services import create_job
from slurps.models import KIND as ASYNC_JOB_KIND
from slurps.models import AsyncJob, Collection, Slurper
from tasks.models import KIND as TASK_KIND
from tasks.models import BackgroundRun, CachedValue, CacheKey, KeySync, Task, TaskKey
from webhooks.models import KIND as HOOK_KIND
from webhooks.models import Delivery, Hook, Standing

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday; tests whose clock is their own begin here


def make_application(workspace: str = "Alice's", name: str = "shop") -> Application:
    """An application in a workspace of its own; `make_application("Charlie's")` is another tenant's."""
    return Application.objects.create(workspace=Workspace.objects.create(name=workspace), name=name)


def make_token(application: Application, **fields: Any) -> str:
    """A token's secret, with every scope unless told otherwise."""
    return issue_token(application=application, **{"label": "test", "by": OPERATOR, "now": NOW, **fields})[1]


def make_runnable(application: Application, **fields: Any) -> Runnable:
    """A row as it is given, planned by nobody: `next_run_at` is null unless told otherwise."""
    given = {"kind": "http", "name": "a-job", "anchor": NOW, **fields}
    return Runnable.objects.create(application=application, **given)


def make_run(runnable: Runnable, state: State = State.QUEUED, **fields: Any) -> Run:
    """A run in any state, as if the engine had brought it there."""
    given = {
        "application_id": runnable.application_id,
        "kind": runnable.kind,
        "queue": runnable.queue,
        "priority": runnable.priority,
        "cause": Cause.MANUAL,
        "due_at": NOW,
        "created_at": NOW,
        **fields,
    }
    return Run.objects.create(runnable=runnable, state=state, **given)


def make_attempt(run: Run, number: int = 1, ok: bool = True, **fields: Any) -> Attempt:
    """A try of a run, as if a worker had recorded it."""
    given = {
        "application_id": run.application_id,
        "runnable_id": run.runnable_id,
        "run_number": run.number,
        "started_at": NOW,
        "duration_ms": 12,
        "created_at": NOW,
        **fields,
    }
    return Attempt.objects.create(run=run, number=number, ok=ok, **given)


def make_job(application: Application, tag: str = "a-job", now: datetime = NOW, **fields: Any) -> Job:
    """A job through its service, so that its runnable is planned as it would be."""
    given = {"endpoint": "https://example.com/", "verb": "POST", "by": OPERATOR, **fields}
    return create_job(application=application, tag=tag, now=now, **given)


def make_event(application: Application, tag: str = "an-event", **fields: Any) -> Event:
    """An event through its service: a function that returns its input, unless told otherwise."""
    given = {"type": "FUNCTION", "configuration": {"code": "return input"}, "by": OPERATOR, "now": NOW, **fields}
    return create_event(application=application, tag=tag, **given)


def make_connection(application: Application, tag: str = "a-database", **fields: Any) -> Connection:
    """A connection through its service: to a database that is nowhere, unless told otherwise."""
    given = {"type": "DATABASE", "configuration": {"host": "db.example.com", "database": "shop", "password": "p"}}
    return create_connection(application=application, tag=tag, **{**given, "by": OPERATOR, "now": NOW, **fields})


def make_person(email: str = "alice@example.com", password: str | None = None) -> User:
    """Somebody with an account and a confirmed address. Without a password, tests sign them in by `force_login`."""
    user = User.objects.create_user(email, password)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user


def make_member(workspace: Workspace, role: Role = Role.OWNER, email: str = "alice@example.com") -> Member:
    """A person in this workspace; the person is made where there is none with this address."""
    user = User.objects.filter(email=email).first() or make_person(email)
    return Member.objects.create(workspace=workspace, user=user, role=role)


def make_source(application: Application, tag: str = "a-source", **fields: Any) -> DataSource:
    """A row as it is given: a REST source with one variable, unless told otherwise."""
    is_called = "url" in type_of(fields.get("type", "REST")).serializer().fields
    url = {"url": "https://example.com/products/{{PRODUCT_ID}}"} if is_called else {}
    configuration = {**url, **fields.pop("configuration", {})}
    variables = ["PRODUCT_ID"] if is_called else []
    given = {"type": "REST", "name": tag, "variables": variables, "host": host_of(configuration), **fields}
    whole = type_of(given["type"]).serializer(data=configuration)
    whole.is_valid(raise_exception=True)
    return DataSource.objects.create(application=application, tag=tag, configuration=whole.validated_data, **given)


def make_key(source: DataSource, name: str = "product-1", body: str | None = None, **fields: Any) -> CacheKey:
    """A key as it is given, with its value: never filled, unless a body is given."""
    given = {"variables": {"PRODUCT_ID": "1"}, "created_at": NOW, "updated_at": NOW, **fields}
    key = CacheKey.objects.create(application=source.application, source=source, name=name, **given)
    filled = {} if body is None else value_of(body)
    CachedValue.objects.create(key=key, **filled)
    return key


def value_of(body: str, at: datetime = NOW) -> dict[str, Any]:
    """The columns of a value that was fetched at this moment."""
    whole = body.encode()
    etag = hashlib.sha256(whole).hexdigest()
    return {
        "body": body, "bytes": len(whole), "etag": etag, "started_at": at, "fetched_at": at, "changed_at": at,
        "tried_at": at, "duration_ms": 12,
    }  # fmt: skip


def make_task(application: Application, tag: str = "a-task", **fields: Any) -> Task:
    """A task as it is given, planned by nobody: on demand, for keys that contain `product`, unless told otherwise."""
    given = {"name": tag, "type": "on_demand", "selection": "contains", "pattern": "product", **fields}
    keys = given.pop("keys", [])
    runnable = make_runnable(application, kind=TASK_KIND, name=tag, **given.pop("runnable", {}))
    task = Task.objects.create(application=application, runnable=runnable, tag=tag, **given)
    TaskKey.objects.bulk_create(TaskKey(task=task, key=key) for key in keys)
    return task


def make_sync(run: Run, key: CacheKey, state: str = "succeeded", **fields: Any) -> KeySync:
    """A key of a run, as if it had been fetched."""
    given = {
        "application_id": run.application_id, "runnable_id": run.runnable_id, "key_id": key.pk, "key_name": key.name,
        "attempts": 1, "due_at": NOW, "started_at": NOW, "duration_ms": 12, "bytes": 2, "changed": False, **fields,
    }  # fmt: skip
    if state != "waiting":
        given.setdefault("finished_at", NOW)
    return KeySync.objects.create(run=run, state=state, **given)


def make_hook(application: Application, tag: str = "a-hook", **fields: Any) -> Hook:
    """A hook as it is given: unverified, without a transform or actions. Its address is `/hooks/` and the secret."""
    runnable = {"kind": HOOK_KIND, "name": tag, "overlap": Overlap.ALLOW, **fields.pop("runnable", {})}
    secret = fields.pop("secret", f"{tag}-of-{application.pk}".ljust(43, "x"))
    given = {"name": tag, "secret": secret, "digest": digest_of(secret), **fields}
    return Hook.objects.create(
        application=application, runnable=make_runnable(application, **runnable), tag=tag, **given
    )


def make_delivery(hook: Hook, state: State | None = None, **fields: Any) -> Delivery:
    """A delivery as it is given. With a `state` it has a run in it, and was accepted; else it was stored."""
    body = fields.pop("body", b'{"category": {"id": 7}}')
    given = {
        "standing": Standing.ACCEPTED if state else Standing.STORED, "method": "POST", "address": "203.0.113.7",
        "headers": {"Content-Type": "application/json"}, "received_at": NOW, **fields,
    }  # fmt: skip
    delivery = Delivery(application=hook.application, runnable=hook.runnable, body=body, bytes=len(body), **given)
    if state:
        began = {} if state in {State.QUEUED, State.SCHEDULED} else {"started_at": given["received_at"]}
        ended = {"finished_at": given["received_at"]} if state in FINAL else {}
        told = {"number": 0, "input": {"delivery": str(delivery.pk)}}
        run = make_run(hook.runnable, state, id=delivery.pk, **told, **began, **ended)
        delivery.run_id = run.pk
    delivery.save(force_insert=True)
    return delivery


# Ids of one moment are in the order of their making, and those of a moment that is past are older than others.
_numbers = count()


def make_background_run(application: Application, state: State = State.QUEUED, **fields: Any) -> BackgroundRun:
    """A background task in any state, as if it had been triggered at `created_at` and brought there.

    `run` are fields of its run; one that runs or is over was begun, unless told otherwise.
    """
    created_at = fields.setdefault("created_at", NOW)
    begun = state not in {State.QUEUED, State.SCHEDULED}
    given = {
        "application_id": application.pk, "kind": "background", "queue": "compute", "cause": Cause.CODE, "input": {},
        "created_at": created_at, "due_at": created_at, "started_at": created_at if begun else None,
        "finished_at": created_at if state in FINAL else None, "attempts": 1 if state in FINAL else 0,
        **fields.pop("run", {}),
    }  # fmt: skip
    given.setdefault("id", UUID(int=uuid7_floor(created_at).int + next(_numbers)))
    run = Run.objects.create(state=state, **given)
    row = {
        "definition": "syncArticles", "name": "Sync articles", "saved_at": created_at, "iterations": 1 if begun else 0,
        "created_by": {"id": "code", "displayName": "Code", "type": "system"}, **fields,
    }  # fmt: skip
    return BackgroundRun.objects.create(run=run, application=application, **row)


def make_async_job(application: Application, tag: str = "prices", **fields: Any) -> AsyncJob:
    """One with a slurper of its own, of no source."""
    given = {"name": tag, **fields}
    if "slurper" not in given:
        given["slurper"] = Slurper.objects.create(application=application, tag=tag, name=tag)
    runnable = make_runnable(application, kind=ASYNC_JOB_KIND, queue="compute", name=tag)
    return AsyncJob.objects.create(application=application, runnable=runnable, tag=tag, **given)


def make_collection(application: Application, **fields: Any) -> Collection:
    """An active one, of an async job of its own unless one is given, that is replaced unless told otherwise."""
    given = {"name": "prices", "mode": "normal", "is_active": True, **fields}
    if "async_job" not in given:
        given["async_job"] = make_async_job(application, tag=f"job-{AsyncJob.objects.count()}")
    return Collection.objects.create(application=application, **given)
