"""What pages show of runs of deliveries: what came, what its transform made of it, and what that led to."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from badgerjobs.lib import vault
from badgerjobs.runs.models import Attempt, Run
from badgerjobs.runs.shown import Body, Exchange, Shown, Side, Table
from badgerjobs.workspaces.models import Application
from webhooks.models import Act, ActState, Delivery, Hook
from webhooks.receiving.packing import unpacked

# A body is shown up to here, in characters; the page of the delivery has all of it.
LONGEST_SHOWN = 64 * 1024

# The classes of what can be wrong with such a run, in words.
ERRORS = {
    "transform": "a transform that failed",
    "act": "an action that failed",
}
ADVICE = {
    "transform": "Try the transform against this delivery where it is edited. Then replay the delivery.",
    "act": "What was done stays done: another attempt does only what failed. A replay does all of it again.",
}
# How the acts of a run stand, in the order in which that is told.
_STATES = (ActState.DONE, ActState.SKIPPED, ActState.FAILED)


def answer_of(result: Mapping[str, Any], error_class: str) -> str:
    """`2 done, 1 failed`, `filtered`; `nothing to do` where the hook has no actions."""
    if error_class not in {"", "act"} or "acts" not in result:
        return ""
    if "filtered" in result:
        return "filtered"
    counts = result["acts"]
    said = [f"{counts[state]:,} {state}" for state in _STATES if counts.get(state)]
    return ", ".join(said) or "nothing to do"


def exchange_of(run: Run, attempt: Attempt | None) -> Exchange | None:
    """The delivery as it came, and what its run made of it. None where the delivery was deleted."""
    given: Any = run.input
    delivery = Delivery.objects.for_application(run.application).filter(pk=given["delivery"]).first()
    if delivery is None:
        return None
    response = _response(run, attempt) if attempt else None
    is_told = response is not None
    return Exchange(_request(run, delivery), response, is_call=False, tells_output=is_told, title="Delivery")


def _request(run: Run, delivery: Delivery) -> Side:
    facts = [("Came", f"by {delivery.method}" + (f" from {delivery.address}" if delivery.address else ""))]
    if delivery.query:
        facts.append(("Query", delivery.query))
    if delivery.event_id:
        facts.append(("Known by", delivery.event_id))
    return Side(
        "Delivery",
        str(delivery.pk),
        vault.mask(delivery.headers),
        _body(unpacked(bytes(delivery.body), packed=delivery.packed)),
        facts=facts,
        address=reverse("webhooks:delivery", args=[run.application.slug, delivery.pk]),
    )


def _body(raw: bytes) -> Body:
    if not raw:
        return Body(note="It has no body.")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return Body("", len(raw), "This is no text.")
    cut = f"Only its beginning is shown: the whole body has {len(raw):,} bytes." if len(text) > LONGEST_SHOWN else ""
    return Body(text[:LONGEST_SHOWN].replace("\0", "\ufffd"), len(raw), cut)


def _response(run: Run, attempt: Attempt) -> Side:
    """What the transform returned and wrote, as the run has it; and how its acts stand."""
    output = run.output or {}
    acts = list(Act.objects.for_application(run.application).filter(run_id=run.pk).defer("given"))
    facts = [("Transform", f"version {output['version']}")] if output.get("version") else []
    if output.get("filtered"):
        facts.append(("Nothing was done", output["filtered"]))
    variables = output.get("variables")
    text = json.dumps(variables, ensure_ascii=False, indent=2) if variables else ""
    return Side(
        answer_of(attempt.result or {}, attempt.error_class),
        body=Body(text[:LONGEST_SHOWN], len(text.encode()), called="variables"),
        facts=facts,
        table=_table(acts) if acts else None,
        lines=[(str(line["level"]), str(line["text"])) for line in output.get("console", ())],
    )


def _table(acts: Sequence[Act]) -> Table:
    rows = [(act.name, act.target or act.type, act.get_state_display(), act.said) for act in acts]
    return Table(("Action", "Target", "State", ""), rows)


def advice_on(attempt: Attempt) -> str:
    """What may help."""
    return ADVICE.get(attempt.error_class, "")


def content_of(result: Mapping[str, Any]) -> bytes:
    """How its acts stood after the attempt, as JSON."""
    return json.dumps(result, ensure_ascii=False).encode()


def page_of(run: Run) -> str:
    """The address of its hook's page."""
    tag = Hook.objects.for_application(run.application).filter(runnable=run.runnable).values_list("tag", flat=True)
    return reverse("webhooks:hook", args=[run.application.slug, found]) if (found := tag.first()) else ""


def titles_of(runnable_ids: Sequence[int]) -> dict[int, str]:
    """Runnable → the name of its hook."""
    return dict(Hook.objects.filter(runnable_id__in=runnable_ids).values_list("runnable_id", "name"))


def called(application: Application, letters: str) -> Any:
    """A query for the runnables of the hooks whose name has these letters in it, in any case."""
    return Hook.objects.for_application(application).filter(name__icontains=letters).values("runnable_id")


DELIVERY = Shown(
    "webhook delivery", answer_of, exchange_of, advice_on, content_of, page_of, titles_of, called, errors=ERRORS
)
