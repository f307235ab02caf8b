"""The examples in the reference of the REST API are what it says, and work."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from badgerjobs.runs.models import State
from tasks.examples import RETRY
from tests.callers import Caller
from tests.factories import (
    make_async_job,
    make_background_run,
    make_collection,
    make_connection,
    make_event,
    make_hook,
    make_job,
    make_key,
    make_run,
    make_source,
    make_sync,
    make_task,
)
from tests.in_turn import in_turn
from tests.reference import OPERATIONS, faults


@dataclass(frozen=True)
class Example:
    method: str
    path: str
    part: Mapping[str, Any]
    value: Any
    is_request: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path} {'request' if self.is_request else 'answer'}"


def examples() -> Iterator[Example]:
    for (method, path), operation in OPERATIONS.items():
        bodies = [
            (operation.get("requestBody", {}), True),
            *((body, False) for body in operation["responses"].values()),
        ]
        for body, is_request in bodies:
            for content in body.get("content", {}).values():
                for example in content.get("examples", {}).values():
                    yield Example(method, path, content["schema"], example["value"], is_request)


EXAMPLES = list(examples())


def test_whatever_takes_a_body_shows_one_and_so_do_problems_and_results() -> None:
    shown = {(example.method, example.path) for example in EXAMPLES if example.is_request}
    assert shown == {key for key, operation in OPERATIONS.items() if "requestBody" in operation}
    answers = {(example.method, example.path, str(example.part)) for example in EXAMPLES if not example.is_request}
    assert {(*key, "{'$ref': '#/components/schemas/Problem'}") for key in OPERATIONS} <= answers
    assert ("GET", "/api/v1/results/", "{'$ref': '#/components/schemas/PaginatedResultList'}") in answers


@in_turn("example", EXAMPLES)
def test_an_example_is_what_its_schema_says(example: Example) -> None:
    assert faults(example.part, example.value) == []


@in_turn("example", [each for each in EXAMPLES if each.is_request])
def test_the_example_of_a_request_is_taken(alice: Caller, example: Example) -> None:
    make_run(make_job(alice.application, "t", run_every="PT1H").runnable, State.FAILED)
    make_event(alice.application, "t")
    make_connection(alice.application, "t")
    run = make_run(make_task(alice.application, "t", type="webhook").runnable, State.FAILED, pk=RETRY.value["run"])
    refused = {"url": "http://10.0.0.7/{{PRODUCT_ID}}"}  # so that nothing is called
    make_sync(run, make_key(make_source(alice.application, "t", configuration=refused)), "failed")
    make_source(alice.application, "catalogue")
    slurps = make_async_job(alice.application, "t", remembered={"catalogue": 1})
    make_collection(alice.application, async_job=slurps, name="product-1")
    make_hook(alice.application, "t")
    if "/deliveries/" in example.path:  # the one that another example makes
        make_hook(alice.application, "orders")
    begun = make_background_run(alice.application, State.RUNNING)
    make_source(alice.application, "table", type="CSV_FILE")
    tag = "table" if example.path.endswith("/file/") else "t"
    path = example.path.replace("{tag}", tag).replace("{name}", "product-1").replace("{id}", str(begun.pk))
    answer = alice.send(example.method, path, json.dumps(example.value).encode())
    assert answer.status in {200, 201, 202}, answer.body
