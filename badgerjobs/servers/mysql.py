"""What MySQL and MariaDB have of their own: how they read quotes, what PyMySQL is told, and how a query is ended."""

import re
from bisect import bisect_left
from collections.abc import Mapping
from importlib import import_module
from itertools import accumulate
from typing import Any

from badgerjobs.lib.handlebars import TemplateError
from badgerjobs.outbound.relay import LOOPBACK, Line
from badgerjobs.servers.databases import pymysql_arguments
from badgerjobs.servers.postgresql import read_json
from badgerjobs.servers.statements import Statement

# What is one part to them, up to its end or that of the text. (No possessive quantifiers: before 3.11.5 Python has them
# wrong. Nothing goes back here: what follows a repetition matches always, or never where the repetition did.)
_COMMENTS = r"`[^`]*`?|\#[^\n]*|--(?=[\x00-\x20\x7f]|\Z)[^\n]*|/\*(?!M?!|\+)(?s:.*?)(?:\*/|\Z)"
# What begins with /*! or /*M! is SQL to one version and a comment to another, which may hold comments; /*+ holds hints.
# Where it ends is sure only if it has whole and plain quotes and no comment; or else whatever follows is in doubt.
_SIMPLE = "|".join(rf"{quote}[^'\"`\\*/]*{quote}" for quote in "'\"`")
_VERSIONS = rf"/\*(?:M?!|\+)(?:(?:[^'\"`\#*/-]|\*(?!/)|/(?!\*)|-(?!-)|{_SIMPLE})*\*/|(?s:.*))"
# A backslash before a quote counts or not, as a server is set: in both kinds of quotes, or (ANSI_QUOTES) in one.
_SLASHED, _PLAIN = r"{0}(?:[^{0}\\]|{0}{0}|\\.)*{0}?", r"{0}(?:[^{0}]|{0}{0})*{0}?"
_PARTS = tuple(
    re.compile(f"{single.format(chr(39))}|{double.format(chr(34))}|{_COMMENTS}|{_VERSIONS}", re.DOTALL)
    for single in (_SLASHED, _PLAIN)
    for double in (_SLASHED, _PLAIN)
)
HIDDEN = (
    "{} stands in quotes or in a comment, as MySQL and MariaDB read it: to them a backslash makes text of a quote,"
    " # begins a comment, and -- does where a blank follows; what stands in /*! */ is SQL to some of them only."
    " Double a quote, write no backslash before it, and no quotes or comments in /*! */."
)
# Times in UTC. And so long it waits until somebody takes a row: who stores them may have to wait for others.
SETTINGS = "SET SESSION time_zone = '+00:00', net_write_timeout = {}"
PATIENCE_S = 3600
# It holds for every transaction of the connection: a procedure may end one and begin another.
READ_ONLY = "SET SESSION TRANSACTION READ ONLY"
# Whoever may sign in may end what runs in their own name.
END = "KILL {}"


def check(statement: Statement) -> None:
    """Raise TemplateError where a value would get into quotes: the driver puts it into the text, quoted by itself."""
    places = list(accumulate((len(piece) + 1 for piece in statement.pieces[1:-1]), initial=len(statement.pieces[0])))
    text = "?".join(statement.pieces)
    for part in (part for parts in _PARTS for part in parts.finditer(text)):
        at = bisect_left(places, part.start())
        if at < len(places) and places[at] < part.end():
            raise TemplateError(HIDDEN.format(f"{{{{{statement.paths[at]}}}}}"))


def connected(module: Any, given: Mapping[str, Any], line: Line, timeout_s: int) -> Any:
    """Signed in at the other end of a line, by PyMySQL."""
    return module.connect(
        host=LOOPBACK,
        port=line.port,
        user=given["user"],
        password=given["password"],
        database=given["database"],
        charset="utf8mb4",
        init_command=SETTINGS.format(PATIENCE_S),
        conv=decoders(module.__name__),
        **pymysql_arguments(given, timeout_s),
    )


def cursor(module: Any, server: Any) -> Any:
    """One that gives rows as they come."""
    return server.cursor(import_module(f"{module.__name__}.cursors").SSCursor)


def hang_up(server: Any, cursor: Any) -> None:
    """Close it, whatever the server has to say still: the driver would read all of that first, and once more later."""
    if result := cursor._result:
        result.unbuffered_active = result.has_next = False
    server.close()


def end(server: Any, given_up: Any) -> None:
    """End what another connection of the same user asked for: servers see late that it is gone."""
    with server.cursor() as cursor:
        cursor.execute(END.format(int(given_up.thread_id())))


def decoders(module: str) -> dict[Any, Any]:
    """How values are read and written: bits are a number, and JSON is what it holds, as of other databases."""
    types = import_module(f"{module}.constants.FIELD_TYPE")
    usual: Mapping[Any, Any] = import_module(f"{module}.converters").conversions
    return {**usual, types.BIT: lambda bits: int.from_bytes(bits, "big"), types.JSON: read_json}
