"""What a request may hold."""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from badgerjobs.lib.json_depth import is_deeper

# No request of ours goes deeper than four. Whoever walks one may do it by recursion.
MOST_LEVELS = 100
TOO_DEEP = f"The JSON is nested more than {MOST_LEVELS} levels deep."

# What a body looks like, where the view does not say it in its `body_like`.
BODY_LIKE = '{"tag": "…"}'


class ObjectParser(JSONParser):
    """JSON whose top is an object: every request of ours is one."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        """Raises ParseError, a 400, for anything else."""
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError(TOO_DEEP) from None
        if is_deeper(data, MOST_LEVELS):
            raise ParseError(TOO_DEEP)
        if not isinstance(data, dict):
            like = getattr((parser_context or {}).get("view"), "body_like", BODY_LIKE)
            raise ParseError(f"The body must be a JSON object, like {like}.")
        return data
