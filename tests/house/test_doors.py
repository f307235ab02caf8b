"""Every address of the API tried by nobody, by a stranger, and with tokens that may not: as the resolver has them.

Pages are tried in test_page_doors.py.

A new address is tried without anything being written here. If it has a parameter of a new name, `rows` must say what
stands there; if it is open to everybody, OPEN must say why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.urls import get_resolver
from django.utils import timezone

from badgerjobs.runs.models import Attempt, LogLine, Run, Runnable, State
from badgerjobs.sources.models import DataSource
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.issuing import revoke_token
from badgerjobs.workspaces.models import Scope, Token
from jobs.models import Connection, Event, Job
from slurps.models import AsyncJob, Collection, Row, Slurper, SlurperSource, Version
from tasks.models import BackgroundRun, CachedValue, CacheKey, KeySync, Task
from tests.addresses import FOR_PROGRAMS, addresses, filled
from tests.callers import PROBLEM, Answer, Caller, caller_for
from tests.factories import (
    NOW,
    make_async_job,
    make_attempt,
    make_background_run,
    make_collection,
    make_connection,
    make_delivery,
    make_event,
    make_hook,
    make_job,
    make_key,
    make_run,
    make_source,
    make_sync,
    make_task,
)
from tests.in_turn import in_turn
from tests.slurps.storing.loads import load
from tests.tables import held
from webhooks.models import Delivery, Example, Hook, TransformVersion
from webhooks.task_hooks import fit_task_hook
from webhooks.transforms.versions import change_transform

# Addresses that answer nobody in particular, each with its reason.
OPEN = {
    "/healthz": "load balancers have no token; says whether things work, and nothing of anybody's",
    "/metrics": "open on loopback, where these requests come from; tests/api/test_metrics.py tries it from elsewhere",
    "/api/v1/schema/": "the reference of the API, the same for everybody",
    "/echo/": "the built-in receiver, there with DEMO=1 only: answers with what it was sent",
    "/echo/{rest}": "the same",
    "/hooks/{secret}": "its address is the secret, which nobody guesses; tests/webhooks tries it",
    "/hooks/{secret}/": "the same",
}

# Writing that needs no more than `read`, and reading that needs `write`.
READS = {
    ("POST", "/api/v1/schedules/preview/"): "computes, and keeps nothing",
    ("POST", "/api/v1/tasks/test-pattern/"): "looks keys up, and keeps nothing",
    ("POST", "/graphql"): "for a query; tests/graphql holds that a mutation needs `write`",
}
# Of what is open, what answers to something else than GET.
BUT_NOT_READ = {"/healthz": {200, 503}, "/hooks/{secret}": {404}, "/hooks/{secret}/": {404}}
# What has a scope of its own.
DELETES = {("DELETE", "/api/v1/background-tasks/{id}/"): "what tasks have done is gone for good"}
WRITES = {("GET", "/api/v1/application/signing-key/"): "who has the key can make calls that look like ours"}
# What needs another scope besides.
BESIDES = {
    "/api/v1/async-jobs/{tag}/collections/{name}/versions/difference/": (
        Scope.COLLECTIONS_READ, "shows rows, which are for their readers"
    ),
}  # fmt: skip

# A stranger's request to an address with somebody else's tag that is no 404.
THEIR_OWN = {
    ("PUT", "/api/v1/jobs/{tag}/"): "makes a job of this tag among the stranger's own",
    ("PUT", "/api/v1/events/{tag}/"): "makes an event of this tag among the stranger's own",
    ("PUT", "/api/v1/connections/{tag}/"): "makes a connection of this tag among the stranger's own",
    ("PUT", "/api/v1/sources/{tag}/"): "makes a source of this tag among the stranger's own",
    ("PUT", "/api/v1/tasks/{tag}/"): "makes a task of this tag among the stranger's own",
    ("PUT", "/api/v1/slurpers/{tag}/"): "makes a slurper of this tag among the stranger's own",
    ("PUT", "/api/v1/async-jobs/{tag}/"): "makes an async job of this tag among the stranger's own",
    ("PUT", "/api/v1/hooks/{tag}/"): "makes a hook of this tag among the stranger's own",
    ("PUT", "/api/v1/keys/{name}/"): "makes a key of this name among the stranger's own",
}

MARK = "nobody-elses-business"


@dataclass(frozen=True)
class Door:
    method: str
    address: str  # its parameters as {name}

    def __str__(self) -> str:
        return f"{self.method} {self.address}"

    @property
    def has_row(self) -> bool:
        return "{" in self.address

    @property
    def scopes(self) -> list[Scope]:
        """All that it needs."""
        more, _ = BESIDES.get(self.address, (None, ""))
        return [self.scope, *([more] if more else [])]

    @property
    def scope(self) -> Scope:
        key = self.method, self.address
        if self.address.startswith("/api/v1/cache/"):
            return Scope.CACHE_READ
        if self.address.startswith("/api/v1/collections/"):
            return Scope.COLLECTIONS_READ
        if key in DELETES:
            return Scope.BACKGROUND_DELETE
        if key in READS:
            return Scope.READ
        reads = self.method in {"GET", "HEAD"}
        return Scope.READ if reads and ("GET", self.address) not in WRITES else Scope.WRITE


def methods(view: Any) -> set[str]:
    """What a view answers to. One that does not say is taken to answer to GET and POST."""
    if actions := getattr(view, "actions", None):
        found = {method.upper() for method in actions}
    elif kind := getattr(view, "view_class", getattr(view, "cls", None)):
        found = {method.upper() for method in kind.http_method_names if hasattr(kind, method)}
    else:
        found = {"GET", "POST"}
    return (found - {"OPTIONS"}) | ({"HEAD"} if "GET" in found else set())


ALL = {
    Door(method, address)
    for address, pattern in addresses(get_resolver())
    if address.startswith(FOR_PROGRAMS)
    for method in methods(pattern.callback)
}
CLOSED = sorted((door for door in ALL if door.address not in OPEN), key=str)
EVERY_CLOSED_DOOR = in_turn("door", CLOSED)


@pytest.fixture
def rows(alice: Caller) -> Mapping[str, str]:
    """What Alice has, by the name that it has in addresses. All of it bears a mark."""
    secrets: dict[str, Any] = {
        "name": MARK,
        "body": MARK,
        "endpoint": f"https://{MARK}.example.com/",
        "headers": {"X-Mark": MARK},
    }
    job = make_job(alice.application, "alices", run_every="PT1H", **secrets)
    make_event(alice.application, "alices", name=MARK, configuration={"code": f"return '{MARK}'"})
    server = {"host": f"{MARK}.example.com", "database": MARK, "user": MARK, "password": MARK}
    make_connection(alice.application, "alices", name=MARK, configuration=server)
    source = make_source(alice.application, "alices", name=MARK, configuration={"url": f"https://{MARK}.example.com/"})
    key = make_key(source, "alices", f'"{MARK}"', tags=[MARK])
    run = make_run(job.runnable, State.RUNNING, output={"mark": MARK}, number=1)
    make_attempt(run, result={"status": 200, "body": MARK, "headers": {}})
    make_sync(run, key)
    task = make_task(alice.application, "alices", name=MARK, type="webhook", pattern=MARK)
    fit_task_hook(task, by="alice", now=NOW)
    make_sync(make_run(task.runnable, State.FAILED), key, "failed", error=MARK)
    slurps = make_async_job(alice.application, "alices", remembered={MARK: MARK})
    AsyncJob.objects.filter(pk=slurps.pk).update(name=MARK)
    Slurper.objects.filter(pk=slurps.slurper_id).update(name=MARK, language="javascript", code=f"return '{MARK}'")
    SlurperSource.objects.create(slurper=slurps.slurper, source=source, place=1)
    make_run(slurps.runnable, State.SUCCEEDED, output={"collection": MARK, "read": 1})
    collection = make_collection(
        alice.application,
        async_job=slurps,
        name="alices",
        mode="versioned",
        readers=[MARK, "test"],
        guards={"columns": MARK},
    )
    load(collection, [{MARK: MARK}])
    hook = make_hook(alice.application, "alices", name=MARK, settings={"verify_token": MARK}, response_body=MARK)
    change_transform(hook, f"return '{MARK}'", by=MARK, now=NOW)
    Example.objects.create(hook=hook, name="seven", body=MARK)
    delivery = make_delivery(hook, State.FAILED, body=MARK.encode(), headers={"X-Mark": MARK})
    LogLine.objects.create(run=run, application=alice.application, level="info", message=MARK, created_at=NOW)
    mine = make_background_run(alice.application, State.RUNNING, name=MARK, run={"input": {"mark": MARK}})
    LogLine.objects.create(
        run=mine.run, application=alice.application, level="info", iteration=1, message=MARK, created_at=NOW
    )
    return {
        "tag": job.tag, "pk": str(run.pk), "rest": "anything", "cache/name": key.name, "keys/name": key.name,
        "collections/name": collection.name, "collections/endpoint": collection.name,
        "examples/name": "seven", "versions/number": "1", "deliveries/pk": str(delivery.pk),
        "background-tasks/id": str(mine.pk),
    }  # fmt: skip


def tried(caller: Caller, door: Door, rows: Mapping[str, str]) -> Answer:
    """The answer at a door."""
    return caller.send(door.method, f"http://testserver{filled(door.address, rows)}", b"{}")


def listed(answer: Answer) -> list[Any] | None:
    """The rows of a list; None for what is none."""
    rows = answer.body.get("results") if isinstance(answer.body, dict) else None
    return rows if isinstance(rows, list) else None


def everything() -> Mapping[str, list[str]]:
    """All that Alice's rows hold, to compare."""
    return held(
        (
            Job,
            Event,
            Connection,
            DataSource,
            BackgroundRun,
            CacheKey,
            CachedValue,
            KeySync,
            Task,
            Slurper,
            SlurperSource,
            AsyncJob,
            Collection,
            Version,
            Row,
            Hook,
            TransformVersion,
            Example,
            Delivery,
            Runnable,
            Run,
            Attempt,
            LogLine,
        )
    )


