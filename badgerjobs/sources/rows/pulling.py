"""One pull of a source's rows: what it is given, what it gives, and what it says when it fails."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from badgerjobs.outbound.calls import Answer
from badgerjobs.sources.means import Means
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.results import Unfetched
from badgerjobs.sources.types import type_of


@dataclass(frozen=True, slots=True)
class Given:
    """`values` are for the source's variables; `remembered` is what the last pull that was kept gave to go on from."""

    now: datetime
    values: Mapping[str, Any] = field(default_factory=dict)
    remembered: Any = None


class Pulling(Protocol):
    """One pull of one source. It is used once.

    `remembered` is, after the last batch, what to go on from next time; None where nothing is remembered. `found` is
    what was found out about the source on the way, by a word (like `delimiter`), as JSON.
    """

    remembered: Any
    found: dict[str, Any]

    def batches(self) -> AsyncGenerator[list[Any], None]:
        """Rows, in order: JSON values, normally objects. A batch has 1,000 of them at most, or about 1 MB.

        Raises PullError. Who stops in the middle closes it (`contextlib.aclosing`), and the connection with it.
        """

    async def settle(self, *, kept: bool) -> None:
        """Said once, on the same loop, when it is known what became of the rows: whether they are stored for good.

        Only then a broker forgets them. Raises PullError where it does not.
        """


class PullError(Exception):
    """The rows did not all come: a word for machines, and a sentence for people without any secret.

    `retry`: another try may help. `retry_after` is how long the source wants to be left alone. `status` is that of its
    answer, if one came; `answer`, all of it, if it was none of 200 to 299.
    """

    def __init__(
        self,
        error_class: str,
        sentence: str,
        *,
        retry: bool = True,
        retry_after: timedelta | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(sentence)
        self.error_class = error_class
        self.sentence = sentence
        self.retry = retry
        self.retry_after = retry_after
        self.status = status
        self.answer: Answer | None = None


def of_unfetched(told: Unfetched, answer: Answer | None = None) -> PullError:
    """The same in the words of pulls."""
    error = PullError(
        told.error_class, told.error, retry=told.retry, retry_after=told.retry_after, status=told.status
    )  # fmt: skip
    error.answer = answer
    return error


def pull(source: DataSource, given: Given, means: Means) -> Pulling:
    """Begin a pull: nothing is asked before the first batch is. Raises PullError for a source that gives no rows."""
    begin = type_of(source.type).pull
    if begin is None:
        raise PullError("type", f"The source “{source.tag}” gives no rows.", retry=False)
    return begin(source, given, means)
