"""What other people's servers and code gave back, as PostgreSQL can keep it."""

from dataclasses import replace

from badgerjobs.lib.storable import cleaned
from badgerjobs.runs.outcomes import Done, Failed, Later, Outcome

LONGEST_SENTENCE = 1000


def storable(outcome: Outcome) -> Outcome:
    """The same, with U+FFFD for what cannot be kept."""
    if isinstance(outcome, Later):
        return outcome
    if isinstance(outcome, Done):
        return Done(cleaned(outcome.result), cleaned(outcome.output))
    assert isinstance(outcome, Failed)  # noqa: S101  there are no others
    return replace(outcome, error=cleaned(outcome.error)[:LONGEST_SENTENCE], result=cleaned(outcome.result))
