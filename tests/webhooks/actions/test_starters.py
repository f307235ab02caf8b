"""The pages of tasks, jobs and events name the hooks that start them."""

from typing import Any

import pytest
from django.urls import reverse

from badgerjobs.workspaces.models import Application
from tests.clients import browser_in
from tests.factories import make_application, make_event, make_hook, make_job, make_task
from tests.jobs.form_page import text_of
from webhooks.starters import starters_of

pytestmark = pytest.mark.django_db

PLACES = [
    ("sync", {"task": "x"}, make_task, "tasks:task", "Also run by Orders"),
    ("job", {"job": "x", "input": "nothing"}, make_job, "jobs:job", "Also run by Orders"),
    ("event", {"event": "x", "input": "body"}, make_event, "jobs:event", "Performed without a job by Orders ."),
]


@pytest.mark.parametrize("place", PLACES, ids=[kind for kind, *_ in PLACES])
def test_a_target_names_the_hooks_that_start_it(shop: Application, place: Any) -> None:
    kind, fields, make, page, said = place
    make(shop, "x")
    at = reverse(page, args=[shop.slug, "x"])
    assert said not in text_of(browser_in(shop).get(at))
    make_hook(shop, "orders", name="Orders", actions=[{"name": "first", "type": kind, **fields}])

    answer = browser_in(shop).get(at)

    assert said in text_of(answer)
    assert f'href="/a/{shop.slug}/hooks/orders/"' in answer.content.decode()


def test_no_other_hook_is_named(shop: Application) -> None:
    for tag, application, action in (
        ("b", shop, {"type": "job", "job": "x", "input": "nothing"}),
        ("another-target", shop, {"type": "job", "job": "y", "input": "nothing"}),
        ("another-type", shop, {"type": "event", "event": "x", "job": "x", "input": "nothing"}),
        ("theirs", make_application("Charlie's"), {"type": "job", "job": "x", "input": "nothing"}),
    ):
        make_hook(application, tag, actions=[{"name": "first", **action}])
    make_hook(shop, "a", actions=[{"name": "1", "type": "sync", "task": "x"}, {"name": "2", "type": "job", "job": "x"}])

    assert [starter.name for starter in starters_of(shop, "job", "x")] == ["a", "b"]
