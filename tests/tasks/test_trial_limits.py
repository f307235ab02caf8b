"""How often an application may try patterns and transforms out."""

from collections.abc import Callable

import pytest

from badgerjobs.web.trials import TooManyTrialsError
from badgerjobs.workspaces.models import Application
from tasks.trials import count_pattern, room_for_one
from tests.factories import make_application

pytestmark = pytest.mark.django_db

MINUTE = 29_000_000 * 60


def try_a_transform(application: Application) -> None:
    with room_for_one(application):
        pass


@pytest.fixture(params=[count_pattern, try_a_transform], ids=["patterns", "transforms"])
def tried(request: pytest.FixtureRequest) -> Callable[[Application], None]:
    found: Callable[[Application], None] = request.param
    return found


def test_an_application_tries_so_often_in_a_minute_and_others_are_left_alone(
    tried: Callable[[Application], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, other, now = make_application("shop"), make_application("other"), [MINUTE]
    monkeypatch.setattr("time.time", lambda: now[0])
    for _ in range(30):
        tried(shop)
    now[0] = MINUTE + 59
    with pytest.raises(TooManyTrialsError, match="30 times a minute"):
        tried(shop)
    tried(other)
    now[0] = MINUTE + 60
    tried(shop)