def test_the_resolver_knows_what_we_think_it_knows() -> None:
    assert {str(door) for door in ALL} >= {
        "GET /api/v1/jobs/",
        "POST /api/v1/jobs/{tag}/run/",
        "DELETE /api/v1/jobs/{tag}/",
        "POST /api/v1/runs/{pk}/abort/",
        "GET /healthz",
    }


def test_what_is_open_is_there_and_opens() -> None:
    assert set(OPEN) <= {door.address for door in ALL}
    assert {*READS, *WRITES, *DELETES, *THEIR_OWN} <= {(door.method, door.address) for door in ALL}


@pytest.mark.django_db
@in_turn("address", OPEN)
def test_what_is_open_answers_nobody(address: str) -> None:
    answer = tried(Caller(), Door("GET", address), {"rest": "anything", "secret": "anything"})
    assert answer.status in BUT_NOT_READ.get(address, {200})


@EVERY_CLOSED_DOOR
def test_nobody_comes_in(rows: Mapping[str, str], door: Door) -> None:
    answer = tried(Caller(), door, rows)
    assert (answer.status, answer.content_type) == (401, PROBLEM)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@EVERY_CLOSED_DOOR
def test_a_token_that_is_over_opens_nothing(alice: Caller, rows: Mapping[str, str], door: Door) -> None:
    now = timezone.now()
    expired = caller_for(alice.application, expires_at=now - timedelta(seconds=1))
    revoked = caller_for(alice.application)
    revoke_token(token=Token.objects.latest("id"), by=OPERATOR, now=now)
    forged = Caller(alice.secret[:-1] + ("A" if alice.secret[-1] != "A" else "B"))
    before = everything()
    assert [tried(caller, door, rows).status for caller in (expired, revoked, forged)] == [401] * 3
    assert everything() == before


