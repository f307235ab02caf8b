"""A database action: one statement with bound parameters, on a database of the application's."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from rest_framework import serializers

from badgerjobs.lib.handlebars import Filling, TemplateError
from badgerjobs.lib.storable import is_storable
from badgerjobs.outbound.relay import Unreachable
from badgerjobs.outbound.slots import HostFullError
from badgerjobs.runs.outcomes import Failed, Later, Outcome
from badgerjobs.servers import databases, statements
from badgerjobs.servers.drivers import check
from badgerjobs.web.definitions.fields import JSONTemplateField, timeout_field
from badgerjobs.web.serializers import BoundedDictField, StrictSerializer
from jobs.events.means import Means
from jobs.events.types import Occasion, Type, postgresql, sql
from jobs.models import ConnectionType

# The largest input, and a few parts of it besides.
PARAMETERS_CHARACTERS = 4_000_000

# Some of what they do is no writing to the database: COPY runs programs, for a superuser.
BEYOND = {"COPY", "DO"}
TOO_FAR = "COPY and DO can do more than a read-only transaction forbids: let the event write, if it may."
# What a server has beyond a statement's time, to say itself that it was too long.
GRACE_S = 1
UNBOUND = "A parameter cannot be bound: it holds null characters or halves of letters, which no text may."


class DatabaseActionConfiguration(StrictSerializer):
    """What to run. Placeholders are bound as parameters and never put into the text."""

    statement = serializers.CharField(
        max_length=100_000,
        help_text="One SQL statement. {{input.x}} is bound as a parameter; %(x)s is one of `parameters`, or input.x.",
    )
    parameters = BoundedDictField(
        most=100,
        child=JSONTemplateField(allow_null=True),
        default=dict,
        help_text="Name → value for %(name)s, with placeholders. What is missing here is taken from the input.",
    )
    writes = serializers.BooleanField(
        default=False, help_text="Whether it may change something. Otherwise its transaction is read-only."
    )
    max_rows = serializers.IntegerField(
        default=100, min_value=1, max_value=1000, help_text="How many rows are kept, of 256 KB at most: 1 to 1000."
    )
    timeout = timeout_field()

    def validate_statement(self, statement: str) -> str:
        """Something whose placeholders can be bound."""
        try:
            statements.read(statement)
        except TemplateError as error:
            raise serializers.ValidationError(str(error)) from None
        return statement

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What a read-only transaction does not hold needs the word that it may write."""
        if not attrs["writes"] and statements.first_word(attrs["statement"]) in BEYOND:
            raise serializers.ValidationError({"statement": [TOO_FAR]})
        return attrs


@dataclass(frozen=True, slots=True)
class Prepared:
    statement: statements.Statement
    parameters: list[Any]


def connection_type(_: Mapping[str, Any]) -> ConnectionType:
    """Every one of them runs on a database."""
    return ConnectionType.DATABASE


def prepare(occasion: Occasion) -> Prepared:
    """The statement and what is bound. Raises TemplateError."""
    statement = statements.read(occasion.configuration["statement"])
    filling = Filling(occasion.values, most=PARAMETERS_CHARACTERS, what="what is bound")
    parameters = filling.fill(occasion.configuration["parameters"])
    return Prepared(statement, statements.bound(statement, occasion.values, parameters, most=PARAMETERS_CHARACTERS))


async def perform(occasion: Occasion, prepared: Prepared, means: Means) -> Outcome:
    """Run it: PostgreSQL on the event loop, others in a thread."""
    given, connection = occasion.configuration, occasion.connection
    limits = {"writes": given["writes"], "rows": given["max_rows"], "timeout_s": given["timeout"]}
    what = prepared.statement, prepared.parameters, connection
    if refused := _refused(prepared, connection):
        return refused
    time_s, blocks = given["timeout"] + GRACE_S, connection["engine"] != databases.POSTGRESQL
    try:
        async with means.turn(connection, time_s, workspace=occasion.workspace, blocks=blocks) as turn:
            if not blocks:
                return await postgresql.run(*what, turn.line, text=given["statement"], **limits)
            return await turn.in_thread(partial(sql.run, *what, turn.line, **limits))
    except HostFullError as full:
        return Later(full.wait_s)
    except TimeoutError:
        return Failed("timeout", f"{connection['host']} did not finish the statement within {given['timeout']} s.")
    except Unreachable as error:
        return Failed(error.error_class, error.message, retry=error.error_class != "refused")


def _refused(prepared: Prepared, connection: Mapping[str, Any]) -> Failed | None:
    """Why the server is not even connected to."""
    if not is_storable(prepared.parameters):
        return Failed("data", UNBOUND, retry=False)
    try:
        databases.check_engine(connection["engine"])
    except ValueError as error:  # the operator took its driver away
        return Failed("sql", str(error), retry=False)
    try:
        check(connection["engine"], prepared.statement)
    except TemplateError as error:
        return Failed("sql", str(error), retry=False)
    return None


DATABASE_ACTION = Type(DatabaseActionConfiguration, prepare, perform, connection=connection_type)
