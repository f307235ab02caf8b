"""What a form offers to choose from: the first by name, and always what is chosen already."""

from collections.abc import Iterable
from typing import Any

from django.db.models.functions import Lower

# So many of the first are offered.
OFFERED = 1000


def offered(rows: Any, chosen: Iterable[str]) -> list[tuple[str, str]]:
    """Tag and name of each. What is chosen may be anything that somebody sent."""
    named = rows.order_by(Lower("name")).values_list("tag", "name")
    found = list(named[:OFFERED])
    left_out = {tag for tag in chosen if tag and "\0" not in tag} - {tag for tag, _ in found}
    return [*found, *named.filter(tag__in=left_out)] if left_out else found
