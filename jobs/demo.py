"""The demo workspace of a first start: a job that succeeds, and a token to make more."""

from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from badgerjobs.lib.listening import location, reached_at
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.services import create_application, issue_token
from jobs import echo
from jobs.services import create_job

WORKSPACE = "Demo"
OWNER = "demo@example.com"
LOCK = 20260123  # any number that nobody else locks


@transaction.atomic
def create_demo(*, now: datetime) -> str | None:
    """Make the demo once, in an empty database. Returns the token's secret; None when there is an application."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    if Application.objects.exists():
        return None
    application = create_application(name="demo", workspace=WORKSPACE, owner=OWNER)
    create_job(
        application=application,
        tag="hello",
        name="Hello, badger",
        now=now,
        endpoint=echo.address_of("hello"),
        verb="POST",
        headers={"Content-Type": "application/json"},
        body='{"hello": "badger"}',
        run_at=now,
        run_every="PT5M",
    )
    _, secret = issue_token(application=application, label="Made at the first start")
    return secret


def welcome(secret: str) -> str:
    """What a newcomer reads on the terminal: a curl that makes a job, and one that shows what came of it."""
    endpoint = echo.address_of("first")
    api = f"http://{location(reached_at(settings.HOST), settings.PORT)}/api/v1"
    return f"""\
A demo application is ready, with a job that calls this server's own receiver. Its token, shown only now:

  {secret}

Make a job that runs at once, and see what came of it:

  curl -X POST {api}/jobs/ \\
    -H 'Authorization: Bearer {secret}' -H 'Content-Type: application/json' \\
    -d '{{"tag": "first", "endpoint": "{endpoint}", "verb": "POST", "body": "hello", "run_every": "PT1M"}}'

  curl {api}/jobs/first/results/ -H 'Authorization: Bearer {secret}'
"""
