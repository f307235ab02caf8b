"""What jobs may call: nothing on this machine unless it is listed, and of this service `/echo/` alone."""

from collections.abc import Iterator

import pytest

from tests.e2e.receiver import Answer, Receiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def _beating(_whole_stack: Stack) -> Iterator[Stack]:
    _whole_stack.start("beat-1")
    yield _whole_stack
    _whole_stack.clear()


@pytest.fixture
def stack(_beating: Stack) -> Iterator[Stack]:
    """The same beat for all tests of this file; each starts a worker that may call what it says."""
    yield _beating
    _beating.kill(*[name for name in _beating.fleet() if name.startswith("worker")])
    _beating.forget()


def results(stack: Stack, endpoints: dict[str, str]) -> dict[str, dict[str, object]]:
    """Run a job for each endpoint, by its tag; return the one result of each. Those that REST refuses are absent."""
    taken = set()
    for tag, endpoint in endpoints.items():
        fields = {"tag": tag, "endpoint": endpoint, "verb": "GET", "retryable": False, "run_at": "2020-01-01T00:00:00Z"}
        reply = stack.request("POST", "jobs/", fields)
        assert reply.status == 201 or "endpoint" in reply.data["errors"], reply
        taken |= {tag} if reply.status == 201 else set()
    stack.until(lambda: len(stack.get("results/")["results"]) == len(taken), "all results")
    return {result["job"]: result for result in stack.get("results/")["results"]}


def test_a_local_address_that_is_not_listed_is_refused_with_the_setting_that_lists_it(
    stack: Stack, receiver: Receiver
) -> None:
    stack.start("worker-1", EGRESS_ALLOW="")

    [(_, result)] = results(stack, {"local": f"{receiver.url}/local"}).items()

    assert (result["ok"], result["status"], result["body"]) == (False, None, None)
    error = result["error"]
    assert isinstance(error, dict)
    assert error["class"] == "refused"
    assert f"{receiver.address} in EGRESS_ALLOW" in error["message"]
    assert receiver.calls == []


def test_a_local_address_that_is_listed_is_called(stack: Stack, receiver: Receiver) -> None:
    stack.start("worker-1", EGRESS_ALLOW=f"example.com,{receiver.address}", DEMO="0")

    [(_, result)] = results(stack, {"local": f"{receiver.url}/local"}).items()

    assert (result["ok"], result["status"]) == (True, 200)
    assert [call.path for call in receiver.calls] == ["/local"]


# Every way we know to spell this service's own /metrics, or a path that could be taken for it, but not /echo/.
SPELLINGS = [
    "http://127.0.0.1:{port}/metrics",
    "http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/healthz",
    "http://127.0.0.1:{port}/echo/../metrics",
    "http://127.0.0.1:{port}/echo/./../metrics",
    "http://127.0.0.1:{port}/echo/a/../../metrics",
    "http://127.0.0.1:{port}/echo/..//metrics",
    "http://127.0.0.1:{port}/echo/%2e%2e/metrics",
    "http://127.0.0.1:{port}/echo/.%2E/metrics",
    "http://127.0.0.1:{port}/echo/%2e%2e%2fmetrics",
    "http://127.0.0.1:{port}/echo/..%2fmetrics",
    "http://127.0.0.1:{port}/echo/..%252fmetrics",
    "http://127.0.0.1:{port}/echo/..%5cmetrics",
    "http://127.0.0.1:{port}/echo/..\\metrics",
    "http://127.0.0.1:{port}\\metrics",
    "http://127.0.0.1:{port}/echo/;/../metrics",
    "http://127.0.0.1:{port}/echo/..;/metrics",
    "http://127.0.0.1:{port}/echo/%00/../metrics",
    "http://127.0.0.1:{port}//metrics",
    "http://127.0.0.1:{port}/metrics#/echo/",
    "http://127.0.0.1:{port}/metrics?/echo/",
    "http://127.0.0.1:{port}/metrics;/echo/",
    "http://127.0.0.1:{port}/ECHO/../metrics",
    "http://127.0.0.1:{port}/echo/@127.0.0.1:{port}/../../metrics",
    "http://127.0.0.1:{port}/echo/\u2025/metrics",
    "http://127.0.0.1:{port}/echo/\uff0e\uff0e/metrics",
    "HTTP://127.0.0.1:{port}/metrics",
    "http://127.0.0.1:0{port}/metrics",
    "http://echo@127.0.0.1:{port}/metrics",
    "http://127.0.0.1:{port}@127.0.0.1:{port}/metrics",
    "http://localhost:{port}/metrics",
    "http://LOCALHOST.:{port}/metrics",
    "http://foo.localhost:{port}/metrics",
    "http://127.1:{port}/metrics",
    "http://127.0.0.2:{port}/metrics",
    "http://127.0.0.1.:{port}/metrics",
    "http://0.0.0.0:{port}/metrics",
    "http://0:{port}/metrics",
    "http://0x7f000001:{port}/metrics",
    "http://2130706433:{port}/metrics",
    "http://017700000001:{port}/metrics",
    "http://127.0.0.1%2f:{port}/metrics",
    "http://\u2460\u2461\u2466.0.0.1:{port}/metrics",
    "http://127\u30020\u30020\u30021:{port}/metrics",
    "http://[::1]:{port}/metrics",
    "http://[::]:{port}/metrics",
    "http://[::ffff:127.0.0.1]:{port}/metrics",
    "http://[::ffff:7f00:1]:{port}/metrics",
    "http://[64:ff9b::7f00:1]:{port}/metrics",
    "http://[::127.0.0.1]:{port}/metrics",
]


def test_of_the_demos_own_address_echo_may_be_called_and_nothing_else_by_any_spelling(stack: Stack) -> None:
    stack.start("worker-1", EGRESS_ALLOW="")
    allowed = {
        "good": f"http://127.0.0.1:{stack.port}/echo/good",
        "query": f"http://127.0.0.1:{stack.port}/echo/?a=../",
    }
    forbidden = {f"no-{number}": each.format(port=stack.port) for number, each in enumerate(SPELLINGS)}

    found = results(stack, allowed | forbidden)

    assert [found.pop(tag)["status"] for tag in allowed] == [200, 200]
    called = {forbidden[tag]: result for tag, result in found.items() if result["status"] is not None}
    assert called == {}
    classes = {result["error"]["class"] for result in found.values() if isinstance(result["error"], dict)}
    assert classes <= {"refused", "dns"}, classes


def test_without_demo_not_even_echo_may_be_called(stack: Stack) -> None:
    stack.start("worker-1", EGRESS_ALLOW="", DEMO="0")

    [(_, result)] = results(stack, {"echo": f"http://127.0.0.1:{stack.port}/echo/good"}).items()

    assert isinstance(result["error"], dict)
    assert result["error"]["class"] == "refused"


def test_a_listed_host_that_redirects_to_this_services_metrics_leads_nowhere(stack: Stack, receiver: Receiver) -> None:
    """A redirect is checked like the first address: neither the listed host nor `/echo/` opens a way around."""
    receiver.answer = lambda _: Answer(302, location=f"http://127.0.0.1:{stack.port}/metrics")
    stack.start("worker-1")

    [(_, result)] = results(stack, {"away": f"{receiver.url}/away"}).items()

    assert isinstance(result["error"], dict)
    assert result["error"]["class"] == "refused"
    assert [call.path for call in receiver.calls] == ["/away"]
