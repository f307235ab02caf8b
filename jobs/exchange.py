"""What a page shows of a job's call: the request as the job stands now, the answer as it was kept, and what to do."""

import base64
import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from badgerjobs.lib import vault
from badgerjobs.lib.said import sentence_in
from badgerjobs.outbound.calls import KEEP_BYTES
from badgerjobs.outbound.in_words import ERRORS, answer_in_words, phrase
from badgerjobs.runs.backfill_form import range_of
from badgerjobs.runs.models import Attempt, Run
from badgerjobs.runs.shown import Body, Exchange, Shown, Side
from badgerjobs.runs.skipped import ends
from badgerjobs.workspaces.models import Application
from jobs.models import Job, Verb

HIDDEN = "••••••••"
# A request's body is shown up to here, in characters; the job itself has all of it.
LONGEST_SHOWN = 64 * 1024
# A word of a command line may have 128 KB on Linux, in bytes. Of what is longer, its owner has a file.
LONGEST_PASTED = 100_000


def exchange_of(run: Run, attempt: Attempt | None) -> Exchange | None:
    """The call of a job's run. Without an attempt, or with one to which nothing answered, there is no response."""
    job = Job.objects.for_application(run.application).filter(runnable=run.runnable).first()
    if job is None:
        return None
    result = (attempt.result if attempt else None) or {}
    return Exchange(
        request=_request(job, run),
        response=response_of(result) if "status" in result else None,
        curl=curl_of(job),
        is_older=job.updated_at > (attempt.started_at if attempt else run.created_at),
    )


def curl_of(job: Job) -> str:
    """A command that makes this job's call by hand, with an ellipsis in the place of each secret.

    What signs a call is left out. A body too long to be pasted is read from a file of the name `body`.
    """
    words = ["curl", *(["--head"] if job.verb == Verb.HEAD else ["-X", job.verb])]
    # To curl these are patterns, which make several calls of one.
    words += ["--globoff", job.endpoint] if set("[]{}") & set(job.endpoint) else [job.endpoint]
    for name, value in job.headers.items():
        words += ["-H", _header(name, "…" if vault.is_secret(name) else value)]
    if job.body:
        # curl would call it a form.
        words += [] if "content-type" in map(str.lower, job.headers) else ["-H", "Content-Type:"]
        words += ["--data-binary", "@body"] if needs_file(job) else ["--data-raw", job.body]
    return " ".join(shlex.quote(word) for word in words)


def needs_file(job: Job) -> bool:
    """Whether its command reads the body from a file."""
    return len(job.body.encode()) > LONGEST_PASTED


def _header(name: str, value: str) -> str:
    """As curl wants it said: with a colon and nothing behind it, a header is not sent."""
    return f"{name}: {value}" if value else f"{name};"


def _request(job: Job, run: Run) -> Side:
    run_id = str(run.pk)
    given = {name: HIDDEN if vault.is_secret(name) else value for name, value in job.headers.items()}
    ours = {"Idempotency-Key": run_id} if "idempotency-key" not in map(str.lower, given) else {}
    return Side(job.verb, job.endpoint, {**given, **ours, "webhook-id": run_id}, body_of(job))


def body_of(job: Job) -> Body:
    """What the job sends, as far as it is shown."""
    size = len(job.body.encode())
    note = f"Only its beginning is shown: the whole body has {size:,} bytes." if len(job.body) > LONGEST_SHOWN else ""
    return Body(job.body[:LONGEST_SHOWN], size, note)


def response_of(result: Mapping[str, Any]) -> Side:
    """The answer that was kept, its secrets hidden."""
    headers = {
        str(name): HIDDEN if vault.is_secret(str(name)) else value
        for name, value in (result.get("headers") or {}).items()
    }
    return Side(str(result["status"]), phrase(result["status"]), headers, _body(result))


def _body(result: Mapping[str, Any]) -> Body:
    size = len(content_of(result))
    cut = f"Cut: only its first {KEEP_BYTES // 1024} KB are kept." if result.get("body_truncated") else ""
    if result.get("body_is_base64"):
        return Body("", size, f"This is no text. {cut}".strip())
    return Body(result.get("body") or "", size, cut)


