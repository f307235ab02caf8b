"""What came of trying a source, as its form shows it."""

from collections.abc import Iterator
from typing import Any

from badgerjobs.sources.trials import SHOWN, Transformed
from badgerjobs.sources.trials_shown import TransformedShown


class Looked(list[int]):
    """A list that counts what is taken of it."""

    taken = 0

    def __iter__(self) -> Iterator[int]:
        for one in super().__iter__():
            self.taken += 1
            yield one


def test_of_a_deep_value_no_more_is_laid_out_than_is_shown() -> None:
    inner = Looked([1] * 100_000)
    value: Any = inner
    for _ in range(99):
        value = [value]
    shown = TransformedShown(Transformed(value)).value
    assert len(shown) == SHOWN
    assert shown.startswith("[\n  [\n")
    assert 0 < inner.taken < SHOWN // 100


def test_null_is_a_value() -> None:
    assert TransformedShown(Transformed(None)).value == "null"
