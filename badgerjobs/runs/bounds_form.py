"""Where a schedule ends, and over how long its start is spread, as a part of its form."""

from typing import Any

from django import forms

from badgerjobs.runs.models import Runnable
from badgerjobs.runs.policy_form import length_shown, number_field, unit_field
from badgerjobs.runs.wall_time import LocalTime, wall_of

ENDS = [("never", "Never"), ("time", "At a time"), ("runs", "After some runs"), ("both", "Whichever is first")]


class BoundsForm(forms.Form):
    """The fields, which take anything: `ScheduleForm` tells them to the serializer."""

    ends = forms.ChoiceField(choices=ENDS, widget=forms.RadioSelect, required=False)
    end_at = forms.CharField(
        label="Until",
        widget=LocalTime(),
        help_text="No occurrence is later; one at that very time still runs.",
        required=False,
    )
    max_runs = forms.CharField(
        label="How many",
        widget=number_field(),
        help_text="Occurrences that become runs. What is skipped, retries and runs by hand do not count.",
        required=False,
    )
    spread = forms.CharField(
        label="Spread over",
        widget=number_field(),
        help_text="It starts up to so much later than its time, always at its own place. Empty: at its time.",
        required=False,
    )
    spread_unit = unit_field("Spread over")


def bounds_shown(runnable: Runnable) -> dict[str, Any]:
    """Stored ones as the form shows them."""
    counted = runnable.max_runs is not None
    wall = wall_of(runnable.end_at, runnable.time_zone) if runnable.end_at else ""
    ends = ("both" if counted else "time") if wall else ("runs" if counted else "never")
    return {
        "ends": ends,
        "end_at": wall,
        "max_runs": runnable.max_runs if counted else "",
        **length_shown("spread", runnable.spread_s),
    }