def content_of(result: Mapping[str, Any]) -> bytes:
    """The body that was kept, byte for byte."""
    body = result.get("body") or ""
    if not result.get("body_is_base64"):
        return str(body).encode(errors="replace")
    try:
        return base64.b64decode(str(body))
    except ValueError:  # a character that base64 does not have, or too few of them
        return b""


def answer_of(result: Mapping[str, Any], error_class: str) -> str:
    """`503 Service Unavailable`; `answer too large`, whatever status came with it."""
    return answer_in_words(result.get("status"), error_class)


# What may help, by what was wrong: an error's class, a status, or the hundred it is in.
ADVICE = {
    "dns": "Look at the host in the endpoint: it has no address that can be found, or its name server is down.",
    "connect": "Nothing took the connection: the server may be down, or a firewall keeps us out.",
    "tls": "Its certificate has to be valid for this host, and from an authority that is commonly trusted.",
    "timeout": "Give the job a longer timeout, or let the endpoint answer at once and do the work after.",
    "too_large": "Let the endpoint answer with less.",
    "refused": "Replaying will not help until EGRESS_ALLOW, a setting of this installation, lets this address through.",
    "protocol": "What came back is not what HTTP allows: look at the server, or at what stands in front of it.",
    "internal": "This is our fault. A replay may well succeed.",
    401: "Look at the credentials in the job's headers.",
    403: "Look at the credentials in the job's headers.",
    404: "Look at the path in the endpoint.",
    405: "Look at the job's verb: the endpoint does not take it.",
    410: "The endpoint says that it is gone for good: pause or delete the job.",
    429: "The endpoint wants fewer calls: let the job run less often.",
    3: "The endpoint sends us elsewhere: put the address it names into the job.",
    4: "The endpoint does not accept this call: look at what it says below.",
    5: "The trouble is at the endpoint. Replay the run when it is well again.",
}


def advice_on(attempt: Attempt) -> str:
    """What the endpoint says of it, if that can be read, and what may help."""
    result = attempt.result or {}
    status = result.get("status")
    said = _said(result)
    if attempt.error_class == "status" and isinstance(status, int):
        helps = ADVICE.get(status) or ADVICE.get(status // 100, "")
    else:
        helps = ADVICE.get(attempt.error_class, "")
    return " ".join(filter(None, [f"It says: “{said}”" if said else "", helps]))


# So much of the sentence that an answer has for people is quoted.
_QUOTED = 200


def _said(result: Mapping[str, Any]) -> str:
    """The sentence that a JSON answer holds for people; empty where there is none."""
    try:
        sentence = sentence_in(json.loads(str(result.get("body") or "")))
    except (ValueError, RecursionError):
        return ""
    return sentence if len(sentence) <= _QUOTED else f"{sentence[:_QUOTED]}…"


def page_of(run: Run) -> str:
    """The address of its job's page."""
    return reverse("jobs:job", args=[run.application.slug, run.runnable.name]) if run.runnable else ""


def backfill_of(run: Run) -> str:
    """The address at which its occurrences are run all the same."""
    return f"{_backfill(run)}?{urlencode(range_of(*ends(run)))}" if run.runnable else ""


def backfill_of_missed(rows: Sequence[Run]) -> str:
    """The same of several, the newest first, whose occurrences were missed: of nothing else that lies between them."""
    (first, _), (_, last) = ends(rows[-1]), ends(rows[0])
    return f"{_backfill(rows[0])}?{urlencode(range_of(first, last) | {'missed': '1'})}"


def _backfill(run: Run) -> str:
    return reverse("jobs:backfill", args=[run.application.slug, run.runnable.name]) if run.runnable else ""


def titles_of(runnable_ids: Sequence[int]) -> dict[int, str]:
    """Runnable → the name of its job."""
    return dict(Job.objects.filter(runnable_id__in=runnable_ids).values_list("runnable_id", "name"))


def called(application: Application, letters: str) -> Any:
    """A query for the runnables of the jobs whose name has these letters in it, in any case."""
    return Job.objects.for_application(application).filter(name__icontains=letters).values("runnable_id")


HTTP = Shown(
    "HTTP call", answer_of, exchange_of, advice_on, content_of, page_of, titles_of, called,
    errors={"status": "a status that fails", **ERRORS}, backfill=backfill_of,
)  # fmt: skip
