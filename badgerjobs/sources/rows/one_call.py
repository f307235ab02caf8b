"""Pulls that make one call: its placeholders filled, and its answer opened."""

from contextlib import AbstractAsyncContextManager

from badgerjobs.outbound.calls import Call
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.pulls import Pull
from badgerjobs.sources.rows.streams import Stream, opened
from badgerjobs.sources.types.requests import request_of


def call_of(pull: Pull) -> Call:
    """The call with the values in it. Raises PullError for what cannot be filled."""
    values = pull.values()
    try:
        return request_of(pull.configuration, values, pull.given.now)
    except ValueError as error:
        raise PullError("variables", str(error), retry=False) from None


def opened_call(pull: Pull) -> AbstractAsyncContextManager[Stream]:
    """Its answer as it comes. Raises PullError."""
    return opened(pull.source, call_of(pull), pull.means, pull.given.now)
