"""When what keeps failing is warned of and paused, as a form. Both may be left out: then it never is."""

from typing import Any

from django import forms

MOST_IN_A_ROW = 1000
MOST_MINUTES = 24 * 60


def paused_already(pause_after: int) -> str:
    """What to say of a warning that would come no sooner than the pause."""
    return f"It is paused after {pause_after} already: give a smaller number, or none."


class MinutesField(forms.IntegerField):
    """Whole minutes for people, seconds for the column."""

    def prepare_value(self, value: Any) -> Any:
        """Stored seconds as minutes; what was typed stays as it is."""
        return value // 60 if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        """Seconds. Raises ValidationError."""
        minutes = super().clean(value)
        return None if minutes is None else minutes * 60


class BreakerForm(forms.Form):
    """An application's `warn_after`, `pause_after` and `probe_after_s`."""

    warn_after = forms.IntegerField(label="Warn after", required=False, min_value=1, max_value=MOST_IN_A_ROW)
    pause_after = forms.IntegerField(label="Pause after", required=False, min_value=1, max_value=MOST_IN_A_ROW)
    probe_after_s = MinutesField(
        label="Try again after",
        min_value=1,
        max_value=MOST_MINUTES,
        error_messages={"required": "Give a number of minutes, like 15."},
    )

    def clean(self) -> dict[str, Any]:
        """A warning that comes no sooner than the pause is none."""
        found = super().clean() or self.cleaned_data
        warn, pause = found.get("warn_after"), found.get("pause_after")
        if warn and pause and warn >= pause:
            self.add_error("warn_after", paused_already(pause))
        return found
