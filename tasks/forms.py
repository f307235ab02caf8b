"""A task as a form. Every rule is the serializer's; the form only speaks to people."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from badgerjobs.runs.forms import WHEN, ScheduleForm, blank, chosen
from badgerjobs.runs.models import Overlap
from badgerjobs.runs.policy_form import PolicyForm, described, policies_shown
from badgerjobs.runs.policy_words import OVERLAP
from badgerjobs.runs.retry_form import RETRY_NAMES, RetryForm, shown_as
from badgerjobs.runs.serializers import DEFAULTS, PolicySerializer
from badgerjobs.web.definitions.inputs import plain
from badgerjobs.web.definitions.named_form import NamedForm
from badgerjobs.web.serializer_forms import LENIENT, first_sentence
from badgerjobs.workspaces.models import Application
from tasks.fitting import usual_overlap
from tasks.models import Selection, Task, TaskType
from tasks.picking import Picked
from tasks.serializers import TaskSerializer

# What the sentences of REST call by its name there.
IN_FORM = {"choose queue_all or allow": "choose “Let all wait” or “Run beside it”"}
AS_USUAL = "The runs of a webhook wait for each other; of any other task, the new occurrence is skipped."
SELECTIONS = [
    (Selection.EXACT, "Exact keys"),
    (Selection.CONTAINS, "Contains"),
    (Selection.PREFIX, "Begins with"),
    (Selection.GLOB, "Glob"),
    (Selection.TAG, "Tag"),
]
NO_PATTERN = "Give a pattern, like product-category-."
NO_TAG = "Give a tag that keys have, like catalogue."
NO_KEYS = "Choose at least one key, or choose a pattern above."
NO_SCHEDULE = "Choose when it runs."


class TaskForm(RetryForm, PolicyForm, ScheduleForm, NamedForm):
    """Which keys, and when. `task` is the one being changed; `application` has the retries of a new one."""

    no_name = "Give the task a name, like refresh-products."

    type = forms.ChoiceField(label="Runs", choices=TaskType.choices, widget=forms.RadioSelect, **LENIENT)
    when = forms.ChoiceField(
        label="When",
        choices=[("preset", "Hourly, daily or weekly"), *(one for one in WHEN if one[0] in {"every", "cron", "at"})],
        widget=forms.RadioSelect,
        **LENIENT,
    )
    selection = forms.ChoiceField(label="Which keys", choices=SELECTIONS, widget=forms.RadioSelect, **LENIENT)
    pattern = forms.CharField(
        label="Pattern",
        strip=False,
        widget=forms.TextInput({"class": "mono", "autocomplete": "off", "spellcheck": "false",
                                "placeholder": "product-category-"}),
        **LENIENT,
    )  # fmt: skip
    # What is looked for among the keys; what is chosen, `Picked` tells.
    find = forms.CharField(label="Keys", **LENIENT)
    transform = forms.CharField(
        label="Transform",
        strip=False,
        widget=forms.Textarea({"rows": "5", "spellcheck": "false", "autocapitalize": "off",
                               "data-editor": "javascript"}),
        **LENIENT,
    )  # fmt: skip
    overlap = forms.ChoiceField(
        label="When the run before is not over",
        choices=[("", "As usual"), *Overlap.choices],
        widget=forms.RadioSelect,
        **LENIENT,
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        application: Application,
        task: Task | None = None,
        picked: Picked | None = None,
        **more: Any,
    ) -> None:
        super().__init__(data, runnable=task.runnable if task else None, **more)
        self.task, self.application = task, application
        self.picked = picked or Picked(application, task)

    def clean(self) -> dict[str, Any]:
        """Look at everything."""
        cleaned = super().clean()
        self.judge_rest(PolicySerializer, self.policies, without=self.policies)
        return cleaned

    def serializer(self, told: dict[str, Any]) -> TaskSerializer:
        """Judge the task as the API would."""
        self.policies = self._policies()
        data = {**told, **self.policies, **self.named_told(self.task), **self._does()}
        data |= {"enabled": self.cleaned_data.get("enabled", False), **self.retries_told(wanted=True)}
        context = {"application": self.application}
        return TaskSerializer(self.task, data=data, partial=self.task is not None, context=context)

    @property
    def is_scheduled(self) -> bool:
        return self.cleaned_data.get("type") == TaskType.SCHEDULED

    def overlaps(self) -> list[tuple[Any, str]]:
        """Each choice, and what it means."""
        known = {str(value): line for value, line in OVERLAP.items()}
        return [(described(radio), known.get(radio.data["value"], AS_USUAL)) for radio in self["overlap"]]

    def has_own_retries(self) -> bool:
        """Whether its keys are tried again in another way than those of new tasks, or something is wrong there."""
        usual = shown_as(self.application.policy)
        values = {name: self[name].value() for name in usual}
        return any(name in self.errors or str(values[name] or "") != str(usual[name] or "") for name in usual)

    def _schedule_told(self) -> dict[str, Any]:
        """What is not scheduled runs by hand, whatever was chosen before."""
        if self.is_scheduled:
            if not self.cleaned_data.get("when"):
                self.refuse("when", NO_SCHEDULE)
            return super()._schedule_told()
        self.cleaned_data["when"] = "hand"
        told = super()._schedule_told()
        return {**told, "spread": None, "end_at": None, "max_runs": None}

    def _policies(self) -> dict[str, Any]:
        told = self.policies_told()
        if self.cleaned_data.get("type") == TaskType.WEBHOOK and self._keeps_overlap(told):
            del told["overlap"]  # what it cannot have any more is changed with its type
        if self.is_scheduled:
            return told
        for name in ("catch_up", "catch_up_within", "catch_up_within_unit"):
            self.errors.pop(name, None)
        by_hand = {"catch_up": DEFAULTS.catch_up, "catch_up_within": None}
        return {**told, **{name: usual for name, usual in by_hand.items() if name in self.data}}

    def _keeps_overlap(self, told: Mapping[str, Any]) -> bool:
        return bool(self.runnable and told.get("overlap") == self.runnable.overlap)

    def _does(self) -> dict[str, Any]:
        """Its type, and which keys it means: only what its choices ask for."""
        given = self.cleaned_data
        told: dict[str, Any] = {"type": given.get("type", ""), "selection": given.get("selection", "")}
        told["transform"] = plain(given.get("transform", "")) if told["type"] == TaskType.WEBHOOK else ""
        if told["selection"] == Selection.EXACT:
            told |= {"keys": self.picked.all_names(), "pattern": ""}
            if not told["keys"]:
                self.refuse("find", NO_KEYS)
        else:
            told["pattern"] = given.get("pattern", "")
            if not told["pattern"]:
                self.refuse("pattern", NO_TAG if told["selection"] == Selection.TAG else NO_PATTERN)
        return told

    def _field_of(self, name: str) -> str:
        return "find" if name == "keys" else super()._field_of(name)

    def refuse(self, field: str, said: Any) -> None:
        """In words for people."""
        if field == "tag":
            field, said = self.of_tag(said)
        elif field.partition(".")[0] == "keys":
            field = "find"
        sentence = first_sentence(said)
        for words, here in IN_FORM.items():
            sentence = sentence.replace(words, here)
        super().refuse(field, sentence)

    def in_order(self) -> Iterable[str]:
        """The fields in their order on the page."""
        return self.order

    order = ("name", "tag", "type", "when", "at", "every", "unit", "duration", "cron", "preset", "start", "ends",
             "end_at", "max_runs", "time_zone", "enabled", "selection", "find", "pattern", "transform", "overlap",
             "catch_up", "catch_up_within", "catch_up_within_unit", "spread", "spread_unit", "priority",
             *RETRY_NAMES)  # fmt: skip


def initial_of(task: Task) -> dict[str, Any]:
    """A stored task as the form shows it."""
    shown, policies = chosen(task.runnable), policies_shown(task.runnable)
    if policies["overlap"] == usual_overlap(task.type, DEFAULTS.overlap):
        policies["overlap"] = ""
    return {
        **shown,
        "when": "preset" if shown["when"] == "hand" else shown["when"],
        "preset": shown["preset"] or "hourly",
        **policies,
        **shown_as(task.runnable.policy),
        **{name: getattr(task, name) for name in ("name", "tag", "type", "selection", "pattern", "transform")},
    }


def initial_new(application: Application) -> dict[str, Any]:
    """What a new task begins with."""
    policies = {**policies_shown(DEFAULTS), "overlap": ""}
    chosen = {"type": TaskType.ON_DEMAND, "selection": Selection.CONTAINS, "when": "preset", "preset": "hourly"}
    return {**blank(), **policies, **shown_as(application.policy), **chosen}


def initial_like(task: Task) -> dict[str, Any]:
    """A new task that does the same."""
    return {**initial_of(task), "name": f"{task.name} copy", "tag": ""}
