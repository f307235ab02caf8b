"""The first steps of an application without jobs: what to call, in several languages, and how far that has come."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from badgerjobs.runs.models import FINAL, Run, Runnable
from badgerjobs.runs.shown import entitle
from badgerjobs.web.outgoing import echo_address
from badgerjobs.workspaces.models import Application

# Stands where the token belongs, until there is one.
TOKEN = "TOKEN"  # noqa: S105
ELSEWHERE = "https://example.com/"
TAG = "hello"

_CURL = """\
curl {address} \\
  -H 'Authorization: Bearer {token}' \\
  -H 'Content-Type: application/json' \\
  -d '{job}'"""

_PYTHON = """\
import json
from urllib.request import Request, urlopen

urlopen(Request(
    "{address}",
    headers={{"Authorization": "Bearer {token}", "Content-Type": "application/json"}},
    data=json.dumps({job}).encode(),
))"""

_JAVASCRIPT = """\
await fetch("{address}", {{
  method: "POST",
  headers: {{
    "Authorization": "Bearer {token}",
    "Content-Type": "application/json",
  }},
  body: JSON.stringify({job}),
}});"""


@dataclass(frozen=True, slots=True)
class Example:
    """A call that makes the first job, in one language; `name` is its word in style sheets."""

    name: str
    label: str
    code: str


def examples(request: HttpRequest, secret: str = "") -> Sequence[Example]:
    """The same call in each language, ready to be copied; with a token when there is one to show."""
    job = {"tag": TAG, "endpoint": endpoint(), "verb": "POST", "run_every": "PT1M"}
    values = {"address": request.build_absolute_uri("/api/v1/jobs/"), "token": secret or TOKEN}
    return (
        Example("curl", "curl", _CURL.format(job=json.dumps(job, indent=2).replace("\n", "\n  "), **values)),
        Example("python", "Python", _PYTHON.format(job=_indented(job, 4), **values)),
        Example("js", "JavaScript", _JAVASCRIPT.format(job=_indented(job, 2), **values)),
    )


def endpoint() -> str:
    """What the first job calls: our own receiver where there is one."""
    return echo_address(TAG) if settings.DEMO else ELSEWHERE


def _indented(job: Mapping[str, Any], by: int) -> str:
    return json.dumps(job, indent=by).replace("\n", "\n" + " " * by)


@dataclass(frozen=True, slots=True)
class FirstRun:
    """How far it has come: no `runnable` yet, no `run` yet, or a run, perhaps over."""

    runnable: Runnable | None = None
    run: Run | None = None

    @property
    def has_arrived(self) -> bool:
        return self.run is not None and self.run.state in FINAL


def first_run(application: Application) -> FirstRun:
    """The newest job and its newest run: three statements, however many runs others left."""
    runnable = Runnable.objects.for_application(application).order_by("-id").first()
    if runnable is None:
        return FirstRun()
    entitle([runnable])
    return FirstRun(runnable, Run.objects.of(runnable.pk).order_by("-id").first())
