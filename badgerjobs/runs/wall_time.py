"""Days and times as a browser's form has them: on the wall of a zone."""

from datetime import datetime

from django import forms

from badgerjobs.lib import zones

BAD_TIME = "This is no day and time: write them like 2026-11-21 22:50."


class LocalTime(forms.TextInput):
    """The browser's own field for a day and a time on the wall."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__({"step": "1", "class": "short"})


def moment_of(text: str, zone: str, stored: datetime | None) -> str:
    """The time on the wall of a zone, as a moment. What was not touched stays as it is stored, to the µs.

    Raises ValueError or OverflowError for what is no time, and UnknownZoneError.
    """
    wall = datetime.fromisoformat(text)
    if stored and wall == datetime.fromisoformat(wall_of(stored, zone)):  # browsers leave seconds of 0 out
        return stored.isoformat()
    return (wall if wall.tzinfo else zones.shifted(wall, zones.zone(zone))).isoformat()


def wall_of(moment: datetime, zone: str) -> str:
    """The day and time on the wall of a zone, as browsers write it: `2026-11-21T22:50:28`."""
    try:
        place = zones.zone(zone)
    except zones.UnknownZoneError:
        place = zones.zone("UTC")
    return zones.local(moment, place).isoformat(timespec="seconds")
