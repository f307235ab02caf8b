"""What a run of a notice does: one signed call to the URL, or one mail to all addresses."""

import asyncio
import json
import logging
import smtplib
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage

from badgerjobs.lib import signatures
from badgerjobs.lib.retry_after import asked_wait
from badgerjobs.notices.addresses import members_of, only_members, unknown
from badgerjobs.notices.mails import subject_of, text_of
from badgerjobs.notices.models import NoticeSettings
from badgerjobs.notices.sending import URL
from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.client import Call, CallFailed, Client, HostBusy
from badgerjobs.outbound.kept import result_of
from badgerjobs.runs.kinds import Claimed, Kind
from badgerjobs.runs.outcomes import Done, Failed, Later, Outcome

logger = logging.getLogger(__name__)

# How long somebody who answers has, and a mail server with all that it is told.
ANSWER_S = 15.0
MAIL_S = 60.0
# A mail server that hangs holds threads, and never the loop.
MAIL_THREADS = 4
# Before the attempts after the first: what a person has to read need not come within seconds, but it must come.
WAITS = (timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told, and to whom: to the URL if there is one, else by mail. Read anew for each attempt."""

    payloads: Sequence[Mapping[str, Any]]
    url: str
    emails: Sequence[str]
    signing_key: str
    previous_key: str
    previous_until: datetime | None


@dataclass(frozen=True, slots=True)
class Means:
    """What the notices of one event loop share: the HTTP door, and who runs what waits for a mail server."""

    client: Client
    threads: ThreadPoolExecutor


def load(runs: Sequence[Claimed]) -> dict[UUID, Notice]:
    """Whom each of these notices is for, as it is now. One that is for nobody any more is left out."""
    applications = {run.application_id for run in runs}
    rows = NoticeSettings.objects.filter(pk__in=applications).select_related("application")
    found = {row.pk: row for row in rows}
    members = members_of({row.application.workspace_id for row in rows}) if only_members() else {}
    notices = {
        run.id: _notice(run.input, row, members.get(row.application.workspace_id))
        for run in runs
        if (row := found.get(run.application_id))
    }
    return {run_id: notice for run_id, notice in notices.items() if notice.url or notice.emails}


def _notice(given: Mapping[str, Any], row: NoticeSettings, members: Collection[str] | None) -> Notice:
    """`members`: whom alone it may write to; None: to anybody."""
    application = row.application
    is_call = given["to"] == URL
    # Whoever is no member any more is written to no more, where only members are.
    strangers = unknown(row.emails, members) if members is not None else []
    return Notice(
        given["payloads"],
        row.url if is_call else "",
        [] if is_call else [email for email in row.emails if email not in strangers],
        application.signing_key,
        application.previous_signing_key,
        application.previous_key_until,
    )


@asynccontextmanager
async def open_means() -> AsyncIterator[Means]:
    """The HTTP door of one event loop, and threads for mail. Nobody waits for a mail server when it ends."""
    threads = ThreadPoolExecutor(MAIL_THREADS, thread_name_prefix="mail")
    try:
        async with Client(Policy(settings.EGRESS_ALLOW), host_slots=settings.HOST_SLOTS) as client:
            yield Means(client, threads)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


async def perform(run: Claimed, notice: Notice, means: Means) -> Outcome:
    """Tell it. A failure is tried again after WAITS, unless the other side says that it is no use."""
    wait = WAITS[min(run.attempt, len(WAITS)) - 1]
    if notice.url:
        return await _call(run.id, notice, means.client, wait)
    return await _mail(notice, means.threads, wait)


async def _call(run_id: UUID, notice: Notice, client: Client, wait: timedelta) -> Outcome:
    at = int(time.time())
    body = body_of(notice.payloads[0])
    keys = signatures.valid_keys(notice.signing_key, notice.previous_key, notice.previous_until, at)
    headers = [("Content-Type", "application/json"), *signatures.headers(keys, str(run_id), at, body)]
    call = Call("POST", notice.url, headers=headers, body=body, timeout_s=ANSWER_S)
    try:
        answer = await client.send(call)
    except HostBusy as busy:
        return Later(busy.wait_s)
    except CallFailed as failed:
        result = result_of(failed.answer) if failed.answer else None
        again = failed.error_class != "refused"
        return Failed(failed.error_class, failed.message, result=result, retry=again, retry_after=wait)
    if answer.status < HTTPStatus.BAD_REQUEST:
        return Done(result_of(answer))
    asked = asked_wait(answer.headers, now=datetime.fromtimestamp(at).astimezone())
    return Failed(
        "status",
        f"The URL for notices answered {answer.status}.",
        result=result_of(answer),
        retry=answer.status != HTTPStatus.GONE,
        retry_after=max(wait, asked or wait),
    )


def body_of(payload: Mapping[str, Any]) -> bytes:
    """What is sent, and signed: the same bytes with each attempt."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


async def _mail(notice: Notice, threads: ThreadPoolExecutor, wait: timedelta) -> Outcome:
    mail = EmailMessage(subject_of(notice.payloads), text_of(notice.payloads), None, list(notice.emails))
    loop = asyncio.get_running_loop()
    try:
        await asyncio.wait_for(loop.run_in_executor(threads, _sender(mail)), MAIL_S)
    except TimeoutError:
        return Failed("timeout", f"The mail server took longer than {MAIL_S:.0f} s.", retry_after=wait)
    except (OSError, smtplib.SMTPException) as error:
        # What it says may repeat the password it was given: that stays in the log of this installation.
        logger.warning("a notice could not be mailed: %s", error)
        return Failed("mail", f"The mail server did not take it ({type(error).__name__}).", retry_after=wait)
    # Not whose they are: whoever may read runs may read this, and the addresses are for admins alone.
    return Done({"mailed_to": len(notice.emails)})


def _sender(mail: EmailMessage) -> Callable[[], int]:
    return mail.send


NOTICE = Kind(load=load, perform=perform, open=open_means)
