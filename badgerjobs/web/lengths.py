"""How long the body of a request says that it is."""

from django.http import HttpRequest


def length_of(request: HttpRequest) -> int | None:
    """How many bytes a request says that its body has; None for one that comes in chunks and does not say."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        return None
    said = request.META.get("CONTENT_LENGTH") or "0"
    # Of more digits than any body has the first ones say enough: Python reads no number of thousands of them.
    return int(said.lstrip("0")[:18] or "0") if said.isdecimal() else 0
