"""Hooks as REST shows and takes them."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.lib import javascript
from badgerjobs.runs.pause_serializer import PauseSerializer
from badgerjobs.runs.retry_serializer import RetryFieldsSerializer, shown
from badgerjobs.web.definitions.configurations import masked
from badgerjobs.web.definitions.fields import check_tag
from badgerjobs.web.definitions.serializers import ConfigurationField, DefinitionSerializer
from badgerjobs.web.serializers import BoundedListField, OneOfField
from tasks.serializers import LONGEST_CODE
from tasks.webhook_variables import SEEN
from webhooks.action_fields import ActionsField, actions_checked
from webhooks.models import Challenge, Hook, Repeats, Response, Verification
from webhooks.models.hook import (
    BODY_BYTES,
    METHODS,
    MOST_BODY_BYTES,
    OF_TASK,
    REPEATS_WINDOW_S,
    RESPONSE_TYPES,
    only_post,
)
from webhooks.performing.planning import actions_of
from webhooks.services import SWITCH_FIELDS
from webhooks.verification import scheme_of
from webhooks.verification.settings import HeaderField

MOST_PER_SECOND = 10_000
MOST_WINDOW_S = 7 * 86_400
RESPONSE_BYTES = 64_000
LONGEST_TAG = 200

NO_METHOD = f"Give at least one of {', '.join(METHODS)}."
TASKS_WORD = f"A tag that begins with “{OF_TASK}” is of the webhook of a task: choose another."
NO_HEADER = "Name the header by which a repeated call is known."
NOT_BY_HEADER = "Only “repeats”: “header” looks at one: leave this out."
NO_BODY = "A response of status {} has no body: leave it out, or choose another status."


@extend_schema_field({"type": "object", "additionalProperties": True})
class SettingsField(ConfigurationField):
    """What each verification asks for, its own serializer says."""


@extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": True}})
class HookActionsField(ActionsField):
    """Of a hook that belongs to a task, the one that it implies."""

    def get_attribute(self, instance: Hook) -> Any:
        """All of them, as they are stored."""
        return actions_of(instance)


class HookSerializer(DefinitionSerializer, RetryFieldsSerializer, PauseSerializer):
    """An address that others call, whom it believes, and what is done with what comes."""

    example = "orders"

    tag = serializers.CharField(
        max_length=LONGEST_TAG + len(OF_TASK),
        required=False,
        trim_whitespace=False,
        validators=[check_tag],
        help_text="Its identity in the application: unique, and never changed. Its name unless given.",
    )
    url = serializers.SerializerMethodField(
        help_text="What others call: a secret. Null in lists, and for tokens that may not write."
    )
    previous_until = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="Until when the address before this one leads here too; or null."
    )
    task = serializers.CharField(
        source="task.tag",
        read_only=True,
        allow_null=True,
        help_text="The tag of the cache-sync task that it belongs to, from which it has its name, its transform and its"
        " action; or null.",
    )
    methods = BoundedListField(
        child=OneOfField([(name, name) for name in METHODS]),
        max_length=len(METHODS),
        default=only_post,
        help_text=f"Which methods it takes: of {', '.join(METHODS)}. Only POST, unless given.",
    )
    rate = serializers.IntegerField(
        default=None,
        allow_null=True,
        min_value=1,
        max_value=MOST_PER_SECOND,
        help_text="How many calls it takes in a second. Null: as many as the application may have requests.",
    )
    max_bytes = serializers.IntegerField(
        default=BODY_BYTES,
        min_value=1,
        max_value=MOST_BODY_BYTES,
        help_text=f"How long a body may be: 1 to {MOST_BODY_BYTES:,} bytes, usually {BODY_BYTES:,}.",
    )
    challenge = OneOfField(
        Challenge.choices,
        default=Challenge.NONE.value,
        help_text="How its provider tries whether the address is ours: none, hub, echo, token or header.",
    )
    verification = OneOfField(
        Verification.choices,
        default=Verification.NONE.value,
        help_text="How a caller proves who it is: none, standard, github, gitlab, stripe, shopify, slack, hmac, basic, "
        "bearer or addresses.",
    )
    settings = SettingsField(
        default=dict,
        help_text="Those of its verification (docs/webhooks.md has them). Given whole; secrets read as stars.",
    )
    repeats = OneOfField(
        Repeats.choices,
        default=Repeats.NONE.value,
        help_text="By what a call is known that came before: none, provider, header or body.",
    )
    repeats_header = serializers.CharField(
        default="", allow_blank=True, max_length=100, help_text="With “repeats”: “header”, which header that is."
    )
    repeats_window_s = serializers.IntegerField(
        default=REPEATS_WINDOW_S,
        min_value=1,
        max_value=MOST_WINDOW_S,
        help_text=f"For how many seconds a call is remembered: 1 to {MOST_WINDOW_S:,}, usually {REPEATS_WINDOW_S:,}.",
    )
    response = OneOfField(
        Response.choices,
        default=Response.ID.value,
        help_text="What who calls is answered, once it is stored: id (202 with the delivery's id), empty (200), fixed.",
    )
    response_status = serializers.IntegerField(
        default=200, min_value=200, max_value=299, help_text="The status of a fixed response: 200 to 299."
    )
    response_type = OneOfField(
        [(name, name) for name in RESPONSE_TYPES],
        default=RESPONSE_TYPES[0],
        help_text=f"The type of a fixed response: {', '.join(RESPONSE_TYPES)}.",
    )
    response_body = serializers.CharField(
        default="",
        allow_blank=True,
        trim_whitespace=False,
        help_text=f"The body of a fixed response, up to {RESPONSE_BYTES:,} bytes. Lists leave it out.",
    )
    transform = serializers.CharField(
        max_length=LONGEST_CODE,
        default="",
        allow_blank=True,
        trim_whitespace=False,
        help_text="A function's body in JavaScript that sees `body` and `headers`, and returns variables, actions or "
        "null. Empty: every action is done, without variables. Lists leave it out.",
    )
    transform_version = serializers.IntegerField(
        read_only=True, help_text="How often the transform was changed: the number of its version."
    )
    actions = HookActionsField(
        default=list,
        help_text="What is done with what comes, each {name, type, …}: sync, job, event or value "
        "(docs/webhooks.md has their fields). Given whole. A name is its type unless given.",
    )
    enabled = serializers.BooleanField(
        default=True, help_text="A disabled hook takes what comes and holds it until it is enabled."
    )

    def validate_tag(self, tag: str) -> str:
        """Never changed, and not like those of tasks."""
        tag = super().validate_tag(tag)
        if self.instance is None and tag.startswith(OF_TASK):
            raise serializers.ValidationError(TASKS_WORD)
        if self.instance is None and len(tag) > LONGEST_TAG:
            raise serializers.ValidationError(f"Ensure this field has no more than {LONGEST_TAG} characters.")
        return tag

    def validate_methods(self, methods: list[str]) -> list[str]:
        """Each once, and at least one."""
        if not methods:
            raise serializers.ValidationError(NO_METHOD)
        return [name for name in METHODS if name in methods]

    def validate_repeats_header(self, name: str) -> str:
        """Empty, or what a header may be called."""
        return str(HeaderField().run_validation(name)) if name else ""

    def validate_response_body(self, body: str) -> str:
        """At most 64 KB as UTF-8."""
        size = len(body.encode(errors="surrogatepass"))
        if size > RESPONSE_BYTES:
            raise serializers.ValidationError(f"It has {size:,} bytes: at most {RESPONSE_BYTES:,} are answered.")
        return body

    def validate_transform(self, code: str) -> str:
        """What cannot be compiled is refused, unless it is stored."""
        if not code.strip() or code == getattr(self.instance, "transform", ""):
            return code
        application = self.context["application"]
        if fault := javascript.fault(code, SEEN, tenant=application.workspace_id, part=application.pk):
            raise serializers.ValidationError(str(fault))
        return code

    def validate_actions(self, actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Each by its type. What is stored may stay, though its target is gone: a form, which says so, looks anew."""
        stored = actions_of(self.instance) if self.instance and not self.context.get("looks_anew") else ()
        return actions_checked(actions, self.context["application"], stored)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Look at what goes together, over what was there before."""
        wrong = self._meaningless(attrs)
        try:
            attrs = self.with_retries(super().validate(attrs))
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **wrong}) from None  # type: ignore[dict-item]  # a dict of fields here
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs

    def to_representation(self, instance: Hook) -> dict[str, Any]:
        """The hook and what its runnable says, flat; stars for what is secret. A list leaves out what is long."""
        for name in SWITCH_FIELDS:
            setattr(instance, name, getattr(instance.runnable, name))
        for name, value in shown(instance.runnable).items():
            setattr(instance, name, value)
        deferred = instance.get_deferred_fields()
        for name, value in {"transform": "", "response_body": "", "settings": {}}.items():
            if name in deferred:
                setattr(instance, name, value)
        scheme = scheme_of(instance.verification)
        settings = {} if "settings" in deferred else scheme.serializer(instance.settings).data
        return {**super().to_representation(instance), "settings": masked(settings, scheme.secrets)}

    @extend_schema_field({"type": "string", "nullable": True})
    def get_url(self, hook: Hook) -> str | None:
        urls: Mapping[int, str] = self.context.get("urls", {})
        return urls.get(hook.pk)

    def _meaningless(self, attrs: dict[str, Any]) -> dict[str, Any]:
        def now(name: str) -> Any:
            stored = getattr(self.instance, name, None) if self.partial else None
            return attrs.get(name, stored)

        wrong: dict[str, Any] = {}
        if now("repeats") == Repeats.HEADER and not now("repeats_header"):
            wrong["repeats_header"] = [NO_HEADER]
        if attrs.get("repeats_header") and now("repeats") != Repeats.HEADER:
            wrong["repeats_header"] = [NOT_BY_HEADER]
        if attrs.get("repeats", Repeats.HEADER) != Repeats.HEADER:
            attrs["repeats_header"] = ""
        if now("response_status") in {204, 205} and now("response_body"):
            wrong["response_body"] = [NO_BODY.format(now("response_status"))]
        return wrong
