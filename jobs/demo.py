"""The demo workspace of a first start: a job that succeeds, somebody who may sign in, and a token to make more."""

import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction

from badgerjobs.lib.listening import location, reached_at
from badgerjobs.web.outgoing import echo_address
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.issuing import issue_token
from badgerjobs.workspaces.models import Application, User
from badgerjobs.workspaces.people import admit
from badgerjobs.workspaces.services import create_application
from jobs.services import create_job

WORKSPACE = "Demo"
OWNER = "demo@example.com"
# The demo is made before the first worker is up: a job that was due then would greet with how late it was.
UNTIL_WORKERS = timedelta(seconds=10)
LOCK = 20260123  # any number that nobody else locks


class Keys(NamedTuple):
    """What opens the demo: the owner's password and a token. Neither is stored as it is."""

    password: str
    token: str


@transaction.atomic
def create_demo(*, now: datetime) -> Keys | None:
    """Make the demo once, in an empty database. Returns None when there is an application already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    if Application.objects.exists():
        return None
    application = create_application(name="demo", workspace=WORKSPACE, owner=OWNER, by=OPERATOR, now=now)
    create_job(
        application=application,
        tag="hello",
        name="Hello, badger",
        by=OPERATOR,
        now=now,
        endpoint=echo_address("hello"),
        verb="POST",
        headers={"Content-Type": "application/json"},
        body='{"hello": "badger"}',
        run_at=now + UNTIL_WORKERS,
        run_every="PT5M",
    )
    password = secrets.token_urlsafe(9)
    admit(user=User.objects.get(email=OWNER), password=password)
    _, token = issue_token(application=application, label="Made at the first start", by=OPERATOR, now=now)
    return Keys(password, token)


def welcome(keys: Keys) -> str:
    """What a newcomer reads on the terminal: how to sign in, and a curl that makes a job and shows what came of it."""
    endpoint = echo_address("first")
    here = f"http://{location(reached_at(settings.HOST), settings.PORT)}"
    api = f"{here}/api/v1"
    return f"""\
A demo is ready, with a job that calls this server's own receiver. Look at it, signed in:

  {here}/
  {OWNER} / {keys.password}

Or by its token. Both are shown only now:

  {keys.token}

Make a job that runs at once, and see what came of it:

  curl -X POST {api}/jobs/ \\
    -H 'Authorization: Bearer {keys.token}' -H 'Content-Type: application/json' \\
    -d '{{"tag": "first", "endpoint": "{endpoint}", "verb": "POST", "body": "hello", "run_every": "PT1M"}}'

  curl {api}/jobs/first/results/ -H 'Authorization: Bearer {keys.token}'
"""
