"""The hooks of the drill, and who calls them: each call has a number, and what was answered is written down."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from django.db import Error, connection

from badgerjobs.workspaces.audit import OPERATOR
from chaos.checks.deliveries import Sent
from chaos.stack import until_the_database_answers
from chaos.work import Tenant
from webhooks.models import Hook
from webhooks.services import create_hook, pause_hook, resume_hook

# The job that every hook runs. Its runs have no other cause.
JOB = "by-hook-1"
PACE_S = 0.12
ANSWER_S = 6.0
# How long a hook is on, and how long it is paused.
PAUSES_S = (0.5, 3.0)
ON_AGAIN_S = 90.0
# Of the calls of a hook that looks for repeats, so many are made twice.
TWICE = 0.2
OURS = {"Content-Type": "application/json", "Host": "localhost"}

ACTION = {"name": "call", "type": "job", "job": JOB}
THROWS = "if (body.n % 3 === 0) throw new Error('as it should'); return {variables: {n: String(body.n)}};"
HOOKS = {
    "plain": {},
    "transformed": {"transform": "return {variables: {n: String(body.n)}};"},
    "throwing": {"transform": THROWS},
    "once": {"repeats": "header", "repeats_header": "X-Call"},
}


@dataclass(frozen=True, slots=True)
class Address:
    """A hook, `TENANT/TAG`, and the path at which it is called."""

    hook: str
    path: str


def make_hooks(tenants: Sequence[Tenant], *, now: datetime) -> list[Address]:
    """All hooks of all tenants: with and without a transform, one that throws now and then, one that knows repeats."""
    made = []
    for tenant in tenants:
        for tag, fields in HOOKS.items():
            given = {"actions": [ACTION], **fields}
            hook = create_hook(application=tenant.application, tag=tag, by=OPERATOR, now=now, **given)
            made.append(Address(f"{tenant.name}/{tag}", f"/hooks/{hook.secret}"))
    return made


class Pauser:
    """Pauses one hook after another for a moment, in a thread of its own. In the end all of them are on."""

    def __init__(self, hooks: Sequence[str], rng: Random) -> None:
        self.count = 0
        self._hooks = hooks
        self._rng = rng
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._go, name="pauser", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Pause nothing more. Raises TimeoutError when the last one is not on again."""
        self._is_over.set()
        self._thread.join(ON_AGAIN_S)
        if self._thread.is_alive():
            raise TimeoutError("A paused hook could not be resumed.")

    def _go(self) -> None:
        while not self._is_over.wait(self._rng.uniform(*PAUSES_S)):
            name = self._rng.choice(self._hooks)
            with suppress(Error):
                pause_hook(hook=_hook(name), by=OPERATOR, now=_now())
                self.count += 1
            connection.close()  # the database may be away: the pause may be there all the same
            self._is_over.wait(self._rng.uniform(*PAUSES_S))
            until_the_database_answers(lambda name=name: resume_hook(hook=_hook(name), by=OPERATOR, now=_now()))  # type: ignore[misc]
        connection.close()


def _hook(name: str) -> Hook:
    tenant, _, tag = name.partition("/")
    return Hook.objects.select_related("runnable", "application", "task").get(application__name=tenant, tag=tag)


def _now() -> datetime:
    return datetime.now(UTC)


class Sender:
    """Calls one hook after another in a thread of its own, whether anybody answers or not. `sent` has what was."""

    def __init__(self, addresses: Sequence[Address], port: int, rng: Random) -> None:
        self.sent: list[Sent] = []
        self.answered: Counter[str] = Counter()
        self._addresses = addresses
        self._port = port
        self._rng = rng
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._go, name="sender", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more. Raises TimeoutError when an answer does not come."""
        self._is_over.set()
        self._thread.join(3 * ANSWER_S)
        if self._thread.is_alive():
            raise TimeoutError("A hook's sender got no answer.")

    def _go(self) -> None:
        number = 0
        while not self._is_over.wait(self._rng.uniform(0.5, 1.5) * PACE_S):
            number += 1
            address = self._rng.choice(self._addresses)
            is_twice = address.hook.endswith("/once") and self._rng.random() < TWICE
            for _ in range(1 + is_twice):
                self._send(address, number)

    def _send(self, address: Address, number: int) -> None:
        sent_at = time.time()
        try:
            status, text = self._asked(address, number)
        except (OSError, http.client.HTTPException):
            self.answered["no answer"] += 1
            return
        self.answered[str(status)] += 1
        delivery = json.loads(text)["id"] if status == 202 else ""
        self.sent.append(Sent(address.hook, number, status, delivery, sent_at))

    def _asked(self, address: Address, number: int) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_S)
        try:
            headers = {**OURS, "X-Call": f"call-{number}"}
            connection.request("POST", address.path, json.dumps({"n": number, "pad": "x" * 900}), headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()
