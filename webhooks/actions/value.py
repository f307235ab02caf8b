"""Sets the value of a cache key: what the transform returned as its value, or else the body."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import NoReverseMatch, reverse
from rest_framework import serializers

from badgerjobs.lib import handlebars
from badgerjobs.lib.words import size
from badgerjobs.runs.models import Cause, Run
from badgerjobs.web.serializers import StrictSerializer
from badgerjobs.workspaces.models import Application
from tasks.keys.setting import Setting, body_of, ensure_is_name, set_values, text_of
from tasks.models import CacheKey
from tasks.models.key import LONGEST_NAME
from tasks.webhook_variables import filled_name, names_in
from webhooks.actions import MISSING, Action, Did, Doing, There
from webhooks.models import ActState, Delivery

FIELD = "key"
NO_KEY = "There is no key “{}”: make it, and replay the delivery."
NO_KEY_YET = "There is no key with the name “{}” in this application."
OLDER = "A newer value is under “{}” already: it stays."


class ValueFields(StrictSerializer):
    """What such an action is told."""

    key = serializers.CharField(
        max_length=LONGEST_NAME,
        trim_whitespace=False,
        help_text="The name of the key, in which variables of the transform may stand: `product-{{PRODUCT_ID}}`. What "
        "is set is the `value` that the transform returned, or else the body.",
    )

    def validate_key(self, name: str) -> str:
        """Raises ValidationError for what is no template, and for a plain name that no key has."""
        try:
            variables = names_in(name)
            if not variables:
                ensure_is_name(plain(name))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None
        application = self.context.get("application")
        if application and not variables:
            keys = CacheKey.objects.for_application(application).filter(name=plain(name))
            if not keys.exists():
                raise serializers.ValidationError(NO_KEY_YET.format(name))
        return name


def plain(name: str) -> str:
    """A name without variables, as it is when it is filled."""
    return filled_name(name, {})


def act(doings: Sequence[Doing]) -> list[Did]:
    """Set them: of two values of a key the one stays that came later, in whichever order they are stored."""
    moments = _moments(doings)
    wanted: list[Setting | Did] = [_setting(doing, moments) for doing in doings]
    settings = [one for one in wanted if isinstance(one, Setting)]
    now = max(doing.now for doing in doings)
    stored = iter(set_values(settings, now=now) if settings else [])
    return [one if isinstance(one, Did) else _did(one, next(stored)) for one in wanted]


def _setting(doing: Doing, moments: Mapping[UUID, datetime]) -> Setting | Did:
    try:
        name = filled_name(str(doing.fields[FIELD]), doing.variables)
        ensure_is_name(name)
        body = text_of(doing.body()) if doing.value is MISSING else body_of(doing.value)
    except ValueError as error:
        return Did(ActState.FAILED, str(error), again=False)
    return Setting(doing.application_id, name, body, moments.get(doing.run_id, doing.now))


def _did(setting: Setting, is_stored: bool | None) -> Did:
    if is_stored is None:
        return Did(ActState.FAILED, NO_KEY.format(setting.name), again=False)
    if not is_stored:
        return Did(ActState.SKIPPED, OLDER.format(setting.name))
    return Did(ActState.DONE, f"Set “{setting.name}”: {size(setting.bytes)}.")


def _moments(doings: Sequence[Doing]) -> dict[UUID, datetime]:
    """Run → as of when its value is: when its delivery came, or when somebody had that done again."""
    came = Delivery.objects.filter(pk__in={doing.delivery_id for doing in doings}).values_list("pk", "received_at")
    received = dict(came)
    later = {doing.run_id for doing in doings if doing.run_id != doing.delivery_id}
    # What was held has a run that is younger than it, and is no younger for that: neither a delivery nor a replay.
    runs = Run.objects.filter(pk__in=later).exclude(cause=Cause.WEBHOOK).values_list("pk", "created_at", "input")
    asked = {pk: _asked_at(given) or made_at for pk, made_at, given in runs} if later else {}
    moments = {doing.run_id: received[doing.delivery_id] for doing in doings if doing.delivery_id in received}
    return moments | asked


def _asked_at(given: Any) -> datetime | None:
    """When a replay was asked for that was held since; None of any other."""
    return datetime.fromisoformat(given["asked_at"]) if given and "asked_at" in given else None


def _there(application: Application, names: Collection[str]) -> There:
    """Of a name with braces nobody knows before it is filled."""
    filled_later = {name for name in names if "{{" in name}
    keys = CacheKey.objects.for_application(application).filter(name__in=set(names) - filled_later).order_by()
    return There(filled_later, keys, "name")


def target(fields: Mapping[str, Any]) -> str:
    """The key's name, or how it is made."""
    return str(fields[FIELD])


def address(application: Application, fields: Mapping[str, Any]) -> str:
    """The key's page; of a name with variables, none."""
    name = str(fields[FIELD])
    try:
        return "" if names_in(name) else reverse("tasks:key", args=[application.slug, plain(name)])
    except (handlebars.TemplateError, NoReverseMatch):  # no such name was ever stored by us
        return ""


VALUE = Action(
    word="Set a cache key",
    hint="Stores the value that the transform returned, or the body, under a key that is there.",
    serializer=ValueFields,
    act=act,
    field=FIELD,
    target=target,
    address=address,
    there=_there,
    takes_body=lambda _fields, has_value: not has_value,
)
