"""A job in Ductape's words: the event that it performs, and a schedule in milliseconds and executions.

They stand beside ours, on the one resource, and mean the same columns. Both may be given as long as they agree.
"""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from badgerjobs.lib import durations, statuses
from badgerjobs.lib.storable import is_storable
from badgerjobs.runs.length_fields import MillisecondsField
from badgerjobs.web.definitions.fields import TypeField
from badgerjobs.web.serializers import StrictSerializer
from jobs.ductape_fields import ExecutionsField, InputField, StartField, milliseconds
from jobs.events.task_inputs import fault_of_job
from jobs.models import Event, EventType, Job

Wrong = dict[str, list[str]]

ACTION = EventType.ACTION.value
# Ours → theirs: by which name a fault is told to those who used it.
THEIRS = {"max_runs": "executions", "run_every": "intervals", "run_at": "start_at"}
# What says what to call, of a job that has no event, and what each is where it says nothing.
CALL = {
    "endpoint": "", "verb": "", "headers": {}, "body": "", "fail_statuses": statuses.FAILURES, "retry_statuses": "",
}  # fmt: skip
RHYTHMS = ("run_every", "run_every_ms", "cron", "preset")
# What is empty in a job that runs by hand.
WHEN = ("run_at", "run_every", "cron", "preset")
RETRY_WORDS = ("retryable", "retry_policy", "retries", "retry_step", "retry_delays", "retry_for")

OTHERWISE = "It says something else than `{0}`, which is the same in other words: leave one of the two out."
NO_TAG = "{0} is done by a stored event: give its tag as `event_tag`. Only ACTION may say here what to call."
NO_EVENT = "There is no event with the tag “{0}” in this application: make it first, at events/."
OTHER_TYPE = "The event “{0}” is of the type {1}: give that, or leave `event_type` out, or give another `event_tag`."
THE_WAY_OUT = "Leave this out, or change the event. With `event_tag` null the job says itself what to call."
HAS_EVENT = f"The event “{{0}}” says what is done. {THE_WAY_OUT}"
NEEDS = "Say what to call, or give the `event_tag` of a stored event instead."
NO_INPUT = "Only a stored event takes an input: give its `event_tag`, or put what is sent into `body`."


