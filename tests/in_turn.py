"""Many cases in one test, where each is small: a test of its own costs more than what it asks."""

import inspect
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import wraps
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction


def in_turn(name: str, cases: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Try a test with each case in turn, as `parametrize` would: `name` may name several, and a case is a tuple then.

    All are tried, whatever fails; the failure has the name of each that did, and what it said. Rows that one made, and
    what it left in the cache, are gone before the next one. What fixtures made is there for all of them.
    """
    names, listed = [one.strip() for one in name.split(",")], list(cases)

    def decorated(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def tried(**fixtures: Any) -> None:
            assert listed
            found = [said for case in listed if (said := _fault(test, {**fixtures, **_given(names, case)}, case))]
            if found:
                pytest.fail(f"{len(found)} of {len(listed)} fail.\n\n" + "\n\n".join(found), pytrace=False)

        signature = inspect.signature(test)
        others = [parameter for parameter in signature.parameters.values() if parameter.name not in names]
        tried.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
        return tried

    return decorated


def _given(names: list[str], case: Any) -> dict[str, Any]:
    return {names[0]: case} if len(names) == 1 else dict(zip(names, case, strict=True))


def _fault(test: Callable[..., None], given: dict[str, Any], case: Any) -> str:
    """What a case fails with, below its name; nothing if it does not."""
    has_rows = connection.in_atomic_block
    try:
        with transaction.atomic() if has_rows else nullcontext():
            test(**given)
            if has_rows:
                transaction.set_rollback(True)
    except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:  # the others are tried all the same
        return f"{str(case)[:300]}\n  {_where(error)}: {type(error).__name__}: {error}"
    finally:
        if has_rows:
            cache.clear()
    return ""


def _where(error: BaseException) -> str:
    """The line of the test, and not of what it called."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
