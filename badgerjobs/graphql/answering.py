"""From a query to its answer: read it, bound it, check it, look at the rights it needs, and carry it out."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    VariableValues,
    execute_sync,
    get_operation_ast,
    get_variable_values,
    validate,
)
from rest_framework.exceptions import APIException, PermissionDenied

from badgerjobs.graphql.limits import (
    MOST_ANSWERED,
    TooMuchError,
    Weighing,
    parsed,
    shaped,
    too_much,
    tops_of,
    verbs_in,
)
from badgerjobs.graphql.schema import GROUPS, SCHEMA, SCOPES, SIZES
from badgerjobs.web.graphql import Asker
from badgerjobs.web.problems import LONGEST_SENTENCE
from badgerjobs.workspaces.models import Scope

# Nobody reads more of what is wrong with one query.
MOST_ERRORS = 10

NO_QUERY = 'Send a query: {"query": "{ jobs { name } }"}.'
NO_OPERATION = "The document has no operation: give a query or a mutation beside its fragments."
WHICH = "The document has several operations: name the one that is meant in `operationName`."
NO_SUBSCRIPTIONS = "Subscriptions are not served here: ask again, or have notices sent."
BAD_VARIABLES = "Give the variables as an object, name to value."
BAD_NAME = "Give the name of an operation as a text."


def answer(
    asker: Asker, query: Any, variables: Any = None, name: Any = None, *, spend: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Answer one query: `data`, and `errors` where there are any. What cannot be carried out has no `data`.

    `spend` is told how many verbs or questions the query holds beyond the first, and may raise. Raises PermissionDenied
    for who lacks a scope, and whatever is a fault of ours.
    """
    if not query:  # nothing that would be done: who may only write learns nothing either
        _ensure_scope(asker, Scope.READ)
    try:
        document, operation = _read(query, variables, name)
        depth = shaped(document)
        if errors := validate(SCHEMA, document, max_errors=MOST_ERRORS):
            return {"errors": [_told(error) for error in errors[:MOST_ERRORS]]}
        fragments = _fragments(document)
        _ensure_allowed(asker, operation, fragments, depth)
        variables = variables or {}
        values = get_variable_values(SCHEMA, operation.variable_definitions or (), variables, MOST_ERRORS)
        if isinstance(values, list):
            return {"errors": [_told(error) for error in values[:MOST_ERRORS]]}
        named = _weighed(asker, fragments, operation, values)
        asker.selected = frozenset(named)
        if operation.operation == OperationType.MUTATION:
            _ensure_scopes(asker, named)
    except GraphQLError as error:
        return {"errors": [_told(error)]}
    spend(verbs_in(operation.selection_set, fragments, GROUPS) - 1)
    result = execute_sync(SCHEMA, document, None, asker, variable_values=variables, operation_name=name or None)
    if asker.texts.are_too_many:  # a part would pass for the whole
        result = ExecutionResult(None, result.errors)
    return _shown(result)


def _read(query: Any, variables: Any, name: Any) -> tuple[DocumentNode, OperationDefinitionNode]:
    if not isinstance(query, str) or not query.strip():
        raise GraphQLError(NO_QUERY)
    if not isinstance(variables, dict | None):
        raise GraphQLError(BAD_VARIABLES)
    if not isinstance(name, str | None):
        raise GraphQLError(BAD_NAME)
    document = parsed(query)
    operation = get_operation_ast(document, name or None)
    if operation is None:
        raise GraphQLError(_missing(document, name))
    if operation.operation == OperationType.SUBSCRIPTION:
        raise GraphQLError(NO_SUBSCRIPTIONS)
    return document, operation


def _missing(document: DocumentNode, name: str | None) -> str:
    if name:
        return f"There is no operation “{name}” in the document."
    has_some = any(isinstance(node, OperationDefinitionNode) for node in document.definitions)
    return WHICH if has_some else NO_OPERATION


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def _weighed(
    asker: Asker,
    fragments: Mapping[str, FragmentDefinitionNode],
    operation: OperationDefinitionNode,
    variables: VariableValues,
) -> dict[str, FieldNode]:
    """Which fields are selected, as `Type.field`. Raises TooMuchError."""
    fields, named = Weighing(SCHEMA, fragments, SIZES, asker, variables).weigh(operation)
    if fields > MOST_ANSWERED:
        tops = tops_of(operation.selection_set, fragments)
        raise too_much(fields, MOST_ANSWERED, groups={node.name.value in GROUPS for node in tops})
    return named


def _ensure_allowed(
    asker: Asker, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode], depth: int
) -> None:
    """A query needs `read`, a mutation `write`; one that asks for more than the fields of what it changed, both.

    What stands in a group needs rights of its own: `_ensure_scopes`.
    """
    if all(node.name.value in GROUPS for node in tops_of(operation.selection_set, fragments)):
        return
    is_mutation = operation.operation == OperationType.MUTATION
    if is_mutation:
        _ensure_scope(asker, Scope.WRITE)
    if depth > 2 or not is_mutation:
        _ensure_scope(asker, Scope.READ)


def _ensure_scopes(asker: Asker, named: Mapping[str, FieldNode]) -> None:
    """Raises GraphQLError for the first field that needs another scope: now, as nothing is done yet.

    Later it would take the answers of what was done with it.
    """
    for place, node in named.items():
        scope = SCOPES.get(place)
        if scope and not asker.may(scope):
            denied = PermissionDenied(asker.lacking(scope))
            raise GraphQLError(str(denied.detail), node, original_error=denied)


def _ensure_scope(asker: Asker, scope: Scope) -> None:
    if not asker.may(scope):
        raise PermissionDenied(f"This token lacks the scope “{scope}”.")


def _shown(result: ExecutionResult) -> dict[str, Any]:
    """Raises the first error that is our fault."""
    for error in result.errors or ():
        if error.original_error and not isinstance(error.original_error, APIException | GraphQLError):
            raise error.original_error
    shown: dict[str, Any] = {"data": result.data}
    return {**shown, "errors": [_told(error) for error in result.errors]} if result.errors else shown


def _told(error: GraphQLError) -> dict[str, Any]:
    told: dict[str, Any] = {**error.formatted}
    original = error.original_error
    if isinstance(original, APIException):
        told["message"], fields = _sentence(original)
        told["extensions"] = {"code": _CODES.get(original.status_code, "REFUSED"), **fields}
    elif isinstance(error, TooMuchError):
        told["extensions"] = {"code": "TOO_MUCH"}
    elif "extensions" not in told:
        told["extensions"] = {"code": "BAD_QUERY"}
    said = _writable(told["message"])
    told["message"] = said if len(said) <= LONGEST_SENTENCE else f"{said[:LONGEST_SENTENCE]}…"
    return told


_CODES = {400: "BAD_INPUT", 403: "FORBIDDEN", 404: "NOT_FOUND", 409: "CONFLICT"}


def _sentence(error: APIException) -> tuple[str, dict[str, Any]]:
    """What is said of it, and each argument that is wrong with its sentence."""
    details: Any = error.detail
    if not isinstance(details, dict):
        return str(details), {}
    fields = {str(name): str(said[0] if isinstance(said, list) else said) for name, said in details.items()}
    return " ".join(f"{name}: {said}" for name, said in fields.items()), {"arguments": fields}


def as_json(told: Mapping[str, Any], **layout: Any) -> str:
    """The answer as text. It may quote what was sent: half of a letter, which UTF-8 cannot write, is escaped."""
    return _writable(json.dumps(told, ensure_ascii=False, **layout))


def _writable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
