"""The schema, made once from what the apps bring: their types as text, and what finds the fields that rows lack."""

import re
from collections.abc import Iterable, Mapping
from operator import attrgetter
from types import ModuleType
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
)

from badgerjobs.graphql.scalars import SCALARS
from badgerjobs.web.graphql import Asker, Resolver, Size
from jobs import graphql as jobs
from tasks.background import graphql as background

# What an app adds to the schema is a row here: a package with SDL, RESOLVERS and SIZES; and, if it has some, GROUPS:
# fields at the top that hold its questions and verbs, each of which needs a right of its own. A question looks at that
# itself; of verbs, and of what stands in their answers, SCOPES has it.
APPS: tuple[ModuleType, ...] = (jobs, background)

_ROOT = """
"What can be asked."
type Query
"What can be done."
type Mutation
"""

SDL = "".join([_ROOT, *(app.SDL for app in APPS)])
RESOLVERS: Mapping[str, Resolver] = {name: resolve for app in APPS for name, resolve in app.RESOLVERS.items()}
SIZES: Mapping[str, Size] = {name: size for app in APPS for name, size in app.SIZES.items()}
SCOPES: Mapping[str, str] = {name: scope for app in APPS for name, scope in getattr(app, "SCOPES", {}).items()}

GROUPS: frozenset[str] = frozenset().union(*(getattr(app, "GROUPS", ()) for app in APPS))


class UnknownFieldError(ValueError):
    """An app has a resolver or a size for a field that no type has."""


def made(sdl: str) -> GraphQLSchema:
    """The schema of this text. Raises UnknownFieldError."""
    schema = build_schema(sdl)
    left = {*RESOLVERS, *SIZES}
    for type_name, of in schema.type_map.items():
        for name, field in _fields(of):
            place = f"{type_name}.{name}"
            left.discard(place)
            for argument, details in field.args.items():
                details.out_name = _spelled(argument)
            field.resolve = _passing(RESOLVERS[place]) if place in RESOLVERS else _reading(name)
        if isinstance(of, GraphQLScalarType) and type_name in SCALARS:
            take: Any = SCALARS[type_name]
            of.parse_value = of.coerce_input_value = take  # type: ignore[method-assign]
    if left:
        raise UnknownFieldError(f"No type has {', '.join(sorted(left))}.")
    return schema


def _fields(of: GraphQLNamedType) -> Iterable[tuple[str, GraphQLField]]:
    """The fields that are to be found: neither those of inputs nor those of the schema itself."""
    return of.fields.items() if isinstance(of, GraphQLObjectType) and not of.name.startswith("__") else ()


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


SCHEMA = made(SDL)
