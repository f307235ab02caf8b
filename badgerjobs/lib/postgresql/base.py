"""The connection itself. Django wants this file to be called so."""

from typing import Any

from django.db.backends.postgresql import base
from psycopg import IsolationLevel

from badgerjobs.lib.postgresql import LIMIT
from badgerjobs.lib.postgresql.adaptation import adapt
from badgerjobs.lib.time_limits import LimitedConnection, left

_LIMIT_TRANSACTION = (
    "SELECT set_config('statement_timeout', %s, true), set_config('idle_in_transaction_session_timeout', %s, true)"
)
# A longer one is kept on our side alone: telling the server costs a statement, and its usual limit is not far away.
WORTH_TELLING_S = 20


class DatabaseWrapper(base.DatabaseWrapper):
    """Each transaction tells the server how long a statement may take, and how long it may rest between two.

    Both are what `within` leaves, where that is little: so what a process that stands still has locked is free again.

    The option `pooled` says that connections come from a pooler that gives one for each transaction. Nothing of a
    session holds there, so that each transaction says the usual limits, too.
    """

    # Of statements and transactions that nobody gives another one. A migration lifts it: "0".
    limit = LIMIT

    @property
    def is_pooled(self) -> bool:
        """Whether what a session is told is forgotten at the end of each transaction."""
        return bool(self.settings_dict["OPTIONS"].get("pooled"))

    def get_connection_params(self) -> dict[str, Any]:
        """Give what psycopg connects with."""
        params: dict[str, Any] = super().get_connection_params()
        params.pop("pooled", None)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> LimitedConnection:
        """Connect. Not by the parent's, which knows one class of connections only."""
        self.isolation_level = IsolationLevel.READ_COMMITTED
        connection = LimitedConnection.connect(**conn_params)
        adapt(connection)
        return connection

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]  # the stubs do not know it
        if not autocommit:
            try:
                with self.wrap_database_errors:
                    self._limit_transaction()
            except Exception:
                self.close()
                raise

    def _limit_transaction(self) -> None:
        seconds = left()
        limit = self.limit if seconds is None else f"{max(1, round(seconds * 1000))}ms"
        if self.is_pooled or (seconds is not None and seconds < WORTH_TELLING_S):
            self.connection.execute(_LIMIT_TRANSACTION, [limit, limit])
