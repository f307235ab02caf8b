"""The arguments of GraphQL's verbs as the serializer of jobs takes them, and what it says in the words of GraphQL."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rest_framework.exceptions import ValidationError

from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces.models import Application
from jobs.ductape_serializer import NEEDS, THE_WAY_OUT
from jobs.models import Job
from jobs.serializers import JobSerializer

# As the arguments are called here and there, where a sentence names them or stands beside them.
_TOLD_AS = {"tag": "name", "run_at": "runAt", "run_every": "runEvery"}
_SPOKEN = re.compile(r"\brun_(at|every)\b")
# And what else a sentence names that no argument is.
_SAID_AS = {
    "A tag ": "A name ",
    "choose another tag": "choose another name",
    NEEDS: "Say what to call.",
    THE_WAY_OUT: "Change that by REST or in the panel, or leave this out of an updateJob.",
}

NOT_JSON = 'Give the headers as the text of a JSON object, like "{\\"Content-Type\\": \\"text/plain\\"}".'
IN_PIECES = (
    "These headers are a text in pieces, one header for each of its letters: with `json`, give the client its headers "
    "as an object and not as text."
)


def checked(given: Mapping[str, Any], *, application: Application, job: Job | None = None) -> dict[str, Any]:
    """The fields of a job to make, or of this one to change, as the services take them. Raises Invalid.

    `given` are the arguments, in our spelling; its `name` is the job's tag.
    """
    fields = {"tag" if name == "name" else name: value for name, value in given.items()}
    if "headers" in fields:
        fields["headers"] = _headers(fields["headers"])
    if job and fields.get("run_every"):  # it takes the place of another kind of schedule
        fields |= {"cron": None, "preset": None}
    elif job and "run_every" in fields and job.runnable.run_every:  # what does not repeat has no end of that
        fields |= {"end_at": None, "max_runs": None}
    with told_in_their_words():
        serializer = JobSerializer(job, data=fields, partial=job is not None, context={"application": application})
        serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


@contextmanager
def told_in_their_words() -> Iterator[None]:
    """What the rules of jobs refuse is said with the names that GraphQL's arguments have."""
    try:
        yield
    except ValidationError as error:
        details: Any = error.detail
        said = {_TOLD_AS.get(field, field): _spoken(sentences) for field, sentences in details.items()}
        raise Invalid(**said) from None


@contextmanager
def told_which_verb(name: str) -> Iterator[None]:
    """Who makes a job that is there is told which of GraphQL's verbs would be right."""
    try:
        yield
    except Conflict:
        said = f"There is a job with the name “{name}” already: change it with updateJob, or use createOrUpdateJob."
        raise Conflict(said) from None


def _spoken(sentences: Any) -> str:
    said = _first(sentences)
    for theirs, ours in _SAID_AS.items():
        said = said.replace(theirs, ours)
    return _SPOKEN.sub(lambda match: f"run{match[1].capitalize()}", said)


def _first(sentences: Any) -> str:
    """The first of them; of one about a part, as of one header among several, with the part's name."""
    if isinstance(sentences, list):
        return _first(sentences[0])
    if isinstance(sentences, dict):
        part, said = next(iter(sentences.items()))
        return f"{part}: {_first(said)}"
    return str(sentences)


def _headers(text: str | None) -> Any:
    """Raises Invalid for what is no JSON object. The client says `null` as a text when it means none."""
    if text is None or not text.strip():
        return None
    try:
        headers = json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid(headers=NOT_JSON) from None
    if headers is not None and not isinstance(headers, dict):
        raise Invalid(headers=NOT_JSON)
    if headers and {"0", "1", "2"} <= headers.keys() and all(headers[digit] for digit in "012"):
        raise Invalid(headers=IN_PIECES)
    return headers
