"""What a notice says, for people: the subject and the text of a mail that tells of one thing, or of several."""

from collections.abc import Mapping, Sequence
from typing import Any

Payload = Mapping[str, Any]

WORDS = {
    "job.failed": "failed for good",
    "job.warned": "keeps failing",
    "job.paused": "was paused",
    "job.unplanned": "is planned no more",
    "job.recovered": "is well again",
    "work.late": "Work is late",
    "work.recovered": "Nothing is late any more",
    "notice.test": "This is a test",
}
LONGEST_SUBJECT = 150
# A mail tells of so many things one by one; of what is more, how many that is.
LISTED = 50


def subject_of(payloads: Sequence[Payload]) -> str:
    """`[shop] reprice failed for good`, or `[shop] 12 things to know`, in one line."""
    application = payloads[0]["data"]["application"]["name"]
    said = _title(payloads[0]) if len(payloads) == 1 else f"{len(payloads)} things to know"
    return " ".join(f"[{application}] {said}".split())[:LONGEST_SUBJECT]


def text_of(payloads: Sequence[Payload]) -> str:
    """Each thing with its sentence, how often it was so since the last mail, and where to look."""
    parts = ["\n".join(_lines(payload)) for payload in payloads[:LISTED]]
    if more := len(payloads) - LISTED:
        parts += [f"And {more:,} more."] if more > 0 else []
    application = payloads[0]["data"]["application"]["name"]
    foot = f"--\nBadger Jobs tells you this about {application}. Its admins choose who is told of what."
    return "\n\n".join([*parts, foot]) + "\n"


def _title(payload: Payload) -> str:
    name, words = payload["data"]["name"], WORDS[payload["type"]]
    return f"{name} {words}" if name else words


def _lines(payload: Payload) -> list[str]:
    data = payload["data"]
    lines = [f"{_title(payload)}, {_moment(payload['timestamp'])}", data["sentence"]]
    if data["closed_at"] and payload["type"] not in {"job.recovered", "work.recovered"}:
        lines.append(f"It was well again at {_moment(data['closed_at'])}.")
    if data["more"]:
        times = "once more" if data["more"] == 1 else f"{data['more']:,} more times"
        lines.append(f"It was so {times} since {_moment(data['more_since'])}.")
    return [*lines, data["link"]] if data["link"] else lines


def _moment(iso: str) -> str:
    return f"{iso[:10]} {iso[11:19]} UTC"
