"""The collections of the drill: who has them filled by REST and aborts some of that, and who reads them meanwhile."""

import http.client
import json
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from badgerjobs.sources.services import create_source
from badgerjobs.workspaces.audit import OPERATOR
from chaos.checks.loads import ACCEPTED, FAILS, NO_ANSWER, OK, ROWS, SAID, Aborting, Fillings, Read, Told, digest_of
from chaos.work import Tenant
from slurps.collecting.services import activate, create_collection
from slurps.services import create_async_job
from slurps.slurper_services import create_slurper

# All modes, over two tenants that call theirs alike: what one of them has must be nothing to the other.
MODES = (
    ("normal", "upserted", "accumulative_versioned"),
    ("versioned", "upserted_versioned", "accumulative"),
)
NAMES = ("one", "two", "three")
KEPT = 4
# The source is slow, so that what breaks strikes in the middle. What fails for a reason that passes is tried again.
AFTER_S, RETRIES, RETRY_STEP_S = 0.3, 9, 1
CODE = (
    "if (%(fails)s.includes(ctx.run.at(-1))) throw new Error(%(said)s);"
    " return [...dataMap[%(source)s], {id: ctx.run}].map(row => ({...row, run: ctx.run}));"
)

# Each load takes a process of code and a sandbox, which must not be what makes calls late.
PACE_S, READ_PACE_S, ANSWER_S = 2.5, 0.7, 6.0
# Of a hundred runs so many are aborted, so many seconds after they were accepted; of reads of versions, so many ask for
# the one before.
ABORTS, ABORTED_AFTER_S, OLD = 15, (0.0, 3.0), 25


@dataclass(frozen=True, slots=True)
class Place:
    """A collection, `TENANT/NAME`, and whether older versions of it can be read."""

    name: str
    is_versioned: bool

    @property
    def tenant(self) -> str:
        return self.name.split("/")[0]

    @property
    def path(self) -> str:
        return self.name.split("/")[1]


def make_collections(tenants: Sequence[Tenant], *, url: str, now: datetime) -> list[Place]:
    """A collection for each mode, with a job, a slurper and a source of its name."""
    given: Mapping[str, Any] = {"by": OPERATOR, "now": now}
    made = []
    for tenant, modes in zip(tenants, MODES, strict=True):
        for name, mode in zip(NAMES, modes, strict=True):
            its: Mapping[str, Any] = {"application": tenant.application, "tag": name, **given}
            configuration = {"url": f"{url}{tenant.name}/{name}?rows={ROWS}&after={AFTER_S}"}
            create_source(type="JSONL", configuration=configuration, **its)
            texts = {"fails": FAILS, "said": SAID, "source": name}
            code = CODE % {word: json.dumps(text) for word, text in texts.items()}
            create_slurper(sources=[name], language="javascript", code=code, **its)
            policy: Mapping[str, Any] = {"overlap": "queue_all", "retries": RETRIES, "retry_step_s": RETRY_STEP_S}
            job = create_async_job(slurper=name, **policy, **its)
            fields: Mapping[str, Any] = {
                "key": ["id"] if "upserted" in mode else [],
                "keep": KEPT if "versioned" in mode else 1,
            }
            collection = create_collection(job=job, name=name, mode=mode, **fields, **given)
            activate(collection=collection, **given)
            made.append(Place(f"{tenant.name}/{name}", "versioned" in mode))
    return made


class _Caller(ABC):
    """A thread of its own that calls REST as a tenant, whether anybody answers or not."""

    def __init__(self, name: str, tenants: Sequence[Tenant], port: int) -> None:
        self._tokens = {tenant.name: tenant.token for tenant in tenants}
        self._port = port
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._go, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing new. Raises TimeoutError when something that was asked for gets no answer."""
        self._is_over.set()
        self._thread.join(5 * ANSWER_S)
        if self._thread.is_alive():
            raise TimeoutError(f"The {self._thread.name} got no answer.")

    @abstractmethod
    def _go(self) -> None:
        """What it does, until it is over."""

    def _asked(self, method: str, tenant: str, path: str, *, key: str = "") -> tuple[int, Any, Mapping[str, str]]:
        """The status, the answer and its headers; NO_ANSWER and nothing where none came."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_S)
        headers = {"Host": "localhost", "Authorization": f"Bearer {self._tokens[tenant]}"}
        headers |= {"Idempotency-Key": key} if key else {}
        try:
            connection.request(method, f"/api/v1/{path}", None, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read()), dict(response.getheaders())
        except (OSError, http.client.HTTPException, ValueError):
            return NO_ANSWER, None, {}
        finally:
            connection.close()


