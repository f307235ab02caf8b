"""What somebody is answered who has the address of a hook and nothing else."""

import json
from typing import Any

from badgerjobs.runs.models import Run
from tests.callers import Answer, Caller
from webhooks.models import Delivery, Hook

BODY = {"category": {"id": 7}}
# Something to do.
ACTIONS = [{"name": "set", "type": "value", "key": "product-1"}]


def path_of(hook: Hook) -> str:
    return f"http://testserver/hooks/{hook.secret}"


def sent(hook: Hook | str, body: Any = BODY, method: str = "POST", query: str = "", **headers: str) -> Answer:
    """The answer to one call; header names with underscores for hyphens."""
    path = hook if isinstance(hook, str) else path_of(hook)
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Caller().send(method, f"{path}{query and '?'}{query}", text, **headers)


def stored(answer: Answer) -> Delivery:
    """The delivery that an answer names."""
    return Delivery.objects.get(pk=answer.body["id"])


def run_of(delivery: Delivery) -> Run | None:
    return Run.objects.filter(pk=delivery.run_id).first() if delivery.run_id else None
