"""What a run of a delivery does: its body goes through the hook's transform, and then the hook's actions are done."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from badgerjobs.lib.javascript import Line
from badgerjobs.lib.storable import cleaned
from badgerjobs.runs.kinds import Claimed, Kind
from badgerjobs.runs.outcomes import Done, Failed, Later, Outcome
from webhooks.models import ActState
from webhooks.models.hook import MOST_BODY_BYTES
from webhooks.performing.acting import Acted, Turn
from webhooks.performing.bodies import is_encoded
from webhooks.performing.loading import Work, load
from webhooks.performing.means import Came, Means, TooLongError, open_means
from webhooks.performing.planning import ensure_fits, plan
from webhooks.transforms.transforming import LONG_BYTES, NoRoomError, Returned, TransformError, transformed

# When a transform is tried again for which the sandbox had no room, and acts whose targets somebody else holds.
AGAIN_S = 2.0
# So many of the acts that failed are told of in the error; the delivery's page has all.
TOLD = 3
TOO_LONG = "The actions took longer than they may."


async def perform(run: Claimed, work: Work, means: Means) -> Outcome:
    """Transform the delivery, and do what comes of it. What an earlier attempt planned is done, and no other."""
    if work.is_planned:
        return await _acted(Turn(run, work), _before(work), means)
    try:
        returned = await _transformed(work, means)
        planned = plan(work.hook, returned)
    except NoRoomError:
        return Later(AGAIN_S)
    except TransformError as error:
        output = _output(work, Returned(console=error.console))
        return Failed("transform", cleaned(str(error)), _result(output), retry=error.again, output=output)
    output = _output(work, returned)
    if not planned:
        return Done(_result(output), output)
    return await _acted(Turn(run, work, planned), output, means)


async def _transformed(work: Work, means: Means) -> Returned:
    hook = work.hook
    raw = work.short
    if raw is None:
        raw = await means.statements.insist(work.body) if hook.transform.strip() else b""
    owner = hook.application
    return await transformed(hook.transform, work.headers, raw, owner.workspace_id, part=owner.pk, heavy=means.heavy)


async def _acted(turn: Turn, output: Mapping[str, Any], means: Means) -> Outcome:
    try:
        acts = await (_with_body(turn, means) if turn.takes_body else means.hand.do(turn))
    except TransformError as error:
        return Failed("transform", str(error), _result(output), retry=False, output=output)
    except TooLongError:
        return Failed("act", TOO_LONG, _result(output), output=output)
    if not acts:
        # Somebody else holds its targets, or it was taken from us, and nothing was done. It may be given to us again
        # before we hear of that: what we say of it then must not be that it is done.
        return Later(AGAIN_S, is_begun=True)
    told = {**output, "acts": _counted(acts)}
    failed = [one for one in acts if one.state == ActState.FAILED]
    if not failed:
        return Done(_result(told), told)
    return Failed(
        "act",
        _in_words(failed, len(acts)),
        _result(told),
        retry=any(one.again for one in failed),
        output=told,
        in_part=len(failed) < len(acts),
    )


async def _with_body(turn: Turn, means: Means) -> Came:
    """Their acts, which are given the body: it is read before, once, and not while what they act upon is locked.

    Raises TransformError where it is too long for being given so often.
    """
    work = turn.work
    if work.short is not None and len(work.short) <= LONG_BYTES and not is_encoded(work.headers):
        work.keep(work.short)
        return await means.hand.do(turn)
    async with means.room.of(MOST_BODY_BYTES if is_encoded(work.headers) else work.length):
        try:
            raw = await means.statements.insist(work.body)
            kept = await means.heavy.do(partial(work.keep, raw))
            del raw
            if isinstance(kept, str):
                ensure_fits(turn.planned, kept)
            return await means.hand.do(turn)
        finally:
            work.forget()


def _counted(acts: Iterable[Acted]) -> dict[str, int]:
    states = [one.state for one in acts]
    return {state.value: states.count(state) for state in (ActState.DONE, ActState.SKIPPED, ActState.FAILED)}


def _in_words(failed: Sequence[Acted], count: int) -> str:
    """`The action “sync” failed: …`; of several which, as far as that is short."""
    if count == 1:
        return f"The action “{failed[0].name}” failed: {failed[0].said}"
    told = " ".join(f"“{one.name}”: {one.said}" for one in failed[:TOLD])
    more = f" And {len(failed) - TOLD:,} more." if len(failed) > TOLD else ""
    return f"{len(failed):,} of {count:,} actions failed. {told}{more}"


def _output(work: Work, returned: Returned) -> dict[str, Any]:
    """What is kept with the run."""
    hook = work.hook
    return {
        "variables": dict(returned.variables),
        "filtered": returned.filtered,
        "version": hook.transform_version if hook.transform.strip() else None,
        "console": _lines(returned.console),
        "acts": _counted(()),
    }


def _lines(console: Iterable[Line]) -> list[dict[str, str]]:
    lines: list[dict[str, str]] = cleaned([asdict(line) for line in console])
    return lines


def _before(work: Work) -> dict[str, Any]:
    """The same of an earlier attempt, which planned what is done. It may have ended before it said so."""
    return {**_output(work, Returned()), "version": None, **(work.before or {})}


def _result(output: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept with the attempt: in short how it went."""
    filtered = {} if output["filtered"] is None else {"filtered": output["filtered"]}
    return {"acts": output["acts"], **filtered}


DELIVERY = Kind(load=load, perform=perform, open=open_means)
