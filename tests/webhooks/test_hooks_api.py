"""Hooks by REST: made, read, changed, put and deleted; what may not be is refused in words."""

from typing import Any

import pytest

from badgerjobs.lib import vault
from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.models import AuditEntry, Scope
from tests.callers import Caller, caller_for
from tests.factories import NOW, make_delivery, make_hook, make_key, make_source, make_task
from tests.in_turn import in_turn
from tests.webhooks.sending import sent
from webhooks.action_fields import MOST_ACTIONS, NO_LIST, NO_TYPE, UNKNOWN
from webhooks.models import Hook, Standing
from webhooks.task_hooks import fit_task_hook

CODE = "return {variables: {ID: body.id}}"
GITHUB = {"tag": "pushes", "verification": "github", "settings": {"secret": "s3cret"}}


def test_a_hook_needs_nothing_but_a_tag_and_is_called_at_its_url(alice: Caller) -> None:
    made = alice.post("/hooks/", {"tag": "orders"})
    assert made.status == 201
    read = alice.get("/hooks/orders/").body
    assert read == made.body
    expected: dict[str, Any] = {
        "tag": "orders", "name": "orders", "methods": ["POST"], "rate": None, "max_bytes": 1_000_000,
        "verification": "none", "settings": {}, "challenge": "none", "repeats": "none", "repeats_header": "",
        "repeats_window_s": 86_400, "response": "id", "response_status": 200, "response_type": "text/plain",
        "response_body": "", "transform": "", "transform_version": 0, "actions": [], "enabled": True,
        "pause_reason": None, "paused_until": None, "previous_until": None, "task": None, "retries": 3,
    }  # fmt: skip
    assert {name: read[name] for name in expected} == expected
    assert Caller().post(read["url"], {"id": 1}).status == 202


def test_the_address_is_told_to_nobody_who_may_not_write_and_not_in_lists(alice: Caller) -> None:
    alice.post("/hooks/", {"tag": "orders"})
    secret = Hook.objects.get().secret
    reader = caller_for(alice.application, scopes=[Scope.READ])
    answers = [reader.get("/hooks/orders/").body, alice.get("/hooks/").body["results"][0]]
    assert [answer["url"] for answer in answers] == [None, None]
    assert secret not in str(answers)


def test_who_may_only_read_changes_nothing(alice: Caller) -> None:
    alice.post("/hooks/", {"tag": "orders"})
    reader = caller_for(alice.application, scopes=[Scope.READ])
    tried = [
        reader.post("/hooks/", {"tag": "others"}),
        reader.patch("/hooks/orders/", {"rate": 1}),
        reader.put("/hooks/orders/", {}),
        reader.delete("/hooks/orders/"),
        *(reader.post(f"/hooks/orders/{verb}/", {}) for verb in ("pause", "resume", "rotate", "try")),
        reader.put("/hooks/orders/examples/a/", {"body": "1"}),
    ]
    assert {answer.status for answer in tried} == {403}


def test_secrets_in_settings_read_as_stars_and_stars_keep_them(alice: Caller) -> None:
    made = alice.post("/hooks/", GITHUB)
    assert made.body["settings"] == {"secret": vault.MASK}
    changed = alice.patch("/hooks/pushes/", {"settings": {"secret": vault.MASK, "previous_secret": "before"}})
    assert changed.body["settings"] == {"secret": vault.MASK, "previous_secret": vault.MASK}
    assert Hook.objects.get().settings == {"secret": "s3cret", "previous_secret": "before"}
    assert "s3cret" not in str([alice.get("/hooks/").body, list(AuditEntry.objects.values())])


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        (
            {"verification": "github", "settings": {"secret": vault.MASK}},
            "settings.secret",
            "******** stands for a value stored before, and there is none. Send the value itself.",
        ),
        ({"actions": "x"}, "actions", NO_LIST.format()),
        ({"actions": [{"type": "zap"}]}, "actions.0.type", UNKNOWN.format("zap")),
        ({"actions": [{"type": 7}]}, "actions.0.type", NO_TYPE),
        ({"actions": [{}]}, "actions.0.type", NO_TYPE),
    ],
    ids=["stars for nothing", "no list", "no such type", "a number as type", "no type"],
)
def test_what_is_wrong_is_said_once_and_of_what_was_sent(
    alice: Caller, given: dict[str, Any], field: str, said: str
) -> None:
    assert alice.post("/hooks/", {"tag": "orders", **given}).errors == {field: [said]}


def test_what_was_read_can_be_sent_back(alice: Caller) -> None:
    make_key(make_source(alice.application), "product-1")
    actions = [{"type": "value", "key": "product-1"}]
    given = {**GITHUB, "repeats": "header", "repeats_header": "X-Id", "transform": CODE, "actions": actions}
    read = alice.post("/hooks/", given).body
    for send in (alice.put, alice.patch):
        again = send("/hooks/pushes/", read)
        assert (again.status, again.body) == (200, {**read, "updated_at": again.body["updated_at"]})


