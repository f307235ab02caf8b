"""Background tasks by GraphQL, in the types and verbs of Webiny. `badgerjobs/graphql/` gathers this."""

from pathlib import Path

from tasks.background.definitions import public_definitions
from tasks.background.graphql.inputs import sdl_of_enum, sdl_of_inputs
from tasks.background.graphql.resolvers import RESOLVERS, SCOPES, SIZES

# All but the enum of the definitions.
TYPES = Path(__file__).with_name("schema.graphql").read_text(encoding="utf-8") + sdl_of_inputs()

# Definitions are loaded when the process starts, before anybody asks for the schema.
SDL = TYPES + sdl_of_enum(public_definitions())

# The fields at the top in which ours stand. Each of ours needs a right of its own.
GROUPS = frozenset({"backgroundTasks"})

__all__ = ["GROUPS", "RESOLVERS", "SCOPES", "SDL", "SIZES", "TYPES"]
