"""Tasks as REST shows and takes them."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.lib import javascript
from badgerjobs.lib.storable import UNSTORABLE
from badgerjobs.runs.owned_serializer import OwnedSerializer
from badgerjobs.runs.retry_serializer import RetryFieldsSerializer
from badgerjobs.runs.serializers import DEFAULTS
from badgerjobs.web.definitions.serializers import DefinitionSerializer
from badgerjobs.web.serializers import MOST_ERRORS, OneOfField
from tasks.fitting import WEBHOOK_OVERLAPS, emptied, usual_overlap
from tasks.models import Selection, Task, TaskType
from tasks.models.key import LONGEST_NAME
from tasks.services import MOST_KEYS
from tasks.webhook_variables import SEEN, names_in

LONGEST_CODE = 200_000
LONGEST_PATTERN = 500

NO_TYPE = "Say what runs it: on_demand, scheduled or webhook."
NO_SELECTION = "Give the keys that it fetches: `keys`, a list of names; or a `pattern`."
NO_SCHEDULE = "A scheduled task needs a schedule: give run_every, cron, preset or run_at; or choose another type."
NO_KEYS = "Give at least one key; or choose another selection, and a pattern."
NO_PATTERN = "Give a pattern. To take every key, choose the selection glob, and *."
NOT_SCHEDULED = "Only a scheduled task has a schedule: leave this out, or choose the type scheduled."
NOT_WEBHOOK = "Only a webhook task has a transform: leave it out, or choose the type webhook."
NOT_EXACT = "Keys are named by the selection exact alone: leave them out, or choose that."
NOT_A_PATTERN = "The selection exact has no pattern: leave it out, or choose contains, prefix, glob or tag."
NOBODY_FILLS = (
    "Only a task of the type webhook has {} in its pattern: choose that type, and any webhook may run the task and "
    "fill it in; or write out what it stands for."
)
NOBODY_GIVES = "The pattern asks for {}: give a transform that returns it."
ONE_BY_ONE = "No webhook is lost, since each has its own body: choose queue_all or allow."

NO_NAME = f"The name of a key is a text of 1 to {LONGEST_NAME} characters."

# The schedule by the names that REST has.
_SCHEDULE = {
    **{name: name for name in ("run_at", "run_every", "cron", "preset", "end_at", "max_runs", "catch_up")},
    "spread_s": "spread",
    "catch_up_within_s": "catch_up_within",
}


@extend_schema_field(
    {"type": "array", "nullable": True, "maxItems": MOST_KEYS, "items": {"type": "string", "maxLength": LONGEST_NAME}}
)
class KeyNamesField(serializers.Field[Any, Any, Any, Any]):
    """Names of keys: each once. Whether they are there, the services know. Null says nothing."""

    def get_attribute(self, instance: Task) -> Any:
        """Those that whoever shows it has looked up; None where they are too many to be shown."""
        return getattr(instance, "key_names", None)

    def to_internal_value(self, data: Any) -> list[str]:
        """Raises ValidationError. They may be a hundred thousand: each is looked at in a few instructions."""
        if not isinstance(data, list):
            raise serializers.ValidationError("Give a list of names, like [“product-1”].")
        if len(data) > MOST_KEYS:
            raise serializers.ValidationError(
                f"A task names {MOST_KEYS:,} keys at most; these are {len(data):,}. Give it a pattern."
            )
        wrong = [str(place) for place, name in enumerate(data) if not _is_name(name)]
        if wrong:
            raise serializers.ValidationError({place: [NO_NAME] for place in wrong[:MOST_ERRORS]})
        return list(dict.fromkeys(data))

    def to_representation(self, value: Any) -> Any:
        return value


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and not UNSTORABLE.search(name)


class TaskSerializer(DefinitionSerializer, RetryFieldsSerializer, OwnedSerializer):
    """A cache-sync task: which keys it fetches, and what makes it run."""

    # Addresses below tasks/ that are of all of them.
    reserved = frozenset({"test-pattern", "try-transform"})
    example = "refresh-products"

    type = OneOfField(
        TaskType.choices,
        error_messages={"required": NO_TYPE},
        help_text="What runs it, besides hands: on_demand (nothing), scheduled or webhook.",
    )
    selection = OneOfField(
        Selection.choices,
        required=False,
        help_text="How it says which keys: exact, contains, prefix, glob or tag. What fits `keys` or `pattern`, if left"
        " out: exact or contains.",
    )
    keys = KeyNamesField(
        required=False,
        allow_null=True,
        help_text="The names of exact keys, all that there are: at most 100,000. Null in lists; sent as null, they "
        "stay as they are.",
    )
    key_count = serializers.SerializerMethodField(help_text="How many keys it names; null where it has a pattern.")
    pattern = serializers.CharField(
        max_length=LONGEST_PATTERN,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Literal for contains, prefix and tag; in a glob, * is any text and ? is one character. Of a webhook "
        "task, {{NAME}} is what its transform returns.",
    )
    transform = serializers.CharField(
        max_length=LONGEST_CODE,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Of a webhook task: a function's body in JavaScript that sees `body` and `headers`, and returns an "
        "object with `variables`. Lists leave it out.",
    )
    webhook_url = serializers.SerializerMethodField(
        help_text="What others call to run it, by POST with a JSON body: a secret. Null in lists, for other types, and "
        "for tokens that may not write."
    )
    enabled = serializers.BooleanField(
        default=True,
        help_text="Neither a schedule nor a webhook runs a disabled task; by hand it runs. Disabling it aborts what "
        "waits.",
    )

    def validate_type(self, name: str) -> str:
        """Of a task it may change: what another type has no use for is emptied."""
        return name

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Look at what is given, over what was there before; what its type has no use for is empty."""
        if attrs.get("keys", ()) is None:
            del attrs["keys"]
        kind = attrs["type"] = attrs.get("type", self._stored("type", ""))
        selection = attrs["selection"] = attrs.get("selection", self._usual_selection(attrs))
        wrong = _unfit(kind, selection, attrs) | self._meaningless(kind, selection, attrs)
        attrs |= {name: value for name, value in emptied(kind, selection).items() if name != "keys"}
        if "overlap" not in attrs and kind == TaskType.WEBHOOK:
            runnable = getattr(self.instance, "runnable", None) if self.partial else None
            attrs["overlap"] = usual_overlap(kind, runnable.overlap if runnable else "")
        try:
            attrs = self.with_retries(super().validate(attrs))
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **wrong}) from None  # type: ignore[dict-item]  # a dict of fields here
        if not wrong and kind == TaskType.SCHEDULED and self.planned.is_by_hand:
            wrong = {"preset": [NO_SCHEDULE]}
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs

    def to_representation(self, instance: Task) -> dict[str, Any]:
        """The task and its runnable's schedule, flat. A list leaves out what is long."""
        if "transform" in instance.get_deferred_fields():
            instance.transform = ""
        return super().to_representation(instance)

    def get_key_count(self, task: Task) -> int | None:
        if task.selection != Selection.EXACT:
            return None
        return int(getattr(task, "key_count", 0))

    def get_webhook_url(self, task: Task) -> str | None:
        urls: dict[int, str] = self.context.get("webhook_urls", {})
        return urls.get(task.pk)

    def get_schedule(self, task: Task) -> str:
        if task.type == TaskType.WEBHOOK:
            return "by its webhook"
        return super().get_schedule(task)

    def _usual_selection(self, attrs: Mapping[str, Any]) -> str:
        """What fits what is given, or else what there was; empty where nothing says."""
        stored = self._stored("selection", "")
        if attrs.get("keys"):
            return Selection.EXACT
        if attrs.get("pattern"):
            return stored if stored not in {"", Selection.EXACT} else Selection.CONTAINS
        return str(stored)

    def _meaningless(self, kind: str, selection: str, attrs: Mapping[str, Any]) -> dict[str, Any]:
        """What says nothing of which keys are meant, or nothing that could be filled in."""
        if not selection:
            return {"selection": [NO_SELECTION]}
        if selection == Selection.EXACT:
            had = self._stored("selection", "") == Selection.EXACT
            return {"keys": [NO_KEYS]} if not attrs.get("keys", had) else {}
        pattern = attrs.get("pattern", self._stored("pattern", ""))
        if not pattern:
            return {"pattern": [NO_PATTERN]}
        transform = attrs.get("transform", self._stored("transform", "")) if kind == TaskType.WEBHOOK else ""
        wrong = _unfilled(kind, pattern, transform)
        if fault := self._fault(transform):
            wrong["transform"] = [fault]
        return wrong

    def _fault(self, transform: str) -> str:
        """What keeps a new transform from being compiled; what was stored before may stay."""
        if not transform or transform == getattr(self.instance, "transform", ""):
            return ""
        application = self.context["application"]
        fault = javascript.fault(transform, SEEN, tenant=application.workspace_id, part=application.pk)
        return str(fault) if fault else ""

    def _stored(self, name: str, otherwise: Any) -> Any:
        return getattr(self.instance, name) if self.instance is not None and self.partial else otherwise


