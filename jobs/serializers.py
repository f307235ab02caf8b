"""Jobs and results as REST shows and takes them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from badgerjobs.lib import statuses, vault
from badgerjobs.outbound.headers import MOST_HEADERS, check_headers
from badgerjobs.outbound.targets import check_url
from badgerjobs.runs.models import Attempt
from badgerjobs.runs.pause_serializer import PauseSerializer
from badgerjobs.runs.retry_serializer import RetrySerializer, shown
from badgerjobs.runs.schedules import PAUSE_FIELDS, POLICY_FIELDS, SCHEDULE_FIELDS
from badgerjobs.runs.serializers import PolicySerializer, ScheduleSerializer
from jobs.examples import RESULT
from jobs.models import Job, Verb
from jobs.querysets import BODY_IN_LISTS
from jobs.status_fields import AnyFailureField, StatusesField, said_in_vain, wrong_together

BODY_BYTES = 1_000_000


def check_tag(tag: str) -> None:
    """A tag stands in addresses, so it may hold nothing that an address cannot."""
    if "/" in tag or tag in {".", ".."} or not tag.isprintable():
        raise serializers.ValidationError("A tag may hold neither “/” nor control characters. Use - or : instead.")
    if tag != tag.strip():
        raise serializers.ValidationError("A tag neither begins nor ends with a blank.")


class VerbField(serializers.ChoiceField):
    """An HTTP verb, in any case; upper case when it comes out."""

    default_error_messages = {"invalid_choice": f"“{{input}}” is none of {', '.join(Verb.values)}."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Verb.choices, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Upper case."""
        return str(super().to_internal_value(data.upper() if isinstance(data, str) else data))


class HeadersField(serializers.DictField):
    """Name → value. Values that carry credentials read as stars; stars that come back keep the stored value."""

    child = serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=8000)
    default_error_messages = {"not_a_dict": 'Must be an object, like {{"Content-Type": "text/plain"}}.'}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Null is no headers."""
        return super().run_validation({} if data is None else data)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Refuse what would break a request. What stars stand for, the services know."""
        if isinstance(data, dict) and len(data) > MOST_HEADERS:  # before each of them is looked at
            raise serializers.ValidationError(f"A call may have {MOST_HEADERS} headers; these are {len(data):,}.")
        headers: dict[str, str] = super().to_internal_value(data)
        try:
            check_headers(headers.items())
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None
        if len({name.lower() for name in headers}) < len(headers):
            raise serializers.ValidationError(
                "Two headers differ in upper and lower case only: to whom they are sent they are one."
            )
        return headers

    def to_representation(self, value: Any) -> dict[str, str]:
        """Stars for what carries credentials."""
        return vault.mask(value)


