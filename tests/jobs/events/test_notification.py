"""A notification in a chat or by a signed webhook: what is sent, what is hidden, and what is wrong with one."""

import base64
import html
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from rest_framework.exceptions import ValidationError

from badgerjobs.lib import signatures
from badgerjobs.lib.vault import MASK
from badgerjobs.runs.outcomes import Done, Failed
from jobs.events.types.secret_url import hidden
from tests.e2e.receiver import Answer, Receiver
from tests.jobs.events.performing import KEY, RUN, done, failed, perform
from tests.stand_ins import Parrot

INPUT = {"mail": "alice@example.com", "product": "Lamp"}


@pytest.fixture
def chat() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def test_a_chat_is_told_as_slack_takes_it(chat: Receiver) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*{{input.product}}*"}}]
    url = f"{chat.url}/T1/B1/secret"
    result = done(
        perform(
            "NOTIFICATION",
            {"channel": "chat", "url": url, "text": "{{input.product}} “low”", "blocks": blocks},
            None,
            INPUT,
        )
    )
    [call] = chat.calls
    assert (call.method, call.path, call.headers["content-type"]) == ("POST", "/T1/B1/secret", "application/json")
    assert json.loads(call.body) == {
        "text": "Lamp “low”",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*Lamp*"}}],
    }
    assert result["status"] == 200
    assert "secret" not in json.dumps(result)


@pytest.mark.parametrize(("status", "retry"), [(404, False), (429, True), (503, True)])
def test_a_chat_that_says_no_is_quoted(chat: Receiver, status: int, retry: bool) -> None:
    chat.answer = lambda _: Answer(status)
    error_class, sentence, again = failed(perform("NOTIFICATION", {"channel": "chat", "url": chat.url, "text": "x"}))
    assert (error_class, again) == ("status", retry)
    assert sentence.startswith(f"The chat answered {status}.")


REPEATED: dict[str, Callable[[str], tuple[str, str, bytes]]] = {
    "redirect": lambda path: (
        "307 Moved", f"Location: {path}\r\n", f"<a href='https://hooks.example.com{path}'>".encode()
    ),
    "page": lambda path: ("404 Not Found", f"X-Asked: {path}\r\nLink: <{path}>\r\n", f"no_service: {path}".encode()),
    "last part": lambda path: ("403 Forbidden", "", path.rpartition("/")[2].partition("?")[0].encode()),
    "query": lambda path: ("403 Forbidden", "", path.partition("?")[2].encode()),
    "value": lambda path: ("403 Forbidden", "", path.partition("=")[2].encode()),
    "JSON": lambda path: ("500 Oh", "", json.dumps({"at": path}).replace("/", "\\/").encode()),
    "HTML": lambda path: ("500 Oh", "", html.escape(path).encode()),
    "parameter": lambda path: ("200 OK", f"X-Next: /?at={quote(path, safe='')}\r\n", b""),
    "bytes": lambda path: ("200 OK", "", f"\0{path}\0".encode() + b"\xff"),
}  # fmt: skip


@pytest.mark.parametrize("says", REPEATED.values(), ids=REPEATED)
@pytest.mark.parametrize("channel", ["chat", "webhook"])
def test_a_secret_url_is_hidden_in_what_the_server_repeats(channel: str, says: Any) -> None:
    more = {"text": "x"} if channel == "chat" else {}
    with Parrot(says) as parrot:
        url = f"http://127.0.0.1:{parrot.port}/T1/B1/verysecretpart?key=anothersecret&n='1'"
        outcome = perform("NOTIFICATION", {"channel": channel, "url": url, **more})
    assert isinstance(outcome, Done | Failed)
    result = outcome.result or {"headers": {}, "body": "", "body_is_base64": False}
    if result["body_is_base64"]:
        result = {**result, "body": base64.b64decode(result["body"]).decode("latin-1")}
    shown = f"{outcome} {result}"
    assert not [part for part in ("verysecretpart", "anothersecret", "T1", "B1") if part in shown]
    assert "location" not in result["headers"]


@pytest.mark.parametrize(
    "write", [str, html.escape, lambda path: quote(path, safe="")], ids=["as it is", "HTML", "URL"]
)
def test_a_url_of_short_parts_is_hidden_as_a_whole(write: Callable[[str], str]) -> None:
    with Parrot(lambda path: ("200 OK", "", f"“{write(path)}”".encode())) as parrot:
        url = f"http://127.0.0.1:{parrot.port}/a/b/c?k=1&n=2"
        assert done(perform("NOTIFICATION", {"channel": "chat", "url": url, "text": "x"}))["body"] == f"“{MASK}”"


def test_a_secret_url_is_hidden_in_a_sentence_too() -> None:
    url = "https://chat.example.com/T1/B1/verysecretpart"
    assert hidden(Failed("protocol", f"At {url}, or verysecretpart, is nothing."), url) == Failed(
        "protocol", f"At {MASK}, or {MASK}, is nothing."
    )


def test_what_is_no_part_of_the_url_is_shown_as_it_is(chat: Receiver) -> None:
    with Parrot(lambda _: ("404 No", "X-A: a/b\r\n", b"a, / and no_service")) as parrot:
        outcome = perform(
            "NOTIFICATION", {"channel": "chat", "url": f"http://127.0.0.1:{parrot.port}/a?b", "text": "x"}
        )
    assert isinstance(outcome, Failed)
    assert outcome.result
    assert outcome.error == "The chat answered 404. It says: a, / and no_service."
    assert (outcome.result["headers"]["x-a"], outcome.result["body"]) == ("a/b", "a, / and no_service")


def test_a_webhook_is_signed_by_the_applications_key(chat: Receiver) -> None:
    event = {"channel": "webhook", "url": f"{chat.url}/hook", "payload": {"is": "low", "what": "{{input}}"}}
    assert done(perform("NOTIFICATION", event, None, INPUT))["status"] == 200
    [call] = chat.calls
    assert json.loads(call.body) == {"is": "low", "what": INPUT}
    signatures.verify(
        KEY, call.id, call.headers["webhook-timestamp"], call.headers["webhook-signature"], call.body, now=call.at
    )
    assert call.id == str(RUN)


@pytest.mark.parametrize(
    ("event", "field", "sentence"),
    [
        ({"channel": "email", "to": ["a@example.com"], "text": "x"}, "subject", "A notification by email needs this."),
        (
            {"channel": "chat", "url": "https://x.example", "text": "x", "to": ["a"]},
            "to",
            "A notification by chat has no such field.",
        ),
        (
            {"channel": "webhook", "url": "ftp://x.example"},
            "url",
            "Only http:// and https:// can be called, not ftp://.",
        ),
        ({"channel": "pigeon"}, "channel", "“pigeon” is not there"),
        ({"channel": "chat", "url": "https://x.example", "text": "{{x"}, "text", "is no placeholder"),
    ],
)
def test_what_is_wrong_with_it_is_said_at_its_field(event: dict[str, Any], field: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as raised:
        perform("NOTIFICATION", event)
    assert sentence in str(raised.value.detail["configuration"][field])  # type: ignore[index,call-overload]
