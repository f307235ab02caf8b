"""The fixed times of cache-sync tasks, as documented: told in EST, which is UTC-5 all year, unless set otherwise."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from badgerjobs.lib import zones

# Any year will do: only the offsets of its summer and its winter are asked for.
_DAYS = (datetime(2026, 7, 7), datetime(2026, 1, 6))  # noqa: DTZ001 - wall time


@dataclass(frozen=True, slots=True)
class Preset:
    """`cron` is evaluated in the presets' zone; pages say `title`, and `time` in UTC too. Hourly has no time."""

    cron: str
    title: str
    time: timedelta | None = None


PRESETS = {
    "hourly": Preset("0 * * * *", "hourly at minute 0"),
    "daily": Preset("0 8 * * *", "daily at 08:00", timedelta(hours=8)),
    "weekly": Preset("0 3 * * 2", "weekly on Tuesday at 03:00", timedelta(hours=3)),
}


def words(name: str, zone_name: str) -> str:
    """Say `daily at 08:00 EST (13:00 UTC)`; a zone with daylight saving gives `(12:00 UTC or 13:00 UTC)`."""
    preset = PRESETS[name]
    place = zones.preset_zone(zone_name)
    moments = [(day, (day + (preset.time or timedelta())).replace(tzinfo=place).astimezone(UTC)) for day in _DAYS]
    if preset.time is None:
        minutes = {moment.minute for _, moment in moments}
        return preset.title + (f" {zone_name} (minute {max(minutes)} UTC)" if minutes != {0} else "")
    said = dict.fromkeys(_said(moment, day) for day, moment in moments)
    return f"{preset.title} {zone_name} ({' or '.join(said)})"


def _said(moment: datetime, day: datetime) -> str:
    side = {-1: " on the day before", 0: "", 1: " on the day after"}[(moment.date() - day.date()).days]
    return f"{moment:%H:%M} UTC{side}"
