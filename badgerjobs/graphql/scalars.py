"""What comes in as a value of a scalar that GraphQL itself does not have. An app that uses one names its type."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLError, Undefined


def as_number(value: Any) -> int | float:
    """A number; a whole one as an int. Raises GraphQLError."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise GraphQLError("Give a number.")
    return int(value) if value == int(value) else value


def as_json(value: Any) -> Any:
    """Any value, without the variables in it that were not given. Changed in place."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            for name in [name for name, inner in one.items() if inner is Undefined]:
                del one[name]
            left.extend(one.values())
        elif isinstance(one, list):
            one[:] = [None if inner is Undefined else inner for inner in one]
            left.extend(one)
    return value


SCALARS: Mapping[str, Callable[[Any], Any]] = {"Number": as_number, "JSON": as_json}
