"""Does what runs of deliveries are to do, each act once, however often a run is tried or a worker dies.

A plan is stored first, and in another transaction what is to be done is done and said of it: of many runs at once, so
that a thousand deliveries cost little more than ten. What is planned stays planned; what was done is not done again.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from badgerjobs.lib.time_limits import within
from badgerjobs.runs import fleet
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.outcomes import BUG
from badgerjobs.runs.record import may_pass
from webhooks.actions import ACTIONS, MISSING, Did, Doing, action_of
from webhooks.models import ActState
from webhooks.performing.loading import Work
from webhooks.performing.planning import Planned, action_named, takes_body

logger = logging.getLogger(__name__)

# What doing a batch may take.
ACT_S = 60.0
# How long it is waited for a target that somebody else holds: while that is done, others wait with it.
LOCKED_MS, LOCKED_ALONE_MS = 500, 100
# What a failure that will not pass says.
NO_ACTION = "The webhook has no such action any more."
NO_TYPE = "There are no actions of this type any more."

# The run is held against being taken back or ended: whoever takes it then finds its whole plan. A run has one plan.
_PLAN = """
WITH ours AS (
    SELECT id FROM runs_run WHERE id = ANY(%(ids)s) AND state = 'running' AND worker = %(worker)s
    ORDER BY id FOR SHARE
)
INSERT INTO webhooks_act (application_id, runnable_id, delivery_id, run_id, position, name, type, target, given, state,
                          caused, said, made_at, done_at)
SELECT g.application_id, g.runnable_id, g.delivery_id, g.run_id, g.position, g.name, g.type, g.target, g.given::jsonb,
       'waiting', NULL, '', %(now)s, NULL
FROM unnest(%(applications)s::bigint[], %(runnables)s::bigint[], %(deliveries)s::uuid[], %(runs)s::uuid[],
            %(positions)s::smallint[], %(names)s::text[], %(types)s::text[], %(targets)s::text[], %(givens)s::text[])
    AS g(application_id, runnable_id, delivery_id, run_id, position, name, type, target, given)
JOIN ours ON ours.id = g.run_id
WHERE NOT EXISTS (SELECT FROM webhooks_act a WHERE a.run_id = g.run_id)
ON CONFLICT (run_id, position) DO NOTHING
"""

# Held until it is said what was done: a worker that had the run before, and was thought dead, may still be at it.
_TAKE = """
SELECT a.id, a.run_id, a.position, a.name, a.type, CASE WHEN a.state IN ('waiting', 'failed') THEN a.given::text END,
       a.state, a.said