class Filler(_Caller):
    """Has one collection after another filled. What was not accepted is asked for again, until it is."""

    def __init__(self, places: Sequence[Place], tenants: Sequence[Tenant], port: int, rng: Random) -> None:
        super().__init__("filler", tenants, port)
        self.fillings = Fillings()
        self._places = places
        self._rng = rng
        self._again: deque[tuple[int, Place]] = deque()
        self._to_abort: list[tuple[float, str, str]] = []

    @property
    def counted(self) -> Counter[str]:
        """What was answered how often."""
        told = Counter(f"loads ({one.status or 'no answer'})" for one in self.fillings.told)
        return told + Counter(f"aborts of loads ({one.status or 'no answer'})" for one in self.fillings.aborts)

    def _go(self) -> None:
        while not self._is_over.wait(self._rng.uniform(0.5, 1.5) * PACE_S):
            self._ask(*(self._again.popleft() if self._again else self._another()))
            self._abort_due(time.monotonic())
        while self._again:
            time.sleep(PACE_S)
            self._ask(*self._again.popleft())
        self._abort_due(float("inf"))

    def _another(self) -> tuple[int, Place]:
        place, number = self._rng.choice(self._places), len(self.fillings.asked) + 1
        self.fillings.asked[number] = place.name
        return number, place

    def _ask(self, number: int, place: Place) -> None:
        path = f"async-jobs/{place.path}/run/"
        status, answer, _ = self._asked("POST", place.tenant, path, key=f"load-{number}")
        run = str(answer["id"]) if status == ACCEPTED else ""
        self.fillings.told.append(Told(number, place.name, status, run))
        if not run:
            self._again.append((number, place))
        elif self._rng.randrange(100) < ABORTS:
            self._to_abort.append((time.monotonic() + self._rng.uniform(*ABORTED_AFTER_S), place.tenant, run))

    def _abort_due(self, now: float) -> None:
        due = [one for one in self._to_abort if one[0] <= now]
        self._to_abort = [one for one in self._to_abort if one[0] > now]
        for _, tenant, run in due:
            status, _, _ = self._asked("POST", tenant, f"runs/{run}/abort/")
            self.fillings.aborts.append(Aborting(run, status))


class Reader(_Caller):
    """Reads one collection after the other, all rows of it; of some now and then the version before."""

    def __init__(self, places: Sequence[Place], tenants: Sequence[Tenant], port: int, rng: Random) -> None:
        super().__init__("reader", tenants, port)
        self.reads: list[Read] = []
        self._places = places
        self._rng = rng

    def _go(self) -> None:
        newest: Counter[str] = Counter()
        while not self._is_over.wait(self._rng.uniform(0.5, 1.5) * READ_PACE_S):
            place = self._rng.choice(self._places)
            before = newest[place.name] - 1
            is_old = place.is_versioned and before > 0 and self._rng.randrange(100) < OLD
            read = self._read(place, before if is_old else None)
            newest[place.name] = max(newest[place.name], read.version)
            self.reads.append(read)

    def _read(self, place: Place, asked: int | None) -> Read:
        path = f"collections/{place.path}/" + (f"?version={asked}" if asked else "")
        status, rows, headers = self._asked("GET", place.tenant, path)
        if status != OK:
            return Read(place.name, status, asked=asked)
        version = int(headers["X-Collection-Version"])
        digest = digest_of([(str(row["id"]), str(row["run"])) for row in rows])
        return Read(place.name, status, version, digest, len(rows), asked)
