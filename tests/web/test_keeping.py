"""Making a definition or changing the one that is there, when somebody else does so at the same moment."""

import pytest

from badgerjobs.web.definitions.keeping import TAKEN, made_or_updated
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application
from tests.factories import make_application, make_hook
from webhooks.models import Hook

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Application:
    return make_application()


def renamed(hook: Hook) -> Hook:
    hook.name = "Changed"
    return hook


def test_the_second_of_two_at_once_changes_what_the_first_one_made(shop: Application) -> None:
    def make() -> Hook:
        make_hook(shop, "orders")  # as somebody else does
        raise Conflict(TAKEN.format("a webhook", "orders"))

    hook, made = made_or_updated(Hook.objects.filter(tag="orders"), "webhook", make=make, update=renamed)
    assert (hook.tag, hook.name, made) == ("orders", "Changed", False)


def test_what_is_made_and_deleted_all_the_time_is_left_to_who_tries_again(shop: Application) -> None:
    def make() -> Hook:
        raise Conflict(TAKEN.format("a webhook", "orders"))

    with pytest.raises(Conflict, match="Others make and delete this webhook at the same time"):
        made_or_updated(Hook.objects.filter(tag="orders"), "webhook", make=make, update=renamed)
