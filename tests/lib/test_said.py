"""What servers say, as it is shown."""

from collections.abc import Sequence

import pytest

from badgerjobs.lib.said import LONGEST, masked, quoted


@pytest.mark.parametrize(
    ("said", "secrets", "shown"),
    [
        ("STARTTLS extension not supported by server", ["p"], "STARTTLS extension not supported by server."),
        ("'p' is not the password, nor is p", ["p"], "'********' is not the password, nor is ********."),
        ("guests: guest, guest1", ["guest"], "guests: ********, guest1."),
        ("“!?” is wrong", ["!?"], "“********” is wrong."),
        ("xhunter2x", ["hunter2"], "x********x."),
        ("a.b* axb*", ["a.b*"], "******** axb*."),
        ("/in/the/whole and /in", ["/in", "/in/the/whole"], "******** and ********."),
        ("nothing", ["", "n"], "nothing."),
    ],
    ids=["in a word", "a word", "words", "signs", "long", "signs of patterns", "the longer first", "empty"],
)
def test_a_secret_is_masked_and_a_short_one_only_where_it_is_a_word(
    said: str, secrets: Sequence[str], shown: str
) -> None:
    assert quoted(said, secrets) == shown
    assert quoted(said.encode(), secrets) == shown


def test_what_is_said_is_cut_after_its_secrets_are_masked() -> None:
    assert quoted("x" * (LONGEST - 3) + "hunter2" + "y" * 99, ["hunter2"]) == "x" * (LONGEST - 3) + "***…"


def test_without_a_secret_a_text_is_what_it_was() -> None:
    assert masked("two\nlines ", []) == "two\nlines "
