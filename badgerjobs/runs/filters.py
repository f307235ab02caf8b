"""What a list of runs may be narrowed by, as a form whose fields are the address."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import QueryDict

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs.models import State
from badgerjobs.runs.shown import CAUSE_WORDS, SHOWN_KINDS, errors_shown, shown_as
from badgerjobs.runs.skipped import BRIEFLY

# The page says in which zone they are meant.
_TIME = {"type": "datetime-local", "aria-describedby": "filter-zone"}
_BAD_TIME = "This is no time: write it like 2026-11-21T22:50."
_BACKWARDS = "“From” is after “to”, so that nothing lies between: give an earlier time, or a later one there."


class RunFilters(forms.Form):
    """All of them may be empty. Times are the reader's, unless they name a zone."""

    name = forms.CharField(
        required=False, max_length=200, strip=False,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Name or tag of a job"}),
    )  # fmt: skip
    state = forms.MultipleChoiceField(
        required=False, choices=State.choices, error_messages={"invalid_choice": "“%(value)s” is no state of a run."}
    )
    cause = forms.ChoiceField(
        required=False, choices=[("", "Any cause"), *CAUSE_WORDS.items()],
        error_messages={"invalid_choice": "“%(value)s” is no cause of a run."},
    )  # fmt: skip
    kind = forms.ChoiceField(required=False, error_messages={"invalid_choice": "“%(value)s” is no kind of run."})
    # The form has its own attribute of this name all the same: fields are kept apart.
    error_class = forms.ChoiceField(  # type: ignore[assignment]
        required=False, error_messages={"invalid_choice": "“%(value)s” is no class of error."}
    )
    skip_reason = forms.ChoiceField(
        required=False, choices=[("", "Skipped or not"), *((why, f"skipped: {said}") for why, said in BRIEFLY.items())],
        error_messages={"invalid_choice": "“%(value)s” is no reason to skip a run."},
    )  # fmt: skip
    since = forms.DateTimeField(
        required=False, error_messages={"invalid": _BAD_TIME}, widget=forms.DateTimeInput(_TIME, "%Y-%m-%dT%H:%M")
    )
    until = forms.DateTimeField(
        required=False, error_messages={"invalid": _BAD_TIME}, widget=forms.DateTimeInput(_TIME, "%Y-%m-%dT%H:%M")
    )

    def __init__(self, query: QueryDict) -> None:
        super().__init__(_with_states(query), auto_id="filter-%s")
        kinds = [(kind, shown_as(kind).word) for kind in SHOWN_KINDS]
        self.fields["kind"].choices = [("", "Any kind"), *kinds]  # type: ignore[attr-defined]
        self.fields["error_class"].choices = [("", "Any error"), *errors_shown().items()]  # type: ignore[attr-defined]
        self.has_kinds = len(kinds) > 1
        self.is_valid()

    def clean_name(self) -> str:
        """No name holds a null character, and no query may."""
        return str(self.cleaned_data["name"]).replace("\0", "")

    def clean(self) -> dict[str, Any]:
        """A span of time does not end before it begins."""
        since, until = (self.cleaned_data.get(name) for name in ("since", "until"))
        if since and until and since > until:
            self.add_error("since", _BACKWARDS)
        return self.cleaned_data

    @property
    def is_set(self) -> bool:
        """Whether anything is narrowed."""
        return any(self.cleaned_data.values())

    @property
    def states(self) -> list[str]:
        """The states asked for; none means all."""
        return list(self.cleaned_data.get("state", []))

    @property
    def searched_states(self) -> list[str]:
        """The same; where none is asked for, those that the other filters leave, which are found by their indexes."""
        if self.states:
            return self.states
        if self.cleaned_data.get("skip_reason"):
            return [State.SKIPPED]
        if self.cleaned_data.get("error_class"):
            return [state for state in State if state not in {State.SUCCEEDED, State.SKIPPED}]
        return []

    def conditions(self) -> dict[str, Any]:
        """What has to hold of a row, but for its state and its name."""
        given = {name: self.cleaned_data.get(name) for name in ("cause", "kind", "error_class", "skip_reason")}
        return {name: value for name, value in given.items() if value}

    def moments(self) -> dict[str, Any]:
        """The same of its id, which tells when it was made."""
        given = {"id__gte": self.cleaned_data.get("since"), "id__lt": self.cleaned_data.get("until")}
        return {name: uuid7_floor(max(moment, _FIRST)) for name, moment in given.items() if moment}

    def chips(self) -> list[tuple[str, str]]:
        """What is set, in words, and the address without it."""
        return [
            (f"{_NAMES.get(name, name)}: {_worded(name, one)}", self.address(without=(name, one)))
            for name, one in self._given()
        ]

    def hidden(self) -> list[tuple[str, list[str]]]:
        """The same filters as a form carries them on."""
        return list(QueryDict(self.address()).lists())

    def address(self, *, without: tuple[str, Any] | None = None) -> str:
        """The query that means these filters, perhaps without one of them."""
        query = QueryDict(mutable=True)
        for name, one in self._given():
            if (name, one) != without:
                query.appendlist(name, _plain(one))
        return query.urlencode()

    def _given(self) -> Iterator[tuple[str, Any]]:
        """Each filter that is set, with each of its values."""
        for name, value in self.cleaned_data.items():
            yield from ((name, one) for one in (value if isinstance(value, list) else [value]) if one)


# Ids begin in 1970.
_FIRST = datetime.fromtimestamp(0, UTC)


def _with_states(query: QueryDict) -> QueryDict:
    """States may stand apart or, as in the API, in one word with commas.

    Each counts once: it is a search of its own.
    """
    query = query.copy()
    states = [state for given in query.getlist("state") for state in given.split(",") if state]
    query.setlist("state", list(dict.fromkeys(states)))
    return query


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _worded(name: str, value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    said = {"cause": CAUSE_WORDS, "error_class": errors_shown(), "skip_reason": BRIEFLY}.get(name, {})
    return said.get(value, str(value))


_NAMES = {"error_class": "error", "skip_reason": "skipped"}