def _unfit(kind: str, selection: str, attrs: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, and goes neither with the type nor with the selection."""
    wrong: dict[str, Any] = {}
    if kind != TaskType.SCHEDULED:
        given = [name for name in _SCHEDULE if attrs.get(name) and attrs[name] != getattr(DEFAULTS, name)]
        wrong |= {_SCHEDULE[name]: [NOT_SCHEDULED] for name in given}
    if kind != TaskType.WEBHOOK and attrs.get("transform"):
        wrong["transform"] = [NOT_WEBHOOK]
    if kind == TaskType.WEBHOOK and "overlap" in attrs and attrs["overlap"] not in WEBHOOK_OVERLAPS:
        wrong["overlap"] = [ONE_BY_ONE]
    if selection == Selection.EXACT and attrs.get("pattern"):
        wrong["pattern"] = [NOT_A_PATTERN]
    if selection not in {"", Selection.EXACT} and attrs.get("keys"):
        wrong["keys"] = [NOT_EXACT]
    return wrong


def _unfilled(kind: str, pattern: str, transform: str) -> dict[str, Any]:
    """What is wrong with the placeholders of a pattern. Where nobody fills them, what is none stands for itself."""
    try:
        asked = names_in(pattern)
    except ValueError as error:
        return {"pattern": [str(error)]} if kind == TaskType.WEBHOOK else {}
    if not asked:
        return {}
    said = ", ".join(asked)
    if kind != TaskType.WEBHOOK:
        return {"pattern": [NOBODY_FILLS.format(", ".join(f"{{{{{name}}}}}" for name in asked))]}
    return {} if transform else {"transform": [NOBODY_GIVES.format(said)]}
