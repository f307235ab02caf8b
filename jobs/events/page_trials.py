"""Trying an event out from a page: what stands there afterwards, or why there was nothing to try."""

from typing import Any

from rest_framework import serializers

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.definitions import json_text
from badgerjobs.web.definitions.inputs import flat
from badgerjobs.web.pages import PageRequest, actor_of
from badgerjobs.web.serializer_forms import first_sentence
from badgerjobs.web.trials import TooManyTrialsError
from jobs.events.serializers import SampleSerializer
from jobs.events.trials import told, try_event
from jobs.events.trials_shown import Tried
from jobs.models import Event


def tried(request: PageRequest, event: Event, configuration: Any, sample: str) -> dict[str, Any]:
    """What the part `#tried` shows: `tried`, what came of it; or `refused`, sentences that say why it was not.

    `configuration` None: the stored one. `sample` is JSON, and null where it is empty.
    """
    try:
        given = SampleSerializer(data={"input": json_text.read(sample)})
        given.is_valid(raise_exception=True)
        outcome, duration_ms = try_event(
            event=event,
            configuration=configuration,
            sample=given.validated_data["input"],
            by=actor_of(request),
            now=database_now(),
        )
    except json_text.BadJSONError as error:
        return {"refused": [f"Sample input: {error}"], "sample_error": str(error)}
    except serializers.ValidationError as error:
        return {"refused": [first_sentence(said) for said in flat(error.detail).values()]}
    except TooManyTrialsError as error:
        return {"refused": [str(error)]}
    return {"tried": Tried.of(told(outcome), duration_ms)}
