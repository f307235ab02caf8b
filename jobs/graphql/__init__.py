"""Jobs by GraphQL, in the types and verbs of Repeater.dev. `badgerjobs/graphql/` gathers this."""

from pathlib import Path

from jobs.graphql.resolvers import RESOLVERS, SIZES

SDL = Path(__file__).with_name("schema.graphql").read_text(encoding="utf-8")

__all__ = ["RESOLVERS", "SDL", "SIZES"]
