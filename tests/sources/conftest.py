"""What speaks to other people's servers has those of tests/stood_in.py."""

from tests.stood_in import authority, context, mails, pem, postgres, secure_postgres, secure_valkey, valkey

__all__ = ["authority", "context", "mails", "pem", "postgres", "secure_postgres", "secure_valkey", "valkey"]
