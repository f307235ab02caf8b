"""Reading the JSON of strangers: all of it that can be kept, and a sentence for what is none."""

import json
from typing import Any

from badgerjobs.lib.finite_numbers import NotFiniteError, finite
from badgerjobs.lib.json_depth import is_deeper
from badgerjobs.web.parsers import MOST_LEVELS, TOO_DEEP
from tasks.webhook_variables import NO_BODY


class BadBodyError(ValueError):
    """What is wrong with a body, in a sentence that quotes none of it."""


def read(body: bytes) -> Any:
    """The JSON value, whatever its Content-Type says. Raises BadBodyError."""
    if not body.strip():
        raise BadBodyError(NO_BODY)
    try:
        value = json.loads(body, parse_float=finite, parse_constant=finite)
    except RecursionError:
        raise BadBodyError(TOO_DEEP) from None
    except NotFiniteError as error:
        said = f"{error} is too large, or no number"
        raise BadBodyError(f"The body is no JSON that could be kept: {said}.") from None
    except json.JSONDecodeError as error:
        said = f"{error.msg}, at line {error.lineno}, column {error.colno}"
        raise BadBodyError(f"The body is no JSON: {said}.") from None
    except UnicodeDecodeError:
        raise BadBodyError("The body is no JSON: it is not in UTF-8.") from None
    except ValueError:  # the one that Python's whole numbers know
        raise BadBodyError("A number in the body has too many digits.") from None
    if is_deeper(value, MOST_LEVELS):
        raise BadBodyError(TOO_DEEP)
    return value
