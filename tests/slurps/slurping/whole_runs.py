"""A whole run in a worker's hands: pulled over HTTP from a receiver, through the sandbox, into the database."""

from threading import Event
from typing import Any, Self
from uuid import uuid4

from django.db import connections
from django.test import override_settings

from badgerjobs.runs.models import LogLine, Run, State
from badgerjobs.runs.processes.beside import Beside
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pipe import Work
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.types import type_of
from badgerjobs.web.definitions.configurations import checked
from slurps.models import AsyncJob, Collection, Language, Row, Slurper, SlurperSource, Version
from slurps.slurping import process
from slurps.storing.staging import left_tables
from tests.e2e.receiver import Answer, Call, Receiver
from tests.factories import make_application, make_async_job, make_collection, make_run
from tests.slurps.storing.loads import load, seen

BEFORE = [{"id": 1, "name": "Alice"}, {"id": 2, "name": "Bob"}]


class WholeRuns:
    """One async job with an active collection that has rows already. Use it as a context."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._beside = Beside()
        self.job: AsyncJob
        self.collection: Collection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._beside.ask(connections.close_all)
        self._receiver.forget()

    def make(
        self, kind: str = "JSONL", *, code: str = "", language: str = "", tag: str = "users",
        keeps: dict[str, Any] | None = None,
        **configuration: Any,
    ) -> None:  # fmt: skip
        """A job that pulls from the receiver. `code` is JavaScript for batches; `keeps`: what its collection is."""
        language = language or (Language.JAVASCRIPT_BATCHES if code else Language.NONE)
        shop = make_application()
        slurper = Slurper.objects.create(application=shop, tag="users", name="Users", code=code, language=language)
        found = type_of(kind)
        source = DataSource(application=shop, tag=tag, name=tag, type=kind)
        source.configuration = checked(
            found.serializer, {"url": f"{self._receiver.url}/", **configuration}, found.secrets
        )
        source.save()
        SlurperSource.objects.create(slurper=slurper, source=source, place=1)
        self.job = make_async_job(shop, slurper=slurper)
        self.collection = make_collection(shop, async_job=self.job, **(keeps or {}))
        load(self.collection, BEFORE)

    def run(self, answer: bytes | Answer | Any) -> Came:
        """Run it once, while the receiver gives that: a body, an answer, or what makes an answer of a call."""
        given = Answer(body=answer) if isinstance(answer, bytes) else answer
        self._receiver.answer = given if callable(given) else lambda _: given
        run = make_run(self.job.runnable, State.RUNNING, worker=uuid4())
        with override_settings(EGRESS_ALLOW=["127.0.0.1"]):
            return process.performed(self._work(run), self._beside, Event())

    def _work(self, run: Run) -> Work:
        return Work(
            run_id=run.pk, application_id=run.application_id, definition=str(self.job.pk), name=self.job.name,
            input=None, output=None, iteration=1, attempt=1, timeout_s=60, worker=run.worker, kind="slurp",
        )  # fmt: skip

    @property
    def rows(self) -> list[Any]:
        """What readers see."""
        return seen(self.collection)

    def is_as_before(self) -> bool:
        """Whether nothing of a run is left: no row, no version, no number, no table."""
        self.collection.refresh_from_db()
        left = (Row.objects.count(), Version.objects.count(), self.collection.numbered, len(left_tables()))
        return (self.rows, left) == (BEFORE, (len(BEFORE), 1, 1, 0))

    @property
    def said(self) -> list[str]:
        """The lines of the runs' logs."""
        return list(LogLine.objects.order_by("id").values_list("message", flat=True))


def pages(*bodies: bytes) -> Any:
    """One after another for each call, and the last one for ever."""
    count = iter(range(10**9))

    def answer(_: Call) -> Answer:
        body = bodies[min(next(count), len(bodies) - 1)]
        return Answer(body=body, headers=(("Content-Type", "application/json"),))

    return answer
