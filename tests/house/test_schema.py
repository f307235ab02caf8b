"""The reference of the REST API is valid, tells of everything, and of what a call takes."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from openapi_spec_validator import validate

from tests.callers import Caller
from tests.reference import OPERATIONS, SCHEMA, faults


def test_it_is_valid_and_made_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(tmp_path / "schema.yaml"))
    validate(SCHEMA)


@pytest.mark.django_db
def test_it_is_served_to_everybody() -> None:
    served = Caller().get("/schema/", Accept="application/vnd.oai.openapi+json")
    assert served.status == 200
    assert served.body["paths"].keys() == SCHEMA["paths"].keys()


def described() -> Iterator[tuple[str, bool]]:
    for (method, path), operation in OPERATIONS.items():
        yield f"{method} {path}", bool(operation.get("summary"))
        for parameter in operation.get("parameters", []):
            yield f"{method} {path} {parameter['name']}", bool(parameter.get("description"))
    for name, component in SCHEMA["components"]["schemas"].items():
        for field, details in component.get("properties", {}).items():
            if field != "results":  # the rows of a list: their own fields are described
                yield f"{name}.{field}", bool(details.get("description"))


def test_everything_is_described() -> None:
    assert [name for name, has_words in described() if not has_words] == []


def test_every_operation_needs_a_token() -> None:
    assert {str(operation["security"]) for operation in OPERATIONS.values()} == {"[{'bearer': []}]"}
    assert SCHEMA["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_the_calls_that_take_a_key_say_so() -> None:
    keyed = {
        key
        for key, operation in OPERATIONS.items()
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", []))
    }
    assert keyed == {
        ("POST", "/api/v1/jobs/"),
        ("PUT", "/api/v1/jobs/{tag}/"),
        ("POST", "/api/v1/jobs/cancel/"),
        ("POST", "/api/v1/jobs/delete/"),
        ("POST", "/api/v1/jobs/{tag}/backfill/"),
        ("POST", "/api/v1/jobs/{tag}/cancel/"),
        ("POST", "/api/v1/jobs/{tag}/pause/"),
        ("POST", "/api/v1/jobs/{tag}/reschedule/"),
        ("POST", "/api/v1/jobs/{tag}/resume/"),
        ("POST", "/api/v1/jobs/{tag}/retry/"),
        ("POST", "/api/v1/jobs/{tag}/run/"),
        ("POST", "/api/v1/events/"),
        ("PUT", "/api/v1/events/{tag}/"),
        ("POST", "/api/v1/connections/"),
        ("PUT", "/api/v1/connections/{tag}/"),
        ("POST", "/api/v1/sources/"),
        ("PUT", "/api/v1/sources/{tag}/"),
        ("POST", "/api/v1/keys/"),
        ("PUT", "/api/v1/keys/{name}/"),
        ("POST", "/api/v1/keys/bulk/"),
        ("POST", "/api/v1/keys/delete/"),
        ("POST", "/api/v1/keys/{name}/sync/"),
        ("POST", "/api/v1/tasks/"),
        ("PUT", "/api/v1/tasks/{tag}/"),
        ("POST", "/api/v1/tasks/{tag}/retry/"),
        ("POST", "/api/v1/tasks/{tag}/rotate-webhook/"),
        ("POST", "/api/v1/tasks/{tag}/run/"),
        ("POST", "/api/v1/background-tasks/"),
        ("POST", "/api/v1/background-tasks/{id}/abort/"),
        ("POST", "/api/v1/slurpers/"),
        ("PUT", "/api/v1/slurpers/{tag}/"),
        ("POST", "/api/v1/async-jobs/"),
        ("PUT", "/api/v1/async-jobs/{tag}/"),
        ("POST", "/api/v1/async-jobs/{tag}/forget/"),
        ("POST", "/api/v1/async-jobs/{tag}/pause/"),
        ("POST", "/api/v1/async-jobs/{tag}/resume/"),
        ("POST", "/api/v1/async-jobs/{tag}/run/"),
        ("POST", "/api/v1/async-jobs/{tag}/collections/"),
        ("POST", "/api/v1/async-jobs/{tag}/collections/{name}/activate/"),
        ("POST", "/api/v1/async-jobs/{tag}/collections/{name}/deactivate/"),
        ("POST", "/api/v1/async-jobs/{tag}/collections/{name}/versions/{number}/approve/"),
        ("POST", "/api/v1/async-jobs/{tag}/collections/{name}/versions/{number}/drop/"),
        ("POST", "/api/v1/async-jobs/{tag}/collections/{name}/versions/{number}/pin/"),
        ("POST", "/api/v1/async-jobs/{tag}/collections/{name}/versions/{number}/roll-back/"),
        ("POST", "/api/v1/async-jobs/{tag}/collections/{name}/versions/{number}/unpin/"),
        ("POST", "/api/v1/hooks/"),
        ("PUT", "/api/v1/hooks/{tag}/"),
        ("POST", "/api/v1/hooks/{tag}/pause/"),
        ("POST", "/api/v1/hooks/{tag}/resume/"),
        ("POST", "/api/v1/hooks/{tag}/rotate/"),
        ("PUT", "/api/v1/hooks/{tag}/examples/{name}/"),
        ("POST", "/api/v1/hooks/{tag}/versions/{number}/restore/"),
        ("POST", "/api/v1/deliveries/replay/"),
        ("POST", "/api/v1/deliveries/{id}/replay/"),
        ("POST", "/api/v1/deliveries/{id}/verify/"),
        ("POST", "/api/v1/runs/abort/"),
        ("POST", "/api/v1/runs/replay/"),
        ("POST", "/api/v1/runs/{id}/abort/"),
        ("POST", "/api/v1/runs/{id}/replay/"),
    }


def test_a_fault_would_be_seen() -> None:
    """Else the tests above would pass for the wrong reason."""
    run = {"$ref": "#/components/schemas/Problem"}
    right = {"type": "about:blank", "title": "t", "status": 400, "detail": "d"}
    assert faults(run, right) == []
    assert faults(run, {**right, "status": "400"})
    assert faults(run, {**right, "more": 1})
    assert faults(run, {"type": "about:blank"})
    assert faults({"type": "array", "items": run}, [right, {**right, "more": 1}])
    assert faults({"type": "string", "format": "date-time"}, "yesterday")
