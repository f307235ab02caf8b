"""The page of a hook's transform: the draft tried, compared and saved, examples kept, versions gone back to."""

from typing import Any

import pytest
from django.test import Client

from badgerjobs.runs.models import State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tasks.services import create_task
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_delivery, make_hook
from tests.webhooks.pages.test_deliveries_page import at
from webhooks.models import Delivery, Example, Hook, Standing
from webhooks.services import update_hook
from webhooks.transforms.drafts import try_draft

pytestmark = pytest.mark.django_db

TAKES_ID = "return {variables: {ID: body.id}}"
BODY = b'{"id": 7, "category": 12}'


@pytest.fixture
def shop() -> Application:
    return make_application()


@pytest.fixture
def hook(shop: Application) -> Hook:
    return save(make_hook(shop, "orders", name="Orders"), TAKES_ID)


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


def save(hook: Hook, code: str) -> Hook:
    return update_hook(hook=hook, by=OPERATOR, now=NOW, transform=code)


def make_example(hook: Hook, name: str = "paid", **fields: Any) -> Example:
    return Example.objects.create(hook=hook, name=name, **{"body": BODY.decode(), **fields})


def send(browser: Client, hook: Hook, view: str = "transform", **given: str) -> Any:
    """The form as it is sent."""
    stored = Hook.objects.get(pk=hook.pk)
    whole = {"transform": stored.transform, "seen": str(stored.transform_version), **given}
    return browser.post(at(hook.application, view, hook.tag), whole)


def code_of(hook: Hook) -> str:
    return Hook.objects.get(pk=hook.pk).transform


def test_the_page_begins_with_what_is_saved_and_the_first_example(hook: Hook, alice: Client) -> None:
    make_example(hook, "b", body="2")
    make_example(hook, "a", body="1", headers={"x-topic": "paid"}, expected={"variables": {"ID": "7"}})
    answer = alice.get(at(hook.application, "transform", hook.tag))
    form = answer.context["form"]
    assert form["transform"].value() == TAKES_ID
    assert (form["name"].value(), form["example_body"].value()) == ("a", "1")
    assert "x-topic" in form["example_headers"].value()
    assert "variables" in form["expected"].value()


def test_who_has_no_example_begins_with_what_came_last(hook: Hook, alice: Client) -> None:
    make_delivery(hook, body=b'{"n":1}')
    make_delivery(hook, body=b'{"n":2}', headers={"Authorization": "x", "X-Topic": "paid"})
    form = alice.get(at(hook.application, "transform", hook.tag)).context["form"]
    assert form["example_body"].value() == '{\n  "n": 2\n}'
    assert "uthorization" not in form["example_headers"].value()


@pytest.mark.parametrize(
    ("body", "shown", "is_cut"),
    [
        ("é" * 200_000, "é" * 131_072, True),
        (f"[{'7,' * 400_000}7]", f"[{'7,' * 131_071}7", True),
        (f"[{'7,' * 100_000}7]", f"[{'7,' * 100_000}7]", False),
    ],
    ids=["text", "JSON", "JSON that is longer when it is laid out"],
)
def test_of_what_came_last_and_is_long_the_beginning_is_shown_and_the_draft_can_be_saved(
    hook: Hook, alice: Client, body: str, shown: str, is_cut: bool
) -> None:
    make_delivery(hook, body=body.encode())
    answer = alice.get(at(hook.application, "transform", hook.tag))
    form = answer.context["form"]
    assert form["example_body"].value() == shown
    assert ("This is its beginning, 256 KB of" in answer.content.decode()) == is_cut
    assert send(alice, hook, transform="return null", example_body=shown).status_code == 302
    assert code_of(hook) == "return null"


def test_a_draft_is_tried_on_the_payload_and_nothing_is_saved(hook: Hook, alice: Client) -> None:
    code = "console.log('was', body.id); return {variables: {N: headers['x-n']}}"
    given = {"transform": code, "example_body": '{"id": 7}', "example_headers": '{"X-N": "3"}'}
    page = send(alice, hook, "try-transform", **given).content.decode()
    assert "was 7" in page
    assert "&quot;N&quot;" in page
    assert code_of(hook) == TAKES_ID


