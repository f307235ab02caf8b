"""Hooks and deliveries for the pages of tests/pages.py: in every state, short and far too long."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tests.factories import make_attempt, make_delivery, make_hook, make_run
from webhooks.models import Act, ActState, Delivery, Example, Hook, Standing
from webhooks.services import update_hook

# Tag → its columns. The first is the one that pages are tried with.
HOOKS: Mapping[str, Mapping[str, Any]] = {
    "a-hook": {
        "rate": 7, "methods": ["POST", "PUT", "GET"], "repeats": "provider", "verification": "github",
        "challenge": "hub", "response": "fixed", "response_body": "<b>thanks</b>",
    },
    "a-quiet-hook": {"response": "fixed", "response_status": 204},
    "a-signed-hook": {"verification": "hmac", "repeats": "header", "repeats_header": "X-" + "Endless" * 14},
    "a-called-hook": {"verification": "basic", "actions": [{"name": "gone", "type": "job", "job": "endless" * 28}]},
}  # fmt: skip


def fill_webhooks(application: Application, now: datetime, *, mark: str, long: str, markup: str) -> tuple[str, str]:
    """Hooks of several kinds, deliveries of every standing. The tag and the id of those that pages are tried with."""
    for tag, fields in HOOKS.items():
        make_hook(application, tag, name=f"{mark} {tag}", settings=_settings(fields, mark), **fields)
    make_hook(application, long, name=f"{mark} {long}"[:200], runnable={"enabled": False, "pause_reason": long})
    hook = application.hooks.get(tag="a-hook")
    Hook.objects.filter(pk=hook.pk).update(previous_digest=mark, previous_until=now + timedelta(hours=5))
    hook.refresh_from_db()
    actions = [
        {"name": f"{mark} sync", "type": "sync", "task": "a-daily-task"},
        {"name": long[:100], "type": "value", "key": long[:400]},
    ]
    update_hook(hook=hook, by=OPERATOR, now=now, actions=actions, transform=f"// {long}\nreturn null")
    update_hook(hook=hook, by=OPERATOR, now=now, transform=f"// {markup}\nreturn {{variables: {{ID: body.id}}}}")
    Example.objects.create(hook=hook, name=f"{mark} example", body=json.dumps({"id": markup}), expected={"a": long})
    Example.objects.create(hook=hook, name=long[:100], body=long, headers={"x-mark": long})
    _deliveries(hook, now, long, markup)
    return hook.tag, _told(hook, now, long, markup)


def _settings(fields: Mapping[str, Any], mark: str) -> dict[str, Any]:
    named = {"secret": mark, "username": mark * 5, "header": f"X-{mark}", "prefix": "endless" * 7}
    return named if "verification" in fields else {}


def _deliveries(hook: Hook, now: datetime, long: str, markup: str) -> None:
    """One of every standing, and one whose run is in each state."""
    for standing in (Standing.STORED, Standing.HELD, Standing.REFUSED):
        make_delivery(
            hook, standing=standing, reason=long[:300] if standing == Standing.REFUSED else "", received_at=now
        )
    for state in State:
        if state == State.SKIPPED:
            continue
        delivery = make_delivery(hook, state, event_id=long[:200], received_at=now - timedelta(minutes=1))
        bad = {"error": f"It failed. {long}", "error_class": "act"} if state in {State.FAILED, State.RETRYING} else {}
        Run.objects.filter(pk=delivery.pk).update(created_at=now, due_at=now + timedelta(minutes=1), **bad)
    filtered = make_delivery(hook, State.SUCCEEDED, body=b"\xff\x00", received_at=now)
    Run.objects.filter(pk=filtered.pk).update(output={"filtered": markup, "variables": {}, "version": 1})


def _told(hook: Hook, now: datetime, long: str, markup: str) -> str:
    """One of which there is much to tell: an older run, acts in each state, a duplicate. Its id."""
    headers = {"Content-Type": "application/json", "X-Long": long, "Authorization": "********"}
    body = json.dumps({"id": markup, long: [long] * 9}).encode()
    delivery = make_delivery(
        hook, State.FAILED, headers=headers, body=body, query=f"a={long}", verified="github", received_at=now
    )
    console = [{"level": "log", "text": markup}, {"level": "error", "text": long}]
    output = {"variables": {"ID": long, long: markup}, "filtered": None, "version": 2, "console": console}
    newest = make_run(
        hook.runnable, State.FAILED, replay_of=delivery.pk, error=long, output=output, created_at=now, finished_at=now
    )
    make_attempt(newest, ok=False, error=long, error_class="act", result={"acts": {"done": 1, "failed": 1}})
    Delivery.objects.filter(pk=delivery.pk).update(run_id=newest.pk)
    caused = make_run(hook.runnable, State.RUNNING, number=7, started_at=now)
    for position, state in enumerate(ActState.values):
        Act.objects.create(
            application=hook.application, runnable_id=hook.runnable_id, delivery_id=delivery.pk, run_id=newest.pk,
            position=position, name=long[:100] if position else hook.actions[0]["name"], type="sync", target=long,
            state=state, said=long, caused=None if position else caused.pk, made_at=now,
        )  # fmt: skip
    make_delivery(hook, standing=Standing.DUPLICATE, duplicate_of=delivery.pk, received_at=now)
    return str(delivery.pk)
