"""Every page, and an application in which each of them has something to show."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.urls import URLPattern, get_resolver

from badgerjobs.lib.tokens import digest_of
from badgerjobs.notices.models import NoticeSettings
from badgerjobs.notices.payloads import of_test
from badgerjobs.notices.sending import Ways, send
from badgerjobs.runs.models import (
    FINAL,
    Beat,
    Cause,
    Incident,
    LogLine,
    Run,
    Runnable,
    SkipReason,
    State,
    Trouble,
    Worker,
)
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application, Invitation, Role, Token
from jobs.cancelling import cancel_jobs
from tests.addresses import FOR_PROGRAMS, addresses
from tests.factories import make_attempt, make_connection, make_event, make_job, make_member, make_run, make_token

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
    _incidents(jobs[0].runnable, now)
    _processes(application, now)
    _broken(jobs[2].runnable, now)
    event, connection = _events(application)
    _event_jobs(application, now)
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
        "events/tag": event,
        "connections/tag": connection,
        "run_id": run,
        "pk": run,
        "secret": SECRET,
    }


_JOBS: Mapping[str, Mapping[str, Any]] = {
    "alices": {
        "run_every": "PT1H",
        "body": MARKUP,
        "headers": {"X-Mark": MARK, "Authorization": f"Bearer {MARK}"},
        "overlap": "queue_all",
        "catch_up": "all",
        "catch_up_within_s": 7200,
        "spread_s": 300,
        "max_runs": 1000,
        "priority": 7,
    },
    LONG: {"cron": "*/5 * * * *", "time_zone": "America/New_York", "body": LONG, "headers": {"X-Mark": LONG}},
    "paused": {"preset": "daily", "enabled": False},
    "by-hand": {},
}


def _job(application: Application, tag: str, now: datetime, **fields: Any) -> Any:
    return make_job(application, tag, now, name=f"{MARK} {tag}", endpoint=f"https://{MARK}.example.com/{tag}", **fields)


def _events(application: Application) -> tuple[str, str]:
    """Events and connections of each type, some far too long. The tags of those that pages are tried with."""
    for kind, configuration in _CONNECTIONS.items():
        make_connection(application, f"a-{kind.lower()}", name=f"{MARK} {kind}", type=kind, configuration=configuration)
    rows = {connection.type: connection for connection in application.connections.all()}
    for tag, (kind, configuration, needs) in _EVENTS.items():
        make_event(
            application, tag, name=f"{MARK} {tag}", type=kind, configuration=configuration, connection=rows.get(needs)
        )
    return "a-function", "a-database"


_CONNECTIONS: Mapping[str, Mapping[str, Any]] = {
    "SMTP": {"host": f"{MARK}.example.com", "sender": f"{MARK}@example.com", "user": LONG, "password": SECRET},
    "DATABASE": {"host": f"{MARK}.example.com", "database": LONG[:200], "user": MARK, "password": SECRET},
    "BROKER": {"protocol": "redis", "host": f"{MARK}.example.com", "password": SECRET},
}
_HEADERS = {"X-Mark": LONG, "Authorization": f"Bearer {SECRET}"}
# Tag → type, configuration, and the type of the connection that it needs.
_EVENTS: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "an-action": ("ACTION", {"endpoint": f"https://{MARK}.example.com/", "headers": _HEADERS, "body": MARKUP}, ""),
    "a-mail": ("NOTIFICATION", {"channel": "email", "to": [LONG], "subject": MARK, "text": MARKUP}, "SMTP"),
    "a-chat": ("NOTIFICATION", {"channel": "chat", "url": f"https://{MARK}.example.com/", "text": LONG}, ""),
    "a-statement": ("DATABASE_ACTION", {"statement": f"SELECT '{LONG}'", "parameters": {"a": MARKUP}}, "DATABASE"),
    "a-function": ("FUNCTION", {"code": f"console.log({LONG!r}); return {MARKUP!r}"}, ""),
    "a-message": ("MESSAGEBROKER", {"to": "stream", "name": MARK, "message": [LONG], "headers": _HEADERS}, "BROKER"),
    LONG: ("FUNCTION", {"code": "return input"}, ""),
}


def _event_jobs(application: Application, now: datetime) -> None:
    """Jobs that perform events: one that ran, one with the longest names, and one that was cancelled."""
    events = {event.tag: event for event in application.events.all()}
    call = {"endpoint": "", "verb": ""}
    for tag, event in (("rows", "a-statement"), (f"of-{LONG}"[:200], LONG), ("over", "a-function")):
        given = {"event": events[event], "input": {MARK: MARKUP}, "run_every": "PT1H"}
        make_job(application, tag, now, name=f"{MARK} {tag}"[:200], **call, **given)
    ran, over = (application.jobs.get(tag=tag) for tag in ("rows", "over"))
    run = make_run(ran.runnable, State.SUCCEEDED, number=1, kind="event", attempts=1, created_at=now, finished_at=now)
    make_attempt(run, result={"rows_returned": 1, "rows": [{MARK: LONG, "markup": MARKUP}], "truncated": True})
    cancel_jobs(application=application, ids=[over.pk], by=audit.OPERATOR, now=now, reason=LONG[:300])


def _runs(runnable: Runnable, now: datetime) -> str:
    """One run in each state, with attempts, an output and words. The id of the failed one."""
    failed = ""
    for number, state in enumerate(State, start=1):
        began = now - timedelta(minutes=number)
        ended = began + timedelta(seconds=2) if state in FINAL else None
        times = {"created_at": began, "due_at": began, "started_at": began, "finished_at": ended}
        bad = state in {State.FAILED, State.RETRYING}
        more = _SKIPPED if state == State.SKIPPED else {"number": number, "error": LONG if bad else ""}
        run = make_run(runnable, state, attempts=int(bad), error_class="status" if bad else "", **more, **times)
        LogLine.objects.create(
            run=run, application_id=run.application_id, level="info", message=MARKUP, created_at=began
        )
        if state in {State.FAILED, State.SUCCEEDED, State.RETRYING}:
            result = {"status": 500 if bad else 200, "body": MARKUP, "headers": {"Content-Type": LONG}}
            error: dict[str, Any] = {"error_class": "status", "error": f"It answered 500. {MARK}"} if bad else {}
            make_attempt(run, ok=not bad, result=result, started_at=began, created_at=began, **error)
        failed = str(run.pk) if state == State.FAILED else failed
    night = {"occurrence": now - timedelta(hours=9), "skipped_until": now - timedelta(hours=5)}
    Run.objects.filter(runnable=runnable, state=State.SKIPPED).update(**night)
    make_run(runnable, State.QUEUED, number=99, held=True, created_at=now, due_at=now)
    return failed


# An outage of a night; the run that is queued waits for the one that runs.
_SKIPPED: Mapping[str, Any] = {"cause": Cause.SCHEDULE, "skip_reason": SkipReason.MISSED, "skipped_count": 240}


def _broken(runnable: Runnable, now: datetime) -> None:
    """Paused because it kept failing, for a reason that nothing breaks."""
    columns = {"enabled": False, "next_run_at": None, "breaker": "open", "failures_in_row": 20}
    times = {"paused_at": now - timedelta(minutes=5), "paused_until": now + timedelta(minutes=10)}
    Runnable.objects.filter(pk=runnable.pk).update(**columns, **times, pause_reason=LONG)
    Incident.objects.create(
        application=runnable.application, runnable=runnable, trouble=Trouble.PAUSED, sentence=LONG,
        opened_at=now - timedelta(minutes=5), told_at=now,
    )  # fmt: skip


def _incidents(runnable: Runnable, now: datetime) -> None:
    """One of each trouble, open and over; who is told of them, and the runs of a test."""
    application = runnable.application
    for trouble in Trouble:
        of = None if trouble == Trouble.LATE else runnable
        for sentence, ended in ((LONG, now), (MARKUP, None)):
            Incident.objects.create(
                application=application, runnable=of, trouble=trouble, sentence=sentence,
                opened_at=now - timedelta(hours=1), closed_at=ended, told_at=now, closing_told_at=ended,
            )  # fmt: skip
    row = NoticeSettings.objects.create(
        application=application, emails=[f"{MARK}@example.com"], url=f"https://{MARK}.example.com/{SECRET}"
    )
    ways = Ways(application.pk, calls=True, mails=True)
    runs = send([(ways, [of_test(application, base_url="https://jobs.example.org", now=now)])], now=now)
    row.tested = [str(run) for run in runs]
    row.save()


def _processes(application: Application, now: datetime) -> None:
    """A worker that has something in hand and one that is gone; beats that are alive, silent and gone."""
    busy = Worker.objects.create(name=f"{MARK}:1", queue="io", started_at=now - timedelta(days=2), seen_at=now)
    Worker.objects.create(name=LONG, queue="io", started_at=now, seen_at=now - timedelta(minutes=5))
    Run.objects.filter(application=application, state=State.RUNNING).update(worker=busy.pk)
    for minutes in (0, 0.1, 5):
        Beat.objects.create(
            name=f"{MARK}:{minutes}", started_at=now - timedelta(days=2), seen_at=now - timedelta(minutes=minutes)
        )


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
