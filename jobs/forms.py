"""A job as a form. Every rule is the serializer's; the form only speaks to people."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from rest_framework.exceptions import ErrorDetail

from badgerjobs.runs.forms import ScheduleForm
from badgerjobs.runs.policy_form import PolicyForm
from badgerjobs.runs.retry_form import RETRY_NAMES, RetryForm
from badgerjobs.runs.serializers import PolicySerializer
from badgerjobs.web.serializer_forms import LENIENT, first_sentence
from badgerjobs.workspaces.models import Application
from jobs.call_form import CALL_FIELDS, CallForm
from jobs.initial import initial_retries
from jobs.models import Job
from jobs.perform_form import EVENT_FIELDS, MAKE_IT, PerformForm
from jobs.serializers import JobSerializer

# What the serializer says to programs in one word, said to people: field and code.
WORDS = {
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
CALL, EVENT = "call", "event"
DOES = [(CALL, "Call a URL"), (EVENT, "Perform an event")]


class JobForm(RetryForm, PolicyForm, ScheduleForm, CallForm, PerformForm):
    """What to do, and when. `job` is the one being changed; `application` has the retries of a new one."""

    does = forms.ChoiceField(label="What it does", choices=DOES, widget=forms.RadioSelect, **LENIENT)
    # Calls are tried again unless somebody says otherwise, events only where somebody says so: each has its own box.
    retryable = forms.BooleanField(**LENIENT)
    event_retryable = forms.BooleanField(**LENIENT)
    retry_statuses = forms.CharField(
        label="Tried again after",
        widget=forms.TextInput({"class": "mono short", "autocomplete": "off", "placeholder": "any that fails"}),
        help_text="Empty: after any answer that fails. Never after 410, which pauses the job.",
        **LENIENT,
    )
    no_name = "Give the job a name, like refresh-prices."

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
        self.seen = ""

    def clean(self) -> dict[str, Any]:
        """Look at each header by itself, then at everything."""
        if self.calls:
            self.judge_headers()
        cleaned = super().clean()
        self.judge_rest(PolicySerializer, self.policies, without=self.policies)
        return cleaned

    def serializer(self, told: dict[str, Any]) -> JobSerializer:
        """Judge the job as the API would."""
        switches, self.policies = self._switches(), self.policies_told()
        data = {**told, **self.policies, **self.named_told(self.job), **switches}
        data |= self.retries_told(wanted=switches["retryable"])
        data |= {**self.call_told(), **self.typed_in("retry_statuses")} if self.calls else self.event_told()
        return JobSerializer(self.job, data=data, context={"application": self.application})

    @property
    def calls(self) -> bool:
        """Whether it calls a URL, and does not perform an event: as was chosen, or as the job does."""
        chosen = str(self["does"].value() or "")
        return chosen == CALL or (chosen != EVENT and not (self.job and self.job.event_id))

    @property
    def tried_fields(self) -> tuple[str, ...]:
        """What a try of it is made of."""
        return CALL_FIELDS if self.calls else EVENT_FIELDS

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
            said = first_sentence(said).replace(*MAKE_IT)
        if field == "tag":
            field, said = self.of_tag(said)
        if field == "endpoint":
            said = self.of_endpoint(said)
        super().refuse(field, said)

    def _switches(self) -> dict[str, bool]:
        retryable = "retryable" if self.calls else "event_retryable"
        return {
            "enabled": self.cleaned_data.get("enabled", False),
            "retryable": self.cleaned_data.get(retryable, False),
        }

    def in_order(self) -> Iterable[str]:
        """The fields in their order on the page."""
        return self.order

    order = ("name", "tag", "does", "event_tag", "input", "verb", "endpoint", "headers", "body",
             "when", "at", "every", "unit", "duration", "cron",
             "preset", "start", "ends", "end_at", "max_runs", "time_zone", "enabled", "overlap", "catch_up",
             "catch_up_within", "catch_up_within_unit", "spread", "spread_unit", "priority", "retryable", *RETRY_NAMES,
             "fail_statuses", "retry_statuses", "timeout")  # fmt: skip
