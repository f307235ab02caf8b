"""A job's call as a command: whole, true to what is sent, and without its secrets."""

import shlex
from typing import Any

import pytest

from jobs.exchange import LONGEST_PASTED, curl_of, needs_file
from jobs.models import Job


def words_of(**fields: Any) -> list[str]:
    """The words that a shell hands to the program."""
    return shlex.split(curl_of(Job(**{"verb": "POST", "endpoint": "https://example.com/", "headers": {}, **fields})))


def test_secrets_are_left_out_and_nothing_is_left_to_the_shell() -> None:
    headers = {"Authorization": "Bearer abc", "X-Note": "it's; rm -rf /", "Content-Type": "application/json"}
    assert words_of(endpoint="https://example.com/a?b=$c&d", headers=headers, body='{"a": 1}\n$(date)') == [
        "curl", "-X", "POST", "https://example.com/a?b=$c&d", "-H", "Authorization: …", "-H", "X-Note: it's; rm -rf /",
        "-H", "Content-Type: application/json", "--data-raw", '{"a": 1}\n$(date)',
    ]  # fmt: skip


def test_a_head_is_asked_for_as_curl_asks_for_it() -> None:
    assert words_of(verb="HEAD") == ["curl", "--head", "https://example.com/"]


def test_a_body_without_a_type_is_no_form() -> None:
    assert words_of(body="a=1")[4:] == ["-H", "Content-Type:", "--data-raw", "a=1"]


def test_a_header_without_a_value_is_sent_all_the_same() -> None:
    assert words_of(headers={"X-Empty": ""})[4:] == ["-H", "X-Empty;"]


@pytest.mark.parametrize("endpoint", ["https://example.com/{a,b}", "https://example.com/[1-9]", "http://[::1]/"])
def test_what_curl_would_take_for_a_pattern_is_one_address(endpoint: str) -> None:
    assert words_of(endpoint=endpoint)[3:] == ["--globoff", endpoint]


@pytest.mark.parametrize(
    ("body", "from_file"),
    [("é" * (LONGEST_PASTED // 2), False), ("é" * (LONGEST_PASTED // 2 + 1), True)],
    ids=["as-long-as-can-be", "longer"],
)
def test_a_body_is_pasted_whole_or_read_from_a_file(body: str, from_file: bool) -> None:
    assert needs_file(Job(body=body)) == from_file
    assert words_of(body=body)[-2:] == (["--data-binary", "@body"] if from_file else ["--data-raw", body])
