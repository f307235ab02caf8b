"""What must be right about definitions before anything starts."""

from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004  Django calls it so

from tasks.background import definitions


@register()
def every_definition_is_right(**_: Any) -> list[CheckMessage]:
    """What was found as the packages of BACKGROUND_TASKS were imported."""
    return [
        *(Error(sentence, id="tasks.E002") for sentence in definitions.REGISTRY.problems),
        *(Warning(sentence, id="tasks.W001") for sentence in definitions.REGISTRY.warnings),
    ]
