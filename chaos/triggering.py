"""Who triggers background tasks by REST and aborts some of them, whether anybody answers or not."""

import http.client
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from random import Random
from typing import Any

from chaos.checks.background import NO_ANSWER, TRIGGERED, Aborting, Order, Orders, Told
from chaos.work import Tenant

PACE_S = 0.5
ANSWER_S = 6.0
# How many iterations each definition makes, from and to. One that branches makes none of a number, but its children do.
STEPS = {"drillCount": (4, 16), "drillFail": (2, 8), "drillWait": (2, 4), "drillBranch": (1, 3)}
BRANCHES, CHILDREN = "drillBranch", (2, 4)
# Of a hundred so many are aborted, so many seconds after they were accepted; and so many are asked for twice.
ABORTS, ABORTED_AFTER_S, TWICE = 30, (0.0, 4.0), 10


class Triggerer:
    """Triggers one task after another in a thread of its own. `orders` has what was asked for and answered.

    One that was not accepted is asked for again, under the same key, until it is.
    """

    def __init__(self, tenants: Sequence[Tenant], port: int, rng: Random) -> None:
        self.orders = Orders()
        self._tenants = {tenant.name: tenant for tenant in tenants}
        self._port = port
        self._rng = rng
        self._again: deque[Order] = deque()
        self._to_abort: list[tuple[float, Told]] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._go, name="triggerer", daemon=True)

    @property
    def counted(self) -> Counter[str]:
        """What was answered how often."""
        told = Counter(f"background tasks ({one.status or 'no answer'})" for one in self.orders.told)
        return told + Counter(f"aborts of them ({one.status or 'no answer'})" for one in self.orders.aborts)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Trigger nothing new. Raises TimeoutError when something that was asked for is not accepted."""
        self._is_over.set()
        self._thread.join(5 * ANSWER_S)
        if self._thread.is_alive():
            raise TimeoutError("A background task that was asked for was not accepted.")

    def _go(self) -> None:
        while not self._is_over.wait(self._rng.uniform(0.5, 1.5) * PACE_S):
            order = self._again.popleft() if self._again else self._ordered()
            self._trigger(order)
            self._abort_due(time.monotonic())
        while self._again:
            time.sleep(PACE_S)
            self._trigger(self._again.popleft())
        self._abort_due(float("inf"))

    def _ordered(self) -> Order:
        """Another one."""
        definition = self._rng.choice(list(STEPS))
        children = self._rng.randint(*CHILDREN) if definition == BRANCHES else 0
        tenant = self._rng.choice(list(self._tenants))
        steps = self._rng.randint(*STEPS[definition])
        self.orders.asked.append(order := Order(len(self.orders.asked) + 1, tenant, definition, steps, children))
        return order

    def _trigger(self, order: Order) -> None:
        first = self._told(order)
        if first.status != TRIGGERED:
            self._again.append(order)
            return
        if self._rng.randrange(100) < TWICE:
            self._told(order)
        if self._rng.randrange(100) < ABORTS:
            self._to_abort.append((time.monotonic() + self._rng.uniform(*ABORTED_AFTER_S), first))

    def _told(self, order: Order) -> Told:
        given = {"number": order.number, "steps": order.steps, "children": order.children}
        body = {"definition": order.definition, "input": given}
        status, answer = self._asked(order.tenant, "", body, key=f"task-{order.number}")
        told = Told(order, status, answer["id"] if status == TRIGGERED else "")
        self.orders.told.append(told)
        return told

    def _abort_due(self, now: float) -> None:
        due = [told for at, told in self._to_abort if at <= now]
        self._to_abort = [(at, told) for at, told in self._to_abort if at > now]
        for told in due:
            status, _ = self._asked(told.order.tenant, f"{told.task}/abort/", {"message": "Enough."})
            self.orders.aborts.append(Aborting(told.task, status, time.time()))

    def _asked(self, tenant: str, path: str, body: dict[str, Any], *, key: str = "") -> tuple[int, Any]:
        """The status and the answer; NO_ANSWER and nothing where none came."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_S)
        headers = {"Content-Type": "application/json", "Host": "localhost"}
        headers |= {"Authorization": f"Bearer {self._tenants[tenant].token}"}
        headers |= {"Idempotency-Key": key} if key else {}
        try:
            connection.request("POST", f"/api/v1/background-tasks/{path}", json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            return NO_ANSWER, None
        finally:
            connection.close()