@EVERY_CLOSED_DOOR
def test_a_token_that_lacks_the_scope_is_told_which(alice: Caller, rows: Mapping[str, str], door: Door) -> None:
    lacking = [scope for scope in Scope.values if scope != door.scope]
    before = everything()
    answer = tried(caller_for(alice.application, scopes=lacking), door, rows)
    if door.method != "HEAD":
        assert (answer.content_type, f"“{door.scope}”" in answer.body["detail"]) == (PROBLEM, True)
    assert answer.status == 403
    assert everything() == before


@EVERY_CLOSED_DOOR
def test_the_scopes_that_are_needed_are_enough(alice: Caller, rows: Mapping[str, str], door: Door) -> None:
    assert tried(caller_for(alice.application, scopes=door.scopes), door, rows).status not in {401, 403, 404, 500}


@EVERY_CLOSED_DOOR
def test_a_stranger_finds_nothing(charlie: Caller, rows: Mapping[str, str], door: Door) -> None:
    before = everything()
    answer = tried(charlie, door, rows)
    if door.has_row and (door.method, door.address) not in THEIR_OWN:
        assert answer.status == 404
    else:
        assert answer.status not in {401, 403, 500}
    assert MARK not in str(answer.body)
    assert listed(answer) in (None, [])
    # What the stranger made is beside what was there.
    after = everything()
    assert {table: [row for row in after[table] if row in had] for table, had in before.items()} == before
    if answer.status >= 400:
        assert after == before


@EVERY_CLOSED_DOOR
def test_alice_herself_does_find_something(alice: Caller, rows: Mapping[str, str], door: Door) -> None:
    """Else the test above would pass for the wrong reason."""
    answer = tried(alice, door, rows)
    assert answer.status != 404
    assert listed(answer) != []


@EVERY_CLOSED_DOOR
def test_what_an_address_takes_is_said_to_tokens_and_alike_to_all(
    alice: Caller, charlie: Caller, rows: Mapping[str, str], door: Door
) -> None:
    asked = replace(door, method="OPTIONS")
    assert tried(Caller(), asked, rows).status == 401
    answer = tried(charlie, asked, rows)
    assert (answer.status, answer.content_type) == (405, PROBLEM)
    assert door.method in {*answer.headers["Allow"].split(", "), "HEAD"}
    assert answer == tried(alice, asked, rows)
