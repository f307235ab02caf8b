"""Which past occurrences are run, and how many a minute, as forms. The time on the wall is the schedule's."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django import forms

from badgerjobs.lib import words, zones
from badgerjobs.runs.bulk_serializers import MOST_A_MINUTE
from badgerjobs.runs.wall_time import BAD_TIME, LocalTime

_SECOND = timedelta(seconds=1)


class RateForm(forms.Form):
    """`cleaned_data` has `per_minute`: how many may begin in a minute, or None for no such limit."""

    template = "runs/form/rate.html"

    per_minute = forms.IntegerField(
        label="At most so many a minute",
        required=False,
        min_value=1,
        max_value=MOST_A_MINUTE,
        error_messages={"invalid": "Give a whole number, like 10, or nothing."},
        widget=forms.NumberInput({"placeholder": "no limit", "inputmode": "numeric"}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **{"auto_id": "many-%s", **kwargs})


class BackfillForm(RateForm):
    """`cleaned_data` has `since` and `until` as moments, too; their wall time is that of the `zone`.

    `missed`: only what was skipped because nothing was dispatched is meant.
    """

    template = "runs/form/backfill.html"

    since = forms.CharField(label="From", widget=LocalTime, error_messages={"required": "Say from when on."})
    until = forms.CharField(label="To", widget=LocalTime, error_messages={"required": "Say until when."})

    missed = forms.BooleanField(label="Only what was missed while nothing was dispatched", required=False)

    field_order = ("since", "until", "missed", "per_minute")

    def __init__(self, data: Mapping[str, Any] | None = None, *, zone: tzinfo, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.zone = zone

    def clean_since(self) -> datetime:
        return self._moment("since")

    def clean_until(self) -> datetime:
        return self._moment("until")

    def _moment(self, name: str) -> datetime:
        try:
            wall = datetime.fromisoformat(self.cleaned_data[name].strip())
            return wall if wall.tzinfo else zones.shifted(wall, self.zone)
        except (ValueError, OverflowError):
            raise forms.ValidationError(BAD_TIME) from None

    @property
    def place(self) -> str:
        """Where its time is told."""
        return words.place(self.zone)

    def hidden(self) -> dict[str, list[str]]:
        """The same as it was filled in, for the question that comes next."""
        return {name: [str(self.data.get(name, ""))] for name in self.fields}


def begun_with(query: Mapping[str, str], zone: tzinfo) -> dict[str, str]:
    """What an address says of `since` and `until`, as the fields have it; what cannot be read is left out."""
    found = {}
    for name in ("since", "until"):
        try:
            moment = datetime.fromisoformat(query.get(name, ""))
            found[name] = f"{moment.astimezone(zone):%Y-%m-%dT%H:%M:%S}" if moment.tzinfo else ""
        except (ValueError, OverflowError):
            continue
    return found | ({"missed": "on"} if query.get("missed") else {})


def range_of(first: datetime, last: datetime) -> dict[str, str]:
    """What an address says, so that these two and what is between them are meant: the end is not in the range."""
    return {"since": first.isoformat(), "until": (last.replace(microsecond=0) + _SECOND).isoformat()}
