"""What nobody means well with: each is refused with a sentence, cheaply, before anything is looked up."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from graphql import get_introspection_query
from graphql.language import Lexer, Visitor

from badgerjobs.graphql import answering, limits
from badgerjobs.runs.models import State
from badgerjobs.web import graphql
from badgerjobs.web.graphql import Asker
from badgerjobs.web.spared_cache import SparedCache
from badgerjobs.workspaces.audit import Actor
from badgerjobs.workspaces.models import Via
from tests.callers import PROBLEM, Caller
from tests.clients import browser_in
from tests.factories import make_attempt, make_job, make_run
from tests.graphql.asking import GRAPHQL, ask, data, refused

pytestmark = pytest.mark.django_db


def _aliases(count: int) -> str:
    return "{ " + " ".join(f"a{number}: jobs {{ name }}" for number in range(count)) + " }"


def _deep(levels: int) -> str:
    return "{ jobs " + "{ jobResults { job " * (levels // 2) + "{ name }" + " } }" * (levels // 2) + " }"


def _fragments(count: int) -> str:
    """Each uses the one before it twice: so many names, and two to the power of it fields."""
    doubled = [f"fragment f{number} on Job {{ ...f{number - 1} ...f{number - 1} }}" for number in range(1, count)]
    return "{ jobs { ...f" + str(count - 1) + " } } fragment f0 on Job { name } " + " ".join(doubled)


HOSTILE = {
    "100 aliases": (_aliases(100), "The query has 100 aliases: at most 30 are taken."),
    "60 deletions": (
        "mutation { " + " ".join(f'a{n}: deleteJob(name: "j{n}") {{ name }}' for n in range(60)) + " }",
        "The query has 60 aliases: at most 30 are taken.",
    ),
    "50 levels": (_deep(50), "levels deep: at most 20 are answered."),
    "400 levels": ("{ a " * 400 + "}" * 400, "nested too deep"),
    "a megabyte": (
        '{ job(name: "' + "x" * 1_000_000 + '") { name } }',
        "at most 100,000 are taken. Long values belong",
    ),
    "names": ("{ jobs { " + "name " * 990 + "} }", "names 991 fields"),
    "tokens": ("{ jobs { " + "name " * 5000 + "} }", "has more than 1,000 words and signs"),
    "comments": ("#\n" * 5000 + "{ jobs { name } }", "has more than 1,000 words and signs"),
    "fragments that double": (_fragments(30), "The query names 536,870,913 fields"),
    "a crowd": (
        "{ jobResults(limit: 1000) { job { jobResults(limit: 1000) { run } } } }",
        "could have 1,002,001 fields",
    ),
    "the schema over and over": (
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "Maximum introspection depth exceeded",
    ),
}


@contextmanager
def _work() -> Iterator[list[str]]:
    """A step for each word that is read of a query, and for each part of it that is measured, looked at or weighed."""
    steps: list[str] = []

    def counted(step: Callable[..., Any]) -> Callable[..., Any]:
        def count(*given: Any, **named: Any) -> Any:
            steps.append(step.__name__)
            return step(*given, **named)

        return count

    with ExitStack() as stack:
        for owner, name in (
            (Lexer, "read_next_token"), (limits, "_shape"), (Visitor, "get_enter_leave_for_kind"),
            (limits.Weighing, "_weigh_field"),
        ):  # fmt: skip
            stack.enter_context(patch.object(owner, name, counted(getattr(owner, name))))
        yield steps


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_cheaply_and_asks_the_database_for_nothing(alice: Caller, name: str) -> None:
    query, said = HOSTILE[name]
    refused(alice, query)
    with CaptureQueriesContext(connection) as asked, _work() as steps:
        assert said in refused(alice, query)
    assert [row["sql"] for row in asked if "jobs_job" in row["sql"] or "runs_" in row["sql"]] == []
    assert len(steps) < 2 * limits.MOST_TOKENS


def test_as_many_as_allowed_are_answered(alice: Caller) -> None:
    make_job(alice.application, "first")
    assert len(data(alice, _aliases(30))) == 30
    assert data(alice, _deep(8))["jobs"]


def test_how_many_jobs_there_are_is_what_a_list_of_all_of_them_is_taken_for(alice: Caller) -> None:
    query = "{ jobs { jobResults(limit: 1000) { status run } } }"
    with patch.object(answering, "MOST_ANSWERED", 5000):
        assert data(alice, query)
        for number in range(3):
            make_job(alice.application, f"job-{number}")
        assert "could have 6,004 fields: at most 5,000 are given at once" in refused(alice, query)
        assert data(alice, query.replace("jobs ", "jobs(limit: 2) "))
        asked = "query Q($most: Int = 1) { jobs(limit: $most) { jobResults(limit: 1000) { status run } } }"
        assert data(alice, asked)
        assert "could have 6,004" in refused(alice, asked, most=1_000)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("{ jobResults(limit: 2, offset: 5000) { run } }", "5,003"),
        ("{ jobs { jobResults(limit: 1, offset: 3000) { run } } }", "6,005"),
        ("query Q($o: Int = 9000) { jobResults(limit: 1, offset: $o) { run } }", "9,002"),
    ],
    ids=["at the top", "of each", "a variable"],
)
def test_rows_that_an_offset_leaves_out_weigh_too(alice: Caller, query: str, fields: str) -> None:
    for tag in ("first", "second"):
        make_job(alice.application, tag)
    with patch.object(answering, "MOST_ANSWERED", 5000):
        said = refused(alice, query)
        assert f"could have {fields} fields" in said
        assert "a smaller `limit`, and `offset` to go on, or ask for less" in said
        assert data(alice, "{ jobs(offset: 90000) { name } }") == {"jobs": []}, "there are not so many to leave out"


def test_a_variable_that_is_none_is_refused_with_a_code(alice: Caller) -> None:
    query = "query Q($a: Int) { jobs(limit: $a) { name } }"
    [error] = ask(alice, query, a="x").body["errors"]
    assert error["extensions"] == {"code": "BAD_QUERY"}


def test_letters_are_written_as_they_are_and_halves_of_them_escaped(alice: Caller) -> None:
    make_job(alice.application, "čaj")
    query = json.dumps({"query": "query Q($a: Int) { jobs(limit: $a) { name } }", "variables": {"a": "\ud800"}})
    assert "čaj".encode() in alice.client.post(
        GRAPHQL, {"query": "{ jobs { name } }"}, content_type="application/json",
        headers={"Authorization": f"Bearer {alice.secret}"},
    ).content  # fmt: skip
    answer = alice.send("POST", GRAPHQL, query.encode())
    assert (answer.status, "\\ud800" in answer.body["errors"][0]["message"]) == (200, True)


def _crowd(limit: str) -> str:
    return f"jobResults(limit: {limit}) {{ job {{ jobResults(limit: {limit}) {{ run }} }} }}"


@pytest.mark.parametrize(
    ("query", "given"),
    [
        ("query Q($l: Int) { " + _crowd("$l") + " }", {"l": 1000.0}),
        ("query Q($l: Int = 1000) { " + _crowd("$l") + " }", {}),
        ("{ none: jobs(limit: -9000000) @skip(if: true) { name body } " + _crowd("1000") + " }", {}),
        ("{ none: jobResults(limit: -9000000) @skip(if: true) { run } " + _crowd("1000") + " }", {}),
    ],
    ids=["a fraction of nothing", "a default", "less than no jobs", "less than no results"],
)
def test_a_limit_weighs_what_the_list_is_given_and_never_less_than_nothing(
    alice: Caller, query: str, given: dict[str, Any]
) -> None:
    make_job(alice.application, "first")
    assert "fields: at most 500,000 are given at once" in refused(alice, query, **given)


@pytest.mark.parametrize("text", ["²", "1" * 5000], ids=["square", "long"])
def test_a_text_that_looks_like_a_number_is_a_text(alice: Caller, text: str) -> None:
    assert data(alice, f'query Q($n: String! = "{text}") {{ job(name: $n) {{ name }} }}') == {"job": None}


@pytest.mark.parametrize(
    "query",
    [
        "{{ {0} }}",
        "{{ ... on Query {{ {0} }} }}",
        "{{ ... {{ ...f }} }} fragment f on Query {{ {0} }}",
    ],
    ids=["at the top", "inline", "in a fragment"],
)
def test_each_question_counts_wherever_it_stands(alice: Caller, query: str) -> None:
    asker = Asker(alice.application, Actor("a", Via.API), frozenset({"read"}))
    spent: list[int] = []
    told = answering.answer(asker, query.format(_aliases(30).strip("{} ") + " }"), spend=spent.append)
    assert ("errors" in told, spent) == (False, [29])


LONG = "x" * 400


def _round(field: str) -> str:
    """Thirty times of each job, of each result of each job of each result."""
    often = " ".join(f"a{number}: {field}" for number in range(30))
    return f"{{ jobResults {{ job {{ jobResults {{ job {{ {often} }} }} }} }} }}"


@pytest.mark.parametrize(
    "query",
    [
        "{ jobs { body two: body three: body } }",
        _round("endpoint"),
        _round("name"),
        _round("application { name }"),
        '{ job(name: "first") { ...f } } fragment f on Job { one: body two: body three: body }',
        "{ jobResults { job { body } } }",
        '{ job(name: "first") { jobResults { job { body } } } }',
        '{ job(name: "first") { runners { job { body } } } }',
        "{ jobResults(limit: 1) { body two: body three: body } }",
        "{ jobs { one: jobResults(limit: 1) { body } two: jobResults(limit: 1, offset: 1) { body } } jobs { body } }",
        "{ one: jobs { body } two: jobs { body } three: jobs { body } }",
        "{ one: jobResults(limit: 1) { job { body } } two: jobResults(limit: 1) { body } three: jobs { body } }",
    ],
)
def test_headers_and_bodies_are_bounded_as_often_as_they_are_named(
    alice: Caller, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(graphql, "MOST_TEXT_BYTES", 1000)
    put = make_job(alice.application, "first", run_every="PT1H", overlap="queue_all", body=LONG)
    for number in range(1, 4):
        result = {"status": 200, "headers": {}, "body": LONG}
        make_attempt(make_run(put.runnable, State.SUCCEEDED, number=number), result=result)
        make_run(put.runnable, State.QUEUED, number=number + 3, held=True)
    answer = ask(alice, query)
    [error] = answer.body["errors"]
    assert (error["extensions"]["code"], answer.body["data"]) == ("BAD_INPUT", None)
    assert "more than 32 MB of texts" in error["message"]
    assert data(alice, "{ jobs { body two: body } jobResults { job { name } } }")["jobs"] == [
        {"body": LONG, "two": LONG}
    ]


def test_once_it_is_too_much_nothing_more_is_looked_up(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    make_job(alice.application, "first", body=LONG)
    monkeypatch.setattr(graphql, "MOST_TEXT_BYTES", 1000)
    more = " ".join(f"a{n}: jobs {{ body jobResults {{ run }} }}" for n in range(30))
    assert "32 MB" in refused(alice, f"{{ {more} }}")
    with CaptureQueriesContext(connection) as asked:
        refused(alice, f"{{ {more} }}")
    assert len([row for row in asked if "runs_attempt" in row["sql"]]) == 2
    assert len([row for row in asked if "octet_length" in row["sql"]]) == 3


def test_jobs_are_not_loaded_where_their_bodies_are_too_much(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql, "MOST_TEXT_BYTES", 1000)
    for number in range(3):
        make_job(alice.application, f"job-{number}", body=LONG)
    with CaptureQueriesContext(connection) as asked:
        assert "32 MB" in refused(alice, "{ jobs { body } }")
    assert not any('"jobs_job"."tag"' in row["sql"] for row in asked)


@pytest.mark.parametrize("where", ["{{ {} }}", '{{ job(name: "first") {{ {} }} }}'], ids=["of all", "of a job"])
def test_results_that_are_loaded_count_though_they_are_not_told(
    alice: Caller, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(graphql, "MOST_TEXT_BYTES", 1000)
    put = make_job(alice.application, "first")
    for number in range(1, 4):
        result = {"status": 200, "headers": {}, "body": LONG}
        make_attempt(make_run(put.runnable, State.SUCCEEDED, number=number), result=result)
    one, two = "one: jobResults(limit: 1) { body }", "two: jobResults(limit: 2, offset: 1) { run }"
    assert data(alice, where.format(one))
    assert "32 MB" in refused(alice, where.format(f"{one} {two}"))


def test_a_list_beside_what_was_too_much_is_not_looked_up(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    make_job(alice.application, "first", body=LONG)
    monkeypatch.setattr(graphql, "MOST_TEXT_BYTES", 1000)
    long = 'job(name: "first") { name } job(name: "first") { one: body two: body three: body }'
    with CaptureQueriesContext(connection) as asked:
        assert "32 MB" in refused(
            alice, f'{{ {long} jobs {{ name }} jobResults {{ run }} j: job(name: "a") {{ name }} }}'
        )
    statements = [row["sql"] for row in asked]
    assert not any('ORDER BY "jobs_job"."id" DESC' in sql or "runs_attempt" in sql for sql in statements)
    assert not any("'a'" in sql for sql in statements)


def test_the_jobs_of_results_come_without_what_nobody_asked_for(alice: Caller) -> None:
    make_attempt(make_run(make_job(alice.application, "first", body=LONG).runnable, State.SUCCEEDED))
    with CaptureQueriesContext(connection) as asked:
        data(alice, '{ jobResults { job { name } } job(name: "first") { name } }')
    statements = [row["sql"] for row in asked if 'FROM "jobs_job"' in row["sql"]]
    assert statements
    assert not any('"jobs_job"."body"' in sql or '"jobs_job"."headers"' in sql for sql in statements)


@pytest.mark.parametrize("count", [1, 1000])
def test_a_batch_is_refused_whole_and_unread(alice: Caller, count: int) -> None:
    batch = json.dumps([{"query": 'mutation { deleteJob(name: "first") { name } }'}] * count).encode()
    make_job(alice.application, "first")
    answer = alice.send("POST", GRAPHQL, batch)
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert answer.body["detail"] == (
        "Send one operation in each request: a JSON object with `query`, and no list of them."
    )
    assert len(data(alice, "{ jobs { name } }")["jobs"]) == 1


def test_a_body_that_no_endpoint_takes_is_not_read(alice: Caller) -> None:
    answer = alice.send("POST", GRAPHQL, b"x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1))
    assert (answer.status, answer.content_type) == (413, PROBLEM)


def test_the_schema_is_told_to_a_token_and_to_nobody_else(alice: Caller) -> None:
    types = data(alice, get_introspection_query())["__schema"]["types"]
    assert {"Application", "Job", "JobResult", "Runner"} <= {each["name"] for each in types}
    full = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True,
    )  # fmt: skip
    assert data(alice, full)
    assert ask(Caller(), get_introspection_query()).status == 401


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, 'Send a query: {"query": "{ jobs { name } }"}.'),
        ({"query": ""}, 'Send a query: {"query": "{ jobs { name } }"}.'),
        ({"query": 7}, 'Send a query: {"query": "{ jobs { name } }"}.'),
        ({"query": "{ jobs { name } }", "variables": []}, "Give the variables as an object, name to value."),
        ({"query": "{ jobs { name } }", "operationName": 7}, "Give the name of an operation as a text."),
        ({"query": "{ jobs { name } }", "operationName": "A"}, "There is no operation “A” in the document."),
        ({"query": "query A { jobs { name } } query B { jobs { name } }"}, "The document has several operations"),
        ({"query": "fragment f on Job { name }"}, "The document has no operation"),
        ({"query": "subscription { jobs { name } }"}, "Subscriptions are not served here"),
        ({"query": "{ jobs { nam } }"}, "Cannot query field 'nam' on type 'Job'."),
        ({"query": "{ jobs { name }"}, "Syntax Error: Expected Name, found <EOF>."),
        ({"query": "{ jobs { ...f } } fragment f on Job { ...f }"}, "Cannot spread fragment 'f' within itself."),
        ({"query": "query Q($n: String!) { job(name: $n) { name } }"}, "Variable '$n'"),
        ({"query": "query Q($n: String!) { job(name: $n) { name } }", "variables": {"n": "x" * 9000, "m": {}}}, None),
        ({"query": "query Q($n: Int!) { jobs(limit: $n) { name } }", "variables": {"n": "x" * 9000}}, "Variable '$n'"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_told_so(alice: Caller, asked: dict[str, Any], said: str | None) -> None:
    answer = alice.post(GRAPHQL, asked)
    assert answer.status == 200, answer.body
    assert ("errors" in answer.body) is (said is not None)
    for error in answer.body.get("errors", ()):
        assert error["message"].startswith(said)
        assert len(error["message"]) <= 2001


def test_each_question_counts_as_a_request(alice: Caller) -> None:
    alice.application.requests_per_second = 10
    alice.application.save()
    with patch("time.time", return_value=1_000_000.0):
        assert ask(alice, _aliases(8)).status == 200
        answer = ask(alice, _aliases(8))
    assert (answer.status, answer.content_type, answer.headers["Retry-After"]) == (429, PROBLEM, "1")


@pytest.mark.parametrize("count", [2, 30])
def test_however_many_questions_there_are_they_are_counted_in_one_trip(
    alice: Caller, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    counted: list[int] = []
    count_up = SparedCache.count_up

    def counting(cache: SparedCache, keys: list[str], amount: int, timeout: int) -> list[int | None]:
        counted.append(amount)
        return count_up(cache, keys, amount, timeout)

    monkeypatch.setattr(SparedCache, "count_up", counting)
    data(alice, _aliases(count))
    assert counted == [1, count - 1]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_posting_is_answered(alice: Caller, method: str) -> None:
    answer = alice.send(method, GRAPHQL, b"")
    assert (answer.status, "POST" in answer.headers["Allow"]) == (405, True)


def test_there_is_no_redirect_and_no_second_address(alice: Caller) -> None:
    assert alice.post(f"{GRAPHQL}/", {"query": "{ jobs { name } }"}).status == 404


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/graphql"])
def test_only_json_is_taken(alice: Caller, content_type: str) -> None:
    answer = alice.send("POST", GRAPHQL, b"query={jobs{name}}", **{"Content-Type": content_type})
    assert (answer.status, answer.content_type) == (415, PROBLEM)


@pytest.mark.parametrize("accept", ["*/*", "application/graphql-response+json", "text/html", ""])
def test_the_answer_is_json_whatever_is_accepted(alice: Caller, accept: str) -> None:
    answer = alice.post(GRAPHQL, {"query": "{ jobs { name } }"}, Accept=accept)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")


def test_a_session_opens_nothing(alice: Caller) -> None:
    browser = browser_in(alice.application)
    answer = browser.post("/graphql", {"query": "{ jobs { name } }"}, content_type="application/json")
    assert answer.status_code == 401


def test_a_fault_of_ours_is_told_without_its_trace(alice: Caller, caplog: pytest.LogCaptureFixture) -> None:
    with patch("jobs.graphql.resolvers.JobBatch", side_effect=ZeroDivisionError("secret")):
        answer = ask(alice, "{ jobs { name } }")
    assert (answer.status, answer.content_type) == (500, PROBLEM)
    assert "secret" not in str(answer.body)
    assert "ZeroDivisionError" in caplog.text
