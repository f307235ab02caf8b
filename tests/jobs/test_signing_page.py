"""docs/jobs.md shows how to check a signature: what it shows must work."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from badgerjobs.lib import signatures
from jobs.perform import Request, signed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "jobs.md"


def test_the_lines_on_the_page_tell_our_calls_from_others() -> None:
    [lines] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    page: dict[str, Any] = {}
    exec(lines, page)
    key = signatures.make_secret()
    request = Request("POST", "https://example.com/", {}, b"body", 30, key)
    headers = dict(signed(uuid4(), request, at=1_800_000_000))

    assert page["is_ours"](key, headers, b"body")
    assert not page["is_ours"](key, headers, b"another body")
    assert not page["is_ours"](signatures.make_secret(), headers, b"body")

    rotating = Request(
        "POST",
        "https://example.com/",
        {},
        b"body",
        30,
        signatures.make_secret(),
        key,
        datetime.fromtimestamp(1_800_000_001, UTC),
    )
    headers = dict(signed(uuid4(), rotating, at=1_800_000_000))
    assert page["is_ours"](key, headers, b"body")
    assert page["is_ours"](rotating.signing_key, headers, b"body")
