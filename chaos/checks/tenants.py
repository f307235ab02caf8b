"""I8: nothing of one tenant is in the hands of another: neither rows, nor calls, nor what a token shows in REST."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chaos.books import Books
from chaos.checks.violation import Violation
from chaos.history import Call


@dataclass(frozen=True, slots=True)
class Shown:
    """What a token was shown: rows as `(what, id, whose)`, and the ids of others that did not give a 404."""

    tenant: str
    rows: Sequence[tuple[str, str, str]]
    opened: Sequence[str] = ()


def rows_apart(books: Books, calls: Sequence[Call]) -> Iterator[Violation]:
    """Runs and attempts belong to the application of their job, and its own addresses are called for them."""
    owners = {run.id: run.job.split("/")[0] for run in books.runs}
    for run in books.runs:
        if run.tenant != owners[run.id]:
            yield Violation("mixed", f"{run.job}: run {run.id} belongs to {run.tenant}.")
    for attempt in books.attempts:
        if attempt.tenant != owners.get(attempt.run, attempt.tenant):
            yield Violation("mixed", f"An attempt of run {attempt.run} belongs to {attempt.tenant}.")
    for call in calls:
        if call.job.split("/")[0] != owners.get(call.run, call.job.split("/")[0]):
            yield Violation("mixed", f"{call.job} was called for a run of {owners[call.run]}.")


def tokens_apart(shown: Shown) -> Iterator[Violation]:
    """A token opens what is its application's and nothing else."""
    for what, row, whose in shown.rows:
        if whose != shown.tenant:
            yield Violation("mixed", f"The token of {shown.tenant} shows {what} {row} of {whose or 'nobody'}.")
    for address in shown.opened:
        yield Violation("mixed", f"The token of {shown.tenant} opens {address}, which is another's.")
