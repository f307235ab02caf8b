"""Every page, and an application in which each of them has something to show."""

import json
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
from tasks.models import CachedValue, SyncState
from tasks.services import create_task
from tests.addresses import FOR_PROGRAMS, addresses
from tests.factories import (
    make_attempt,
    make_background_run,
    make_connection,
    make_event,
    make_job,
    make_key,
    make_member,
    make_run,
    make_source,
    make_sync,
    make_task,
    make_token,
)
from tests.slurp_pages import fill_slurps
from tests.webhook_pages import fill_webhooks

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
    source = _sources(application)
    key = _cache_keys(application, now)
    task = _tasks(application, now)
    _event_jobs(application, now)
    background = _background_tasks(application, now)
    hook, delivery = fill_webhooks(application, now, mark=MARK, long=LONG, markup=MARKUP)
    slurps = fill_slurps(application, now, mark=MARK, long=LONG, markup=MARKUP)
    _runs(application.async_jobs.get(tag=slurps["async-jobs/tag"]).runnable, now)
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
        "sources/tag": source,
        "keys/name": key,
        "tasks/tag": task,
        "hooks/tag": hook,
        "delivery_id": delivery,
        **slurps,
        "background-tasks/run_id": background,
        "definition": "testingRun",
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


# Tag → type, configuration. The one that keys use is the one that pages are tried with.
_SOURCES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "keyed": (
        "REST",
        {
            "url": f"https://{MARK}.example.com/{{{{PRODUCT_ID}}}}/{{{{{LONG}}}}}", "body": MARKUP,
            "headers": {"X-Mark": LONG, "X-Api-Key": SECRET},
            "query": {MARK: LONG}, "transform": f"// {MARKUP}\nreturn {LONG!r}", "authentication": "oauth2_password",
            "token_url": f"https://{MARK}.example.com/", "username": LONG, "password": SECRET, "client_secret": SECRET,
        },
    ),
    LONG: (
        "GRAPHQL",
        {
            "url": f"https://{MARK}.example.com/", "query": f"# {MARKUP}\nquery {{ a }}",
            "variables": [{"name": MARK.replace("-", "_"), "type": "JSON", "value": f'["{LONG}", {{{{ID}}}}]'}],
        },
    ),
}  # fmt: skip


def _sources(application: Application) -> str:
    """One of each type, with short names and far too long ones. The tag of the one that pages are tried with."""
    for tag, (kind, configuration) in _SOURCES.items():
        name = f"{MARK} {tag}"[:200]
        variables = ["PRODUCT_ID", LONG] if kind == "REST" else ["ID"]
        make_source(application, tag, name=name, type=kind, configuration=configuration, variables=variables)
    return "keyed"


def _cache_keys(application: Application, now: datetime) -> str:
    """Keys in every state, with short names and far too long ones. The name of the one that pages are tried with."""
    source = application.sources.get(tag="keyed")
    given: dict[str, Any] = {"variables": {"PRODUCT_ID": LONG, LONG: {"markup": MARKUP}}, "tags": [MARK, LONG[:100]]}
    hour = timedelta(hours=1)
    key = make_key(source, "a-key", json.dumps({MARK: MARKUP, "long": [LONG] * 9}), ttl_s=3600, **given)
    stale = make_key(source, LONG[:400], "1", ttl_s=60, stale_if_error_s=0, **given)
    failed = make_key(source, MARKUP.replace("/", ""), f'"{LONG}"', **given)
    make_key(source, f"{MARK}-unfilled", **given)
    CachedValue.objects.filter(key=key).update(fetched_at=now, changed_at=now - hour, tried_at=now, asked_at=now + hour)
    CachedValue.objects.filter(key=stale).update(fetched_at=now - hour, changed_at=now - hour, tried_at=now - hour)
    CachedValue.objects.filter(key=failed).update(tried_at=now, error_class="status", error=f"It answered 500. {LONG}")
    task = make_task(application, "names-it", name=f"{MARK} names it"[:200], selection="exact", pattern="", keys=[key])
    for number, state in enumerate(SyncState.values, start=1):
        run = make_run(task.runnable, State.SUCCEEDED, number=number, created_at=now, finished_at=now)
        error = {} if state == "succeeded" else {"error_class": "status", "error": f"It answered 500. {LONG}"}
        make_sync(run, key, state, due_at=now, started_at=now, changed=state == "succeeded", **error)
    return key.name


