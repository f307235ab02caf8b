"""One attempt of a run, from the first call to the swap."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any

from django.db import Error, connection, transaction

from badgerjobs.runs.models import Run
from slurps.guarding import flags_of, held_back
from slurps.models import Collection, Stage, Version
from slurps.slurping.languages import LANGUAGES
from slurps.slurping.plan import Plan, SlurpError
from slurps.slurping.pulling import pulled, settle
from slurps.slurping.streaming import GivenUpError, Streamed, streamed
from slurps.storing.encoding import Encoder
from slurps.storing.faults import BusyError, HeldError, SupersededError, UnstorableError
from slurps.storing.loading import Loader
from slurps.storing.pruning import prune
from slurps.storing.staging import begin
from slurps.storing.swapping import Loaded, give_up, hold, loaded_by, made_by, output_of, show

# How often it is said how far it is, in seconds; and how often in the log, where no collection tells it.
PROGRESS_S = 1.0
LOGGED_S = 30.0

SO_FAR = "{:,} rows were read so far."
NOWHERE = "Nothing is stored: no collection of this job is active. Make one, or activate one, on the job's page."
# How long a run that has stored its rows goes on for that.
PRUNING_S = 10.0
OVERTOOK = "The result of run {:,} waited for approval: this one has taken its place, and it can be approved no more."
DONE_BEFORE = "An attempt before this one has stored its rows already."


def slurp(plan: Plan, *, stopped: threading.Event) -> dict[str, Any]:
    """Pull, make rows, store them. Returns the run's output. Raises SlurpError, GivenUpError and database errors."""
    if plan.collection is None:
        return _counted(plan, stopped)
    if version := made_by(plan.run_id):
        plan.say("info", DONE_BEFORE, None)
        return output_of(version, plan.collection)
    try:
        version = begin(collection=plan.collection, run_id=plan.run_id, worker=plan.worker, now=plan.now)
    except (BusyError, HeldError) as error:
        raise SlurpError("held" if isinstance(error, HeldError) else "busy", str(error), retry=True) from None
    except (SupersededError, Collection.DoesNotExist):  # somebody else's by now, or with nowhere to go
        raise GivenUpError from None
    try:
        return _stored(plan, version, stopped)
    except UnstorableError as error:
        _take_back(version)
        raise SlurpError("rows", str(error)) from None
    except SupersededError:
        raise GivenUpError from None
    except BaseException:
        if connection.is_usable():
            _take_back(version)
        raise


def _take_back(version: Version) -> None:
    give_up(version)
    with suppress(Error):  # it is given up: what is left over the next run deletes, or a tick
        prune(version.collection, seconds=PRUNING_S)


def _stored(plan: Plan, version: Version, stopped: threading.Event) -> dict[str, Any]:
    assert plan.collection  # noqa: S101
    loader = Loader(version)
    telling = Telling(plan, version, loader.encoder)
    with _turned(plan, stopped, telling.now_and_then) as turned:
        read = 0
        for batch in turned:
            read += batch.read
            loader.add(batch.rows)
        loader.flush()
        telling.tell(bytes=loader.encoder.bytes)
        version, collection = _shown(plan, version, loaded_by(loader.encoder, read=read))
        turned.keep()  # it is committed: sources may forget it
        if version.stage != Stage.HELD:
            with suppress(Error):  # it is shown: what is left over the next run deletes, or a tick
                prune(collection, seconds=PRUNING_S)
    return _told(plan, version, collection)


def _shown(plan: Plan, version: Version, loaded: Loaded) -> tuple[Version, Collection]:
    """Let readers see it, or hold it back."""
    collection = Collection.objects.select_related("current").filter(pk=version.collection_id).first()
    if collection is None:
        raise SupersededError  # it was deleted meanwhile
    if flags := flags_of(collection, version, loaded):
        version = _kept(
            plan, collection, partial(hold, version, loaded, flags, worker=plan.worker, remembered=plan.remembered)
        )
        plan.say("error", held_back(flags), {"flags": flags})
    else:
        version = _kept(
            plan, collection, partial(show, version, loaded, worker=plan.worker, remembered=plan.remembered)
        )
    for number in version.overtook:
        plan.say("info", OVERTOOK.format(number), None)
    return version, collection


@transaction.atomic
def _kept(plan: Plan, collection: Collection, keep: Callable[[], Version]) -> Version:
    """Keep it, and have the run say so from that moment on: who aborts it a moment later sees what it has left."""
    version = keep()
    Run.objects.filter(pk=plan.run_id).update(output=output_of(version, collection))
    return version


def _told(plan: Plan, version: Version, collection: Collection) -> dict[str, Any]:
    """What the run says of it by now: one that was held may be approved, dropped or replaced before its run is over."""
    output = None
    with suppress(Error):  # it is stored, whatever becomes of the database now
        output = Run.objects.filter(pk=plan.run_id).values_list("output", flat=True).first()
    return output or output_of(version, collection)


def _turned(
    plan: Plan, stopped: threading.Event, meanwhile: Callable[[], None] = lambda: None
) -> AbstractContextManager[Streamed]:
    return streamed(
        lambda: LANGUAGES[plan.slurper.language](plan, pulled(plan)),
        stopped=stopped,
        settle=partial(settle, plan),
        meanwhile=meanwhile,
    )


class Telling:
    """Says how far a load is, for who looks at it meanwhile."""

    def __init__(self, plan: Plan, version: Version, encoder: Encoder) -> None:
        self._plan, self._version, self._encoder = plan, version, encoder
        self._told = time.monotonic()

    def now_and_then(self) -> None:
        """Each second, if there is something else to say."""
        if time.monotonic() - self._told > PROGRESS_S:
            self.tell()

    def tell(self, **more: int) -> None:
        """At once."""
        self._told = time.monotonic()
        far = {"read": sum(self._plan.came.values()), "written": self._encoder.rows, **more}
        if any(getattr(self._version, name) != count for name, count in far.items()):
            Version.objects.filter(pk=self._version.pk).update(**far)
            for name, count in far.items():
                setattr(self._version, name, count)


class Logging:
    """Says in its log how far a run is that stores nothing."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._logged = plan, time.monotonic()

    def now_and_then(self) -> None:
        """Twice a minute."""
        if time.monotonic() - self._logged > LOGGED_S:
            self._logged = time.monotonic()
            self._plan.say("info", SO_FAR.format(sum(self._plan.came.values())), None)


def _counted(plan: Plan, stopped: threading.Event) -> dict[str, Any]:
    """Without a collection: the same work, and nothing is stored."""
    encoder, read = Encoder(key=(), indexed=()), 0
    try:
        with _turned(plan, stopped, Logging(plan).now_and_then) as turned:
            for batch in turned:
                read += batch.read
                encoder.lines(batch.rows, ())
    except UnstorableError as error:
        raise SlurpError("rows", str(error)) from None
    plan.say("info", NOWHERE, None)
    return {"collection": None, "version": None, "read": read, "written": encoder.rows, "bytes": encoder.bytes}
