"""What pages show of a notice's run: what was told, to how many, and what came back.

Whoever sees runs sees this. Whose the addresses are, and what follows the URL's host, is for admins.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from badgerjobs.lib import vault
from badgerjobs.notices.mails import subject_of, text_of
from badgerjobs.notices.masking import masked_url
from badgerjobs.notices.models import NoticeSettings
from badgerjobs.notices.sending import URL
from badgerjobs.outbound.in_words import answer_in_words, phrase
from badgerjobs.runs.models import Attempt, Run
from badgerjobs.runs.shown import Body, Exchange, Shown, Side


def answer_of(result: Mapping[str, Any], error_class: str) -> str:
    """`204 No Content`, how many addresses a mail went to, or that no mail went out."""
    if "mailed_to" in result:
        return f"mailed to {_addresses(result['mailed_to'])}"
    if "status" in result:
        return answer_in_words(result["status"])
    return "not mailed" if error_class == "mail" else ""


def exchange_of(run: Run, attempt: Attempt | None) -> Exchange | None:
    """What was told, and the answer. None where nobody is told of anything any more."""
    row = NoticeSettings.objects.for_application(run.application).first()
    given = run.input or {}
    if row is None or not given.get("payloads"):
        return None
    result = (attempt.result if attempt else None) or {}
    return Exchange(request=_request(given, row, result), response=_response(result) if "status" in result else None)


def _request(given: Mapping[str, Any], row: NoticeSettings, result: Mapping[str, Any]) -> Side:
    if given["to"] == URL:
        text = json.dumps(given["payloads"][0], ensure_ascii=False, indent=2)
        return Side("POST", masked_url(row.url), {"Content-Type": "application/json"}, Body(text, len(text.encode())))
    text = text_of(given["payloads"])
    headers = {"Subject": subject_of(given["payloads"])}
    count = result.get("mailed_to") or len(row.emails)
    return Side("Mail", f"to {_addresses(count)}", headers, Body(text, len(text.encode())))


def _addresses(count: int) -> str:
    return f"{count} address{'' if count == 1 else 'es'}"


def _response(result: Mapping[str, Any]) -> Side:
    headers = vault.mask(result.get("headers") or {})
    text = "" if result.get("body_is_base64") else str(result.get("body") or "")
    return Side(str(result["status"]), phrase(result["status"]), headers, Body(text, len(text.encode())))


def advice_on(attempt: Attempt) -> str:
    """What may help."""
    if attempt.error_class == "mail":
        return "Whoever runs this installation finds in its log what the mail server said."
    return "Look at the URL under Settings, Notices."


def content_of(result: Mapping[str, Any]) -> bytes:
    """What came back, as it was kept."""
    return str(result.get("body") or "").encode(errors="replace")


def page_of(run: Run) -> str:
    """The address of the page that says what is told of."""
    return reverse("notices:incidents", args=[run.application.slug])


NOTICE = Shown("notice", answer_of, exchange_of, advice_on, content_of, page_of, errors={"mail": "not mailed"})
