"""What the page of a delivery shows: what came, what was decided, what its transform returned, and what that caused."""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import connection
from django.urls import reverse

from badgerjobs.lib import vault
from badgerjobs.runs.models import FINAL, Run
from badgerjobs.runs.shown import Body, called, entitle, entitle_alone
from badgerjobs.web.definitions import json_text
from badgerjobs.workspaces.models import Application
from webhooks.actions import action_of
from webhooks.deliveries.given import given_to, with_given
from webhooks.deliveries.rows import Row, rows_of
from webhooks.models import Act, Delivery, Standing, Verification
from webhooks.performing.bodies import BadBodyError, is_encoded, without_encoding
from webhooks.performing.planning import actions_of
from webhooks.querysets import DeliveryQuerySet
from webhooks.receiving.packing import text_of, unpacked

# A body is shown up to here, in characters; all of it can be had as a file.
LONGEST_SHOWN = 64 * 1024
# A word of a command line may have 128 KB on Linux, in bytes. Of what is longer, its owner has a file.
LONGEST_PASTED = 100_000
# So many runs, and so many of those that came again, are listed.
RUNS, REPEATS = 50, 20
# What a client says for itself.
OWN_HEADERS = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding", "expect"}

# All runs of a delivery, however they came about: of each the one that it repeats, or goes on with after a pause, and
# those that repeat it.
_RUNS = """
WITH RECURSIVE up AS (
    SELECT id, replay_of FROM runs_run WHERE id = ANY(%(ids)s) AND application_id = %(application)s
    UNION SELECT r.id, r.replay_of FROM runs_run r JOIN up ON r.id = up.replay_of
), down AS (
    SELECT id FROM up UNION SELECT r.id FROM runs_run r JOIN down ON r.replay_of = down.id
)
SELECT id FROM down ORDER BY id DESC LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Caused:
    """An act: its target's page, and the run that it made, which is None where it made none or that is gone."""

    act: Act
    address: str
    run: Run | None = None
    run_called: str = ""

    @property
    def given(self) -> list[tuple[str, str]]:
        """`variables` and `value` that the transform gave it, as JSON, as far as it gave any."""
        return given_to(self.act)


