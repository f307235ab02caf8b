"""The guide to webhooks says what is there, and what it shows works as it stands."""

import json
import re
from pathlib import Path

import pytest

from badgerjobs.runs import fleet
from badgerjobs.runs.models import Run
from badgerjobs.runs.outcomes import Done
from tests.callers import make_caller
from tests.factories import make_key, make_source
from tests.runs.claims import ME
from tests.webhooks.performing.stages import performed
from tests.webhooks.sending import sent
from webhooks.actions import ACTIONS
from webhooks.models import Challenge, Repeats, Response
from webhooks.performing.bodies import FORM
from webhooks.querysets import STATES
from webhooks.verification import SCHEMES, scheme_of

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text()
ROWS = dict(re.findall(r"^\| `([\w-]+)`.*?\|(.+)\|$", GUIDE, re.MULTILINE))
NAMED = set(re.findall(r"`([\w-]+)`", GUIDE))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_verification_and_each_of_its_settings_is_explained(scheme: str) -> None:
    assert scheme in ROWS
    assert set(scheme_of(scheme).serializer().fields) <= NAMED


@pytest.mark.parametrize("word", [*ACTIONS, *Repeats.values, *Response.values, *Challenge.values, *STATES])
def test_each_word_of_a_hook_and_of_a_delivery_is_explained(word: str) -> None:
    assert word in NAMED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("content_type", ["application/json", FORM], ids=["as it stands", "as curl has it by itself"])
def test_the_quickstart_works_as_it_stands(content_type: str) -> None:
    bodies = re.findall(r"-d '(\{.*?\n?\})'", GUIDE.partition("## Hook")[0], re.DOTALL)
    made, called = (json.loads(body) for body in bodies)
    shop = make_caller()
    make_key(make_source(shop.application), "product-1-")
    hook = shop.post("/hooks/", made)
    assert hook.status == 201
    answer = sent(hook.body["url"], called, Content_Type=content_type)
    assert answer.status == 202
    Run.objects.filter(pk=answer.body["id"]).update(state="running", worker=ME, started_at=fleet.database_now())
    [outcome] = performed(Run.objects.get(pk=answer.body["id"]))
    assert isinstance(outcome, Done)
    assert shop.get("/cache/product-1-").body == called["product"]
    [act] = shop.get(f"/deliveries/{answer.body['id']}/").body["acts"]
    assert (act["type"], act["target"], act["state"]) == ("value", "product-{{ID}}-", "done")
