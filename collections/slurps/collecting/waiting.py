"""What a result that waits would change, to the row: looked up once, since neither it nor what it follows changes."""

from typing import Any

from rest_framework.exceptions import APIException

from badgerjobs.lib.charts import Share, shares
from badgerjobs.web.problems import TooMany
from badgerjobs.web.remembering import recall, remember
from badgerjobs.web.serializer_forms import first_sentence
from slurps.collecting.differences import counts_of_difference
from slurps.collecting.differing import SIGNS
from slurps.models import Collection, Version

KEPT_S = 3600


class WouldChange:
    """How many rows would be added, changed and removed; or in a sentence why that is not known."""

    def __init__(self, told: dict[str, Any], rows: int) -> None:
        self.refused: str = told.get("refused", "")
        self.by_content = told.get("by") == "content"
        self.counts = [(kind, sign, int(told.get(kind, 0))) for kind, sign in SIGNS.items()]
        self.total = sum(count for _, _, count in self.counts)
        self.bar: list[Share] = shares([(kind, count) for kind, _, count in self.counts], rows)


def known(collection: Collection, held: Version) -> WouldChange | None:
    """What was looked up before; None where nobody has."""
    key = _key(collection, held)
    told = recall([key]).get(key)
    return WouldChange(told, _rows(collection, held)) if told else None


def looked_up(collection: Collection, held: Version) -> WouldChange:
    """The same; it takes as long as rows are many, and is given up after so many seconds as readers are."""
    if found := known(collection, held):
        return found
    try:
        told = counts_of_difference(collection, collection.current, held)
    except TooMany as error:  # a moment later it is looked up
        return WouldChange({"refused": first_sentence(error.detail)}, _rows(collection, held))
    except APIException as error:
        told = {"refused": first_sentence(error.detail)}
    remember({_key(collection, held): told}, seconds=KEPT_S)
    return WouldChange(told, _rows(collection, held))


def _key(collection: Collection, held: Version) -> str:
    return f"held-result:{held.pk}:{held.generation}:{collection.current_id}"


def _rows(collection: Collection, held: Version) -> int:
    return max(held.written, collection.current.rows if collection.current else 0)
