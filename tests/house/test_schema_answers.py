"""Real answers of the REST API, and real problems, are what its reference says."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.runs.models import LogLine, State
from slurps.models import Slurper, SlurperSource
from tests.callers import Answer, Caller
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
from tests.reference import OPERATIONS, faults
from tests.slurps.collecting.held import hold_rows
from tests.slurps.storing.loads import load
from webhooks.models import Example as SavedExample
from webhooks.models import Standing
from webhooks.task_hooks import fit_task_hook
from webhooks.transforms.versions import change_transform


@pytest.fixture
def rows(alice: Caller) -> Mapping[str, str]:
    """A job with a plan and runs in every state, each with a good and a bad attempt and a line in its log."""
    job = make_job(
        alice.application, "t", now=timezone.now(), run_every="PT1H", headers={"X-Api-Key": "k"}, body="b", name="n"
    )
    for number, state in enumerate(State):
        run = make_run(job.runnable, state, number=number, started_at=NOW, finished_at=NOW, output={"x": 1}, input=[1])
        make_attempt(run, 1, ok=False, error_class="dns", error="No address.")
        make_attempt(run, 2, result={"status": 200, "headers": {"a": "b"}, "body": "ok"})
        LogLine.objects.create(
            run=run, application=alice.application, level="info", message="m", data={"a": 1}, created_at=NOW
        )
    make_event(alice.application, "t")
    make_connection(alice.application, "t")
    key = make_key(make_source(alice.application, "t"), "t", '{"a": 1}')
    make_source(alice.application, "bare")
    make_source(alice.application, "table", type="CSV_FILE", configuration={}, variables=[])
    task = make_task(alice.application, "t", type="webhook")
    fit_task_hook(task, by="alice", now=NOW)
    hook = make_hook(alice.application, "t", transform="return 1", settings={"verify_token": "v"})
    change_transform(hook, "return {variables: {A: 1}}", by="alice", now=NOW)
    SavedExample.objects.create(hook=hook, name="t", body="{}", expected={"variables": {"A": 1}})
    came, failed, refused = (
        str(make_delivery(hook, State.SUCCEEDED).pk),
        str(make_delivery(hook, State.FAILED).pk),
        str(make_delivery(hook, standing=Standing.REFUSED, reason="X-Token is missing.").pk),
    )
    synced = make_run(task.runnable, State.FAILED)
    make_sync(synced, key, "failed", error_class="status", error="The source answered 500.")
    slurps = make_async_job(alice.application, "t", remembered={"t": 1})
    SlurperSource.objects.create(slurper=slurps.slurper, source=key.source, place=1)
    Slurper.objects.create(application=alice.application, tag="bare", name="bare")
    wrote = {"collection": "prices", "version": 1, "stage": "ready", "read": 2, "written": 2, "bytes": 9}
    make_run(slurps.runnable, State.SUCCEEDED, output=wrote)
    versioned = {"mode": "versioned", "keep": 3, "key": ["id"], "guards": {"empty": True}}
    collection = make_collection(alice.application, async_job=slurps, name="t", **versioned)
    load(collection, [{"id": 1, "a": 1}, {"id": 2}])
    collection.pinned = collection.current
    collection.save()
    load(collection, [{"id": 1, "a": 2}, {"id": 3}])
    hold_rows(collection, [])
    queued = make_run(job.runnable, State.QUEUED)
    over = make_run(job.runnable, State.FAILED)
    made = {"run": {"input": {"a": 1}, "output": {"b": 2}}, "progress": 0.5, "progress_message": "Half."}
    begun = make_background_run(alice.application, State.RUNNING, **made)
    LogLine.objects.create(
        run=begun.run, application=alice.application, level="info", iteration=1, message="m", created_at=NOW
    )
    ended = make_background_run(alice.application, State.FAILED, parent_id=begun.pk)
    BODIES["POST", "/api/v1/tasks/{tag}/retry/"] = [{"run": str(synced.pk)}]
    own = {
        "/api/v1/runs/{id}/replay/": str(over.pk),
        "/api/v1/sources/{tag}/": "bare",
        "/api/v1/sources/{tag}/file/": "table",
        "/api/v1/slurpers/{tag}/": "bare",
        "/api/v1/background-tasks/{id}/abort/": str(begun.pk),
        "/api/v1/background-tasks/{id}/logs/": str(begun.pk),
        "/api/v1/background-tasks/{id}/": str(ended.pk),
        "/api/v1/deliveries/{id}/": came,
        "/api/v1/deliveries/{id}/body/": came,
        "/api/v1/deliveries/{id}/replay/": failed,
        "/api/v1/deliveries/{id}/verify/": refused,
    }
    held = {f"/api/v1/{VERSION}/{verb}/ number": "held" for verb in ("approve", "drop")}
    return {"tag": "t", "name": "t", "endpoint": "t", "number": "1", "id": str(queued.pk), **own, **held}


VERSION = "async-jobs/{tag}/collections/{name}/versions/{number}"

# What must stand in the address as well.
QUERIES = {("GET", "/api/v1/cache/"): "?key=t&key=u"}

BODIES: dict[tuple[str, str], list[Any]] = {
    ("POST", "/api/v1/jobs/"): [
        {"tag": "u", "endpoint": "https://example.com/", "verb": "post", "run_every": "PT1H"},
        {"name": "v", "endpoint": "https://example.com/", "verb": "GET", "cron": "0 8 * * *", "headers": {"X-A": "1"}},
        {"tag": "w", "endpoint": "https://example.com/", "verb": "GET", "run_at": "2026-01-01T00:00:00Z"},
        {"tag": "x", "endpoint": "https://example.com/", "verb": "GET", "preset": "daily", "body": None},
    ],
    ("POST", "/api/v1/jobs/cancel/"): [{"status": "scheduled", "dry_run": True}, {"tags": ["t"]}],
    ("POST", "/api/v1/jobs/delete/"): [{"status": ["completed"]}, {"tags": ["t"], "dry_run": True}],
    ("POST", "/api/v1/jobs/{tag}/cancel/"): [{"reason": "Over."}, {}],
    ("POST", "/api/v1/jobs/{tag}/pause/"): [{"reason": "They move.", "until": "2035-01-01T00:00:00Z"}, {}],
    ("POST", "/api/v1/jobs/{tag}/reschedule/"): [{"every": 60_000}, {"start_at": 0}],
    ("POST", "/api/v1/jobs/{tag}/retry/"): [{"delay": 60_000}],
    ("PUT", "/api/v1/jobs/{tag}/"): [{"endpoint": "https://example.com/", "verb": "GET"}],
    ("PATCH", "/api/v1/jobs/{tag}/"): [{}, {"run_every": None}],
    ("POST", "/api/v1/jobs/{tag}/backfill/"): [
        {"since": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z", "dry_run": True},
        {"since": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z", "per_minute": 5},
    ],
    ("POST", "/api/v1/events/"): [
        {
            "tag": "a",
            "type": "ACTION",
            "configuration": {"endpoint": "https://example.com/", "headers": {"X-Api-Key": "k"}},
        },
        {"tag": "n", "type": "NOTIFICATION", "configuration": {"channel": "webhook", "url": "https://example.com/"}},
        {"tag": "d", "type": "DATABASE_ACTION", "configuration": {"statement": "SELECT 1"}, "connection": "t"},
        {"tag": "f", "type": "function", "configuration": {"code": "return 1"}, "connection": None},
    ],
    ("PUT", "/api/v1/events/{tag}/"): [{"type": "FUNCTION", "configuration": {"code": "return 1"}}],
    ("PATCH", "/api/v1/events/{tag}/"): [{}, {"name": "n"}],
    ("POST", "/api/v1/events/{tag}/try/"): [{"input": {"a": 1}}, {"configuration": {"code": "throw 1"}}],
    ("POST", "/api/v1/events/try/"): [
        {"type": "FUNCTION", "configuration": {"code": "return [input]"}, "input": "x"},
        {"type": "ACTION", "configuration": {"endpoint": "https://example.com/{{input.x}}"}, "input": {}},
    ],
    ("POST", "/api/v1/connections/"): [
        {"tag": "s", "type": "SMTP", "configuration": {"host": "smtp.example.com", "sender": "a@example.com"}},
        {"tag": "b", "type": "BROKER", "configuration": {"host": "mq.example.com", "protocol": "amqp"}},
    ],
    ("PUT", "/api/v1/connections/{tag}/"): [
        {"type": "DATABASE", "configuration": {"host": "db.example.com", "database": "shop"}}
    ],
    ("PATCH", "/api/v1/connections/{tag}/"): [{}, {"name": "n"}],
    ("POST", "/api/v1/sources/"): [
        {
            "tag": "r",
            "type": "REST",
            "configuration": {
                "url": "https://example.com/{{A}}",
                "headers": {"X-Api-Key": "k"},
                "authentication": "basic",
                "username": "u",
                "password": "p",
                "query": {"a": "{{B}}"},
                "transform": "return 1",
            },
        },
        {
            "tag": "g",
            "type": "graphql",
            "configuration": {
                "url": "https://example.com/",
                "query": "{a}",
                "variables": [{"name": "a", "type": "Int", "value": "{{A}}"}],
            },
        },
    ],
    ("PUT", "/api/v1/sources/{tag}/"): [{"type": "REST", "configuration": {"url": "https://example.com/"}}],
    ("PATCH", "/api/v1/sources/{tag}/"): [{}, {"name": "n"}],
    ("PUT", "/api/v1/sources/{tag}/file/"): ["a,b"],
    ("POST", "/api/v1/sources/{tag}/test/"): [{}, {"configuration": {"url": "http://10.0.0.7/"}}],
    ("POST", "/api/v1/sources/test/"): [
        {"type": "REST", "configuration": {"url": "http://10.0.0.7/{{A}}"}, "values": {"A": [1]}},
    ],
    ("POST", "/api/v1/sources/test-transform/"): [
        {"code": "console.log(1); return response", "response": {"a": 1}},
        {"code": "throw 1"},
    ],
    ("POST", "/api/v1/tasks/"): [
        {"tag": "u", "type": "scheduled", "preset": "hourly", "selection": "prefix", "pattern": "product-"},
        {"tag": "v", "type": "on_demand", "keys": ["t"]},
    ],
    ("PUT", "/api/v1/tasks/{tag}/"): [{"type": "on_demand", "pattern": "product"}],
    ("PATCH", "/api/v1/tasks/{tag}/"): [{}, {"name": "n"}],
    ("POST", "/api/v1/tasks/{tag}/run/"): [{}, {"body": {"id": 7}, "headers": {"x-topic": "a"}}],
    ("POST", "/api/v1/tasks/test-pattern/"): [{"pattern": "t"}, {"selection": "glob", "pattern": "*"}],
    ("POST", "/api/v1/tasks/try-transform/"): [
        {"transform": "return {variables: {A: body}}", "body": "t", "pattern": "{{A}}"},
        {"transform": "return 1"},
    ],
    ("POST", "/api/v1/slurpers/"): [
        {"tag": "u", "language": "javascript", "code": "return dataMap.t", "sources": ["t"]},
        {"tag": "v", "sources": ["t", "bare"]},
    ],
    ("PUT", "/api/v1/slurpers/{tag}/"): [{"sources": ["t"]}],
    ("PATCH", "/api/v1/slurpers/{tag}/"): [{}, {"name": "n"}],
    ("POST", "/api/v1/slurpers/{tag}/try/"): [
        {"rows": {"t": [{"a": 1}]}},
        {"rows": {}, "definition": {"language": "javascript", "code": "console.log(1); throw 1"}},
    ],
    ("POST", "/api/v1/slurpers/try/"): [
        {"rows": {"t": [{"a": 1}]}, "definition": {"sources": ["t"]}},
        {"definition": {"sources": ["t"]}},
    ],
    ("POST", "/api/v1/async-jobs/"): [
        {"tag": "u", "slurper": "t", "cron": "0 4 * * *", "time_zone": "Europe/Zurich"},
        {"tag": "v", "slurper": "bare"},
    ],
    ("PUT", "/api/v1/async-jobs/{tag}/"): [{"slurper": "t", "preset": "hourly"}],
    ("PATCH", "/api/v1/async-jobs/{tag}/"): [{}, {"timeout": 5}],
    ("POST", "/api/v1/async-jobs/{tag}/collections/"): [
        {"name": "u", "mode": "normal"},
        {"name": "v", "mode": "upserted", "key": ["a", "b"], "guards": {"repeated_keys": True}, "readers": ["site"]},
    ],
    ("PATCH", "/api/v1/async-jobs/{tag}/collections/{name}/"): [
        {},
        {"keep": 2, "guards": {"smaller_percent": 5, "columns": "discard"}},
    ],
    ("POST", "/api/v1/async-jobs/{tag}/run/"): [{}, {"values": {"A": [1]}}],
    ("POST", "/api/v1/async-jobs/{tag}/pause/"): [{"reason": "They move.", "until": "2035-01-01T00:00:00Z"}, {}],
    ("POST", "/api/v1/async-jobs/{tag}/forget/"): [{"sources": ["t"]}, {}],
    ("POST", "/api/v1/background-tasks/"): [{"definition": "testingRun", "delay": 60}, {"definition": "testingRun"}],
    ("POST", "/api/v1/background-tasks/{id}/abort/"): [{"message": "Enough.", "cascade": False}],
    ("POST", "/api/v1/hooks/"): [
        {"tag": "u", "verification": "github", "settings": {"secret": "s"}, "rate": 5, "retries": 0},
        {"tag": "v", "actions": [{"type": "sync", "task": "t"}], "transform": "return null", "enabled": False},
    ],
    ("PUT", "/api/v1/hooks/{tag}/"): [{"response": "fixed", "response_body": "ok"}],
    ("PATCH", "/api/v1/hooks/{tag}/"): [{}, {"name": "n"}],
    ("POST", "/api/v1/hooks/{tag}/pause/"): [{"reason": "They move.", "until": "2035-01-01T00:00:00Z"}, {}],
    ("POST", "/api/v1/hooks/{tag}/rotate/"): [{}, {"overlap_s": 0}],
    ("POST", "/api/v1/hooks/{tag}/try/"): [{"body": {"a": 1}}, {"transform": "throw 1", "example": "t"}],
    ("PUT", "/api/v1/hooks/{tag}/examples/{name}/"): [{"body": [1], "headers": {"x-topic": "a"}}, {}],
    ("POST", "/api/v1/hooks/{tag}/try-draft/"): [{"transform": "return null"}, {"transform": "return 1"}],
    ("POST", "/api/v1/deliveries/replay/"): [{"hook": "t", "dry_run": True}, {"hook": "t"}],
    ("PATCH", "/api/v1/application/"): [{}, {"concurrent_runs": 5, "late_after": None}, {"warn_after": 10}],
    ("POST", "/api/v1/keys/"): [{"name": "u", "source": "t", "variables": {"PRODUCT_ID": [1]}, "tags": ["a"]}],
    ("PUT", "/api/v1/keys/{name}/"): [{"source": "t", "variables": {"PRODUCT_ID": "1"}}],
    ("PATCH", "/api/v1/keys/{name}/"): [{}, {"ttl": 5}],
    ("POST", "/api/v1/keys/bulk/"): [{"keys": [{"name": "u", "source": "t", "variables": {"PRODUCT_ID": "1"}}]}],
    ("POST", "/api/v1/keys/delete/"): [{"state": "fresh", "dry_run": True}, {"names": ["t"]}],
    ("POST", "/api/v1/cache/"): [{"keys": ["t", "u"]}],
    ("POST", "/api/v1/runs/abort/"): [{"state": ["queued", "running"], "dry_run": True}, {"name": "t"}],
    ("POST", "/api/v1/runs/replay/"): [{"state": "failed,aborted", "dry_run": True}, {"name": "t", "per_minute": 5}],
    ("POST", "/api/v1/schedules/preview/"): [{"cron": "0 8 * * *"}, {}],
}


def document(answer: Answer, operation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema that the reference has for an answer; None where it says that there is no body."""
    responses = operation["responses"]
    body = responses.get(str(answer.status), responses["default"])
    return body["content"][answer.content_type]["schema"] if "content" in body else None


