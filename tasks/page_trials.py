"""Trying a transform of webhooks out: what it makes of an example, the pattern that fills, and the keys that means."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from badgerjobs.lib.javascript import Line
from badgerjobs.web.definitions.json_text import BadJSONError
from badgerjobs.web.trials import TooManyTrialsError
from badgerjobs.workspaces.models import Application
from tasks.models import Selection
from tasks.pattern_matches import PatternMatches
from tasks.run_form import read_example
from tasks.trials import transformed
from tasks.webhook_variables import TransformError

NO_HEADERS = 'Headers are an object, like {"x-topic": "products/update"}.'


@dataclass(frozen=True)
class WebhookTrial:
    """What came of it: the variables and what was written to the console, or the `error`.

    `matched` is what the pattern means then; None where keys are named exactly.
    """

    variables: Mapping[str, str]
    console: tuple[Line, ...] = ()
    error: str = ""
    matched: PatternMatches | None = None

    @property
    def as_json(self) -> str:
        """The variables as JSON."""
        return json.dumps(self.variables, ensure_ascii=False, indent=1)


def try_form(application: Application, given: Mapping[str, str]) -> tuple[WebhookTrial | None, list[str]]:
    """What came of it, or the sentences that say why there was nothing to try. `given` is the form's."""
    told, refused = _told(given)
    if refused:
        return None, refused
    body, headers = told
    try:
        done = transformed(application, given.get("transform", ""), body, headers)
    except TooManyTrialsError as error:
        return None, [str(error)]
    except TransformError as error:
        return WebhookTrial({}, error.console, str(error)), []
    return WebhookTrial(done.variables, done.console, "", _matched(application, given, done.variables)), []


def _told(given: Mapping[str, str]) -> tuple[Any, list[str]]:
    read: dict[str, Any] = {}
    refused: list[str] = []
    for name, label in (("sample", "Example body"), ("sample_headers", "Example headers")):
        try:
            read[name] = read_example(given.get(name, ""))
        except BadJSONError as error:
            refused.append(f"{label}: {error}")
    headers = read.get("sample_headers") or {}
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        refused.append(NO_HEADERS)
    return (read.get("sample"), headers), refused


def _matched(application: Application, given: Mapping[str, str], variables: Mapping[str, str]) -> PatternMatches | None:
    selection = given.get("selection", "")
    if selection not in Selection.values or selection == Selection.EXACT:
        return None
    return PatternMatches(application, selection, given.get("pattern", ""), variables)
