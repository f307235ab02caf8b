"""What tests of performing stand on."""

from tests.webhooks.performing.stages import marks_fixture

__all__ = ["marks_fixture"]
