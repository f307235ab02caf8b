"""The event that a job performs, and its input, as a part of the job's form."""

from typing import Any

from django import forms

from badgerjobs.web.definitions import json_text
from badgerjobs.web.definitions.inputs import plain
from badgerjobs.web.definitions.named_form import NamedForm
from badgerjobs.web.serializer_forms import LENIENT
from badgerjobs.workspaces.models import Application
from jobs.models import Event, Job

# What a try of an event is made of.
EVENT_FIELDS = ("event_tag", "input")
# Where the events of REST are in the panel.
MAKE_IT = (", at events/.", ", under Events.")


class PerformForm(NamedForm):
    """The fields, which take anything: `JobForm` tells them to the serializer. `job` is the one being changed."""

    job: Job | None = None
    application: Application | None = None

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

    def event(self) -> Event | None:
        """The event that is to be performed. None when something is wrong with it or its input."""
        if self.application is None or any(name in self.errors for name in EVENT_FIELDS):
            return None
        return Event.objects.for_application(self.application).whole().filter(tag=self._event_tag()).first()

    def event_told(self) -> dict[str, Any]:
        """The fields of REST. What of a call there was on the page is not said: it would contradict the event."""
        told: dict[str, Any] = {"event_tag": self._event_tag()}
        try:
            given = json_text.read(plain(self.cleaned_data.get("input", "")))
            told |= {"input": given} if told["event_tag"] else {}
        except json_text.BadJSONError as error:
            self.refuse("input", str(error))
        return {**told, "timeout": self.job.timeout} if self.job else told

    def _event_tag(self) -> str:
        return str(self.cleaned_data.get("event_tag", "")).strip()
