"""What nobody means well with: each is refused with a sentence, cheaply, before anything is looked up."""

import json
import time
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from graphql import get_introspection_query

from badgerjobs.graphql import answering
from tests.callers import PROBLEM, Caller
from tests.clients import browser_in
from tests.factories import make_job
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


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_cheaply_and_asks_the_database_for_nothing(alice: Caller, name: str) -> None:
    query, said = HOSTILE[name]
    refused(alice, query)
    with CaptureQueriesContext(connection) as asked:
        began = time.process_time()
        assert said in refused(alice, query)
        took = time.process_time() - began
    assert [row["sql"] for row in asked if "jobs_job" in row["sql"] or "runs_" in row["sql"]] == []
    assert took < 0.5


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