def test_a_put_takes_back_what_it_leaves_out(alice: Caller) -> None:
    given = {"rate": 5, "response": "empty", "transform": CODE, "enabled": False, "pause_reason": "Stocktaking."}
    assert alice.put("/hooks/orders/", given).status == 201
    after = alice.put("/hooks/orders/", {})
    assert after.status == 200
    fields = ("rate", "response", "transform", "enabled", "pause_reason", "transform_version")
    assert [after.body[name] for name in fields] == [None, "id", "", True, None, 2]


def test_a_header_that_is_looked_at_no_more_is_forgotten(alice: Caller) -> None:
    alice.post("/hooks/", {"tag": "orders", "repeats": "header", "repeats_header": "X-Id"})
    assert alice.patch("/hooks/orders/", {"rate": 1}).body["repeats_header"] == "X-Id"
    assert alice.patch("/hooks/orders/", {"repeats": "body"}).body["repeats_header"] == ""


def test_a_patch_changes_only_what_it_gives(alice: Caller) -> None:
    alice.post("/hooks/", {**GITHUB, "rate": 5, "retries": 1})
    after = alice.patch("/hooks/pushes/", {"max_bytes": 10}).body
    assert [after[name] for name in ("rate", "max_bytes", "retries", "verification")] == [5, 10, 1, "github"]
    assert Hook.objects.get().settings == {"secret": "s3cret"}


def test_how_it_is_tried_again_is_said_as_for_jobs(alice: Caller) -> None:
    made = alice.post("/hooks/", {"tag": "orders", "retry_policy": "list", "retry_delays": [5, 60]}).body
    assert [made[name] for name in ("retry_policy", "retries", "retry_delays")] == ["list", 2, [5, 60]]
    assert Runnable.objects.get().retry_delays == [5, 60]


def test_a_taken_tag_is_a_conflict(alice: Caller) -> None:
    assert [alice.post("/hooks/", {"tag": "orders"}).status for _ in range(2)] == [201, 409]


def test_a_request_that_is_sent_twice_makes_one_hook(alice: Caller) -> None:
    answers = [alice.post("/hooks/", {"tag": "orders"}, Idempotency_Key="once") for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].body == answers[1].body


@in_turn(
    "given, field, said",
    [
        ({"tag": "task:orders"}, "tag", "of the webhook of a task"),
        ({"tag": "a/b"}, "tag", "neither"),
        ({"tag": "x" * 201}, "tag", "no more than 200"),
        ({"methods": []}, "methods", "at least one of POST, PUT, GET"),
        ({"methods": ["DELETE"]}, "methods.0", "none of POST, PUT, GET"),
        ({"rate": 0}, "rate", "at least 1"),
        ({"max_bytes": 5_000_001}, "max_bytes", "at most 5,000,000"),
        ({"verification": "magic"}, "verification", "“magic” is none of none, standard"),
        ({"verification": "github"}, "settings.secret", "it is needed"),
        ({"settings": {"secert": "x"}}, "settings.secert", "no such field|There are only"),
        ({"verification": "github", "settings": {"secret": vault.MASK}}, "settings.secret", "there is none"),
        ({"repeats": "header"}, "repeats_header", "Name the header"),
        ({"repeats": "body", "repeats_header": "X-Id"}, "repeats_header", "leave this out"),
        ({"repeats": "header", "repeats_header": "X Id"}, "repeats_header", "letters, digits and hyphens"),
        ({"repeats_window_s": 604_801}, "repeats_window_s", "at most 604,800"),
        ({"response_type": "text/html"}, "response_type", "none of text/plain"),
        ({"response_status": 302}, "response_status", "at most 299"),
        ({"response_status": 204, "response_body": "x"}, "response_body", "no body"),
        ({"response_body": "x" * 64_001}, "response_body", "64,001 bytes"),
        ({"transform": "return {"}, "transform", "SyntaxError|Unexpected"),
        ({"actions": [{"type": "magic"}]}, "actions.0.type", "one of sync, job, event, async_job,"),
        ({"actions": [{"type": "sync", "task": "nowhere"}]}, "actions.0.task", "no task with the tag “nowhere”"),
        ({"actions": [{"type": "value", "key": "k"}] * 2}, "actions.1.name", "Another action is called “value”"),
        ({"actions": [{"type": "value", "key": "k", "name": ""}]}, "actions.0.name", "1 to 100 characters"),
        ({"actions": [{"type": "value", "key": "k"}] * (MOST_ACTIONS + 1)}, "actions", "at most 20"),
        ({"pause_reason": "Why?"}, "pause_reason", "Nothing is paused"),
        ({"retries": -1}, "retries", "at least 0"),
        ({"secret": "mine"}, "secret", "There are only|no such field"),
    ],
)
def test_what_cannot_be_is_refused_and_says_why(alice: Caller, given: dict[str, Any], field: str, said: str) -> None:
    make_key(make_source(alice.application), "k")
    answer = alice.post("/hooks/", {"tag": "orders", **given})
    assert answer.status == 400
    assert list(answer.errors) == [field]
    assert any(part in answer.errors[field][0] for part in said.split("|")), answer.errors
    assert not Hook.objects.exists()


