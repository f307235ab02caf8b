"""How much one query may ask for. Everything here is told before anything is looked up, and costs next to nothing.

First what can be seen without the schema: bytes and tokens, then depth, fields and aliases, through fragments. Then,
of a valid query, how many fields its answer may have: each list counts as often as it may have rows.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableValues,
    get_argument_values,
    get_directive_values,
    get_named_type,
    get_nullable_type,
    is_list_type,
    parse,
)
from graphql.type import SchemaMetaFieldDef, TypeMetaFieldDef, TypeNameMetaFieldDef

from badgerjobs.web.graphql import Asker, Size

MOST_BYTES = 100_000
MOST_TOKENS = 1000
MOST_DEPTH = 20
MOST_FIELDS = 500
MOST_ALIASES = 30
MOST_ANSWERED = 500_000

TOO_LONG = (
    "The query has {:,} bytes: at most {:,} are taken. Long values belong in variables, where a body may have 1 MB."
)
TOO_MANY_TOKENS = "The query has more than {:,} words and signs: ask in several requests."
TOO_DEEP = "The query goes {:,} levels deep: at most {:,} are answered."
TOO_MANY_FIELDS = "The query names {:,} fields, those of its fragments each time they are used: at most {:,} are taken."
TOO_MANY_ALIASES = "The query has {:,} aliases: at most {:,} are taken. Ask in several requests."
TOO_MUCH = (
    "The answer could have {:,} fields: at most {:,} are given at once. Give lists a smaller `limit`, and {} to go on, "
    "or ask for less of each row.{}"
)
_OFFSET, _AFTER = "`offset`", "`after`, with the `meta.cursor` of the page before,"
_LEFT_OUT = " Each row that an `offset` leaves out counts as one more."

# How long the lists of the schema itself are taken to be.
_OF_THE_SCHEMA = {"__Schema.types": 20, "__Schema.directives": 5}
_OF_A_TYPE = 10


class TooMuchError(GraphQLError):
    """A query that is refused for its size or shape."""


def too_much(fields: int, most: int, *, groups: Collection[bool]) -> TooMuchError:
    """The answer could have more fields than are given. `groups`: which there are of fields in a group, and of others.

    Lists in groups go on by a cursor, and the others by an offset.
    """
    ways = [way for is_group, way in ((False, _OFFSET), (True, _AFTER)) if is_group in groups]
    return TooMuchError(TOO_MUCH.format(fields, most, " or ".join(ways), _LEFT_OUT if False in groups else ""))


@dataclass(frozen=True, slots=True)
class Shape:
    """What a selection comes to, with its fragments: levels, fields and aliases."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0

    def beside(self, other: "Shape") -> "Shape":
        """Both of them, one after the other."""
        return Shape(max(self.depth, other.depth), self.fields + other.fields, self.aliases + other.aliases)


def parsed(query: str) -> DocumentNode:
    """The query as a tree. Raises TooMuchError, and GraphQLSyntaxError for what is no GraphQL."""
    size = len(query.encode(errors="replace"))
    if size > MOST_BYTES:
        raise TooMuchError(TOO_LONG.format(size, MOST_BYTES))
    try:
        return parse(query, max_tokens=MOST_TOKENS, max_comments=MOST_TOKENS)
    except GraphQLSyntaxError as error:
        if "contains more than" in error.message:
            raise TooMuchError(TOO_MANY_TOKENS.format(MOST_TOKENS)) from None
        raise


def shaped(document: DocumentNode) -> int:
    """Look at the shape of every operation; how many levels the deepest has. Raises TooMuchError.

    Fragments that lead in circles end where they began. Each is measured once, however often it is used: the numbers
    grow, the work does not.
    """
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    known: dict[str, Shape] = {}
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return max(_judged(_shape(node.selection_set, fragments, known)) for node in operations)


def _judged(shape: Shape) -> int:
    for value, most, said in (
        (shape.depth, MOST_DEPTH, TOO_DEEP),
        (shape.aliases, MOST_ALIASES, TOO_MANY_ALIASES),
        (shape.fields, MOST_FIELDS, TOO_MANY_FIELDS),
    ):
        if value > most:
            raise TooMuchError(said.format(value, most))
    return shape.depth


