"""What came of trying an event out, as a page shows it: by what is in the result, whatever type it is of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from badgerjobs.lib import vault
from badgerjobs.web.definitions import json_text
from jobs.events.showing import ADVICE, ERRORS, answer_of
from jobs.models import Event

# So much of a text is shown, in characters; and of a table so many rows.
LONGEST_SHOWN = 64 * 1024
MOST_ROWS = 100
# What is said in a word, by its name in the result.
FACTS = {"to": "To", "name": "Name", "message_id": "Message id", "length": "Length", "rows_affected": "Rows changed"}


@dataclass(frozen=True, slots=True)
class Tried:
    """What was told of the outcome, and the milliseconds that it took."""

    ok: bool
    duration_ms: int
    result: Mapping[str, Any]
    error_class: str = ""
    error: str = ""

    @classmethod
    def of(cls, outcome: Mapping[str, Any], duration_ms: int) -> "Tried":
        """From what REST would answer."""
        error = outcome["error"] or {"class": "", "message": ""}
        return cls(outcome["ok"], duration_ms, outcome["result"] or {}, error["class"], error["message"])

    @property
    def answer(self) -> str:
        """`200 OK`, `3 rows`, `mail to 2`, `a script that fails`."""
        found = answer_of(self.result, self.error_class) or ERRORS.get(self.error_class, "")
        return found or ("done" if self.ok else "failed")

    @property
    def advice(self) -> str:
        """What may help."""
        return "" if self.ok or self.error_class == "status" else ADVICE.get(self.error_class, "")

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What is said in a word: ids, names, numbers."""
        found = [(called, str(self.result[name])) for name, called in FACTS.items() if self._has(name)]
        found += [("Taken for", one) for one in self.result.get("accepted") or ()]
        return found + [("Refused for", f"{one}: {said}") for one, said in (self.result.get("refused") or {}).items()]

    def _has(self, name: str) -> bool:
        return self.result.get(name) is not None

    @property
    def columns(self) -> list[str]:
        """Of the rows that came back, in the order of the statement; none where there are none."""
        rows = self.result.get("rows") or ()
        return list(self.result.get("columns") or rows[0]) if rows else []  # older results have no order

    @property
    def rows(self) -> list[list[str]]:
        """Their values as text, in the order of the columns."""
        rows = (self.result.get("rows") or ())[:MOST_ROWS]
        return [[_said(row.get(column)) for column in self.columns] for row in rows]

    @property
    def has_rows(self) -> bool:
        """Whether a statement came back with rows, or with none."""
        return "rows" in self.result

    @property
    def more(self) -> str:
        """What of the rows is not shown."""
        returned = self.result.get("rows_returned") or 0
        if self.result.get("truncated"):
            return f"There are more: the first {min(returned, MOST_ROWS):,} are shown, and {returned:,} would be kept."
        return f"The first {MOST_ROWS:,} of {returned:,} are shown." if returned > MOST_ROWS else ""

    @property
    def is_answer(self) -> bool:
        """Whether it is an HTTP answer, with headers and a body."""
        return "status" in self.result

    @property
    def headers(self) -> dict[str, str]:
        return vault.mask(self.result.get("headers") or {})

    @property
    def body(self) -> str:
        return str(self.result.get("body") or "")[:LONGEST_SHOWN]

    @property
    def is_body_cut(self) -> bool:
        return bool(self.result.get("body_truncated")) or len(str(self.result.get("body") or "")) > LONGEST_SHOWN

    @property
    def value(self) -> str:
        """What a function returned, as JSON; empty where nothing was returned, or no function was run."""
        if not self.ok or "value" not in self.result:
            return ""
        return json_text.beginning(self.result["value"], LONGEST_SHOWN)

    @property
    def console(self) -> list[Mapping[str, Any]]:
        """Lines with `level` and `text`."""
        return list(self.result.get("console") or ())


def _said(value: Any) -> str:
    if value is None:
        return "null"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def sample_of(event: Event) -> str:
    """A sample input to begin with: that of the job made last; without one, an object with what the event asks for."""
    given = event.jobs.order_by("-pk").values_list("input", flat=True).first() if event.pk else None
    return json.dumps(given if given is not None else {}, ensure_ascii=False, indent=2)
