"""How long the body of a request says that it is, and how long it may be."""

import re

from django.conf import settings
from django.http import HttpRequest

# The longest file that is taken.
FILE_BYTES = 256 * 1024 * 1024
# Where files are taken: the API's address of a source's file, and the forms of sources.
_FILES = re.compile(r"/api/v1/sources/[^/]+/file/|/a/[^/]+/(?:new-source|try-source|sources/[^/]+/edit)/")


def length_of(request: HttpRequest) -> int | None:
    """How many bytes a request says that its body has; None for one that comes in chunks and does not say."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        return None
    said = request.META.get("CONTENT_LENGTH") or "0"
    # Of more digits than any body has the first ones say enough: Python reads no number of thousands of them.
    return int(said.lstrip("0")[:18] or "0") if said.isdecimal() else 0


def most_of(request: HttpRequest) -> int:
    """How many bytes the body of a request may have: with a file in it, more than any other."""
    usual: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return usual + FILE_BYTES if _FILES.fullmatch(request.path_info) else usual