def _shape(
    selections: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode], known: dict[str, Shape]
) -> Shape:
    whole = Shape()
    for node in selections.selections if selections else ():
        if isinstance(node, FieldNode):
            inner = _shape(node.selection_set, fragments, known)
            part = Shape(inner.depth + 1, inner.fields + 1, inner.aliases + (node.alias is not None))
        elif isinstance(node, FragmentSpreadNode):
            part = _shape_of_fragment(node.name.value, fragments, known)
        else:
            part = _shape(node.selection_set, fragments, known)  # type: ignore[attr-defined]  # an inline fragment
        whole = whole.beside(part)
    return whole


def _shape_of_fragment(name: str, fragments: Mapping[str, FragmentDefinitionNode], known: dict[str, Shape]) -> Shape:
    if name not in known:
        known[name] = Shape()  # while it is measured: validation says of a circle what is wrong with it
        if name in fragments:
            known[name] = _shape(fragments[name].selection_set, fragments, known)
    return known[name]


def tops_of(
    selections: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[FieldNode]:
    """The fields at the top of a valid selection, those of its fragments among them."""
    for node in selections.selections if selections else ():
        if isinstance(node, FragmentSpreadNode):
            yield from tops_of(fragments[node.name.value].selection_set, fragments)
        elif isinstance(node, InlineFragmentNode):
            yield from tops_of(node.selection_set, fragments)
        elif isinstance(node, FieldNode):
            yield node


def verbs_in(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], groups: Collection[str]
) -> int:
    """How many questions or verbs a valid operation holds: its fields at the top, and those in each of the groups."""
    tops = tops_of(selections, fragments)
    return sum(sum(1 for _ in tops_of(top.selection_set, fragments)) if top.name.value in groups else 1 for top in tops)


@dataclass(slots=True)
class Weighing:
    """How many fields the answer of a valid operation may have, and which fields it names."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    sizes: Mapping[str, Size]
    asker: Asker
    variables: VariableValues

    def weigh(self, operation: OperationDefinitionNode) -> tuple[int, dict[str, FieldNode]]:
        """The number of fields, and those that are selected, as `Type.field`, with the first place that does so.

        Raises GraphQLError for an argument that its field would not take.
        """
        named: dict[str, FieldNode] = {}
        root = self.schema.get_root_type(operation.operation)
        return self._weigh(operation.selection_set, root, named), named

    def _weigh(self, selections: SelectionSetNode | None, of: Any, named: dict[str, FieldNode]) -> int:
        whole = 0
        for node in selections.selections if selections else ():
            if not self._is_included(node):
                continue
            if isinstance(node, FieldNode):
                whole += self._weigh_field(node, of, named)
            elif isinstance(node, FragmentSpreadNode):
                whole += self._weigh(self.fragments[node.name.value].selection_set, of, named)
            elif isinstance(node, InlineFragmentNode):
                whole += self._weigh(node.selection_set, of, named)
        return whole

    def _is_included(self, node: SelectionNode) -> bool:
        """Whether its `@skip` and `@include` let it stand: what does not is neither done nor answered."""
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not (skip and skip["if"]) and not (include and not include["if"])

    def _weigh_field(self, node: FieldNode, of: Any, named: dict[str, FieldNode]) -> int:
        place = f"{of.name}.{node.name.value}"
        named.setdefault(place, node)
        definition = _META.get(node.name.value) or of.fields[node.name.value]
        inner = get_named_type(definition.type)
        each = self._weigh(node.selection_set, inner, named)
        is_list = is_list_type(get_nullable_type(definition.type))
        if not is_list and place not in self.sizes:
            return 1 + each
        rows, left_out = self._size(place, node, definition)
        return 1 + each * max(0, rows) + max(0, left_out)

    def _size(self, place: str, node: FieldNode, definition: GraphQLField) -> tuple[int, int]:
        """How many rows a list may have, and how many are walked past before the first of them."""
        if place.startswith("__"):
            return _OF_THE_SCHEMA.get(place, _OF_A_TYPE), 0
        arguments = get_argument_values(definition, node, self.variables)  # as the field itself will be given them
        size, limit, offset = self.sizes[place], arguments.get("limit"), arguments.get("offset") or 0
        if callable(size):  # how many there are
            most = size(self.asker, arguments)
            return min(limit, most) if isinstance(limit, int) else most, min(offset, most)
        return limit if isinstance(limit, int) else size, offset


_META = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef, "__typename": TypeNameMetaFieldDef}
