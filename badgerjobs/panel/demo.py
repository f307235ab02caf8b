"""The demo workspace of a first start: a job, a cache, and a webhook that has it filled again.

And a sign-in, and a token to make more.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from badgerjobs.lib.listening import location, reached_at
from badgerjobs.sources.services import create_source
from badgerjobs.web.outgoing import echo_address
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.issuing import issue_token
from badgerjobs.workspaces.models import Application, User
from badgerjobs.workspaces.people import admit
from badgerjobs.workspaces.services import create_application
from jobs.services import create_job
from tasks.keys.services import create_key
from tasks.services import create_task
from webhooks.models import Hook
from webhooks.services import create_hook

WORKSPACE = "Demo"
OWNER = "demo@example.com"
# The demo is made before the first worker is up: a job that was due then would greet with how late it was.
UNTIL_WORKERS = timedelta(seconds=10)
# What the demo's cache holds. A name that ends in a hyphen is contained in no longer one.
PRODUCTS = ("1", "2", "3")
TRANSFORM = "return {product: variables.PRODUCT_ID, asked: response.path};"
# What the demo's webhook makes of `{"product": {"id": 1}}`.
OF_A_PRODUCT = """\
if (!body.product) return {filtered: "It speaks of no product."};
return {variables: {PRODUCT_ID: body.product.id}};"""
LOCK = 20260123  # any number that nobody else locks


class Keys(NamedTuple):
    """What opens the demo: the owner's password and a token, neither stored as it is, and the secret of a hook."""

    password: str
    token: str
    secret: str


@transaction.atomic
def create_demo(*, now: datetime) -> Keys | None:
    """Make the demo once, in an empty database. Returns None when there is an application already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    if Application.objects.exists():
        return None
    application = create_application(name="demo", workspace=WORKSPACE, owner=OWNER, by=OPERATOR, now=now)
    _make_job(application, now)
    _make_cache(application, now)
    hook = _make_hook(application, now)
    password = secrets.token_urlsafe(9)
    admit(user=User.objects.get(email=OWNER), password=password)
    _, token = issue_token(application=application, label="Made at the first start", by=OPERATOR, now=now)
    return Keys(password, token, hook.secret)


def _make_job(application: Application, now: datetime) -> None:
    """One that calls the built-in receiver every five minutes."""
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


def _make_cache(application: Application, now: datetime) -> None:
    """A source that asks the built-in receiver, keys which the first reader fills, and a task for all of them."""
    who: Mapping[str, Any] = {"application": application, "by": OPERATOR, "now": now}
    called = {"url": echo_address("products/{{PRODUCT_ID}}"), "transform": TRANSFORM}
    source = create_source(tag="products", name="Products", type="REST", configuration=called, **who)
    for number in PRODUCTS:
        create_key(name=f"product-{number}-", source=source, variables={"PRODUCT_ID": number}, **who)
    create_task(tag="products", name="All products", type="on_demand", selection="contains", pattern="product-", **who)


def _make_hook(application: Application, now: datetime) -> Hook:
    """One whose callers say that a product changed: the products are fetched again."""
    return create_hook(
        application=application,
        tag="product-changed",
        name="A product changed",
        by=OPERATOR,
        now=now,
        transform=OF_A_PRODUCT,
        actions=[{"name": "sync", "type": "sync", "task": "products"}],
    )


def welcome_back() -> str:
    """What is told on later starts, when nobody knows the password and the token any more: how to have others."""
    mail = "a mail brings" if settings.EMAIL_URL else "the log of web below then shows"
    owner = f"; the demo's owner is {OWNER}" if User.objects.filter(email=OWNER).exists() else ""
    return f"""\
For another token: manage.py create_application NAME --workspace WORKSPACE
For another password: press “Forgotten?” at {_here()}/ ({mail} a link){owner}
"""


def _here() -> str:
    return f"http://{location(reached_at(settings.HOST), settings.PORT)}"


def welcome(keys: Keys) -> str:
    """What a newcomer reads on the terminal: how to sign in, and curls for a job, a value and a webhook."""
    endpoint = echo_address("first")
    here = _here()
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

Read a cached value, which the first reader has fetched:

  curl -i {api}/cache/product-1- -H 'Authorization: Bearer {keys.token}'

Call the webhook, as whoever knows that a product changed would, and look at what it caused:

  curl {here}/hooks/{keys.secret} -H 'Content-Type: application/json' -d '{{"product": {{"id": 1}}}}'
"""
