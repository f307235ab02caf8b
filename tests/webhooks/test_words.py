"""People read of webhooks: a hook is our word for the same, in code, in addresses and in REST."""

import re

import pytest

from webhooks import serializers, services
from webhooks.actions import job
from webhooks.deliveries import services as delivery_services
from webhooks.models import Hook
from webhooks.performing import acting
from webhooks.performing.planning import plan
from webhooks.transforms import example_services
from webhooks.transforms.transforming import TransformError, returned_of

SAID = {
    "why not": "".join(delivery_services.WHY_NOT.values()),
    "gone": delivery_services.GONE,
    "a task's": services.TASKS_OWN,
    "delete the task": services.DELETE_ITS_TASK,
    "a task's tag": serializers.TASKS_WORD,
    "no action": acting.NO_ACTION,
    "no input": job.NO_INPUT,
    "enough": example_services.ENOUGH,
}


@pytest.mark.parametrize("sentence", SAID.values(), ids=SAID)
def test_what_the_panel_says_too_calls_it_a_webhook(sentence: str) -> None:
    assert not re.search(r"\bhooks?\b", sentence)


def test_an_action_that_there_is_not_is_one_of_the_webhook() -> None:
    with pytest.raises(TransformError, match="The webhook has no action “a”"):
        plan(Hook(actions=[]), returned_of({"actions": ["a"]}))
