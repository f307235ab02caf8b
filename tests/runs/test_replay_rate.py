"""Many runs replayed from the list, and no more of them a minute than somebody said."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from badgerjobs.runs import lifecycle, services
from badgerjobs.runs.models import Cause, Run, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tests.clients import browser_in
from tests.factories import NOW, make_run, make_runnable

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(shop: Application) -> list[Run]:
    """Three that failed, of what may run beside itself."""
    runnable = make_runnable(shop, overlap="allow")
    return [make_run(runnable, State.FAILED, number=number) for number in (1, 2, 3)]


def post(shop: Application, verb: str = "replay", **form: str) -> Any:
    return browser_in(shop).post(f"{reverse(f'runs:{verb}-many', args=[shop.slug])}?all=1", form)


def hidden(answer: Any) -> dict[str, str]:
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.content.decode().partition("<main")[2])
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def waits() -> list[timedelta]:
    dues = list(Run.objects.filter(cause=Cause.REPLAY).order_by("number").values_list("due_at", flat=True))
    return [due - dues[0] for due in dues]


@pytest.mark.usefixtures("failed")
@pytest.mark.parametrize(("given", "step"), [("", 0), ("20", 3), ("60000", 0.001)])
def test_the_question_offers_so_many_a_minute(shop: Application, given: str, step: float) -> None:
    asked = post(shop)
    assert 'name="per_minute"' in asked.content.decode()
    post(shop, **hidden(asked), per_minute=given)
    assert waits() == [timedelta(seconds=step * place) for place in range(3)]


@pytest.mark.usefixtures("failed")
@pytest.mark.parametrize(("given", "said"), [("0", "Give at least 1"), ("x", "whole number"), ("60001", "at most")])
def test_a_rate_that_is_none_is_asked_for_again(shop: Application, given: str, said: str) -> None:
    again = post(shop, **hidden(post(shop)), per_minute=given)
    assert again.status_code == 200
    assert said in again.content.decode()
    assert "by now, and not" not in again.content.decode()
    assert waits() == []


def test_who_aborts_is_not_asked_how_many_a_minute(shop: Application) -> None:
    make_run(make_runnable(shop), State.QUEUED, number=1)
    assert 'name="per_minute"' not in post(shop, "abort").content.decode()


@pytest.mark.usefixtures("failed")
def test_the_rate_goes_on_from_one_step_to_the_next(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "STEP", 2)
    ids = list(Run.objects.values_list("pk", flat=True))
    services.replay_runs(application=shop, run_ids=ids, by=OPERATOR, now=NOW, per_minute=20)
    assert waits() == [timedelta(0), timedelta(seconds=3), timedelta(seconds=6)]


def test_what_waits_for_its_turn_is_queued_when_it_comes(shop: Application, failed: list[Run]) -> None:
    ids = [run.pk for run in failed]
    services.replay_runs(application=shop, run_ids=ids, by=OPERATOR, now=NOW, per_minute=20)
    assert lifecycle.queue_waiting(NOW + timedelta(seconds=3), 10) == ["io"]
    states = Run.objects.filter(cause=Cause.REPLAY).order_by("number").values_list("state", flat=True)
    assert list(states) == ["queued", "queued", "scheduled"]