def test_an_action_whose_target_went_away_may_stay_and_no_other_may_name_it(alice: Caller) -> None:
    task = make_task(alice.application, "products")
    action = {"name": "products", "type": "sync", "task": "products"}
    alice.post("/hooks/", {"tag": "orders", "actions": [action]})
    task.delete()
    assert alice.patch("/hooks/orders/", {"actions": [action], "rate": 1}).status == 200
    assert alice.patch("/hooks/orders/", {"actions": [{**action, "name": "again"}]}).status == 400


def test_a_tag_is_never_changed(alice: Caller) -> None:
    alice.post("/hooks/", {"tag": "orders"})
    assert alice.patch("/hooks/orders/", {"tag": "others"}).errors["tag"]
    assert alice.put("/hooks/orders/", {"tag": "others"}).errors["tag"]


def test_lists_are_narrowed_and_leave_out_what_is_long(alice: Caller) -> None:
    alice.post("/hooks/", {**GITHUB, "transform": CODE, "response_body": "long"})
    alice.post("/hooks/", {"tag": "orders", "enabled": False})
    fit_task_hook(make_task(alice.application, "t", type="webhook"), by="alice", now=NOW)
    everything = alice.get("/hooks/").body["results"]
    assert [row["tag"] for row in everything] == ["task:t", "orders", "pushes"]
    assert [everything[2][name] for name in ("transform", "response_body", "settings")] == ["", "", {}]
    for query, tags in {
        "search=PUSH": ["pushes"],
        "verification=github,stripe": ["pushes"],
        "enabled=false": ["orders"],
        "of_task=true": ["task:t"],
        "of_task=false": ["orders", "pushes"],
    }.items():
        assert [row["tag"] for row in alice.get(f"/hooks/?{query}").body["results"]] == tags
    assert alice.get("/hooks/?verification=magic").status == 400


def test_the_hook_of_a_task_shows_what_it_has_from_that_and_keeps_it(alice: Caller) -> None:
    task = make_task(alice.application, "t", type="webhook", transform=CODE)
    fit_task_hook(task, by="alice", now=NOW)
    read = alice.get("/hooks/task:t/").body
    assert (read["task"], read["transform"], read["actions"][0]["task"]) == ("t", CODE, "t")
    put = alice.put("/hooks/task:t/", {"verification": "github", "settings": {"secret": "s"}})
    assert (put.status, put.body["verification"], put.body["transform"]) == (200, "github", CODE)
    assert alice.put("/hooks/task:t/", alice.get("/hooks/task:t/").body).status == 200
    for field, value in {"name": "Other", "transform": "", "actions": []}.items():
        assert "belongs to the task “t”" in alice.patch("/hooks/task:t/", {field: value}).errors[field][0]
    assert alice.delete("/hooks/task:t/").status == 409


def test_a_deleted_hook_is_not_there_any_more(alice: Caller) -> None:
    url = alice.post("/hooks/", {"tag": "orders"}).body["url"]
    assert alice.delete("/hooks/orders/").status == 204
    assert alice.get("/hooks/orders/").status == 404
    assert Caller().post(url, {}).status == 404


def test_another_applications_hook_is_nowhere(alice: Caller, charlie: Caller) -> None:
    hook = make_hook(charlie.application, "theirs")
    tried = [
        alice.get("/hooks/theirs/"),
        alice.patch("/hooks/theirs/", {"rate": 1}),
        alice.delete("/hooks/theirs/"),
        *(alice.post(f"/hooks/theirs/{verb}/", {}) for verb in ("pause", "resume", "rotate", "try")),
        *(alice.get(f"/hooks/theirs/{what}/") for what in ("versions", "examples")),
    ]
    assert {answer.status for answer in tried} == {404}
    assert alice.get("/hooks/").body["results"] == []
    assert sent(hook).status == 202


def test_a_list_reads_no_secret(alice: Caller, django_assert_max_num_queries: Any) -> None:
    for tag in "abc":
        make_hook(alice.application, tag)
    with django_assert_max_num_queries(3) as asked:
        assert [row["url"] for row in alice.get("/hooks/").body["results"]] == [None] * 3
    assert not any('"webhooks_hook"."secret"' in query["sql"] for query in asked.captured_queries)


@pytest.mark.parametrize("way", ["put", "resume"])
def test_what_was_held_is_let_go_only_after_the_hook_is_resumed_for_good(
    alice: Caller, django_capture_on_commit_callbacks: Any, way: str
) -> None:
    hook = make_hook(alice.application, "orders", runnable={"enabled": False})
    held = make_delivery(hook, standing=Standing.HELD)
    with django_capture_on_commit_callbacks(execute=True):
        if way == "put":
            answer = alice.put("/hooks/orders/", {"enabled": True}, HTTP_IDEMPOTENCY_KEY="k")
        else:
            answer = alice.post("/hooks/orders/resume/", {}, HTTP_IDEMPOTENCY_KEY="k")
        assert (answer.status, answer.body["enabled"]) == (200, True)
        held.refresh_from_db()
        assert held.standing == Standing.HELD
    held.refresh_from_db()
    assert held.standing == Standing.ACCEPTED
