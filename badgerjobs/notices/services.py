"""What can be done about notices."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from badgerjobs.notices import payloads
from badgerjobs.notices.masking import masked_url
from badgerjobs.notices.models import LONGEST_BASE_URL, NoticeSettings
from badgerjobs.notices.sending import Ways, send
from badgerjobs.runs import fleet
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.locks import hold_application
from badgerjobs.workspaces.models import Application

# What can be changed. `base_url` is no choice of anybody's, and not among them.
NOTICE_FIELDS = ("enabled", "emails", "url", "troubles", "quiet_minutes")


class NobodyToTellError(Exception):
    """There is neither an address nor a URL."""


def settings_of(application: Application) -> NoticeSettings:
    """What the application has chosen; where it has not, a row that is not stored and tells nobody."""
    found = NoticeSettings.objects.for_application(application).first()
    return found or NoticeSettings(application=application)


@transaction.atomic
def change_notices(
    *, application: Application, late_after_s: int | None, base_url: str, by: audit.Actor, now: datetime, **fields: Any
) -> NoticeSettings:
    """Change what is given of NOTICE_FIELDS, checked, and after how many seconds work is late (None: never).

    Raises RefusedError when the application is gone.
    """
    held = hold_application(application)
    row = settings_of(held)
    before = _facts(row, held)
    url_was = row.url
    for name in NOTICE_FIELDS:
        setattr(row, name, fields.get(name, getattr(row, name)))
    if len(base_url) <= LONGEST_BASE_URL:  # nobody can look up a longer name: links keep the one before
        row.base_url = base_url
    row.save()
    if held.late_after_s != late_after_s:
        held.late_after_s = late_after_s
        held.save(update_fields=["late_after_s", "updated_at"])
    changes = audit.difference(before, _facts(row, held))
    if row.url != url_was:  # what is shown of both may be the same
        changes["url"] = [before["url"] or None, masked_url(row.url) or None]
    if changes:
        audit.record(by=by, action="notices.change", subject=held.name, now=now, application=held, changes=changes)
    return row


def _facts(row: NoticeSettings, application: Application) -> Mapping[str, Any]:
    shown = {name: getattr(row, name) for name in NOTICE_FIELDS}
    return {**shown, "url": masked_url(row.url), "late_after_s": application.late_after_s}


def hold_notices(application: Application) -> None:
    """Before an application is deleted: wait for who is telling of it, and let nobody else begin."""
    list(NoticeSettings.objects.for_application(application).select_for_update().values_list("pk"))


@transaction.atomic
def send_test(*, application: Application, by: audit.Actor, now: datetime) -> list[UUID]:
    """Tell everybody who is told of troubles that this is a test. Returns the ids of the runs that do it.

    Raises NobodyToTellError.
    """
    row = NoticeSettings.objects.for_application(application).select_for_update().first()
    if row is None or not (row.emails or row.url):
        raise NobodyToTellError("Give an e-mail address or a URL first, and save them.")
    payload = payloads.of_test(application, base_url=row.base_url, now=now)
    ways = Ways(application.pk, calls=bool(row.url), mails=bool(row.emails))
    ids = send([(ways, [payload])], now=fleet.database_now())
    row.tested = [str(run_id) for run_id in ids]
    row.save(update_fields=["tested"])
    audit.record(by=by, action="notices.test", subject=application.name, now=now, application=application)
    return ids
