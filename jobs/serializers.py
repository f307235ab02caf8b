"""Jobs as REST shows and takes them."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.lib import statuses
from badgerjobs.outbound.targets import check_url
from badgerjobs.runs.owned_serializer import OwnedSerializer
from badgerjobs.runs.retry_serializer import RetrySerializer
from badgerjobs.web.definitions.fields import BODY_BYTES, HeadersField, check_tag
from jobs.ductape_serializer import DuctapeSerializer
from jobs.models import Job, Verb
from jobs.querysets import BODY_IN_LISTS, INPUT_IN_LISTS
from jobs.standing import Standing
from jobs.status_fields import AnyFailureField, StatusesField, said_in_vain, wrong_together

# Addresses below jobs/ that are of all of them.
RESERVED = frozenset({"cancel", "delete", "statistics"})


def check_job_tag(tag: str) -> None:
    """The same of a job's, which shares its addresses with a few others."""
    check_tag(tag)
    if tag in RESERVED:
        raise serializers.ValidationError(f"“jobs/{tag}/” is the address of something else: choose another tag.")


class VerbField(serializers.ChoiceField):
    """An HTTP verb, in any case; upper case when it comes out."""

    default_error_messages = {"invalid_choice": f"“{{input}}” is none of {', '.join(Verb.values)}."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Verb.choices, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Upper case."""
        return str(super().to_internal_value(data.upper() if isinstance(data, str) else data))


class JobSerializer(DuctapeSerializer, RetrySerializer, OwnedSerializer):
    """A job: what to call, or which event to perform, and when."""

    tag = serializers.CharField(
        max_length=200,
        required=False,
        trim_whitespace=False,
        validators=[check_job_tag],
        help_text="Its identity in the application: unique, and never changed. Its name unless given.",
    )
    name = serializers.CharField(max_length=200, required=False, help_text="For people; its tag unless given.")
    endpoint = serializers.CharField(
        max_length=2000,
        required=False,
        allow_null=True,
        help_text="The URL to call: absolute, http or https. Null where an event says what is done, and else required.",
    )
    verb = VerbField(
        required=False,
        allow_null=True,
        help_text="In any case: GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS. Required and null where `endpoint` is.",
    )
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
    input_truncated = serializers.SerializerMethodField(
        help_text="The input is too long for this list, and null here: read the job itself. False outside of lists."
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
    status = serializers.SerializerMethodField(help_text=f"Where it stands: one of {', '.join(Standing.values)}.")
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

    def validate_endpoint(self, endpoint: str | None) -> str:
        """Absolute, http or https, and nothing in it that could not be called; null is none."""
        try:
            if endpoint is not None:
                check_url(endpoint)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None
        return endpoint or ""

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

    def validate_input(self, given: Any) -> Any:
        """An input that a list left out must not be taken for none."""
        if self.initial_data.get("input_truncated") is True:
            raise serializers.ValidationError(
                "This input was left out of a list. Read the job itself and send that back."
            )
        return given

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
                check_job_tag(attrs["name"])
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
        """The job, its runnable's schedule and its counts, flat. A list leaves out what is long."""
        if hasattr(instance, "beginning"):
            instance.body = instance.beginning.encode()[:BODY_IN_LISTS].decode(errors="ignore")
        if hasattr(instance, "input_text"):
            instance.input = None if self.get_input_truncated(instance) else json.loads(instance.input_text or "null")
        return super().to_representation(instance)

    @extend_schema_field({"type": "string", "enum": ["closed", "open", "half_open"]})
    def get_breaker(self, job: Job) -> str:
        return job.runnable.breaker or "closed"

    def get_status(self, job: Job) -> str:
        standings: dict[int, str] = self.context["standings"]
        return standings[job.pk]

    def get_body_truncated(self, job: Job) -> bool:
        return bool(getattr(job, "beginning", job.body) != job.body)

    def get_input_truncated(self, job: Job) -> bool:
        return len(getattr(job, "input_text", None) or "") > INPUT_IN_LISTS

    def get_success_count(self, job: Job) -> int:
        return self._counts(job)[0]

    def get_failure_count(self, job: Job) -> int:
        return self._counts(job)[1]

    def _counts(self, job: Job) -> tuple[int, int]:
        counts: tuple[int, int] = self.context["counts"].get(job.runnable_id, (0, 0))
        return counts