class JobSerializer(RetrySerializer, PolicySerializer, PauseSerializer, ScheduleSerializer):
    """An HTTP job: what to call, and when."""

    tag = serializers.CharField(
        max_length=200,
        required=False,
        trim_whitespace=False,
        validators=[check_tag],
        help_text="Its identity in the application: unique, and never changed. Its name unless given.",
    )
    name = serializers.CharField(max_length=200, required=False, help_text="For people; its tag unless given.")
    endpoint = serializers.CharField(max_length=2000, help_text="The URL to call: absolute, http or https.")
    verb = VerbField(help_text="In any case: GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS.")
    headers = HeadersField(default=dict, allow_null=True, help_text="Name → value. Credentials read back as stars.")
    body = serializers.CharField(
        default="",
        allow_blank=True,
        allow_null=True,
        trim_whitespace=False,
        help_text="Text to send, at most 1 MB. Lists show its first 64 KB.",
    )
    body_truncated = serializers.SerializerMethodField(
        help_text="There is more of the body than this list shows: read the job itself. False outside of lists."
    )
    fail_statuses = StatusesField(
        default=statuses.FAILURES,
        help_text="Which answers fail: statuses and ranges, like 400-599, or none. All others are successes.",
    )
    retry_statuses = AnyFailureField(
        default="", help_text="After which answers that fail it is tried again; null: after any. Never after 410."
    )
    timeout = serializers.IntegerField(
        default=30, min_value=1, max_value=900, help_text="Seconds that each attempt may take: 1 to 900."
    )
    schedule = serializers.SerializerMethodField(help_text="When it runs, in words.")
    last_run_at = serializers.DateTimeField(
        source="runnable.last_run_at",
        read_only=True,
        allow_null=True,
        help_text="When it last ran; null before the first run.",
    )
    next_run_at = serializers.DateTimeField(
        source="runnable.next_run_at",
        read_only=True,
        allow_null=True,
        help_text="When it runs next; null when nothing is planned.",
    )
    scheduled_runs = serializers.IntegerField(
        source="runnable.scheduled_runs",
        read_only=True,
        help_text="How many runs its schedule has made since it was set. At `max_runs` it is finished.",
    )
    breaker = serializers.SerializerMethodField(
        help_text="closed; open: paused because it kept failing; or half_open: one run tries whether it is well again."
    )
    success_count = serializers.SerializerMethodField(help_text="Results that were successes, of those kept.")
    failure_count = serializers.SerializerMethodField(help_text="All other results, of those kept.")
    created_at = serializers.DateTimeField(read_only=True, help_text="When it was made.")
    updated_at = serializers.DateTimeField(read_only=True, help_text="When it was last changed.")

    def get_fields(self) -> dict[str, Any]:
        """A new job that has no name must have a tag."""
        fields = super().get_fields()
        if self.instance is None and "name" not in getattr(self, "initial_data", {"name"}):
            fields["tag"].required = True
            fields["tag"].error_messages["required"] = "Give the job a tag, like “refresh-prices”, or a name."
        return fields

    def validate_endpoint(self, endpoint: str) -> str:
        """Absolute, http or https, and nothing in it that could not be called."""
        try:
            check_url(endpoint)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None
        return endpoint

    def validate_body(self, body: str | None) -> str:
        """At most 1 MB as UTF-8; null is empty. A body that a list cut must not take the place of the whole one."""
        if self.initial_data.get("body_truncated") is True:
            raise serializers.ValidationError(
                "This is the beginning of a body, cut for a list. Read the job itself and send that back."
            )
        size = len((body or "").encode())
        if size > BODY_BYTES:
            raise serializers.ValidationError(f"The body has {size:,} bytes: at most {BODY_BYTES:,} can be sent.")
        return body or ""

    def validate_tag(self, tag: str) -> str:
        """Never changed: an update may repeat it, no more."""
        if self.instance is not None and tag != self.instance.tag:
            raise serializers.ValidationError(
                f"A tag is never changed: this job's is “{self.instance.tag}”. Change `name`, or make another job."
            )
        return tag

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A new job has a tag: the one given, or its name. What is tried again must have failed."""
        wrong: Any = wrong_together(attrs, self.instance if self.partial else None)
        if self.instance is None and "tag" not in attrs:
            try:
                check_tag(attrs["name"])
            except serializers.ValidationError:
                raise serializers.ValidationError(
                    {"tag": ["The name cannot be the tag, which is part of an address: give a tag too."]}
                ) from None
            attrs["tag"] = attrs["name"]
        try:
            attrs = super().validate(attrs)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **wrong}) from None  # type: ignore[dict-item]  # a dict of fields here
        if "retries" not in self.initial_data:  # beside 0 retries, as it reads, what was read can be sent back
            wrong = wrong or said_in_vain(attrs, self.instance)
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs

    def to_representation(self, instance: Job) -> dict[str, Any]:
        """The job, its runnable's schedule and its counts, flat."""
        for name in (*SCHEDULE_FIELDS, *POLICY_FIELDS, *PAUSE_FIELDS):
            setattr(instance, name, getattr(instance.runnable, name))
        for name, value in shown(instance.runnable).items():
            setattr(instance, name, value)
        if hasattr(instance, "beginning"):
            instance.body = instance.beginning.encode()[:BODY_IN_LISTS].decode(errors="ignore")
        return super().to_representation(instance)

    def get_schedule(self, job: Job) -> str:
        return job.runnable.schedule.words()

    @extend_schema_field({"type": "string", "enum": ["closed", "open", "half_open"]})
    def get_breaker(self, job: Job) -> str:
        return job.runnable.breaker or "closed"

    def get_body_truncated(self, job: Job) -> bool:
        return bool(getattr(job, "beginning", job.body) != job.body)

    def get_success_count(self, job: Job) -> int:
        return self._counts(job)[0]

    def get_failure_count(self, job: Job) -> int:
        return self._counts(job)[1]

    def _counts(self, job: Job) -> tuple[int, int]:
        counts: tuple[int, int] = self.context["counts"].get(job.runnable_id, (0, 0))
        return counts


