"""An async job as a form. Every rule is the serializer's; the form only speaks to people."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from badgerjobs.runs.forms import ScheduleForm, blank, chosen
from badgerjobs.runs.models import Overlap
from badgerjobs.runs.policy_form import PolicyForm, policies_shown
from badgerjobs.runs.retry_form import RETRY_NAMES, RetryForm, shown_as
from badgerjobs.runs.serializers import DEFAULTS, PolicySerializer
from badgerjobs.web.definitions.named_form import NamedForm
from badgerjobs.web.serializer_forms import LENIENT, first_sentence
from badgerjobs.workspaces.models import Application
from slurps.models import AsyncJob, Slurper
from slurps.offering import offered
from slurps.serializers import LONGEST_RUN_S, AsyncJobSerializer

NO_SLURPER = "Choose the slurper that it runs."


class AsyncJobForm(RetryForm, PolicyForm, ScheduleForm, NamedForm):
    """Which slurper, and when. `job` is the one being changed; `application` has the retries of a new one."""

    no_name = "Give the async job a name, like import-products."

    slurper = forms.CharField(
        label="Slurper", help_text="What it pulls, and what it makes of that.", widget=forms.Select, **LENIENT
    )
    timeout = forms.CharField(
        label="A run may take",
        widget=forms.NumberInput({"min": "1", "max": str(LONGEST_RUN_S)}),
        **LENIENT,
    )
    overlap = forms.ChoiceField(
        label="When the run before is not over",
        choices=[one for one in Overlap.choices if one[0] != Overlap.ALLOW],
        widget=forms.RadioSelect,
        **LENIENT,
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        application: Application,
        job: AsyncJob | None = None,
        **more: Any,
    ) -> None:
        super().__init__(data, runnable=job.runnable if job else None, **more)
        self.job, self.application = job, application
        named = str(self["slurper"].value() or "")
        self.slurpers = offered(Slurper.objects.for_application(application), [named])
        self.fields["slurper"].widget.choices = [("", "Choose one"), *self.slurpers]

    def clean(self) -> dict[str, Any]:
        """Look at everything."""
        cleaned = super().clean()
        self.judge_rest(PolicySerializer, self.policies, without=self.policies)
        return cleaned

    def serializer(self, told: dict[str, Any]) -> AsyncJobSerializer:
        """Judge the job as the API would."""
        self.policies = self.policies_told()
        given = {name: self.cleaned_data.get(name, "").strip() for name in ("slurper", "timeout")}
        if not given["slurper"]:
            self.refuse("slurper", NO_SLURPER)
        data = {**told, **self.policies, **self.named_told(self.job), **{k: v for k, v in given.items() if v}}
        if not given["timeout"]:
            data["timeout"] = AsyncJob().timeout_s
        data |= {"enabled": self.cleaned_data.get("enabled", False), **self.retries_told(wanted=True)}
        context = {"application": self.application}
        return AsyncJobSerializer(self.job, data=data, partial=self.job is not None, context=context)

    def has_own_retries(self) -> bool:
        """Whether it is tried again in another way than new ones, or something is wrong there."""
        usual = shown_as(self.application.policy)
        values = {name: self[name].value() for name in usual}
        return any(name in self.errors or str(values[name] or "") != str(usual[name] or "") for name in usual)

    def refuse(self, field: str, said: Any) -> None:
        """In words for people."""
        if field == "tag":
            field, said = self.of_tag(said)
        super().refuse(field, first_sentence(said))

    def in_order(self) -> Iterable[str]:
        """The fields in their order on the page."""
        return self.order

    order = ("name", "tag", "slurper", "when", "at", "every", "unit", "duration", "cron", "preset", "start", "ends",
             "end_at", "max_runs", "time_zone", "enabled", "overlap", "catch_up", "catch_up_within",
             "catch_up_within_unit", "spread", "spread_unit", "priority", *RETRY_NAMES, "timeout")  # fmt: skip


def initial_of(job: AsyncJob) -> dict[str, Any]:
    """A stored job as the form shows it."""
    named = {"name": job.name, "tag": job.tag, "slurper": job.slurper.tag, "timeout": job.timeout_s}
    return {**chosen(job.runnable), **policies_shown(job.runnable), **shown_as(job.runnable.policy), **named}


def initial_new(application: Application) -> dict[str, Any]:
    """What a new job begins with."""
    begins = {**blank(), **policies_shown(DEFAULTS), **shown_as(application.policy)}
    return {**begins, "timeout": AsyncJob().timeout_s}


def initial_like(job: AsyncJob) -> dict[str, Any]:
    """A new job that does the same."""
    return {**initial_of(job), "name": f"{job.name} copy", "tag": ""}
