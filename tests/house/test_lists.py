"""Every list of the REST API: it takes the filters that it is documented with, and tells a mistyped one."""

from collections.abc import Iterator

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.callers import PROBLEM, Caller

PLACE = "/api/v1"


def lists() -> Iterator[tuple[str, list[str]]]:
    """The address of each that belongs to an application as a whole, and the names that may stand in its query."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    for path, operations in schema["paths"].items():
        operation = operations.get("get")
        if operation is None or "{" in path or not path.startswith(PLACE):
            continue
        content = operation["responses"]["200"].get("content", {}).get("application/json", {})
        if "/Paginated" in content.get("schema", {}).get("$ref", ""):
            names = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
            yield path.removeprefix(PLACE), names


LISTS = dict(lists())


def test_there_are_lists() -> None:
    assert {"/jobs/", "/runs/", "/results/", "/deliveries/", "/background-tasks/", "/collections/"} <= LISTS.keys()


@pytest.mark.parametrize("path", LISTS)
def test_a_filter_that_a_list_does_not_know_is_refused(path: str, alice: Caller) -> None:
    answer = alice.get(f"{path}?limitt=5")
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert answer.errors == {"limitt": ["There is no such filter: did you mean limit?"]}


@pytest.mark.parametrize(("path", "names"), LISTS.items())
def test_a_filter_that_a_list_is_documented_with_is_known(path: str, names: list[str], alice: Caller) -> None:
    answer = alice.get(f"{path}?{'&'.join(f'{name}=%00' for name in names)}")
    assert answer.status == 400
    unknown = [name for name, said in answer.errors.items() if "no such filter" in said[0] or "only" in said[0]]
    assert unknown == []
