"""Names like `myCustomTask`, by lodash's rules, which names of definitions in code go by."""

import re

# lodash's own words, for texts of nothing but letters and digits of ASCII.
_WORDS = re.compile(
    r"[A-Z]?[a-z]+(?=[A-Z]|$)"
    r"|[A-Z]+(?=[A-Z][a-z]|$)"
    r"|[A-Z]?[a-z]+"
    r"|[A-Z]+"
    r"|\d*(?:1ST|2ND|3RD|(?![123])\dTH)(?=[^A-Za-z0-9_]|$|[a-z])"
    r"|\d*(?:1st|2nd|3rd|(?![123])\dth)(?=[^A-Za-z0-9_]|$|[A-Z])"
    r"|\d+"
)


def camel_case(text: str) -> str:
    """The letters and digits of a text as one name: `my-custom task` is `myCustomTask`. What is no ASCII is dropped."""
    parts = re.findall(r"[A-Za-z0-9]+", text)
    words = [word.lower() for part in parts for word in _WORDS.findall(part)]
    return "".join([*words[:1], *(word[:1].upper() + word[1:] for word in words[1:])])


def is_camel_case(text: str) -> bool:
    """Whether it is such a name itself."""
    return bool(text) and camel_case(text) == text