REFUSED = [
    ({"example_headers": "{"}, "This is no JSON"),
    ({"example_headers": '{"a": 1}'}, "Headers are an object of texts"),
    ({"transform": "return body.x.y", "example_body": "{}"}, "The transform failed"),
    ({"transform": "return {actions: [{name: 'nobody'}]}", "example_body": "{}"}, "nobody"),
]


@pytest.mark.parametrize(("given", "said"), REFUSED, ids=["headers", "header values", "throws", "no such action"])
def test_what_cannot_be_tried_says_why(hook: Hook, alice: Client, given: dict[str, str], said: str) -> None:
    assert said in send(alice, hook, "try-transform", **given).content.decode()


def test_a_draft_is_compared_on_what_came_and_on_examples(hook: Hook, alice: Client) -> None:
    make_example(hook)
    make_delivery(hook, State.SUCCEEDED, body=b'{"id": 1}')
    make_delivery(hook, State.FAILED, body=b'{"id": 2, "category": 9}')
    make_delivery(hook, standing=Standing.REFUSED, body=b"{}")
    answer = send(
        alice, hook, "try-transform", do="many", transform="return {variables: {ID: body.category || body.id}}"
    )
    draft = answer.context["draft"]
    assert [one.differs for one in draft.all] == [True, True, False]
    assert [sign for sign, _ in draft.deliveries[0].lines if sign != " "] == ["-", "+"]
    assert "3 tried, 2 differ" in answer.content.decode()


def test_the_stored_code_compared_with_itself_differs_nowhere(hook: Hook) -> None:
    make_example(hook)
    make_delivery(hook)
    assert try_draft(hook, code=TAKES_ID).differing == 0


EXPECTED = [
    (None, TAKES_ID, False),
    (None, "throw new Error('no')", True),
    ({"variables": {"ID": 7}}, TAKES_ID, False),  # a number is the same as its text
    ({"variables": {"ID": "8"}}, TAKES_ID, True),
    (None, "return null", False),
    ({"filtered": "no"}, "return {filtered: 'no'}", False),
    (["no", "shape"], TAKES_ID, True),
]


@pytest.mark.parametrize(("expected", "code", "fails"), EXPECTED, ids=range(len(EXPECTED)))
def test_an_example_fails_where_something_else_comes_of_it(hook: Hook, expected: Any, code: str, fails: bool) -> None:
    make_example(hook, expected=expected)
    assert [one.fails for one in try_draft(hook, code=code).examples] == [fails]


def test_what_there_is_no_time_for_is_said_to_be_untried(hook: Hook) -> None:
    make_example(hook, "a")
    make_example(hook, "b")
    times = iter([0.0, 0.0, 1000.0])
    draft = try_draft(hook, code=TAKES_ID, clock=lambda: next(times))
    assert [one.is_tried for one in draft.examples] == [True, False]
    assert (draft.untried, draft.failing) == (1, [])


def test_a_saved_draft_is_the_next_version(hook: Hook, alice: Client) -> None:
    answer = send(alice, hook, transform="return null\r\n")
    assert answer.status_code == 302
    assert code_of(hook) == "return null\n"
    assert [version.number for version in hook.versions.all()] == [2, 1]


def test_what_cannot_be_compiled_is_not_saved_and_stays_typed(hook: Hook, alice: Client) -> None:
    answer = send(alice, hook, transform="return {", example_body="7")
    assert code_of(hook) == TAKES_ID
    assert answer.context["form"]["transform"].value() == "return {"
    assert "Nothing is saved yet" in answer.content.decode()


def test_a_draft_that_breaks_an_example_is_saved_only_all_the_same(hook: Hook, alice: Client) -> None:
    make_example(hook, expected={"variables": {"ID": "7"}})
    code = "return {variables: {ID: 'another'}}"
    answer = send(alice, hook, transform=code)
    assert "1 example fails with this draft" in answer.content.decode()
    assert code_of(hook) == TAKES_ID
    assert send(alice, hook, transform=code, do="save-anyway").status_code == 302
    assert code_of(hook) == code


def test_what_somebody_else_saved_meanwhile_is_not_overwritten_unasked(hook: Hook, alice: Client) -> None:
    answer = send(alice, hook, transform="return null", seen="0")
    assert "Somebody else changed this" in answer.content.decode()
    assert code_of(hook) == TAKES_ID
    assert f'name="seen" value="{Hook.objects.get().transform_version}"' in answer.content.decode()