@extend_schema_serializer(examples=[RESULT])
class ResultSerializer(serializers.ModelSerializer[Attempt]):
    """What came of one attempt to call."""

    job = serializers.CharField(source="runnable.name", help_text="The job's tag.")
    run_id = serializers.UUIDField(help_text="The run: the same over its retries, sent as `webhook-id`.")
    run = serializers.IntegerField(source="run_number", help_text="Counts the job's runs; the same over its retries.")
    attempt = serializers.IntegerField(source="number", help_text="Which try of the run this was, from 1.")
    run_at = serializers.DateTimeField(source="started_at", help_text="When the call was made.")
    duration = serializers.IntegerField(source="duration_ms", help_text="Milliseconds until the answer was whole.")
    status = serializers.SerializerMethodField(help_text="The answer's status; null when none came.")
    headers = serializers.SerializerMethodField(help_text="The answer's headers, names in lower case.")
    body = serializers.SerializerMethodField(help_text="The first 64 KB of the answer's body.")
    body_is_base64 = serializers.SerializerMethodField(help_text="The body is not text, and stands here as base64.")
    body_truncated = serializers.SerializerMethodField(help_text="There was more of the body than is kept.")
    error = serializers.SerializerMethodField(help_text="Null for a success.")

    class Meta:
        model = Attempt
        fields = [
            "job", "run_id", "run", "attempt", "run_at", "duration", "ok", "status", "headers", "body",
            "body_is_base64", "body_truncated", "error", "created_at",
        ]  # fmt: skip
        extra_kwargs = {
            "ok": {"help_text": "Whether it was a success: an answer that is not in `fail_statuses`."},
            "created_at": {"help_text": "When the result was there."},
        }

    def get_status(self, attempt: Attempt) -> int | None:
        status: int | None = self._kept(attempt, "status")
        return status

    @extend_schema_field({"type": "object", "nullable": True, "additionalProperties": {"type": "string"}})
    def get_headers(self, attempt: Attempt) -> dict[str, str] | None:
        headers: dict[str, str] | None = self._kept(attempt, "headers")
        return headers

    def get_body(self, attempt: Attempt) -> str | None:
        body: str | None = self._kept(attempt, "body")
        return body

    def get_body_is_base64(self, attempt: Attempt) -> bool:
        return bool(self._kept(attempt, "body_is_base64"))

    def get_body_truncated(self, attempt: Attempt) -> bool:
        return bool(self._kept(attempt, "body_truncated"))

    @extend_schema_field(
        {
            "type": "object",
            "nullable": True,
            "properties": {"class": {"type": "string"}, "message": {"type": "string"}},
        }
    )
    def get_error(self, attempt: Attempt) -> dict[str, str] | None:
        return None if attempt.ok else {"class": attempt.error_class, "message": attempt.error}

    def _kept(self, attempt: Attempt, name: str) -> Any:
        return (attempt.result or {}).get(name)


class RunnerSerializer(serializers.Serializer[Any]):
    """A waiting or running run, or the planned one: what Repeater calls a runner."""

    run_id = serializers.UUIDField(allow_null=True, help_text="Null for the planned run, which is not one yet.")
    priority = serializers.IntegerField(help_text="0 to 100, lower first.")
    queue = serializers.CharField(help_text="Which workers take it.")
    attempts = serializers.IntegerField(help_text="How many attempts failed so far.")
    recurring = serializers.BooleanField(help_text="Whether the job's schedule repeats.")
    running = serializers.BooleanField(help_text="Whether a worker has it now.")
    state = serializers.CharField(help_text="The run's state; scheduled for the planned one.")
    run_at = serializers.DateTimeField(help_text="When it is, or was, due.")
    failed_at = serializers.DateTimeField(allow_null=True, help_text="When the last attempt failed.")
    created_at = serializers.DateTimeField(help_text="When it was made.")
    updated_at = serializers.DateTimeField(help_text="When it last changed.")
