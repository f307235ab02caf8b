"""Whoever signs, by HTTP: accepted; or refused, kept, and verified once more when the secret was mended."""

import time

import pytest

from badgerjobs.runs.models import Run
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_application, make_hook
from tests.webhooks.sending import ACTIONS, sent, stored
from tests.webhooks.verification.senders import BODY, SIGNERS, WHSEC, Headers, Sender, named, standard
from webhooks.deliveries.services import verify_again
from webhooks.models import Delivery, Hook

pytestmark = pytest.mark.django_db
each = pytest.mark.parametrize("sender", named(SIGNERS))


@pytest.fixture
def shop() -> Application:
    return make_application()


def hook_for(sender: Sender, shop: Application) -> Hook:
    return make_hook(shop, verification=sender.scheme, settings=sender.set_up(), actions=ACTIONS)


def signed(sender: Sender, secret: str | None = None) -> Headers:
    """As they are sent now."""
    return _named(sender.signed(secret, BODY, int(time.time())))


def _named(headers: Headers) -> Headers:
    return {name.replace("-", "_"): value for name, value in headers.items()}


@each
def test_what_is_signed_is_accepted_and_what_is_not_is_refused(sender: Sender, shop: Application) -> None:
    hook = hook_for(sender, shop)
    answer = sent(hook, BODY, **signed(sender))
    assert (answer.status, stored(answer).standing, stored(answer).verified) == (202, "accepted", sender.scheme)
    refused = [
        sent(hook, BODY, **signed(sender, sender.other)),
        sent(hook, BODY + b" ", **signed(sender)),
        sent(hook, BODY),
    ]
    assert [one.status for one in refused] == [401] * 3
    assert [one.body["detail"] for one in refused] == [row.reason for row in Delivery.objects.order_by("id")[1:]]
    assert Run.objects.count() == 1


@each
def test_what_was_refused_for_a_wrong_secret_is_believed_once_that_is_mended(sender: Sender, shop: Application) -> None:
    hook = hook_for(sender, shop)
    sent(hook, BODY, **signed(sender, sender.other))
    refused = Delivery.objects.get()
    with pytest.raises(Conflict, match="does not match"):
        verify_again(delivery=refused, by=OPERATOR, now=NOW)
    hook.settings = sender.set_up(secret=sender.written(sender.other))
    hook.save()
    believed = verify_again(delivery=refused, by=OPERATOR, now=NOW)
    assert (believed.standing, believed.verified, believed.reason) == ("accepted", sender.scheme, "")
    assert Run.objects.count() == 1


@pytest.mark.parametrize("scheme", ["standard", "gitlab"])
def test_what_was_recorded_is_known_again_by_the_id_that_was_signed_whatever_comes_beside_it(
    scheme: str, shop: Application
) -> None:
    hook = make_hook(shop, verification=scheme, settings={"secret": WHSEC}, repeats="provider", actions=ACTIONS)
    headers = standard(WHSEC, BODY, int(time.time()))
    first = stored(sent(hook, BODY, **_named(headers)))
    renamed = {name.replace("webhook", "svix"): value for name, value in headers.items()}
    fresh = {"webhook-id": "fresh", "idempotency-key": "fresh", "x-gitlab-event-uuid": "fresh"}
    again = stored(sent(hook, BODY, **_named({**renamed, **fresh})))
    assert (first.standing, again.standing, again.duplicate_of) == ("accepted", "duplicate", first.pk)
