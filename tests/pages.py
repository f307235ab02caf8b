"""Every page, and an application in which each of them has something to show."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.urls import URLPattern, get_resolver

from badgerjobs.lib.tokens import digest_of
from badgerjobs.runs.models import FINAL, LogLine, Runnable, State
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application, Invitation, Role, Token
from tests.addresses import FOR_PROGRAMS, addresses
from tests.factories import make_attempt, make_job, make_member, make_run, make_token

# Address, with its parameters as {name}, to what the resolver has for it.
PAGES: Mapping[str, URLPattern] = {
    address: pattern for address, pattern in addresses(get_resolver()) if not address.startswith(FOR_PROGRAMS)
}

# Those that everybody may ask for, each with its reason.
OPEN = {
    "/": "the front door: sends people where they belong, tells programs where things are",
    "/theme/": "light or dark is chosen before one signs in, too; changes nothing but a cookie",
    "/keys/": "says which keys do what, the same to everybody",
    "/invitations/{secret}/": "who holds the link may read what it invites to; tests/panel holds who may join",
}
# allauth's pages have rules of their own: some are for who is not signed in.
ACCOUNTS = {address for address in PAGES if address.startswith("/accounts/")}
# What somebody's rows in allauth's addresses would be; there are none.
NO_ROWS = {"key": "no-such-key", "uidb36": "1", "pk": "1"}

MARK = "nobody-elses-business"
SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

# What no designer drew: a line that nothing breaks, and text that would be markup.
LONG = f"{MARK}-" + "endless" * 20
MARKUP = f'<b onclick="alert(1)">{MARK}</b> {{"of": "another kind"}}'


def fill(application: Application, now: datetime) -> Mapping[str, str]:
    """Give an application one of everything, in every state, short and far too long; all of it bears MARK.

    The owner is alice@example.com. Returns what stands in addresses, by the name it has there.
    """
    alice = make_member(application.workspace, Role.OWNER)
    bob = make_member(application.workspace, Role.VIEWER, "bob@example.com")
    jobs = [_job(application, tag, now, **fields) for tag, fields in _JOBS.items()]
    run = _runs(jobs[0].runnable, now)
    _runs(jobs[1].runnable, now)
    tokens = _tokens(application, now)
    invitation = _invitation(application, now)
    for job in jobs:
        audit.record(
            by=audit.person(alice.user, "127.0.0.1"), action="job.create", subject=job.tag, now=now,
            workspace=application.workspace, application=application, changes={"endpoint": ["", job.endpoint]},
        )  # fmt: skip
    return {
        "application_slug": application.slug,
        "workspace_slug": application.workspace.slug,
        "members/slug": bob.slug,
        "member_slug": bob.slug,
        "invitations/slug": invitation.slug,
        "invitation_slug": invitation.slug,
        "tokens/slug": tokens[0].slug,
        "token_slug": tokens[0].slug,
        "tag": jobs[0].tag,
        "run_id": run,
        "pk": run,
        "secret": SECRET,
    }


_JOBS: Mapping[str, Mapping[str, Any]] = {
    "alices": {"run_every": "PT1H", "body": MARKUP, "headers": {"X-Mark": MARK, "Authorization": f"Bearer {MARK}"}},
    LONG: {"cron": "*/5 * * * *", "time_zone": "America/New_York", "body": LONG, "headers": {"X-Mark": LONG}},
    "paused": {"preset": "daily", "enabled": False},
    "by-hand": {},
}


def _job(application: Application, tag: str, now: datetime, **fields: Any) -> Any:
    return make_job(application, tag, now, name=f"{MARK} {tag}", endpoint=f"https://{MARK}.example.com/{tag}", **fields)


def _runs(runnable: Runnable, now: datetime) -> str:
    """One run in each state, with attempts, an output and words. The id of the failed one."""
    failed = ""
    for number, state in enumerate(State, start=1):
        began = now - timedelta(minutes=number)
        ended = began + timedelta(seconds=2) if state in FINAL else None
        times = {"created_at": began, "due_at": began, "started_at": began, "finished_at": ended}
        bad = state in {State.FAILED, State.RETRYING}
        run = make_run(runnable, state, number=number, attempts=int(bad), error=LONG if bad else "", **times)
        LogLine.objects.create(
            run=run, application_id=run.application_id, level="info", message=MARKUP, created_at=began
        )
        if state in {State.FAILED, State.SUCCEEDED, State.RETRYING}:
            result = {"status": 500 if bad else 200, "body": MARKUP, "headers": {"Content-Type": LONG}}
            error: dict[str, Any] = {"error_class": "status", "error": f"It answered 500. {MARK}"} if bad else {}
            make_attempt(run, ok=not bad, result=result, started_at=began, created_at=began, **error)
        failed = str(run.pk) if state == State.FAILED else failed
    return failed


def _tokens(application: Application, now: datetime) -> list[Token]:
    """One that works, one that is about to end, one that is over and one that was revoked."""
    for label, ends in (("works", None), ("ends", now + timedelta(days=2)), ("ended", now - timedelta(days=2))):
        make_token(application, label=f"{MARK} {label}", expires_at=ends)
    make_token(application, label=LONG[:100])
    tokens = list(Token.objects.filter(application=application).order_by("id"))
    Token.objects.filter(pk=tokens[-1].pk).update(revoked_at=now)
    return tokens


def _invitation(application: Application, now: datetime) -> Invitation:
    """One that is open; another one has expired."""
    rows = [
        Invitation.objects.create(
            workspace=application.workspace, email=f"{MARK}-{days}@example.com", role=Role.EDITOR,
            digest=digest_of(SECRET if days > 0 else MARK),
            created_at=now - timedelta(days=3), expires_at=now + timedelta(days=days),
        )
        for days in (4, -1)
    ]  # fmt: skip
    return rows[0]
