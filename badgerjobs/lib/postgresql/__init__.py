"""Django's PostgreSQL with time limits on both sides, also behind a pooler."""

ENGINE = "badgerjobs.lib.postgresql"

# What a statement may take, and what a transaction may rest, where nobody says anything else.
LIMIT = "60s"
# The same, for the server, when one connects to it.
OPTIONS = f"-c statement_timeout={LIMIT} -c idle_in_transaction_session_timeout={LIMIT}"
