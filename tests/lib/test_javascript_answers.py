"""What a sandbox answers is read as something that may mean harm."""

import pytest

from badgerjobs.lib.javascript.results import MOST_LEVELS, Limits, Result, answered

LIMITS = Limits(5, 64 * 2**20, 1_000_000)


def read(answer: str | bytes) -> Result:
    said = answer if isinstance(answer, bytes) else answer.encode()
    return answered(said, LIMITS, body="return 1", seconds=0.1)


def value(text: str) -> Result:
    return read('{"value":' + text + ',"console":[],"dropped":0}')


def test_as_deep_as_is_kept_is_kept_and_no_deeper() -> None:
    assert value("[" * MOST_LEVELS + "]" * MOST_LEVELS).error is None
    error = value("[" * (MOST_LEVELS + 1) + "]" * (MOST_LEVELS + 1)).error
    assert error
    assert (error.word, error.message) == (
        "unserialisable",
        "The returned value is nested too deeply: 200 levels are kept.",
    )


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "9" * 5000], ids=lambda text: text[:8])
def test_a_number_that_no_json_can_hold_is_no_value(number: str) -> None:
    error = value(f"[{number}]").error
    assert error
    assert error.message == "A number in the returned value is too large, or has too many digits."


@pytest.mark.parametrize("message", ["", "\n", "\nx"], ids=["nothing", "a line", "an empty line"])
def test_what_says_nothing_is_said_to_say_nothing(message: str) -> None:
    quoted = message.replace("\n", "\\n")
    refusal = f'{{"word":"unserialisable","name":"","message":"{quoted}","stack":""}}'
    error = read(f'{{"error":{refusal},"console":[],"dropped":0}}').error
    assert error
    assert error.message == "The returned value cannot be written as JSON: what it threw says nothing."


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff\xfe\xff",
        b"[]",
        b"7",
        b'{"value":1}',
        b'{"error":[],"console":[],"dropped":0}',
        b'{"value":1,"console":[[1,2,3]],"dropped":0}',
        b'{"value":1,"console":7,"dropped":0}',
    ],
    ids=["empty", "no text", "list", "number", "part", "error", "line", "console"],
)
def test_what_is_no_answer_is_a_crash(answer: bytes) -> None:
    error = read(answer).error
    assert error
    assert error.word == "crashed"
