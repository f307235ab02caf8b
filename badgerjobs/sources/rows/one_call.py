"""The call of a pull that makes one."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from badgerjobs.outbound.calls import Call
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.pulls import Pull
from badgerjobs.sources.types.requests import request_of


def call_of(pull: Pull, escaped_in: Callable[[Mapping[str, Any]], bool] | None = None) -> Call:
    """The call with the values in it. `escaped_in`: whether its body is XML, where they become text and no elements.

    Raises PullError for what cannot be filled.
    """
    values = pull.values()
    in_body = escaped(values) if escaped_in and escaped_in(pull.configuration) else values
    try:
        return request_of(pull.configuration, values, pull.given.now, in_body)
    except ValueError as error:
        raise PullError("variables", str(error), retry=False) from None


def escaped(values: Mapping[str, Any]) -> dict[str, Any]:
    """As they may stand in XML, between elements and in attributes."""
    return {name: _escaped(value) for name, value in values.items()}


def _escaped(value: Any) -> Any:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return escape(value, {'"': "&quot;", "'": "&apos;"}) if isinstance(value, str) else value
