"""What a run can be said to have failed of: each is known to whoever narrows lists by it."""

import re
from pathlib import Path
from typing import get_args

from badgerjobs.outbound.calls import ErrorClass
from badgerjobs.runs.outcomes import BUG
from badgerjobs.runs.record import UNSTORABLE
from badgerjobs.runs.shown import errors_shown
from badgerjobs.servers import postgresql
from jobs.events.types import function
from tasks.background import perform

ROOT = Path(__file__).parents[2]
FOLDERS = ("badgerjobs", "collections", "jobs", "tasks", "webhooks")
# A class where it is written: in an outcome, or in a statement.
_NAMES = "Failed|Unfetched|AnswerError|PullError|SlurpError|_none|_failed"
_WRITTEN = re.compile(rf"""\b(?:{_NAMES})\(\s*"(\w+)"|\berror_class = '(\w+)'""")


def written() -> set[str]:
    """The classes that are literals in the code."""
    sources = [path.read_text() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return {one or other for source in sources for one, other in _WRITTEN.findall(source)}


def test_every_class_of_error_that_can_be_stored_is_known() -> None:
    found = written()
    assert {"status", "mail", "lost", "superseded", "internal"} <= found
    found |= {*get_args(ErrorClass), BUG.error_class, UNSTORABLE.error_class}
    found |= {perform.CODE, perform.TIMEOUT, perform.CRASHED, perform.MAX_ITERATIONS, perform.DEFINITION}
    found |= {*function.CLASSES.values(), function.SCRIPT, *postgresql.CLASSES.values()}
    assert found == set(errors_shown())
