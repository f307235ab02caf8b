"""What was refused, in one sentence."""

from typing import Any

from tasks.background.errors import INVALID, BackgroundTaskError
from tasks.background.refusing import invalid
from tasks.background.saying import MOST_NAMED, said_of
from tests.in_turn import in_turn


def fields(**said: str) -> dict[str, Any]:
    return {"invalidFields": {path.replace("__", "."): {"message": message} for path, message in said.items()}}


@in_turn(
    "data, sentence",
    [
        ({}, "The input is not valid."),
        (fields(email="Give an e-mail address."), "email: Give an e-mail address."),
        (
            fields(email="Give an e-mail address.", place__0__city="Too long"),
            "email: Give an e-mail address; place.0.city: Too long.",
        ),
        (fields(kin="There is no such field: did you mean kind?"), "kin: There is no such field: did you mean kind?"),
        ({"invalidFields": {"": {"message": "The shop is closed."}}}, "The shop is closed."),
        ({"invalidFields": "all"}, "The input is not valid."),
        ({"invalidFields": {"email": "wrong"}}, "The input is not valid."),
        (fields(**{f"f{n}": "No." for n in range(MOST_NAMED + 2)}), "; f9: No; and 2 more."),
    ],
)
def test_each_field_is_named_with_what_is_wrong_with_it(data: dict[str, Any], sentence: str) -> None:
    said = said_of(BackgroundTaskError(INVALID, "The input is not valid.", data))
    assert said == sentence or (sentence.startswith(";") and said.endswith(sentence))


def test_what_says_it_already_is_said_once() -> None:
    assert said_of(invalid("input", "The input must be an object.")) == "The input must be an object."