FROM webhooks_act a JOIN runs_run r ON r.id = a.run_id
WHERE a.run_id = ANY(%s) AND r.state = 'running' AND r.worker = %s
ORDER BY a.run_id, a.position FOR UPDATE OF a
"""

_SAY = """
UPDATE webhooks_act a SET state = g.state, said = g.said, caused = g.caused, done_at = %s
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::uuid[]) AS g(id, state, said, caused)
WHERE a.id = g.id
"""

_HOLD = "SELECT id FROM runs_runnable WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


@dataclass(frozen=True, slots=True)
class Turn:
    """A run whose acts are to be done; `planned` is empty where they were planned before."""

    run: Claimed
    work: Work
    planned: Sequence[Planned] = ()

    @property
    def takes_body(self) -> bool:
        """Whether any of its acts may be given the body."""
        return any(one.takes_body for one in self.planned) if self.planned else takes_body(self.work.hook)

    @property
    def weight(self) -> int:
        """About how many characters its acts are given."""
        if not self.planned:
            return self.work.given + (self.work.length if self.takes_body else 0)
        return sum(len(one.given) + (self.work.length if one.takes_body else 0) for one in self.planned)


@dataclass(frozen=True, slots=True)
class Acted:
    """How one act of a run stands. `again`: of one that failed, whether a later try may succeed."""

    name: str
    state: ActState
    said: str
    again: bool = True


@dataclass(frozen=True, slots=True)
class _Row:
    """An act as it is stored. `given` is None for one that is done."""

    id: int
    run_id: UUID
    position: int
    name: str
    type: str
    given: str | None
    state: str
    said: str


Came = Mapping[UUID, Sequence[Acted] | None]


@within(ACT_S)
def act(turns: Sequence[Turn]) -> Came:
    """Do what these runs, which are one worker's, are to do and have not done. Returns how the acts of each stand.

    None for a run whose targets somebody else holds: that is tried again later. A run that is no longer this worker's
    does nothing, and has no acts. Raises what may pass, and then it may be called again.
    """
    now = fleet.database_now()
    _store(turns, now)
    try:
        return _acted(turns, now, patience_ms=LOCKED_MS)
    except Exception as error:
        if may_pass(error) and not _is_held(error):
            raise
    # Somebody else's lock, or a bug in one: it is nobody else's fault.
    apart: dict[int, list[Turn]] = defaultdict(list)
    for turn in turns:
        apart[turn.run.application_id].append(turn)
    found: dict[UUID, Sequence[Acted] | None] = {}
    for its in apart.values():
        found |= _apart(its, now)
    return found


def _apart(turns: Sequence[Turn], now: datetime) -> Came:
    """Those of one application, each act by itself, so that one which raises fails alone."""
    try:
        return _acted(turns, now, patience_ms=LOCKED_ALONE_MS, singly=True)
    except Exception as error:
        if _is_held(error):
            return dict.fromkeys((turn.run.id for turn in turns), None)
        raise


def _is_held(error: Exception) -> bool:
    """Whether two wait for each other, or one too long for another."""
    sqlstate = getattr(error.__cause__, "sqlstate", None) or ""
    return sqlstate.startswith(("40", "55"))


def _store(turns: Sequence[Turn], now: datetime) -> None:
    """Store the plans of those that have one, all of a run or nothing."""
    rows = [(turn, position, one) for turn in turns for position, one in enumerate(turn.planned)]
    if not rows:
        return
    values: dict[str, Any] = {
        "ids": [turn.run.id for turn in turns if turn.planned],
        "worker": turns[0].run.worker,
        "now": now,
        "applications": [turn.run.application_id for turn, _, _ in rows],
        "runnables": [turn.run.runnable_id for turn, _, _ in rows],
        "deliveries": [turn.work.delivery_id for turn, _, _ in rows],
        "runs": [turn.run.id for turn, _, _ in rows],
        "positions": [position for _, position, _ in rows],
        "names": [one.name for _, _, one in rows],
        "types": [one.type for _, _, one in rows],
        "targets": [one.target for _, _, one in rows],
        "givens": [one.given for _, _, one in rows],
    }
    with connection.cursor() as cursor:
        cursor.execute(_PLAN, values)


def _acted(turns: Sequence[Turn], now: datetime, *, patience_ms: int, singly: bool = False) -> Came:
    """Do what is to be done, in one transaction. What failed before is tried again."""
    by_run = {turn.run.id: turn for turn in turns}
    with transaction.atomic():
        rows = _taken(turns, patience_ms)
        dids: dict[int, Did] = {}
        doings: dict[str, list[tuple[_Row, Doing]]] = defaultdict(list)
        for row in rows:
            if row.given is not None:
                doing = _doing(row, row.given, by_run[row.run_id], now)
                if isinstance(doing, Did):
                    dids[row.id] = doing
                else:
                    doings[row.type].append((row, doing))
        _hold(doings)
        for kind in ACTIONS:
            if its := doings.get(kind):
                dids |= zip((row.id for row, _ in its), _done(kind, [one for _, one in its], singly), strict=True)
        _say(dids, now)
    found: dict[UUID, list[Acted]] = {turn.run.id: [] for turn in turns}
    for row in rows:
        did = dids.get(row.id) or Did(ActState(row.state), row.said)
        found[row.run_id].append(Acted(row.name, did.state, did.said, did.again))
    return found


def _taken(turns: Sequence[Turn], patience_ms: int) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{patience_ms}ms"])
        cursor.execute(_TAKE, [[turn.run.id for turn in turns], turns[0].run.worker])
        return [_Row(*row) for row in cursor.fetchall()]


def _doing(row: _Row, given: str, turn: Turn, now: datetime) -> Doing | Did:
    """What its action is asked to do, as that is now; or that there is no such action."""
    if row.type not in ACTIONS:
        return Did(ActState.FAILED, NO_TYPE, again=False)
    fields = action_named(turn.work.hook, row.name)
    if fields is None or fields["type"] != row.type:
        return Did(ActState.FAILED, NO_ACTION, again=False)
    what = json.loads(given)
    return Doing(
        turn.run.application_id,
        turn.work.hook.runnable_id,
        turn.work.delivery_id,
        row.run_id,
        row.position,
        fields,
        what["variables"],
        what.get("value", MISSING),
        turn.work.text,
        now,
    )


def _hold(doings: Mapping[str, Sequence[tuple[_Row, Doing]]]) -> None:
    """Lock all that will be locked in one order: of two workers, one waits for the other, and not in a ring."""
    ids: set[int] = set()
    for kind, its in doings.items():
        if holds := action_of(kind).holds:
            ids.update(holds([doing for _, doing in its]))
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(_HOLD, [sorted(ids)])


def _done(kind: str, doings: Sequence[Doing], singly: bool) -> Iterable[Did]:
    if not singly:
        return action_of(kind).act(doings)
    return [_done_alone(kind, doing) for doing in doings]


def _done_alone(kind: str, doing: Doing) -> Did:
    try:
        with transaction.atomic():
            [did] = action_of(kind).act([doing])
    except Exception as error:
        if may_pass(error):
            raise
        logger.exception("an act of run %s raised", doing.run_id)
        return Did(ActState.FAILED, BUG.error)
    return did


def _say(dids: Mapping[int, Did], now: datetime) -> None:
    if not dids:
        return
    states = [did.state.value for did in dids.values()]
    said, caused = [did.said for did in dids.values()], [did.caused for did in dids.values()]
    with connection.cursor() as cursor:
        cursor.execute(_SAY, [now, list(dids), states, said, caused])
