"""Database fields that hold secrets: encrypted at rest, plain in Python."""

import json
from typing import Any

from django.conf import settings
from django.db import models

from badgerjobs.lib import vault


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that the database only ever sees encrypted, under `ENCRYPTION_KEYS` (the first encrypts, all decrypt)."""

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        """Decrypt what the row holds. Raises `vault.CannotDecryptError` when no key fits."""
        return value and vault.decrypt(value, settings.ENCRYPTION_KEYS)

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt what will be written; the empty text stays empty."""
        return value and vault.encrypt(str(value), settings.ENCRYPTION_KEYS)


class EncryptedJSONField(models.TextField):  # type: ignore[type-arg]
    """A JSON value that the database only ever sees encrypted. Empty values (`{}`, `[]`, None) are kept as `""`."""

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        """Decrypt and parse what the row holds; `{}` where it holds nothing."""
        return json.loads(vault.decrypt(value, settings.ENCRYPTION_KEYS)) if value else {}

    def get_prep_value(self, value: Any) -> Any:
        """Serialize and encrypt what will be written."""
        return vault.encrypt(json.dumps(value), settings.ENCRYPTION_KEYS) if value else ""
