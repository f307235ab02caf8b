"""A pause as a form: why, and until when in words that people use. The time on the wall is the reader's."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from badgerjobs.lib import zones
from badgerjobs.runs.breaker import LONGEST_REASON
from badgerjobs.runs.pause_serializer import LONGEST_PAUSE
from badgerjobs.runs.wall_time import BAD_TIME, LocalTime

UNTIL = [
    ("", "somebody resumes it"),
    ("hour", "in an hour"),
    ("tomorrow", "tomorrow, 08:00"),
    ("at", "a day and a time"),
]
WAY_OUT = f"give a time to come, or choose “{UNTIL[0][1]}” above."


class PauseForm(forms.Form):
    """`cleaned_data` has the `reason`, and `until`: a moment, or None for until somebody resumes it."""

    template = "runs/form/pause.html"

    reason = forms.CharField(
        label="Why",
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": "the shop moves house"}),
    )
    until = forms.ChoiceField(label="Until", choices=UNTIL, required=False)
    at = forms.CharField(label="Day and time", required=False, widget=LocalTime)

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "pause-%s", **kwargs})
        self.now = now

    def clean(self) -> dict[str, Any]:
        """Give the moment in the place of its words."""
        place = timezone.get_current_timezone()
        until = self.cleaned_data.get("until", "")
        moment: datetime | None = None
        if until == "hour":
            moment = self.now + timedelta(hours=1)
        elif until == "tomorrow":
            tomorrow = self.now.astimezone(place).date() + timedelta(days=1)
            moment = zones.shifted(datetime.combine(tomorrow, time(8)), place)
        elif until == "at":
            moment = self._moment()
        reason = " ".join(self.cleaned_data.get("reason", "").split())
        return {"reason": reason, "until": moment}

    def _moment(self) -> datetime | None:
        try:
            wall = datetime.fromisoformat(self.cleaned_data.get("at", "").strip())
            moment = wall if wall.tzinfo else zones.shifted(wall, timezone.get_current_timezone())
        except (ValueError, OverflowError):
            self.add_error("at", BAD_TIME)
            return None
        if not self.now < moment < self.now + LONGEST_PAUSE:
            is_past = moment <= self.now
            self.add_error("at", f"{'That is past' if is_past else 'That is more than ten years from now'}: {WAY_OUT}")
        return moment
