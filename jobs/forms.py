"""A job as a form. Every rule is the serializer's; the form only speaks to people."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from rest_framework.exceptions import ErrorDetail

from badgerjobs.lib import vault
from badgerjobs.outbound.targets import UnsendableError, check_url
from badgerjobs.runs.forms import LENIENT, ScheduleForm
from badgerjobs.runs.policy_form import PolicyForm
from badgerjobs.runs.retry_form import RETRY_NAMES, RetryForm
from badgerjobs.runs.serializers import PolicySerializer
from badgerjobs.workspaces.models import Application
from jobs import header_rows, json_text
from jobs.events.inputs import plain
from jobs.header_rows import HeaderRow, HeaderRows
from jobs.initial import initial_retries
from jobs.models import Event, Job, Verb
from jobs.serializers import BODY_BYTES, JobSerializer

# What the serializer says to programs in one word, said to people: field and code.
WORDS = {
    ("tag", "required"): "Give the job a name, like refresh-prices.",
    ("endpoint", "blank"): "Give the URL to call, like https://example.com/refresh.",
    ("event_tag", "required"): "Give the tag of the event that it performs, or choose “Call a URL” above.",
    ("fail_statuses", "blank"): "Say which fail, like 400-599, or none.",
    ("timeout", "invalid"): "Give a number of seconds, from 1 to 900.",
    ("timeout", "max_string_length"): "Give a number of seconds, from 1 to 900.",
    ("timeout", "min_value"): "Give a number of seconds, from 1 to 900.",
    ("timeout", "max_value"): "Give a number of seconds, from 1 to 900.",
    ("catch_up", "skips_some"): "All would be run, and what is chosen above skips some: choose “Let all wait” or "
    "“Run beside it” there, or “The latest” here.",
    ("catch_up_within", "limits_nothing"): "Nothing is caught up, however recent: choose “The latest” or “All” above, "
    "or leave this empty.",
    ("catch_up", "by_hand"): "What runs by hand is never missed: choose “The latest”, or above when it runs.",
    (
        "catch_up_within",
        "by_hand",
    ): "What runs by hand is never missed: leave this empty, or choose above when it runs.",
    ("spread", "by_hand"): "What runs by hand has no time to be spread from: leave this empty, or choose above when it "
    "runs.",
}
# What a job does, and what a try of it is made of.
CALL, EVENT = "call", "event"
DOES = [(CALL, "Call a URL"), (EVENT, "Perform an event")]
CALL_FIELDS = ("verb", "endpoint", "headers", "body", "timeout", "fail_statuses")
EVENT_FIELDS = ("event_tag", "input")
# Where the events of REST are in the panel.
MAKE_IT = (", at events/.", ", under Events.")


class JobForm(RetryForm, PolicyForm, ScheduleForm):
    """What to do, and when. `job` is the one being changed; `application` has the retries of a new one."""

    name = forms.CharField(widget=forms.TextInput({"class": "short", "autocomplete": "off"}), **LENIENT)
    tag = forms.CharField(
        widget=forms.TextInput({"class": "mono short", "autocomplete": "off"}),
        help_text="Its identity in addresses and in the API: unique, and never changed. The name, unless you give one.",
        **LENIENT,
    )
    does = forms.ChoiceField(label="What it does", choices=DOES, widget=forms.RadioSelect, **LENIENT)
    event_tag = forms.CharField(
        label="Event",
        widget=forms.TextInput({"class": "mono short", "list": "events", "autocomplete": "off"}),
        **LENIENT,
    )
    input = forms.CharField(
        strip=False,
        widget=forms.Textarea({"rows": "5", "spellcheck": "false", "data-editor": "json"}),
        help_text="JSON, up to 1 MB: what the event knows as input. Empty: null.",
        **LENIENT,
    )
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
    retryable = forms.BooleanField(**LENIENT)
    timeout = forms.CharField(label="Gives up after", widget=forms.NumberInput({"min": "1", "max": "900"}), **LENIENT)
    fail_statuses = forms.CharField(
        label="Answers that fail",
        widget=forms.TextInput({"class": "mono short", "autocomplete": "off"}),
        help_text="Statuses and ranges, like 400-599 or 429,500-599; or none. All others are successes.",
        **LENIENT,
    )
    retry_statuses = forms.CharField(
        label="Tried again after",
        widget=forms.TextInput({"class": "mono short", "autocomplete": "off", "placeholder": "any that fails"}),
        help_text="Empty: after any answer that fails. Never after 410, which pauses the job.",
        **LENIENT,
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        job: Job | None = None,
        application: Application | None = None,
        **more: Any,
    ) -> None:
        super().__init__(data, runnable=job.runnable if job else None, **more)
        self.job, self.application = job, application or (job.application if job else None)
        self.row_errors: dict[int, str] = {}
        self.focused, self.seen = "", ""

    def clean(self) -> dict[str, Any]:
        """Look at each header by itself, so that what is wrong stands beside its row; then at everything."""
        self.row_errors = header_rows.wrong(self.pairs, self.job.headers if self.job else {}) if self.calls else {}
        for said in self.row_errors.values():
            self.refuse("headers", said)
        cleaned = super().clean()
        self.judge_rest(PolicySerializer, self.policies, without=self.policies)
        return cleaned

    def serializer(self, told: dict[str, Any]) -> JobSerializer:
        """Judge the job as the API would."""
        switches, self.policies = self._switches(), self.policies_told()
        data = {**told, **self.policies, **self._named(), **switches, **self.retries_told(wanted=switches["retryable"])}
        data |= {**self.call_told(), **self._typed("retry_statuses")} if self.calls else self.event_told()
        return JobSerializer(self.job, data=data, context={"application": self.application})

    @property
    def calls(self) -> bool:
        """Whether it calls a URL, and does not perform an event: as was chosen, or as the job does."""
        chosen = str(self["does"].value() or "")
        return chosen == CALL or (chosen != EVENT and not (self.job and self.job.event_id))

    def call(self) -> dict[str, Any] | None:
        """The call alone, checked: verb, endpoint, headers, body, timeout. None when something is wrong with it."""
        if any(name in self.errors for name in CALL_FIELDS):
            return None
        alone = JobSerializer(data={"tag": "test", **self.call_told()})
        return dict(alone.validated_data) if alone.is_valid() else None

    def event(self) -> Event | None:
        """The event that is to be performed. None when something is wrong with it or its input."""
        if self.application is None or any(name in self.errors for name in EVENT_FIELDS):
            return None
        return Event.objects.for_application(self.application).whole().filter(tag=self._event_tag()).first()

    def event_told(self) -> dict[str, Any]:
        """What of a call there was on the page is not said: it would contradict the event."""
        told: dict[str, Any] = {"event_tag": self._event_tag()}
        try:
            given = self._input()
            told |= {"input": given} if told["event_tag"] else {}
        except json_text.BadJSONError as error:
            self.refuse("input", str(error))
        return {**told, "timeout": self.job.timeout} if self.job else told

    def _input(self) -> Any:
        return json_text.read(plain(self.cleaned_data.get("input", "")))

    def _event_tag(self) -> str:
        return str(self.cleaned_data.get("event_tag", "")).strip()

    def call_told(self) -> dict[str, Any]:
        given = self.cleaned_data.get
        headers = {name: value for _, name, value in header_rows.filled(self.pairs) if name}
        return {
            "verb": given("verb", ""),
            "endpoint": given("endpoint", "").strip(),
            "headers": {} if self.row_errors else headers,
            "body": self._body(),
            "timeout": given("timeout", ""),
            **self._typed("fail_statuses"),
        }

    def _typed(self, field: str) -> dict[str, str]:
        """A field as it was typed, and nothing where it was not on the page."""
        return {field: self.cleaned_data.get(field, "").strip()} if field in self.data else {}

    def has_own_retries(self) -> bool:
        """Whether it fails and tries again in another way than new jobs, or something is wrong there."""
        usual = initial_retries(self.application)
        values = {name: self[name].value() for name in usual}
        return any(name in self.errors or str(values[name] or "") != str(usual[name] or "") for name in usual)

    def _field_of(self, name: str) -> str:
        """Of a job that performs an event, what is missing is the event."""
        return "event_tag" if name in {"endpoint", "verb"} and not self.calls else super()._field_of(name)

    def refuse(self, field: str, said: Any) -> None:
        """In words for people, and with what would be right where that is plain to see."""
        first = said[0] if isinstance(said, list) and said else said
        said = WORDS.get((field, first.code or ""), said) if isinstance(first, ErrorDetail) else said
        if field == "event_tag":
            said = str(said[0] if isinstance(said, list) else said).replace(*MAKE_IT)
        if field == "tag" and not self.cleaned_data.get("tag"):
            if not self.cleaned_data.get("name"):
                field = "name"
            elif near := re.sub(r"[^\w.:-]+", "-", self.cleaned_data["name"]).strip("-."):
                said = f"The name stands in addresses too, unless you give a tag. Did you mean {near}?"
        if field == "endpoint" and (near := self._with_scheme()):
            said = f"Begin with http:// or https://. Did you mean {near}?"
        super().refuse(field, said)

    @property
    def pairs(self) -> header_rows.Pairs:
        """The rows of headers as they were typed, or as they begin."""
        return list(self["headers"].value() or [])

    def rows(self) -> list[HeaderRow]:
        """The rows of headers, to show."""
        nothing_stored = [] if self.job or self.is_bound else [n for n, v in self.pairs if v == vault.MASK]
        return header_rows.rows(self.pairs, self.row_errors, nothing_stored)

    def blank_row(self) -> HeaderRow:
        """A row that scripts copy: they number it."""
        return HeaderRow(0, "", "")

    def wrong(self) -> list[tuple[str, str]]:
        """Id and label of each field that needs a change, in their order on the page."""
        found = []
        for name in self.order:
            if name == "headers" and self.row_errors:
                found += [(f"header_name_{number}", f"Header {number}") for number in self.row_errors]
            elif name in self.errors:
                found.append((name, str(self[name].label)))
        return found

    def focus(self, name: str) -> None:
        """Let a field have the keyboard when the page is there: by its widget, or a row of headers by its id."""
        self.focused = "header_name_1" if name == "headers" else name
        if name in self.fields:
            self.fields[name].widget.attrs["autofocus"] = True

    @property
    def tried_fields(self) -> tuple[str, ...]:
        """What a try of it is made of."""
        return CALL_FIELDS if self.calls else EVENT_FIELDS

    order = ("name", "tag", "does", "event_tag", "input", "verb", "endpoint", "headers", "body",
             "when", "at", "every", "unit", "duration", "cron",
             "preset", "start", "ends", "end_at", "max_runs", "time_zone", "enabled", "overlap", "catch_up",
             "catch_up_within", "catch_up_within_unit", "spread", "spread_unit", "priority", "retryable", *RETRY_NAMES,
             "fail_statuses", "retry_statuses", "timeout")  # fmt: skip

    def body_bytes(self) -> int:
        return len(plain(str(self["body"].value() or "")).encode())

    most_bytes = BODY_BYTES

    def guessed_type(self) -> str:
        """The Content-Type that the body seems to have, where the headers name none."""
        return "application/json" if self.is_json() and "content-type" not in self._names() else ""

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

    def _names(self) -> set[str]:
        return {name.strip().lower() for name, _ in self.pairs}

    def _named(self) -> dict[str, str]:
        name, tag = (self.cleaned_data.get(field, "").strip() for field in ("name", "tag"))
        if self.job:
            return {"name": name or self.job.tag}
        return {field: text for field, text in (("name", name), ("tag", tag)) if text}

    def _switches(self) -> dict[str, bool]:
        return {name: self.cleaned_data.get(name, False) for name in ("enabled", "retryable")}

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


def typed(data: QueryDict) -> dict[str, Any]:
    """What was typed so far, as a beginning: shown again, and not judged yet."""
    return {name: field.widget.value_from_datadict(data, {}, name) for name, field in JobForm.base_fields.items()}


def fill_in(data: QueryDict, do: str) -> bool:
    """Put what an error offered into its field, as its button says; whether it said so.

    `fill:endpoint=https://example.com`, `fill:header_name_2=X-Team`.
    """
    field, _, value = do.removeprefix("fill:").partition("=")
    name, _, number = field.rpartition("_")
    if not do.startswith("fill:"):
        return False
    if name == header_rows.NAME:
        names, row = data.getlist(name), header_rows.number_of(number)
        if 0 < row <= len(names):
            names[row - 1] = value
        data.setlist(name, names)
    elif field in JobForm.base_fields:
        data[field] = value
    return True
