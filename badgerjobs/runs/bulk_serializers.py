"""What is asked of many runs at once by REST: which they are, and how many a minute."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from badgerjobs.runs.kinds import RUN_KINDS
from badgerjobs.runs.models import FINAL, Cause, State
from badgerjobs.runs.services import MOST_AT_ONCE
from badgerjobs.runs.shown import errors_shown
from badgerjobs.web.filters import BACKWARDS, MOST_WORDS, one_of, words_of
from badgerjobs.web.serializers import BoundedListField, MomentField, StrictSerializer

# A rate beyond this is none.
MOST_A_MINUTE = 60_000
UNFINISHED = [state.value for state in State if state not in FINAL]
# What was skipped was never run: its occurrences are run by a backfill.
OVER = [state.value for state in FINAL if state != State.SKIPPED]

# No word has them, and the database cannot even be asked: null characters and halves of letters.
_IN_NO_WORD = re.compile("[\x00\ud800-\udfff]")

# What is meant, by which names, and how to mean all.
NOT_SAID = "Say which {}: give {}, or at least one filter. {}"
NOT_BOTH = "Give either ids or filters, not both."


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
class WordsField(serializers.Field[Any, Any, Any, Any]):
    """One or more words: with commas between, as in an address, or in a list. Of `among`; None: any."""

    default_error_messages = {"invalid": "Give words with commas between, like in an address, or a list of words."}

    def __init__(self, among: Iterable[str] | Callable[[], Iterable[str]] | None = None, **kwargs: Any) -> None:
        self.among = among
        super().__init__(**{"required": False, **kwargs})

    def to_internal_value(self, data: Any) -> list[str]:
        """The words, at least one. Raises ValidationError."""
        # A request may bring a million of them: one too many is enough to be refused.
        given = data[: MOST_WORDS + 1] if isinstance(data, list) else [data]
        if not all(isinstance(one, str) and not _IN_NO_WORD.search(one) for one in given):
            self.fail("invalid")
        try:
            words = self._known(",".join(given))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None
        return words or self.fail("invalid")

    def _known(self, given: str) -> list[str]:
        """Raises ValueError for one that there is not."""
        if self.among is None:
            return words_of(given)
        return one_of(list(self.among() if callable(self.among) else self.among), given)


def per_minute() -> serializers.IntegerField:
    """How many may begin in a minute."""
    return serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MOST_A_MINUTE,
        help_text=f"No more of them begin in a minute: 1 to {MOST_A_MINUTE:,}. Null: all are due at once.",
    )


def dry_run() -> serializers.BooleanField:
    """Whether anything is done."""
    return serializers.BooleanField(default=False, help_text="Only count: nothing is done.")


class ChoiceSerializer(StrictSerializer):
    """Which runs are meant: by their ids, or by the filters of the list."""

    ids = BoundedListField(
        child=serializers.UUIDField(),
        required=False,
        allow_empty=False,
        max_length=MOST_AT_ONCE,
        help_text=f"These runs, up to {MOST_AT_ONCE:,}. Either ids or filters.",
    )
    cause = WordsField(Cause.values, help_text=f"One or more of {', '.join(Cause.values)}.")
    kind = WordsField(RUN_KINDS, help_text=f"What they perform: one or more of {', '.join(RUN_KINDS)}.")
    name = serializers.CharField(required=False, max_length=200, help_text="Of what: a job's tag.")
    error_class = WordsField(
        errors_shown, help_text="What was wrong with the last attempt, like timeout or status: one or more."
    )
    since = MomentField(required=False, help_text="Created at or after this time, ISO 8601 with a zone.")
    until = MomentField(required=False, help_text="Created before this time.")
    dry_run = dry_run()

    # How to mean all.
    everything = ""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nobody means all runs by saying nothing. Raises ValidationError."""
        filters = attrs.keys() - {"ids", "dry_run", "per_minute"}
        if "ids" in attrs and filters:
            raise serializers.ValidationError({"ids": [NOT_BOTH]})
        if "ids" not in attrs and not filters:
            raise serializers.ValidationError({"ids": [NOT_SAID.format("runs", "ids", self.everything)]})
        if "since" in attrs and "until" in attrs and attrs["since"] > attrs["until"]:
            raise serializers.ValidationError({"since": [BACKWARDS]})
        return attrs


class AbortSerializer(ChoiceSerializer):
    """Which runs are aborted, as far as they are not over."""

    state = WordsField(UNFINISHED, help_text=f"One or more of {', '.join(UNFINISHED)}; all of them unless given.")
    everything = f'All that are not over are {{"state": "{",".join(UNFINISHED)}"}}.'


class ReplaySerializer(ChoiceSerializer):
    """Which runs are replayed, as far as they are over."""

    state = WordsField(OVER, help_text=f"One or more of {', '.join(OVER)}; failed unless given.")
    per_minute = per_minute()
    everything = 'All that failed are {"state": "failed"}.'


class BackfillSerializer(StrictSerializer):
    """Which past occurrences are run, as far as they have no run."""

    since = MomentField(help_text="The first of them is at or after this time, ISO 8601 with a zone.")
    until = MomentField(help_text="The last of them is before this time; none is after now.")
    per_minute = per_minute()
    dry_run = dry_run()


class CountSerializer(serializers.Serializer[Any]):
    """How many it were."""

    count = serializers.IntegerField(help_text="How many runs; in a dry run, how many it would be.")


class AbortedSerializer(CountSerializer):
    """How many it were, and whether that was all."""

    more = serializers.BooleanField(
        help_text=f"Whether there are more: one request aborts {MOST_AT_ONCE:,}. Send it again."
    )
