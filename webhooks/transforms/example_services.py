"""What can be done with the examples of a hook: they are added, changed and deleted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from rest_framework import serializers

from badgerjobs.lib import vault
from badgerjobs.lib.storable import is_storable
from badgerjobs.web.definitions.fields import check_tag
from badgerjobs.web.definitions.keeping import GONE
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces import audit
from tasks.webhook_variables import in_lower_case
from webhooks.models import Delivery, Example, Hook
from webhooks.performing.bodies import BadBodyError, is_encoded, without_encoding
from webhooks.receiving.packing import text_of, unpacked

# Headers that speak of the bytes as they came.
ENCODED = {"content-encoding", "content-length"}
MOST_EXAMPLES = 50
LONGEST_NAME = 100
# Of headers, body and what is expected, together: all examples are tried at once.
EXAMPLE_BYTES = 256 * 1024

TAKEN = "There is an example “{}” already: change it, or give this one another name."
ENOUGH = f"A webhook has {MOST_EXAMPLES} examples at most: delete one that says nothing any more."
TOO_LONG = "The example has {:,} bytes: at most {:,} are kept."
UNSTORABLE = "This holds null characters or halves of letters: leave them out."


def add_example(*, hook: Hook, name: str, by: audit.Actor, now: datetime, **fields: Any) -> Example:
    """Keep an example.

    `fields` are `body`, a text, and perhaps `headers` and `expected`, which is null where nobody says.

    Raises Conflict for a name that is taken, for one too many and for a hook that was deleted, ValidationError for what
    cannot be kept.
    """
    example = _filled(Example(hook=hook, name=name), fields)
    with transaction.atomic():
        _hold(hook)
        if hook.examples.count() >= MOST_EXAMPLES:
            raise Conflict(ENOUGH)
        try:
            with transaction.atomic():
                example.save(force_insert=True)
        except IntegrityError:
            raise Conflict(TAKEN.format(name)) from None
        _record(hook, by, now, [None, name])
    return example


@transaction.atomic
def change_example(*, example: Example, by: audit.Actor, now: datetime, **fields: Any) -> Example:
    """Change what is given: `name`, `body`, `headers`, `expected`. Raises as `add_example` does."""
    before = example.name
    _hold(example.hook)
    try:
        example.refresh_from_db(from_queryset=Example.objects.select_related("hook"))
        example.name = fields.get("name", before)
        with transaction.atomic():
            _filled(example, fields).save(force_update=True)
    except Example.DoesNotExist:
        raise Conflict(GONE.format("example")) from None
    except IntegrityError:
        raise Conflict(TAKEN.format(example.name)) from None
    _record(example.hook, by, now, [before, example.name])
    return example


@transaction.atomic
def put_example(*, hook: Hook, name: str, by: audit.Actor, now: datetime, **fields: Any) -> tuple[Example, bool]:
    """Make the example, or change the one that is there, as one step. Returns it and whether it was made."""
    _hold(hook)
    found = Example.objects.for_application(hook.application).filter(hook=hook, name=name).first()
    if found is None:
        return add_example(hook=hook, name=name, by=by, now=now, **fields), True
    found.hook = hook
    return change_example(example=found, by=by, now=now, **fields), False


@transaction.atomic
def delete_example(*, example: Example, by: audit.Actor, now: datetime) -> None:
    """Keep it no more."""
    count, _ = Example.objects.filter(pk=example.pk).delete()
    if count:  # of two at once, one did it
        _record(example.hook, by, now, [example.name, None])


def example_of(delivery: Delivery) -> dict[str, Any]:
    """What an example of it holds: `headers` without credentials, and `body`, None where that is no text.

    A body that came encoded is kept without that, as far as it can be, and then its headers do not speak of it.
    """
    headers = {
        name: value for name, value in delivery.headers.items() if value != vault.MASK and not vault.is_secret(name)
    }
    raw, is_plain = decoded(delivery)
    left_out = ENCODED if is_plain else set()
    kept = {name: value for name, value in in_lower_case(headers).items() if name not in left_out}
    return {"headers": kept, "body": text_of(raw)}


def decoded(delivery: Delivery) -> tuple[bytes, bool]:
    """What came without its encoding, and whether there was one; as it came where that cannot be undone."""
    raw = unpacked(bytes(delivery.body), packed=delivery.packed)
    if not is_encoded(delivery.headers):
        return raw, False
    try:
        return without_encoding(delivery.headers, raw), True
    except BadBodyError:
        return raw, False


def _filled(example: Example, fields: Mapping[str, Any]) -> Example:
    """With what is given, looked at. Raises ValidationError."""
    try:
        check_tag(example.name, "A name")
    except serializers.ValidationError as error:
        raise serializers.ValidationError({"name": error.detail}) from None
    if len(example.name) > LONGEST_NAME:
        raise serializers.ValidationError({"name": [f"A name has at most {LONGEST_NAME} characters."]})
    for name in ("headers", "body", "expected"):
        if name in fields:
            setattr(example, name, fields[name])
    example.headers = in_lower_case(example.headers)
    parts = {"headers": example.headers, "body": example.body, "expected": example.expected}
    if wrong := {name: [UNSTORABLE] for name, value in parts.items() if not is_storable(value)}:
        raise serializers.ValidationError(wrong)
    size = sum(len(str(value).encode()) for value in parts.values() if value is not None)
    if size > EXAMPLE_BYTES:
        raise serializers.ValidationError({"body": [TOO_LONG.format(size, EXAMPLE_BYTES)]})
    return example


def _hold(hook: Hook) -> None:
    """Of two at once, the second sees the first one's. Raises Conflict where it is gone."""
    if not Hook.objects.select_for_update(no_key=True).filter(pk=hook.pk).values_list("pk").first():
        raise Conflict(GONE.format("webhook"))


def _record(hook: Hook, by: audit.Actor, now: datetime, example: list[Any]) -> None:
    audit.record(
        by=by, action="hook.example", subject=hook.tag, now=now, application=hook.application,
        changes={"example": example},
    )  # fmt: skip
