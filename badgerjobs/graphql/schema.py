"""The schema, made once from what the apps bring: their types as text, and what finds the fields that rows lack."""

import re
from collections.abc import Mapping
from operator import attrgetter
from types import ModuleType
from typing import Any

from graphql import GraphQLSchema, build_schema

from badgerjobs.web.graphql import Asker, Resolver, Size
from jobs import graphql as jobs

# What an app adds to the schema is a row here: a package with SDL, RESOLVERS and SIZES.
APPS: tuple[ModuleType, ...] = (jobs,)

_ROOT = """
"What can be asked."
type Query
"What can be done."
type Mutation
"""

SDL = "".join([_ROOT, *(app.SDL for app in APPS)])
RESOLVERS: Mapping[str, Resolver] = {name: resolve for app in APPS for name, resolve in app.RESOLVERS.items()}
SIZES: Mapping[str, Size] = {name: size for app in APPS for name, size in app.SIZES.items()}


class UnknownFieldError(ValueError):
    """An app has a resolver or a size for a field that no type has."""


def _made() -> GraphQLSchema:
    schema = build_schema(SDL)
    left = {*RESOLVERS, *SIZES}
    for type_name, of in schema.type_map.items():
        for name, field in {} if type_name.startswith("__") else getattr(of, "fields", {}).items():
            place = f"{type_name}.{name}"
            left.discard(place)
            for argument, details in field.args.items():
                details.out_name = _spelled(argument)
            field.resolve = _passing(RESOLVERS[place]) if place in RESOLVERS else _reading(name)
    if left:
        raise UnknownFieldError(f"No type has {', '.join(sorted(left))}.")
    return schema


def _passing(resolve: Resolver) -> Resolver:
    def resolver(source: Any, info: Any, **arguments: Any) -> Any:
        asker: Asker = info.context
        return resolve(source, asker, **arguments)

    return resolver


def _reading(name: str) -> Resolver:
    """The attribute of the row that has the field's name in our spelling."""
    read = attrgetter(_spelled(name))
    return lambda source, _info: read(source)


def _spelled(name: str) -> str:
    """`runAt` as `run_at`."""
    return re.sub(r"(?=[A-Z])", "_", name).lower()


SCHEMA = _made()
