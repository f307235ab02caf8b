"""What must be right before anything starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from badgerjobs.lib import zones
from badgerjobs.outbound.addresses import Policy
from badgerjobs.runs.beside import KEPT_BESIDE, beside_of
from badgerjobs.runs.following import following_of
from badgerjobs.runs.kinds import FOLLOWED, RUN_KINDS, kind_of
from badgerjobs.runs.origins import ORIGINS, origin_finder
from badgerjobs.runs.shown import SHOWN_KINDS, shown_as
from badgerjobs.runs.ticks import TICKS, tick_of


@register()
def every_kind_is_there(**_: Any) -> list[CheckMessage]:
    """Each row of the tables of kinds leads to a `Kind`, and to how it is shown; each tick to what is done then."""
    errors: list[CheckMessage] = []
    tables = (
        ("The run kind", RUN_KINDS, kind_of),
        ("How pages show the kind", SHOWN_KINDS, shown_as),
        ("What is kept beside runs", KEPT_BESIDE, beside_of),
        ("What is done at the tick", TICKS, tick_of),
        ("What follows runs of the kind", FOLLOWED, following_of),
        ("What tells where runs came from by the cause", ORIGINS, origin_finder),
    )
    for what, table, find in tables:
        for name, path in table.items():
            try:
                find(name)
            except ImportError as error:
                errors.append(Error(f"{what} {name!r} is not at {path}: {error}", id="runs.E001"))
    return errors


@register()
def the_preset_zone_is_known(**_: Any) -> list[CheckMessage]:
    """`PRESET_TIME_ZONE` is EST or a zone that this machine knows."""
    try:
        zones.preset_zone(settings.PRESET_TIME_ZONE)
    except zones.UnknownZoneError as error:
        return [Error(f"PRESET_TIME_ZONE={settings.PRESET_TIME_ZONE!r}: {error}", id="runs.E002")]
    return []


@register()
def what_may_be_called_is_understood(**_: Any) -> list[CheckMessage]:
    """Every entry of `EGRESS_ALLOW` is one; else each call would fail as our own fault."""
    try:
        Policy(settings.EGRESS_ALLOW)
    except ValueError as error:
        return [Error(str(error), id="runs.E003")]
    return []
