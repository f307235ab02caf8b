"""Asking GraphQL in tests."""

from collections.abc import Iterable
from typing import Any

from graphql import GraphQLSchema

from badgerjobs.graphql.schema import SDL, made
from tasks.background import graphql as background
from tasks.background.definitions import Definition
from tasks.background.graphql.inputs import sdl_of_enum
from tests.callers import Answer, Caller

GRAPHQL = "http://testserver/graphql"


def ask(caller: Caller, query: str, **variables: Any) -> Answer:
    """The answer to a query, whatever it is."""
    return caller.post(GRAPHQL, {"query": query, **({"variables": variables} if variables else {})})


def data(caller: Caller, query: str, **variables: Any) -> Any:
    """What the query is answered with; fails where anything is wrong with it."""
    answer = ask(caller, query, **variables)
    assert answer.status == 200, answer.body
    assert "errors" not in answer.body, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    return answer.body["data"]


def refused(caller: Caller, query: str, **variables: Any) -> str:
    """What is said of a query that is refused, and refused by GraphQL's own rules."""
    answer = ask(caller, query, **variables)
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    [error] = answer.body["errors"]
    said: str = error["message"]
    return said


def schema_with(definitions: Iterable[Definition]) -> GraphQLSchema:
    """The schema of an installation that has these definitions."""
    return made(SDL.replace(background.SDL.removeprefix(background.TYPES), sdl_of_enum(definitions)))
