"""A notification: a mail, a message in a chat, or a signed webhook."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from rest_framework import serializers

from badgerjobs.lib.handlebars import Filling, TemplateError
from badgerjobs.lib.retry_after import asked_wait
from badgerjobs.lib.said import quoted
from badgerjobs.outbound.client import Call, CallFailed, HostBusy
from badgerjobs.outbound.kept import result_of
from badgerjobs.outbound.relay import Unreachable
from badgerjobs.outbound.slots import HostFullError
from badgerjobs.outbound.targets import UnsendableError, check_url, target_of
from badgerjobs.runs.outcomes import Done, Failed, Later, Outcome
from badgerjobs.web.definitions.configurations import Secrets
from badgerjobs.web.definitions.fields import BODY_BYTES, JSONTemplateField, TemplateField, timeout_field
from badgerjobs.web.serializers import BoundedListField, StrictSerializer
from jobs.events.means import Means
from jobs.events.types import Occasion, Type, mail
from jobs.events.types.action import json_bytes
from jobs.events.types.mail import Mail
from jobs.events.types.secret_url import hidden, secrets_of
from jobs.models import ConnectionType
from jobs.perform import Request, make_call

# What each channel must be told, and what it may be told besides. What is not its own is refused.
CHANNELS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "email": (("to", "subject", "text"), ("html",)),
    "chat": (("url", "text"), ("blocks",)),
    "webhook": (("url",), ("payload",)),
}
BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


class NotificationConfiguration(StrictSerializer):
    """Whom to tell, how, and what."""

    channel = serializers.ChoiceField(list(CHANNELS), help_text="email, chat (as Slack takes it), or webhook (signed).")
    to = BoundedListField(
        child=TemplateField(max_length=300),
        required=False,
        allow_empty=False,
        max_length=mail.MOST_RECIPIENTS,
        help_text="email: the addresses, with placeholders; 50 at most.",
    )
    subject = TemplateField(required=False, max_length=500, help_text="email: one line, with placeholders.")
    text = TemplateField(required=False, help_text="email and chat: what it says, with placeholders.")
    html = TemplateField(
        required=False, allow_blank=True, help_text="email: the same as HTML; values are put in as they are."
    )
    url = serializers.CharField(
        required=False,
        max_length=2000,
        help_text="chat and webhook: where to post. Whoever knows a chat's can post: it reads back as stars.",
    )
    blocks = JSONTemplateField(required=False, help_text="chat: Slack's blocks, with placeholders in their texts.")
    payload = JSONTemplateField(
        required=False, help_text="webhook: the JSON to send, with placeholders in its texts; else the whole input."
    )
    timeout = timeout_field()

    def validate_url(self, url: str) -> str:
        """Absolute, http or https."""
        try:
            check_url(url)
        except UnsendableError as error:
            raise serializers.ValidationError(str(error)) from None
        return url

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What the channel needs, and nothing of another's."""
        channel = attrs["channel"]
        needed, allowed = CHANNELS[channel]
        wrong = {name: [f"A notification by {channel} needs this."] for name in needed if name not in attrs}
        others = {name for one in CHANNELS.values() for part in one for name in part} - {*needed, *allowed}
        wrong |= {name: [f"A notification by {channel} has no such field."] for name in others if name in attrs}
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs


def connection_type(configuration: Mapping[str, Any]) -> ConnectionType | None:
    """Mails go by the application's own mail server."""
    return ConnectionType.SMTP if configuration.get("channel") == "email" else None


def prepare(occasion: Occasion) -> Mail | Call | Request:
    """What is sent, with the input in it. Raises ValueError."""
    given, filling = occasion.configuration, Filling(occasion.values, most=BODY_BYTES, what="the notification")
    if given["channel"] == "email":
        to = [filling.render(one) for one in given["to"]]
        texts = {name: filling.render(given.get(name, "")) for name in ("subject", "text", "html")}
        return mail.mail_of(occasion.run_id, occasion.connection["sender"], to, **texts)
    if given["channel"] == "chat":
        body = _bounded({"text": filling.render(given["text"]), **_blocks(given, filling)})
        headers = [("Content-Type", "application/json")]
        return Call("POST", given["url"], headers=headers, body=body, timeout_s=given["timeout"], redirects=0)
    return Request(
        "POST",
        given["url"],
        {"Content-Type": "application/json"},
        _bounded(filling.fill(given.get("payload", "{{input}}"))),
        given["timeout"],
        occasion.signing_key,
        occasion.previous_key,
        occasion.previous_until,
    )


def _blocks(given: Mapping[str, Any], filling: Filling) -> dict[str, Any]:
    return {"blocks": filling.fill(given["blocks"])} if given.get("blocks") else {}


def _bounded(value: Any) -> bytes:
    body = json_bytes(value)
    if len(body) > BODY_BYTES:
        raise TemplateError(f"With the input in it this has {len(body):,} bytes: at most {BODY_BYTES:,} can be sent.")
    return body


async def perform(occasion: Occasion, prepared: Mail | Call | Request, means: Means) -> Outcome:
    """Tell it: once, as far as we know."""
    try:
        if isinstance(prepared, Mail):
            return await _mailed(occasion, prepared, means)
        if isinstance(prepared, Call):
            return hidden(await _chatted(prepared, means), prepared.url)
        return hidden(await make_call(occasion.run_id, prepared, means.client), prepared.endpoint)
    except HostBusy as busy:
        return Later(busy.wait_s)
    except HostFullError as full:
        return Later(full.wait_s)


async def _mailed(occasion: Occasion, prepared: Mail, means: Means) -> Outcome:
    connection, timeout_s = occasion.connection, occasion.configuration["timeout"]
    try:
        async with means.turn(connection, timeout_s, workspace=occasion.workspace, blocks=True) as turn:
            now = datetime.now(UTC)
            return await turn.in_thread(partial(mail.deliver, prepared, now, connection, turn.line, timeout_s))
    except TimeoutError:
        return Failed("timeout", f"{connection['host']} did not take the mail within {timeout_s} s.")
    except Unreachable as error:
        return Failed(error.error_class, error.message, retry=error.error_class != "refused")


async def _chatted(call: Call, means: Means) -> Done | Failed:
    """Chats say what they did not like in a word or two, and nothing but trouble of their own passes."""
    try:
        answer = await means.client.send(call)
    except HostBusy:
        raise
    except CallFailed as failed:
        return Failed(failed.error_class, failed.message, retry=failed.error_class != "refused")
    result = result_of(answer)
    if answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Done(result)
    said = f" It says: {quoted(answer.body, secrets_of(call.url))}" if answer.body else ""
    return Failed(
        "status",
        f"The chat answered {answer.status}.{said}",
        result=result,
        retry=answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in BUSY,
        retry_after=asked_wait(answer.headers, now=datetime.now(UTC)),
    )


def party(configuration: Mapping[str, Any]) -> Any:
    """Whom the URL's secret is sent to: the URL is that secret."""
    try:
        return target_of(configuration["url"]).origin
    except (UnsendableError, KeyError):
        return None


NOTIFICATION = Type(
    NotificationConfiguration, prepare, perform, Secrets(fields=("url",), party=party), connection=connection_type
)
