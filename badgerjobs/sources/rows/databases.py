"""Rows of one query on a database."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

from badgerjobs.lib.handlebars import NOW, TemplateError
from badgerjobs.lib.storable import is_storable
from badgerjobs.servers import statements
from badgerjobs.servers.databases import POSTGRESQL
from badgerjobs.servers.drivers import check, lack_of_driver
from badgerjobs.sources.rows import drivers, postgresql
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.pulls import Chunk, Pull
from badgerjobs.sources.rows.reaching import line_to
from badgerjobs.web.definitions.fields import BODY_BYTES

UNBOUND = "A value cannot be bound: it holds null characters or halves of letters, which no text may."
# What %(x)s stands for.
GIVEN = "parameters."


def names_in(query: str) -> list[str]:
    """What is bound in it, in order, each once. Raises TemplateError."""
    return list(dict.fromkeys(path.removeprefix(GIVEN) for path in statements.read(query).names))


class SQLPull(Pull):
    """The rows of one query."""

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """See `Pull`."""
        statement, parameters = self._bound()
        given = self.configuration
        if lack := lack_of_driver(given["engine"], given["driver"], given["tls"]):  # the operator took it away
            raise PullError("sql", lack, retry=False)
        async with line_to(given, self.means) as line:
            if given["engine"] == POSTGRESQL:
                rows = postgresql.rows_of(statement, parameters, given, line)
            else:
                rows = drivers.rows_of(statement, parameters, given, line, partial(line_to, given, self.means))
            async with aclosing(rows) as chunks:
                async for chunk in chunks:
                    yield chunk

    def _bound(self) -> tuple[statements.Statement, list[Any]]:
        """The query and what is bound in it. Raises PullError."""
        values: Mapping[str, Any] = {**self.values(), NOW: self.given.now}
        statement = statements.read(self.configuration["query"])
        try:
            check(self.configuration["engine"], statement)
            parameters = statements.bound(statement, values, values, most=BODY_BYTES)
        except TemplateError as error:
            raise PullError("variables", str(error), retry=False) from None
        if not is_storable([one for one in parameters if one is not self.given.now]):
            raise PullError("variables", UNBOUND, retry=False)
        return statement, parameters
