"""One that triggers others, in its first iterations, and goes on until all of them are over."""

from typing import Any

from chaos.definitions.counting import RETRIES, RETRY_STEP_S, WAITS_S, count, step
from tasks.background import Params, background_task

# In each of its first iterations it triggers so many: more than one, so that a kill may come between them.
AT_ONCE = 2


# Triggering and looking for children fails while the database is away, as all does that code asks of it.
@background_task(id="drillBranch", title="Triggers others", retries=RETRIES, retry_step_s=RETRY_STEP_S)
def branch(params: Params) -> Any:
    """`children` that make `steps` iterations each; which ones, its output says at the end."""
    counted = step(params)
    planned = range(1, params.input["children"] + 1)[(counted - 1) * AT_ONCE : counted * AT_ONCE]
    for child in planned:
        params.trigger(count, {"number": params.input["number"], "child": child, "steps": params.input["steps"]})
    children = params.store.list_children()
    if not planned and all(one.is_over for one in children):
        return params.response.done({"children": [str(one.id) for one in children]})
    return params.response.continue_({"passed": counted}, seconds=None if planned else WAITS_S)