@in_turn("method, path", sorted(OPERATIONS))
def test_real_answers_are_what_the_reference_says(
    alice: Caller, rows: Mapping[str, str], method: str, path: str
) -> None:
    operation = OPERATIONS[method, path]
    address = re.sub(r"{(\w+)}", lambda match: rows.get(path) or rows.get(f"{path} {match[1]}") or rows[match[1]], path)
    address += QUERIES.get((method, path), "")
    for body in BODIES.get((method, path), [None]):
        answer = alice.send(method, address, b"" if body is None else json.dumps(body).encode())
        assert str(answer.status) in operation["responses"], answer.body
        part = document(answer, operation)
        assert (faults(part, answer.body) == []) if part else (answer.body == b""), faults(part or {}, answer.body)
        if isinstance(answer.body, dict) and "results" in answer.body:
            assert answer.body["results"]


@in_turn("method, path", sorted(OPERATIONS))
def test_real_problems_are_what_the_reference_says(
    alice: Caller, rows: Mapping[str, str], method: str, path: str
) -> None:
    address = re.sub(r"{(\w+)}", "00000000-0000-0000-0000-000000000000", path)
    answers = [
        Caller().send(method, address, b"{}"),
        alice.send(method, address, b'{"zzz": 1}', Accept="text/html"),
        alice.send(method, f"{address}?limit=0&since=x&ok=x&enabled=x", b'{"zzz": 1}'),
    ]
    for answer in answers:
        if answer.status >= 400:
            part = document(answer, OPERATIONS[method, path])
            assert part
            assert faults(part, answer.body) == []
