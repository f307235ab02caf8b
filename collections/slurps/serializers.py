"""Async jobs and their runs as REST shows and takes them."""

from typing import Any

from rest_framework import serializers

from badgerjobs.runs.models import Overlap
from badgerjobs.runs.owned_serializer import OwnedSerializer
from badgerjobs.runs.pause_serializer import PauseVerbSerializer
from badgerjobs.runs.retry_serializer import RetryFieldsSerializer
from badgerjobs.runs.run_serializers import RunSerializer
from badgerjobs.sources.serializers import ValuesField
from badgerjobs.web.definitions.fields import check_tag
from badgerjobs.web.definitions.serializers import DefinitionSerializer
from badgerjobs.web.serializers import BoundedListField, OneOfField, StrictSerializer
from slurps import services
from slurps.models import AsyncJob, Collection, Slurper
from slurps.slurper_services import MOST_SOURCES

LONGEST_RUN_S = 86_400
# One run fills a collection at a time.
OVERLAPS = [(str(value), str(label)) for value, label in Overlap.choices if value != Overlap.ALLOW]

NO_SLURPER = "Name the slurper that it runs."
ONE_AT_A_TIME = (
    "One run fills a collection at a time, so none can go beside another: choose skip, queue_one, queue_all or "
    "cancel_running."
)


class SlurperTagField(serializers.CharField):
    """The tag of a slurper."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=200, trim_whitespace=False, validators=[check_tag], **kwargs)

    def get_attribute(self, instance: AsyncJob) -> str:
        """That of the slurper, which is read with the job."""
        return instance.slurper.tag


class AsyncJobSerializer(DefinitionSerializer, RetryFieldsSerializer, OwnedSerializer):
    """An async job: a slurper that runs by hand, or on a schedule."""

    example = "import-products"

    slurper = SlurperTagField(error_messages={"required": NO_SLURPER}, help_text="The tag of the slurper that it runs.")
    timeout = serializers.IntegerField(
        source="timeout_s",
        required=False,
        min_value=1,
        max_value=LONGEST_RUN_S,
        error_messages={"invalid": "Give whole seconds, like 3600."},
        help_text="Seconds that a run may take, in each attempt: 1 to 86,400. 3,600 by default.",
    )
    overlap = OneOfField(
        OVERLAPS,
        required=False,
        error_messages={"invalid_choice": ONE_AT_A_TIME},
        help_text="When the run before is not over: skip, queue_one, queue_all or cancel_running.",
    )
    collection = serializers.SerializerMethodField(
        help_text="The name of the collection that its runs fill. Null where none is active: then nothing is stored."
    )
    remembered = serializers.JSONField(
        read_only=True,
        help_text="What its sources gave to go on from, by their tags: the last run that was shown left it. `forget/` "
        "resets it.",
    )

    def validate_slurper(self, tag: str) -> str:
        """Said beside what else is wrong; whether it is there still when it is saved, the services know."""
        application = self.context.get("application")
        if application and not Slurper.objects.for_application(application).filter(tag=tag).exists():
            raise serializers.ValidationError(services.NO_SLURPER.format(tag))
        return tag

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The columns of its runnable in the place of the retry fields."""
        return self.with_retries(super().validate(attrs))

    def get_collection(self, job: AsyncJob) -> str | None:
        if hasattr(job, "active_collection"):
            return job.active_collection  # type: ignore[no-any-return]  # an annotation of its queryset
        active = Collection.objects.for_application(job.application).filter(async_job=job, is_active=True)
        return active.values_list("name", flat=True).first()


class PauseAsyncJobSerializer(PauseVerbSerializer):
    """Why an async job is paused, and until when."""


class RunAsyncJobSerializer(StrictSerializer):
    """What a run is given."""

    values = ValuesField(required=False, help_text="Name → value, for the placeholders of its sources: {{NAME}}.")


class ForgetSerializer(StrictSerializer):
    """What is forgotten."""

    sources = BoundedListField(
        child=serializers.CharField(max_length=200, trim_whitespace=False),
        max_length=MOST_SOURCES,
        required=False,
        help_text="The tags of the sources that are to be pulled anew. All, unless given.",
    )


def _count(name: str, help_text: str) -> serializers.IntegerField:
    """A number of the run's output; null before there is one."""
    return serializers.IntegerField(
        source=f"output.{name}", default=None, allow_null=True, read_only=True, help_text=help_text
    )


class AsyncRunSerializer(RunSerializer):
    """A run of an async job, and what it left."""

    collection = serializers.CharField(
        source="output.collection",
        default=None,
        allow_null=True,
        read_only=True,
        help_text="The collection that it filled. Null before it is over, and where none was active.",
    )
    version = _count(
        "version",
        "The number of the version that it made. Null where it waits for approval, and where readers never saw it.",
    )
    stage = serializers.CharField(
        source="output.stage",
        default=None,
        allow_null=True,
        read_only=True,
        help_text="ready: readers see it, or saw it; held: it waits for approval; dropped, replaced (by a later run) "
        "or gone (one of the two): it waited, and readers never saw it. Null where nothing was stored.",
    )
    replaced_by = _count(
        "replaced_by", "The number of the run whose result took its place while it waited, if one did."
    )
    read = _count("read", "Rows that its sources gave.")
    written = _count("written", "Rows that were made of them.")
    added = _count("added", "Rows that were not there before.")
    changed = _count("changed", "Rows that were there, and are others now.")
    unchanged = _count("unchanged", "Rows that were there, and stayed.")
    removed = _count("removed", "Rows that are there no more.")
    dropped = _count("dropped", "Values that its collection's guards left out.")
    rows = _count(
        "rows", "Rows that the version has. Null before readers see it, as added, changed, unchanged and removed."
    )
    bytes = _count("bytes", "The length of what was written, as JSON.")

    class Meta(RunSerializer.Meta):
        fields = [
            *RunSerializer.Meta.fields, "collection", "version", "stage", "replaced_by", "read", "written", "added",
            "changed", "unchanged", "removed", "dropped", "rows", "bytes",
        ]  # fmt: skip
