"""What may be given to a background task: checked by its class before there is a run, and said as a JSON schema."""

import json
import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from badgerjobs.lib.json_copies import NotJSONError, copied, length_of, word_of
from badgerjobs.lib.storable import cleaned
from tasks.background import flaws
from tasks.background.calling import contained
from tasks.background.definitions import Definition

MOST_BYTES = 1024 * 1024
NO_OBJECT = '{} must be an object, like {{"rows": 3}}, and not {}.'

logger = logging.getLogger(__name__)


class InvalidInputError(ValueError):
    """An input that its definition's class does not take.

    `fields` maps the path of each field, `address.city`, to {"code", "message", "data": {"path": ["address", "city"]}}.
    What is wrong with all of it has the path "".
    """

    def __init__(self, message: str, fields: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.fields = dict(fields)


def validated(definition: Definition, given: Any) -> dict[str, Any]:
    """The input as it is kept: JSON of what the definition's class makes of it. Raises InvalidInputError."""
    try:
        plain = plain_input(given)
        if definition.input_class is None:
            return plain
        return fitting_input(_by_class(definition, plain))
    except (NotJSONError, TypeError) as error:
        raise InvalidInputError(str(error), _whole("invalid", str(error))) from None


def plain_input(given: Any) -> dict[str, Any]:
    """A copy of any input, {} for None. Raises TypeError for what is no object, NotJSONError for what is no JSON."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(NO_OBJECT.format("The input", word_of(given)))
    return fitting_input(copied(dict(given), "The input"))


def fitting_input(given: dict[str, Any]) -> dict[str, Any]:
    """The same, if it is not too long. Raises NotJSONError."""
    size = length_of(given)
    if size > MOST_BYTES:
        raise NotJSONError(f"The input has {size:,} bytes as JSON, and may have {MOST_BYTES:,}.")
    return given


def schema_of(definition: Definition) -> dict[str, Any]:
    """The JSON schema of its input, for forms and readers. Without a class of its own: any object."""
    if definition.input_class is None:
        return {"type": "object"}
    if flaws.is_model(definition.input_class):
        return dict(definition.input_class.model_json_schema())
    from tasks.background.schemas import of_serializer  # noqa: PLC0415  definitions are read without Django

    return of_serializer(definition.input_class())


def _by_class(definition: Definition, given: dict[str, Any]) -> dict[str, Any]:
    assert definition.input_class is not None  # noqa: S101  its only caller has looked
    look = _by_model if flaws.is_model(definition.input_class) else _by_serializer
    try:
        with contained():
            return look(definition.input_class, given)
    except (InvalidInputError, NotJSONError):
        raise
    except Exception as error:
        logger.exception("The input of the background task %s could not be checked.", definition.id)
        said = f"The input could not be checked: {type(error).__name__}."
        raise InvalidInputError(said, _whole("error", said)) from None


def _by_model(model: Any, given: dict[str, Any]) -> dict[str, Any]:
    try:
        return dict(copied(model.model_validate(given).model_dump(mode="json"), "The input"))
    except NotJSONError:
        raise
    except ValueError as error:
        if not hasattr(error, "errors"):
            raise
        from tasks.background.model_words import said_of  # noqa: PLC0415  definitions are read without Django

        raise _invalid([(each["loc"], each["type"], said_of(each)) for each in error.errors()]) from None


def _by_serializer(serializer_class: Any, given: dict[str, Any]) -> dict[str, Any]:
    serializer = serializer_class(data=given)
    from tasks.background.choice_words import name_choices  # noqa: PLC0415  definitions are read without Django

    name_choices(serializer)
    if not serializer.is_valid():
        raise _invalid(_details(serializer.errors, ()))
    return dict(copied(json.loads(json.dumps(serializer.validated_data, default=_plain)), "The input"))


def _plain(value: Any) -> Any:
    """What a serializer read, as JSON has it. A decimal number is a text, which loses nothing: pydantic does so too."""
    from rest_framework.utils.encoders import JSONEncoder  # noqa: PLC0415  definitions are read without Django

    return str(value) if isinstance(value, Decimal) else JSONEncoder().default(value)


def _details(errors: Any, path: tuple[Any, ...]) -> list[tuple[tuple[Any, ...], str, str]]:
    """Each thing that a serializer found wrong: where, its code, its sentence."""
    if isinstance(errors, Mapping):
        inner = [(name, each) for name, each in errors.items()]
    elif all(isinstance(each, str) for each in errors):
        return [(path, str(getattr(each, "code", "invalid")), str(each)) for each in errors]
    else:
        inner = list(enumerate(errors))
    return [
        found for name, each in inner for found in _details(each, path if name == "non_field_errors" else (*path, name))
    ]


def _invalid(found: list[tuple[tuple[Any, ...], str, str]]) -> InvalidInputError:
    """The first thing that is wrong with each field."""
    fields: dict[str, Any] = {}
    for path, code, message in found:
        said = {"code": code, "message": message, "data": {"path": list(path)}}
        fields.setdefault(".".join(str(name) for name in path), said)
    return InvalidInputError("The input is not valid.", cleaned(fields))


def _whole(code: str, message: str) -> dict[str, Any]:
    return {"": {"code": code, "message": message, "data": {"path": []}}}
