"""What is told when everything is started, whether it gets ready or not."""

from collections.abc import Callable, Iterator

import pytest
from django.test import override_settings

from badgerjobs.embedded import stack
from badgerjobs.embedded.processes import Program
from badgerjobs.embedded.supervisor import Stopped, Supervisor

TOLD = "demo@example.com / its password\n"


class Started(Supervisor):
    """One that starts nothing, and whose wait ends as the test says."""

    end: BaseException | None = None

    def start(self, *programs: Program) -> None:
        """Nothing."""

    def wait_until(self, ready: Callable[[], bool], *, what: str, seconds: float) -> None:  # noqa: ARG002
        """Over at once."""
        if self.end:
            raise self.end


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    for name in ("start_servers", "migrate"):
        monkeypatch.setattr(stack, name, lambda _: None)
    monkeypatch.setattr(stack, "make_demo", lambda: TOLD)
    with Started() as started:
        yield started


@override_settings(DEMO=True)
@pytest.mark.parametrize("end", [TimeoutError("not ready after 60 s"), Stopped()], ids=["too late", "stopped"])
def test_what_was_made_for_the_demo_is_told_also_where_nothing_gets_ready(
    supervisor: Started, end: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.end = end
    with pytest.raises(type(end)):
        stack.bring_up(supervisor)
    said = capsys.readouterr().out
    assert said.startswith("not ready: http://")
    assert said.endswith(TOLD)


@override_settings(DEMO=True)
def test_what_was_made_for_the_demo_is_told_below_that_it_is_ready(
    supervisor: Started, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.bring_up(supervisor)
    said = capsys.readouterr().out
    assert said.startswith("ready: http://")
    assert said.endswith(TOLD)