# Of each type, choosing its keys in each way. The one that pages are tried with waits for a webhook.
_TASKS: Mapping[str, Mapping[str, Any]] = {
    "a-task": {
        "type": "webhook",
        "pattern": f"{{{{ID}}}}-{LONG}",
        "transform": f"// {MARKUP}\nreturn {{variables: {{ID: body.id}}}}",
        "overlap": "allow",
        "priority": 7,
    },
    LONG: {"type": "scheduled", "cron": "*/5 * * * *", "selection": "glob", "pattern": f"*{LONG}"},
    "a-daily-task": {"type": "scheduled", "preset": "daily", "selection": "prefix", "pattern": MARK},
    "a-paused-task": {"selection": "tag", "pattern": LONG, "enabled": False},
}


def _tasks(application: Application, now: datetime) -> str:
    """Tasks, with runs in each state and the log of one that some keys failed in. The tag of one."""
    keys = list(application.keys.order_by("pk"))
    for tag, fields in _TASKS.items():
        given = {"type": "on_demand", "selection": "contains", **fields, "name": f"{MARK} {tag}"[:200]}
        task = create_task(application=application, tag=tag, by=audit.OPERATOR, now=now, **given)
        _runs(task.runnable, now)
        counts = {"keys": 1000, "succeeded": 997, "failed": 3, "changed": 9, "bytes": 10**7}
        run = make_run(task.runnable, State.FAILED, number=50, output=counts, started_at=now, finished_at=now)
        for key, state in zip(keys, ("succeeded", "failed", "waiting", "waiting"), strict=False):
            error = {} if state == "succeeded" else {"error_class": "status", "error": f"It answered 500. {LONG}"}
            make_sync(run, key, state, due_at=now + timedelta(minutes=1), changed=state == "succeeded", **error)
    return "a-task"


def _background_tasks(application: Application, now: datetime) -> str:
    """One in each state, of definitions that are there and that are gone. The id of one with a log and children."""
    for number, state in enumerate((one for one in State if one != State.SKIPPED), start=1):
        began, is_bad = now - timedelta(minutes=number), state in {State.FAILED, State.ABORTED, State.RETRYING}
        run = {"error": LONG if is_bad else "", "output": {MARK: MARKUP}}
        make_background_run(application, state, name=f"{MARK} {state}", created_at=began, run=run, progress=0.5)
    of_run = {"input": {MARK: LONG}, "output": {"markup": MARKUP, "long": [LONG] * 9}, "iteration": 3}
    its = make_background_run(
        application, State.RUNNING, name=f"{MARK} {LONG}"[:200], definition="testingRun", given={MARK: [MARKUP]},
        created_at=now, run=of_run, iterations=3, progress=0.42, progress_message=LONG,
        created_by={"id": MARK, "displayName": LONG, "type": "admin"},
    )  # fmt: skip
    for name in (MARK, LONG[:200]):
        make_background_run(application, State.FAILED, name=name, definition="was-here", parent_id=its.pk)
    for iteration in (1, 2, 3):
        for level, message in (("info", MARKUP), ("warning", MARK), ("error", LONG)):
            LogLine.objects.create(
                run=its.run, application=application, level=level, message=message, iteration=iteration,
                attempt=iteration, created_at=now, data={MARK: MARKUP},
            )  # fmt: skip
    return str(its.pk)


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
