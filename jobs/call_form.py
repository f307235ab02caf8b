"""The call that a job makes, as a part of its form: to whom, with what, and which answers fail."""

import json
from typing import Any

from django import forms

from badgerjobs.lib import vault
from badgerjobs.outbound.targets import UnsendableError, check_url
from badgerjobs.web.definitions import header_rows
from badgerjobs.web.definitions.fields import BODY_BYTES
from badgerjobs.web.definitions.header_rows import HeaderRow, HeaderRows
from badgerjobs.web.definitions.inputs import plain
from badgerjobs.web.definitions.named_form import NamedForm
from badgerjobs.web.serializer_forms import LENIENT
from jobs.models import Job, Verb
from jobs.serializers import JobSerializer

# What a try of a call is made of.
CALL_FIELDS = ("verb", "endpoint", "headers", "body", "timeout", "fail_statuses")
WITH_SCHEME = "Begin with http:// or https://. Did you mean {}?"


class CallForm(NamedForm):
    """The fields, which take anything: `JobForm` tells them to the serializer. `job` is the one being changed."""

    job: Job | None = None
    most_bytes = BODY_BYTES

    verb = forms.ChoiceField(
        choices=[(verb, verb) for verb in Verb.values], widget=forms.Select({"aria-label": "Verb"}), **LENIENT
    )
    endpoint = forms.CharField(
        widget=forms.TextInput(
            {"class": "mono", "inputmode": "url", "autocomplete": "off", "placeholder": "https://example.com/refresh"}
        ),
        **LENIENT,
    )
    headers = HeaderRows(required=False)
    body = forms.CharField(
        strip=False,
        widget=forms.Textarea({"rows": "5", "spellcheck": "false", "data-editor": "json", "data-guess": ""}),
        help_text="As it is sent.",
        **LENIENT,
    )
    timeout = forms.CharField(label="Gives up after", widget=forms.NumberInput({"min": "1", "max": "900"}), **LENIENT)
    fail_statuses = forms.CharField(
        label="Answers that fail",
        widget=forms.TextInput({"class": "mono short", "autocomplete": "off"}),
        help_text="Statuses and ranges, like 400-599 or 429,500-599; or none. All others are successes.",
        **LENIENT,
    )

    def call(self) -> dict[str, Any] | None:
        """The call alone, checked: verb, endpoint, headers, body, timeout. None when something is wrong with it."""
        if any(name in self.errors for name in CALL_FIELDS):
            return None
        alone = JobSerializer(data={"tag": "test", **self.call_told()})
        return dict(alone.validated_data) if alone.is_valid() else None

    def call_told(self) -> dict[str, Any]:
        """The fields of REST."""
        given = self.cleaned_data.get
        headers = {name: value for _, name, value in header_rows.filled(self.pairs) if name}
        return {
            "verb": given("verb", ""),
            "endpoint": given("endpoint", "").strip(),
            "headers": {} if self.header_errors else headers,
            "body": self._body(),
            "timeout": given("timeout", ""),
            **self.typed_in("fail_statuses"),
        }

    def typed_in(self, field: str) -> dict[str, str]:
        """A field as it was typed, and nothing where it was not on the page."""
        return {field: self.cleaned_data.get(field, "").strip()} if field in self.data else {}

    def judge_headers(self) -> None:
        """Look at each header by itself, so that what is wrong stands beside its row."""
        self.row_errors = {self.headers_field: header_rows.wrong(self.pairs, self.job.headers if self.job else {})}
        for said in self.header_errors.values():
            self.refuse(self.headers_field, said)

    def of_endpoint(self, said: Any) -> Any:
        """What to say of the endpoint: what was probably meant, where that is plain to see."""
        near = self._with_scheme()
        return WITH_SCHEME.format(near) if near else said

    def header_rows(self) -> list[HeaderRow]:
        """The rows of headers, to show; of a copy, whose secrets are not copied, with a hint."""
        nothing_stored = [] if self.job or self.is_bound else [n for n, v in self.pairs if v == vault.MASK]
        return header_rows.rows(self.pairs, self.header_errors, nothing_stored)

    def body_bytes(self) -> int:
        """How long the body is."""
        return len(plain(str(self["body"].value() or "")).encode())

    def guessed_type(self) -> str:
        """The Content-Type that the body seems to have, where the headers name none."""
        names = {name.strip().lower() for name, _ in self.pairs}
        return "application/json" if self.is_json() and "content-type" not in names else ""

    def is_json(self) -> bool:
        """Whether the body reads as an object or a list."""
        text = str(self["body"].value() or "").strip()
        if not text.startswith(("{", "[")) or len(text) > BODY_BYTES:
            return False
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return False
        return True

    def _body(self) -> str:
        """Browsers end every line with CR LF, whatever was typed or stored: what was not touched stays as it is."""
        body, stored = (plain(text) for text in (self.cleaned_data.get("body", ""), self.job.body if self.job else ""))
        return self.job.body if self.job and body == stored else body

    def _with_scheme(self) -> str:
        """The endpoint as it probably was meant; empty when it has a scheme, or is none even so."""
        typed = self.cleaned_data.get("endpoint", "").strip()
        if not typed or "://" in typed:
            return ""
        try:
            check_url(f"https://{typed.lstrip('/')}")
        except UnsendableError:
            return ""
        return f"https://{typed.lstrip('/')}"
