"""The transform of a hook as a form, and beside it the payload that it is tried with: an example, or what came."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms

from badgerjobs.web.definitions import json_text
from badgerjobs.web.definitions.inputs import plain
from badgerjobs.web.definitions.json_text import BadJSONError
from badgerjobs.web.serializer_forms import LENIENT, first_sentence
from tasks.serializers import TaskSerializer
from webhooks.deliveries.page import laid_out
from webhooks.models import Delivery, Example, Hook
from webhooks.performing.bodies import BadBodyError, without_encoding
from webhooks.receiving.packing import unpacked
from webhooks.serializers import HookSerializer
from webhooks.transforms.example_services import EXAMPLE_BYTES, example_of

NO_HEADERS = 'Headers are an object of texts, like {"x-topic": "products/update"}.'
TOO_LONG = f"This is longer than an example may be: {EXAMPLE_BYTES // 1024} KB at most."
CUT = f"This is its beginning, {EXAMPLE_BYTES // 1024} KB of {{:,}} bytes. “Compare on what came” takes it whole."
NO_NAME = "Give the example a name, like product updated."

_CODE = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}


class TransformForm(forms.Form):
    """`code` is the draft. `payload()` is what it is tried with, and `example_told()` what is kept of an example."""

    transform = forms.CharField(
        label="JavaScript",
        strip=False,
        widget=forms.Textarea(
            {**_CODE, "rows": "16", "data-editor": "javascript", "placeholder": "return {variables: {ID: body.id}}"}
        ),
        **LENIENT,
    )
    name = forms.CharField(
        label="Called",
        max_length=100,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": "product updated"}),
        error_messages={"max_length": "A name has 100 characters at most."},
    )
    example_body = forms.CharField(
        label="Body",
        strip=False,
        widget=forms.Textarea({**_CODE, "rows": "12", "data-editor": "json", "data-guess": ""}),
        **LENIENT,
    )
    example_headers = forms.CharField(
        label="Headers", strip=False, widget=forms.Textarea({**_CODE, "rows": "2", "data-editor": "json"}), **LENIENT
    )
    expected = forms.CharField(
        label="What must come of it",
        strip=False,
        widget=forms.Textarea({**_CODE, "rows": "2", "data-editor": "json"}),
        **LENIENT,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, **more: Any) -> None:
        super().__init__(data, **{"auto_id": "%s", **more})

    @property
    def code(self) -> str:
        """The draft, as it is stored: its lines end with LF alone."""
        return plain(str(self["transform"].value() or ""))

    @property
    def cut(self) -> str:
        """That the payload which was opened is only a beginning; empty where it is all."""
        return str(self.initial.get("cut", ""))

    @property
    def body(self) -> str:
        return plain(str(self["example_body"].value() or ""))

    def headers(self) -> dict[str, str]:
        """Those that were typed. Raises BadJSONError."""
        given = _read(str(self["example_headers"].value() or ""))
        if given is None:
            return {}
        if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
            raise BadJSONError(NO_HEADERS)
        return given

    def payload(self) -> tuple[dict[str, str], bytes]:
        """Headers and body to try the draft with. Raises BadJSONError."""
        return self.headers(), _bounded(self.body).encode(errors="replace")

    def example_told(self) -> dict[str, Any] | None:
        """The fields of the example that was typed; None where something is wrong, which the form says then."""
        self.is_valid()
        told: dict[str, Any] = {"name": self.cleaned_data.get("name", "").strip()}
        if not told["name"] and not self.errors.get("name"):
            self.add_error("name", NO_NAME)
        for field, name, read in (
            ("example_body", "body", lambda: _bounded(self.body)),
            ("example_headers", "headers", self.headers),
            ("expected", "expected", lambda: _read(str(self["expected"].value() or ""))),
        ):
            try:
                told[name] = read()
            except BadJSONError as error:
                self.add_error(field, str(error))
        return None if self.errors else told

    def judged(self, hook: Hook) -> bool:
        """Whether the draft may be saved, as the API would judge it; what is wrong with it, the form says."""
        given = {"transform": self.code}
        context = {"application": hook.application}
        judge: Any = TaskSerializer(hook.task, data=given, partial=True, context=context)
        if hook.task is None:
            judge = HookSerializer(hook, data=given, partial=True, context=context)
        self.is_valid()
        if judge.is_valid():
            return True
        self.add_error("transform", first_sentence(judge.errors.get("transform") or judge.errors))
        return False


def of_example(example: Example) -> dict[str, str]:
    """An example as the form shows it."""
    return {
        "name": example.name,
        "example_body": laid_out(example.body),
        "example_headers": json_text.written(example.headers or None),
        "expected": json_text.written(example.expected),
    }


def of_delivery(delivery: Delivery) -> dict[str, str]:
    """What came as the form shows it, without credentials and encoding. What is no text is shown as if it were.

    What is encoded, and cannot be read without that, is not shown: it says why.

    Of what is longer than an example the beginning: nobody could send the form with all of it.
    """
    example = example_of(delivery)
    text = example["body"]
    unread = ""
    if text is None:
        text, unread = _as_if_text(delivery)
    is_cut = _is_long(text)
    shown = text.encode()[:EXAMPLE_BYTES].decode(errors="ignore") if is_cut else laid_out(text)
    return {
        "name": "",
        "example_body": text if _is_long(shown) else shown,
        "example_headers": json_text.written(example["headers"] or None),
        "expected": "",
        "cut": CUT.format(len(text.encode())) if is_cut else unread,
    }


def _as_if_text(delivery: Delivery) -> tuple[str, str]:
    """What is no text as if it were; or nothing, and why it cannot be read."""
    try:
        raw = without_encoding(delivery.headers, unpacked(bytes(delivery.body), packed=delivery.packed))
    except BadBodyError as error:
        return "", str(error)
    return raw.decode(errors="replace").replace("\0", "\ufffd"), ""


def chosen_payload(hook: Hook, chosen: str) -> tuple[str, dict[str, str]]:
    """The choice of a payload, as it is written (`example:NAME`, `delivery:ID`, or nothing), and what that fills in.

    One that there is not any more is nothing.
    """
    kind, _, name = chosen.partition(":")
    if kind == "example" and (example := hook.examples.filter(name=name).first()):
        return chosen, of_example(example)
    if kind == "delivery" and (delivery := _delivery(hook, name)):
        return chosen, of_delivery(delivery)
    return "", {"name": "", "example_body": "", "example_headers": "", "expected": ""}


def _delivery(hook: Hook, name: str) -> Delivery | None:
    try:
        return Delivery.objects.for_application(hook.application).of(hook).filter(pk=UUID(name)).first()
    except ValueError:
        return None


def _read(text: str) -> Any:
    return json_text.read(_bounded(plain(text)))


def _bounded(text: str) -> str:
    if _is_long(text):
        raise BadJSONError(TOO_LONG)
    return text


def _is_long(text: str) -> bool:
    return len(text.encode(errors="replace")) > EXAMPLE_BYTES
