"""What people call each kind of run: a literal table beside `runs/kinds.py`, kind → words and where they are listed."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Named:
    """`many` is the word for several; `list` names the page of what has such runs.

    Of what is told of by its name, `page` names its page, and `resume` what resumes it.
    One that is shown only `if_any` are there is not missed elsewhere.
    """

    many: str
    list: str
    if_any: bool = False
    page: str = ""
    resume: str = ""


KINDS: Mapping[str, Named] = {
    "http": Named("HTTP jobs", "jobs:list", page="jobs:job", resume="jobs:resume"),
    "event": Named("event jobs", "jobs:list", if_any=True, page="jobs:job", resume="jobs:resume"),
    "event_once": Named("events of their own", "jobs:events", if_any=True),
    "sync": Named("task syncs", "tasks:list", if_any=True, page="tasks:task", resume="tasks:resume"),
    "refresh": Named("refreshes of keys", "tasks:keys", if_any=True),
    "slurp": Named("async jobs", "collections:list", if_any=True, page="collections:job", resume="collections:resume"),
    "delivery": Named(
        "webhook deliveries", "webhooks:list", if_any=True, page="webhooks:hook", resume="webhooks:resume"
    ),
    "background": Named("background tasks", "background:list", if_any=True, page="background:task"),
    "background_hook": Named("hooks of background tasks", "background:list", if_any=True),
    "notice": Named("notices", "notices:incidents", if_any=True),
}