class DeliveryPage:
    """A delivery of this application: its body is read when it is shown.

    `chosen` is the run that is told of, or the newest one.
    """

    def __init__(self, application: Application, delivery: Delivery, *, chosen: UUID | None, now: datetime) -> None:
        self.delivery, self.now = delivery, now
        self._application, self._chosen = application, chosen

    @cached_property
    def row(self) -> Row:
        """What the list says of it."""
        return rows_of(self._application, [self.delivery])[0]

    @property
    def is_over(self) -> bool:
        return self.row.run is None or self.row.run.state in FINAL

    @property
    def stamp(self) -> str:
        """Another one whenever the page would show something else."""
        run, caused = self.run, [f"{one.act.state}{one.run.state if one.run else ''}" for one in self.caused]
        moved = f"{run.state}{run.attempts}{run.due_at.timestamp()}" if run else ""
        return "-".join([self.delivery.standing, str(self.delivery.run_id), str(len(self.runs)), moved, *caused])

    @property
    def is_live(self) -> bool:
        """Whether the page looks again: until it, and what it caused, is over."""
        return not self.is_over or any(one.run and one.run.state not in FINAL for one in self.caused)

    @property
    def verified(self) -> str:
        """By what its caller was found right, as people call it; empty where nothing was asked."""
        given = self.delivery.verified
        return str(Verification(given).label) if given in Verification.values else given

    @cached_property
    def raw(self) -> bytes:
        """What came, byte for byte."""
        return unpacked(bytes(self.delivery.body), packed=self.delivery.packed)

    @cached_property
    def text(self) -> str | None:
        """The same as text; None where it is none."""
        return text_of(self.raw)

    @cached_property
    def _read(self) -> tuple[str | None, int, str]:
        """What came as a transform reads it, without its encoding: a text, or None; its bytes; and why it is none."""
        try:
            plain = without_encoding(self.delivery.headers, self.raw)
        except BadBodyError as error:
            return self.text, len(self.raw), str(error)
        return text_of(plain), len(plain), ""

    @property
    def is_text(self) -> bool:
        """Whether an example can be made of it."""
        return bool(self._read[0])

    @property
    def can_be_tried(self) -> bool:
        """Whether it can be typed, if there is any."""
        return self._read[0] is not None

    @cached_property
    def body(self) -> Body:
        """What is shown of it."""
        came = len(self.raw)
        text, size, wrong = self._read
        if not came:
            return Body("", came, "It has no body.")
        if text is None:
            return Body("", came, wrong or "This is no text.")
        notes = [wrong]
        if is_encoded(self.delivery.headers) and not wrong:
            notes.append(f"It is shown without its encoding: {came:,} bytes came.")
        if len(text) > LONGEST_SHOWN:
            notes.append(f"Only its beginning is shown: the whole body has {size:,} bytes.")
        return Body(text[:LONGEST_SHOWN], came, " ".join(filter(None, notes)))

    @cached_property
    def runs(self) -> list[Run]:
        """Its runs, the newest first."""
        ids = [one for one in (self.delivery.run_id, self.delivery.pk) if one]
        with connection.cursor() as cursor:
            cursor.execute(_RUNS, {"ids": ids, "application": self._application.pk, "most": RUNS})
            found = [run_id for (run_id,) in cursor.fetchall()]
        runs = Run.objects.for_application(self._application).filter(pk__in=found, kind="delivery")
        return list(runs.defer("input").order_by("-pk"))

    @cached_property
    def run(self) -> Run | None:
        """The one that is told of; None where it has none."""
        newest = [run for run in self.runs if run.pk == self.delivery.run_id] or self.runs
        return next((run for run in self.runs if run.pk == self._chosen), next(iter(newest), None))

    @property
    def is_older(self) -> bool:
        """Whether another run than the newest is told of."""
        return bool(self.run and self.delivery.run_id and self.run.pk != self.delivery.run_id)

    @cached_property
    def output(self) -> Mapping[str, Any]:
        """What that run says of its transform: variables, version, console, filtered."""
        output = self.run.output if self.run else None
        return output if isinstance(output, dict) else {}

    @property
    def variables(self) -> str:
        """Those that the transform returned, as JSON; empty where there were none."""
        given = self.output.get("variables")
        return json.dumps(given, ensure_ascii=False, indent=1) if given else ""

    @property
    def is_given_apart(self) -> bool:
        """Whether the actions were given what is not among those variables."""
        return any(one.given for one in self.caused)

    @property
    def console(self) -> list[Mapping[str, str]]:
        """What the transform wrote: level and text."""
        lines = self.output.get("console")
        return lines if isinstance(lines, list) else []

    @cached_property
    def caused(self) -> list[Caused]:
        """What that run did, and is to do, in order."""
        if self.run is None:
            return []
        acts = with_given(Act.objects.for_application(self._application).filter(run_id=self.run.pk))
        return caused_by(self._application, self._fields, acts.order_by("position"))

    @cached_property
    def _fields(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """Name and type of each action of its hook as it is now → its fields."""
        hook = self.row.hook
        return {(one["name"], one["type"]): one for one in actions_of(hook)} if hook else {}

    @cached_property
    def first(self) -> Delivery | None:
        """The delivery that this one repeats; None where it repeats none, or that one is not kept any more."""
        if self.delivery.duplicate_of is None:
            return None
        return self._deliveries.filter(pk=self.delivery.duplicate_of).defer("body").first()

    @cached_property
    def repeats(self) -> list[Delivery]:
        """Those that repeat this one, as far as anybody wants to know."""
        if self.delivery.standing == Standing.DUPLICATE:
            return []
        its = self._deliveries.filter(runnable_id=self.delivery.runnable_id, standing=Standing.DUPLICATE)
        its = its.filter(pk__gt=self.delivery.pk, duplicate_of=self.delivery.pk)
        return list(its.only("pk", "received_at", "application_id").order_by("pk")[:REPEATS])

    @cached_property
    def older(self) -> UUID | None:
        """The delivery of the same hook before this one."""
        its = self._deliveries.filter(runnable_id=self.delivery.runnable_id, pk__lt=self.delivery.pk)
        return its.order_by("-pk").values_list("pk", flat=True).first()

    @cached_property
    def newer(self) -> UUID | None:
        """The delivery of the same hook after this one."""
        its = self._deliveries.filter(runnable_id=self.delivery.runnable_id, pk__gt=self.delivery.pk)
        return its.order_by("pk").values_list("pk", flat=True).first()

    @property
    def _deliveries(self) -> DeliveryQuerySet:
        return Delivery.objects.for_application(self._application)

    def curl(self, address: str) -> str:
        """A command that sends the same to this address, with an ellipsis in the place of each secret."""
        url = f"{address}?{self.delivery.query}" if self.delivery.query else address
        words = ["curl", "-X", self.delivery.method, *(["--globoff"] if set("[]{}") & set(url) else []), url]
        for name, value in self.delivery.headers.items():
            if name.lower() not in OWN_HEADERS:
                words += ["-H", _header(name, "…" if vault.is_secret(name) else str(value))]
        if self.raw:
            words += [] if "content-type" in map(str.lower, self.delivery.headers) else ["-H", "Content-Type:"]
            words += (
                ["--data-binary", f"@{file_name(self.delivery)}"]
                if self.needs_file
                else ["--data-raw", self.text or ""]
            )
        return " ".join(shlex.quote(str(word)) for word in words)

    @property
    def needs_file(self) -> bool:
        """Whether its command reads the body from a file."""
        return self.text is None or len(self.raw) > LONGEST_PASTED or self.text.startswith("@")


def caused_by(
    application: Application, fields: Mapping[tuple[str, str], Mapping[str, Any]], acts: Iterable[Act]
) -> list[Caused]:
    """Acts with where they lead: a query for their runs, however many there are."""
    acts = list(acts)
    ids = [act.caused for act in acts if act.caused]
    found = Run.objects.for_application(application).filter(pk__in=ids).select_related("runnable") if ids else ()
    runs = {run.pk: run for run in found}
    entitle([run.runnable for run in runs.values()])
    entitle_alone(runs.values())
    return [_caused(application, act, fields, runs.get(act.caused) if act.caused else None) for act in acts]


def _caused(
    application: Application, act: Act, fields: Mapping[tuple[str, str], Mapping[str, Any]], run: Run | None
) -> Caused:
    its = fields.get((act.name, act.type))
    return Caused(act, _target(application, act.type, its) if its else "", run, _called(run) if run else "")


def _called(run: Run) -> str:
    """`Run 12`; of a run that nobody counts what it is of."""
    return f"run {run.number}" if run.number else run.subject or (called(run) if run.runnable else "its run")


def _target(application: Application, kind: str, fields: Mapping[str, Any]) -> str:
    """The address of the page of what an action acts upon; empty where there is none."""
    try:
        return action_of(kind).address(application, fields)
    except (ImportError, KeyError):  # a type that there is no more
        return ""


def file_name(delivery: Delivery) -> str:
    """What its body is called as a file."""
    return f"delivery-{delivery.pk}.bin"


def page_of(application: Application, delivery_id: UUID) -> str:
    """The address of the page of a delivery."""
    return reverse("webhooks:delivery", args=[application.slug, delivery_id])


def _header(name: str, value: str) -> str:
    """As curl wants it said: with a colon and nothing behind it, a header is not sent."""
    return f"{name}: {value}" if value else f"{name};"


def laid_out(text: str) -> str:
    """JSON laid out for people to change; any other text as it is."""
    try:
        return json_text.written(json_text.read(text)) or text
    except json_text.BadJSONError:
        return text