def test_a_version_is_gone_back_to_by_saving_it(hook: Hook, alice: Client) -> None:
    save(hook, "return null")
    page = alice.get(at(hook.application, "transform", hook.tag), {"version": "1"})
    assert page.context["form"]["transform"].value() == TAKES_ID
    assert "This is version 1" in page.content.decode()
    send(alice, hook, transform=TAKES_ID)
    assert (code_of(hook), hook.versions.first().number) == (TAKES_ID, 3)  # type: ignore[union-attr]


def test_the_transform_of_a_tasks_hook_is_saved_in_its_task(shop: Application, alice: Client) -> None:
    given = {"type": "webhook", "selection": "contains", "pattern": "{{ID}}", "transform": TAKES_ID}
    task = create_task(application=shop, tag="refresh", by=OPERATOR, now=NOW, **given)
    code = "return {variables: {ID: body.category}}"
    assert send(alice, task.hook, transform=code).status_code == 302
    task.refresh_from_db()
    assert task.transform == code_of(task.hook) == code


def test_a_payload_is_opened_beside_the_draft_that_was_typed(hook: Hook, alice: Client) -> None:
    make_example(hook, "paid", body="[1]")
    form = send(
        alice, hook, "examples", do="open", payload="example:paid", transform="draft", example_body="old"
    ).context["form"]
    assert (form["transform"].value(), form["name"].value()) == ("draft", "paid")
    assert form["example_body"].value() == "[\n  1\n]"


@pytest.mark.parametrize("payload", ["", "example:gone", "delivery:7", "delivery:01a20518-6e0c-7256-b889-ab3391310250"])
def test_a_payload_that_is_not_there_is_a_new_one(hook: Hook, alice: Client, payload: str) -> None:
    form = send(alice, hook, "examples", do="open", payload=payload).context["form"]
    assert (form["name"].value(), form["example_body"].value()) == ("", "")


def test_another_hooks_delivery_is_no_payload(shop: Application, hook: Hook, alice: Client) -> None:
    for owner in (shop, make_application("Charlie's")):
        others: Delivery = make_delivery(make_hook(owner, "others"), body=b'"secret"')
        form = send(alice, hook, "examples", do="open", payload=f"delivery:{others.pk}").context["form"]
        assert form["example_body"].value() == ""


def test_an_example_is_kept_changed_and_deleted_and_the_draft_stays(hook: Hook, alice: Client) -> None:
    given = {
        "transform": "draft",
        "name": "paid",
        "example_body": '{"id": 1}',
        "expected": '{"variables": {"ID": "1"}}',
    }
    answer = send(alice, hook, "examples", do="save", **given)
    assert answer.context["form"]["transform"].value() == "draft"
    assert hook.examples.get().expected == {"variables": {"ID": "1"}}
    send(alice, hook, "examples", do="save", **{**given, "example_body": "{}", "expected": ""})
    assert (hook.examples.get().body, hook.examples.get().expected) == ("{}", None)
    answer = send(alice, hook, "examples", do="delete:paid", **given)
    assert answer.context["form"]["transform"].value() == "draft"
    assert not hook.examples.exists()


BAD_EXAMPLES = [
    ({"name": ""}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"expected": "{"}, "expected"),
    ({"example_headers": "[]"}, "example_headers"),
    ({"example_body": "x" * (256 * 1024 + 1)}, "example_body"),
]


@pytest.mark.parametrize(("given", "field"), BAD_EXAMPLES, ids=["no name", "long name", "expected", "headers", "body"])
def test_an_example_that_cannot_be_kept_says_why(hook: Hook, alice: Client, given: dict[str, str], field: str) -> None:
    answer = send(alice, hook, "examples", do="save", **{"name": "paid", "example_body": "1", **given})
    assert set(answer.context["form"].errors) == {field}
    assert not hook.examples.exists()


def test_what_must_come_of_an_example_is_shown(hook: Hook, alice: Client) -> None:
    for name, expected in (("paid", {"variables": {"ID": "7"}}), ("long", "x" * 500), ("any", None)):
        Example.objects.create(hook=hook, name=name, body="1", expected=expected)
    page = alice.get(at(hook.application, "transform", hook.tag)).content.decode()
    for said in (
        "<code>{&quot;variables&quot;: {&quot;ID&quot;: &quot;7&quot;}}</code>",
        "x…</code>",
        "anything but an error",
    ):
        assert said in page
    assert "x" * 200 not in page