class DuctapeSerializer(StrictSerializer):
    """What is done, by an event or by the call itself, and when, in the words of Ductape."""

    event_type = TypeField(
        EventType.choices,
        required=False,
        allow_null=True,
        help_text=f"In any case: {', '.join(EventType.values)}. With `event_tag`, that event's; alone, only ACTION.",
    )
    event_tag = serializers.CharField(
        max_length=200,
        required=False,
        allow_null=True,
        trim_whitespace=False,
        help_text="The stored event that it performs. Null: it calls `endpoint` itself.",
    )
    input = InputField(
        required=False,
        allow_null=True,
        help_text="What the event is given: any JSON, at most 1 MB; lists show it up to 16 KB. Null: nothing.",
    )
    executions = ExecutionsField(
        source="max_runs", required=False, help_text="The same as `max_runs`: how many runs; 0 is without end."
    )
    intervals = MillisecondsField(
        source="run_every",
        required=False,
        allow_null=True,
        help_text="The same as `run_every_ms`: milliseconds between two runs. Null where the schedule is another.",
    )
    start_at = StartField(
        source="run_at",
        required=False,
        allow_null=True,
        help_text="The same as `run_at`: milliseconds since 1970, or ISO 8601 with a zone; 0 is now.",
    )

    def to_internal_value(self, data: Any) -> Any:
        """Of two words for one thing one is taken, if they agree. Raises ValidationError."""
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        data = self._agreed(dict(data))
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:  # all that is wrong is told at once
            found = error.detail if isinstance(error.detail, dict) else {}
            missing = {} if self.partial else self._wrong_as_told(data)
            raise serializers.ValidationError({**missing, **found}) from None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What is done is either an event or a call, and a fault has the name that was used."""
        never_retried = {"retryable": False, "retries": 0} if self._is_never_retried(attrs) else {}
        attrs, wrong = self._doing(attrs)
        try:
            attrs = super().validate(attrs)
        except serializers.ValidationError as error:
            found = error.detail if isinstance(error.detail, dict) else {}
            raise serializers.ValidationError({**self._in_their_words(found), **wrong}) from None
        if wrong:
            raise serializers.ValidationError(wrong)
        return {**attrs, **never_retried}

    def to_representation(self, instance: Job) -> dict[str, Any]:
        """The event by its type and tag; a job that has none is an action of its own."""
        shown = super().to_representation(instance)
        event = instance.event
        none = {} if event is None else {"endpoint": None, "verb": None}
        return {
            **shown,
            "event_type": event.type if event else ACTION,
            "event_tag": event.tag if event else None,
            **none,
        }

    # When

    def _agreed(self, data: dict[str, Any]) -> dict[str, Any]:
        if self._means_once(data):
            data = self._once(data)
        if "intervals" in data:
            data = self._one_interval(data)
        if "executions" in data and "max_runs" in data:
            self._keep_ours(data, "executions", "max_runs")
        if "start_at" in data:
            data = self._one_start(data)
        return data

    def _means_once(self, data: Mapping[str, Any]) -> bool:
        """Whether it is one execution, and nothing between it and another."""
        times = [_number(data[name]) for name in ("executions", "max_runs") if name in data]
        is_nothing = _number(data.get("intervals")) == 0 and not any(data.get(name) for name in RHYTHMS)
        return is_nothing and bool(times) and set(times) == {1}

    def _once(self, data: dict[str, Any]) -> dict[str, Any]:
        """At its start, which is now unless it is said or there."""
        rest = {name: value for name, value in data.items() if name not in {"intervals", "executions"}}
        said = data.get("start_at") is not None or data.get("run_at") is not None
        is_there = self.partial and self.instance is not None and self.instance.runnable.run_at
        if not (said or is_there):
            rest = {**{name: value for name, value in rest.items() if name != "run_at"}, "start_at": 0}
        return {**rest, **dict.fromkeys((*RHYTHMS, "max_runs"))}

    def _one_interval(self, data: dict[str, Any]) -> dict[str, Any]:
        """Null says nothing, as in `run_every_ms`: it reads so where the schedule is another."""
        if data["intervals"] is None:
            return {name: value for name, value in data.items() if name != "intervals"}
        if data.get("run_every_ms") is not None:
            self._keep_ours(data, "intervals", "run_every_ms")
        elif data.get("run_every"):
            if _length(data["run_every"]) != _number(data["intervals"]):
                raise serializers.ValidationError({"intervals": [OTHERWISE.format("run_every")]})
            del data["intervals"]
        else:
            data.pop("run_every", None)
        return data

    def _one_start(self, data: dict[str, Any]) -> dict[str, Any]:
        if "run_at" in data:
            self._keep_ours(data, "start_at", "run_at")
        elif self.partial and self.instance is not None and data["start_at"] is not None:
            # What was read has no microseconds: sent back, it must not begin the series anew.
            before = self.instance.runnable.run_at
            if before and _number(data["start_at"]) == milliseconds(before):
                del data["start_at"]
        return data

    def _keep_ours(self, data: dict[str, Any], theirs: str, ours: str) -> None:
        """Take the one of ours if both say the same. Raises ValidationError; what is wrong by itself is told later."""
        try:
            one, other = (self.fields[name].run_validation(data[name]) for name in (theirs, ours))
        except serializers.ValidationError:
            return
        if theirs == "start_at" and one and other:
            one, other = milliseconds(one), milliseconds(other)
        if one != other:
            raise serializers.ValidationError({theirs: [OTHERWISE.format(ours)]})
        del data[theirs]

    def _in_their_words(self, errors: Mapping[str, Any]) -> dict[str, Any]:
        given: Any = self.initial_data
        used = {ours: theirs for ours, theirs in THEIRS.items() if theirs in given and ours not in given}
        if not used:
            return dict(errors)
        # Who speaks so of one of them is told of the others in the same way.
        spoken = {ours: theirs for ours, theirs in THEIRS.items() if ours not in given}
        return {used.get(name, name): _spoken(said, spoken) for name, said in errors.items()}

    # What

    def _doing(self, attrs: dict[str, Any]) -> tuple[dict[str, Any], Wrong]:
        """Put the event, or None, in the place of its type and tag, as far as they are said; and tell what is wrong."""
        asked, tag = attrs.pop("event_type", None), attrs.pop("event_tag", None)
        job: Job | None = self.instance if self.partial else None
        says = job is None or "event_tag" in self.initial_data
        event = self._event(tag) if says or job is None else job.event
        if tag and event is None:
            return attrs, {"event_tag": [NO_EVENT.format(tag)]}
        if asked and event and asked != event.type:
            return attrs, {"event_type": [OTHER_TYPE.format(event.tag, event.type)]}
        if asked and not event and asked != ACTION:
            return attrs, {"event_tag": [NO_TAG.format(asked)]}
        if event is None:
            return {**attrs, **({"event": None, "input": None} if says else {})}, self._wrong_call(attrs, job)
        wrong = {**self._wrong_event(attrs, event), **self._wrong_input(attrs, event)}
        return {**attrs, **({"event": event, **CALL} if says else {})}, wrong

    def _event(self, tag: str | None) -> Event | None:
        application = self.context.get("application") or getattr(self.instance, "application", None)
        if not tag or application is None:
            return None
        return Event.objects.for_application(application).filter(tag=tag).first()

    def _wrong_event(self, attrs: Mapping[str, Any], event: Event) -> Wrong:
        said = [name for name in CALL if name in self.initial_data]
        return {name: [HAS_EVENT.format(event.tag)] for name in said if attrs.get(name) not in (None, CALL[name])}

    def _wrong_as_told(self, data: Mapping[str, Any]) -> Wrong:
        """What is wrong with what is done, as it came: where something else cannot be read, it is told with that."""
        tag = data.get("event_tag")
        if not tag:
            return self._wrong_call(data, None)
        event = self._event(tag) if isinstance(tag, str) and is_storable(tag) else None
        return self._wrong_input(data, event) if event and data.get("input") is not None else {}

    def _wrong_input(self, attrs: Mapping[str, Any], event: Event) -> Wrong:
        """What a background task would refuse at each run. What was stored so before may stay.

        Nothing is no input of a job that runs by hand: a webhook may run it with one.
        """
        job: Job | None = self.instance
        given = attrs.get("input", job.input if job and self.partial else None)
        is_stored = job is not None and job.event_id == event.pk and job.input == given
        if is_stored or (given is None and not self._repeats(attrs)):
            return {}
        fault = fault_of_job(event.configuration, given)
        return {"input": [fault]} if fault else {}

    def _repeats(self, attrs: Mapping[str, Any]) -> bool:
        """Whether anything but a person, or a webhook, runs it."""
        before = self.instance.runnable if self.partial and self.instance else None
        return any(attrs.get(name, getattr(before, name, None)) for name in WHEN)

    def _wrong_call(self, attrs: Mapping[str, Any], job: Job | None) -> Wrong:
        missing = [name for name in ("endpoint", "verb") if not attrs.get(name, getattr(job, name, ""))]
        wrong: Wrong = {name: [ErrorDetail(NEEDS, "required")] for name in missing}
        return {**wrong, "input": [NO_INPUT]} if attrs.get("input") is not None else wrong

    def _is_never_retried(self, attrs: Mapping[str, Any]) -> bool:
        """Whether somebody speaks of events who makes a job, or makes it anew, and says nothing of retries."""
        given: Any = self.initial_data
        speaks = attrs.get("event_type") or attrs.get("event_tag")
        return bool(speaks) and not self.partial and not any(name in given for name in RETRY_WORDS)


def _spoken(said: Any, spoken: Mapping[str, str]) -> Any:
    """The sentences about a field, in which some names are called otherwise."""
    if not isinstance(said, list):
        return said
    names = re.compile(rf"\b({'|'.join(spoken)})\b")
    return [ErrorDetail(names.sub(lambda match: spoken[match[0]], one), getattr(one, "code", None)) for one in said]


def _length(text: Any) -> int | None:
    try:
        return durations.parse(str(text)).milliseconds
    except durations.BadDurationError:
        return None


def _number(given: Any) -> int | None:
    """A whole number as it came, in digits too."""
    return int(str(given)[:20]) if not isinstance(given, bool) and str(given).isdecimal() else None
