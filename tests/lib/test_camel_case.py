"""Names in camelCase are lodash's."""

import pytest

from badgerjobs.lib.camel_case import camel_case, is_camel_case


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", ""),
        ("Foo Bar", "fooBar"),
        ("--foo-bar--", "fooBar"),
        ("__FOO_BAR__", "fooBar"),
        ("fooBar", "fooBar"),
        ("getAThing", "getAThing"),
        ("XMLHttpRequest", "xmlHttpRequest"),
        ("taskHTML", "taskHtml"),
        ("task1a", "task1A"),
        ("task1A", "task1A"),
        ("task12ab34", "task12Ab34"),
        ("aB1cD", "aB1CD"),
        ("task1st", "task1st"),
        ("task21ST", "task21st"),
        ("task11th", "task11Th"),
        ("task4th", "task4th"),
        ("the22ndTask", "the22ndTask"),
        ("2days", "2Days"),
        ("x", "x"),
        ("A", "a"),
    ],
)
def test_a_text_becomes_the_name_that_lodash_makes_of_it(text: str, name: str) -> None:
    assert camel_case(text) == name
    assert is_camel_case(text) is (bool(text) and text == name)
