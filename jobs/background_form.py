"""Putting a background task on a schedule, as a form: what the job is called, when it runs, and the task's input."""

from collections.abc import Iterable, Mapping
from typing import Any

from badgerjobs.lib.storable import is_storable
from badgerjobs.runs.forms import ScheduleForm, blank
from badgerjobs.runs.schedules import SCHEDULE_FIELDS
from badgerjobs.web.definitions.named_form import NamedForm
from badgerjobs.workspaces.models import Application
from jobs.background_schedules import free_name, is_taken
from jobs.serializers import JobSerializer
from tasks.background.definitions import Definition
from tasks.background.forms import InputForm

# A new schedule begins so: every working day at eight.
BEGINS = {"when": "cron", "cron": "0 8 * * 1-5"}
# The rules of a job ask what it calls. What this one does is said by an event, which is there as soon as the job is.
_STANDS_FOR_THE_EVENT = {"endpoint": "https://example.com/", "verb": "POST", "retryable": False}

TAKEN = "There is a job or an event with the tag “{}” already: give this one another."


class JobOfTaskForm(ScheduleForm, NamedForm):
    """What the job is called, and when it runs. Its rules are those of every job."""

    no_name = "Give the job a name, like nightly-articles."

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.fields["name"].label = "Name of the job"  # the input may have a name, too

    def serializer(self, told: dict[str, Any]) -> JobSerializer:
        """Judge the job as the API would."""
        return JobSerializer(data={**told, **self.named_told(None), **_STANDS_FOR_THE_EVENT, "enabled": True})

    def refuse_taken(self, application: Application) -> None:
        """Say so where the tag, or the name that stands for it, is taken already."""
        named = self.named_told(None)
        tag = named.get("tag") or named.get("name") or ""
        if tag and is_storable(tag) and is_taken(application, tag):
            self.refuse_tag(tag)

    def refuse_tag(self, tag: str) -> None:
        """Say that it is taken, where it was typed."""
        super().refuse("tag" if self.cleaned_data.get("tag") else "name", TAKEN.format(tag))

    def refuse(self, field: str, said: Any) -> None:
        """A name that cannot be the tag is wrong there."""
        if field == "tag":
            field, said = self.of_tag(said)
        super().refuse(field, said)

    @property
    def fields_of_job(self) -> dict[str, Any]:
        """What was told of it: name, tag and schedule. For a form that is valid."""
        told = self.told.validated_data
        return {name: told[name] for name in ("name", "tag", *SCHEDULE_FIELDS) if name in told}

    def in_order(self) -> Iterable[str]:
        """The fields in their order on the page."""
        return ("name", "tag", "when", "at", "every", "unit", "duration", "cron", "preset", "start", "ends", "end_at",
                "max_runs", "time_zone", "spread", "spread_unit")  # fmt: skip


class BackgroundScheduleForm:
    """Both forms of the page as one: `job`, and the `input` of the definition."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, application: Application, definition: Definition
    ) -> None:
        self.application, self.definition = application, definition
        begins = {} if data is not None else {"name": free_name(application, definition.title)}
        self.job = JobOfTaskForm(data, initial={**blank(), **BEGINS, **begins})
        self.input = InputForm(data, definition=definition)
        self.is_bound = data is not None
        self._is_judged = False

    def is_valid(self) -> bool:
        """Whether both are, and the definition takes the input: people want to know of all at once."""
        if self.is_bound and not self._is_judged:
            self._is_judged = True
            self.job.is_valid()
            self.job.refuse_taken(self.application)
            self.input.is_valid()
            self.input.judge()
        return self.is_bound and not self.errors

    @property
    def errors(self) -> Mapping[str, Any]:
        return {**self.input.errors, **self.job.errors} if self.is_bound else {}

    def wrong(self) -> list[tuple[str, str]]:
        """Id and label of each field that needs a change, in their order on the page."""
        return [*self.job.wrong(), *self.input.wrong()]

    def non_field_errors(self) -> list[str]:
        """What is wrong with no field of its own."""
        return [*self.job.non_field_errors(), *self.input.non_field_errors()]
