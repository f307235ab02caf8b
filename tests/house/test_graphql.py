"""docs/graphql.md and the schema say the same, field by field; and the schema is what Repeater's clients need."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import GraphQLObjectType, parse, validate
from graphql.utilities.print_schema import print_input_value

from badgerjobs.graphql import answering, limits
from badgerjobs.graphql.schema import GROUPS, SCHEMA
from tests.graphql import documents

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "graphql.md").read_text()

# Every documented field of Repeater.dev, as its documentation names them.
REPEATERS = {
    "Application": "name token createdAt updatedAt jobsCount scheduledJobsCount",
    "Job": "name enabled endpoint verb headers body retryable runAt runEvery createdAt updatedAt lastRunAt nextRunAt "
    "successCount failureCount application jobResults runners",
    "JobResult": "status headers body runAt run duration createdAt updatedAt job",
    "Runner": "priority queue attempts recurring running runAt failedAt createdAt updatedAt job",
    "Query": "jobs job jobResults",
    "Mutation": "createJob updateJob createOrUpdateJob deleteJob",
}


def types() -> Iterator[GraphQLObjectType]:
    for name, of in SCHEMA.type_map.items():
        if isinstance(of, GraphQLObjectType) and not name.startswith("__"):
            yield of


def described() -> Iterator[tuple[str, str, str, str]]:
    """Type, field or `field(argument)`, its type with the default if there is one, and its words."""
    for of in types():
        for name, field in of.fields.items():
            yield of.name, name, str(field.type), field.description or ""
            for argument, details in field.args.items():
                whole = print_input_value(argument, details).partition(": ")[2]
                yield of.name, f"{name}({argument})", whole, details.description or ""


def documented() -> Iterator[tuple[str, str, str, str]]:
    for section in PAGE.split("\n## ")[1:]:
        for field, kind, words in re.findall(r"^\| `([\w()]+)` \| `([^`]+)` \| (.*) \|$", section, re.MULTILINE):
            yield section.partition("\n")[0], field, kind, words


def test_every_type_field_and_argument_is_described() -> None:
    assert [of.name for of in types() if not of.description] == []
    assert [f"{of}.{name}" for of, name, _, words in described() if not words] == []


def test_the_page_says_of_each_what_the_schema_says_and_of_nothing_else() -> None:
    assert list(documented()) == list(described())


@pytest.mark.parametrize("name", REPEATERS)
def test_a_type_has_the_fields_of_repeater_and_no_other(name: str) -> None:
    of = SCHEMA.type_map[name]
    assert isinstance(of, GraphQLObjectType)
    assert [field for field in of.fields if field not in GROUPS] == REPEATERS[name].split()


@pytest.mark.parametrize("name", documents.ALL)
def test_a_document_of_the_official_client_is_valid(name: str) -> None:
    document = parse(documents.ALL[name])
    assert validate(SCHEMA, document) == []
    assert limits.shaped(document) == 2


def test_times_headers_and_verbs_are_texts_coming_and_going() -> None:
    texts = {"runAt", "runEvery", "headers", "verb", "endpoint", "createdAt", "updatedAt", "lastRunAt", "nextRunAt"}
    found = {kind for _, name, kind, _ in described() if re.sub(r".*\((\w+)\)", r"\1", name) in texts}
    assert found == {"String", "String!"}


def test_the_page_tells_every_code_of_an_error_and_no_other() -> None:
    [sentence] = re.findall(r"The codes: (.*?)\. ", PAGE, re.DOTALL)
    codes = re.findall(r'"([A-Z_]{4,})"', Path(answering.__file__).read_text())
    assert set(re.findall(r"`(\w+)`", sentence)) == set(codes)


def test_the_page_tells_every_limit() -> None:
    for most in (
        limits.MOST_BYTES, limits.MOST_TOKENS, limits.MOST_DEPTH, limits.MOST_FIELDS, limits.MOST_ALIASES,
        limits.MOST_ANSWERED,
    ):  # fmt: skip
        assert re.search(rf"^\| [^|]+ \| {most:,}\b", PAGE, re.MULTILINE), most
