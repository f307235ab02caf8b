"""What is told, and what is not because there was a notice of the same just now: each rule is a row."""

from datetime import timedelta
from uuid import UUID

import pytest

from badgerjobs.notices.quiet import (
    Seen,
    Silence,
    Telling,
    Wish,
    judge_closing,
    judge_end_of_quiet,
    judge_opening,
)
from tests.factories import NOW

A, B = UUID(int=1), UUID(int=2)
HOUR = timedelta(hours=1)
WISH = Wish({"failed", "late"}, HOUR)
EARLIER = NOW - timedelta(minutes=10)


def seen(**fields: object) -> Seen:
    given = {"id": A, "trouble": "failed", "opened_at": NOW, **fields}
    return Seen(**given)  # type: ignore[arg-type]


def after(**fields: object) -> Silence:
    """The quiet that a notice of now begins."""
    return Silence(**{"ends_at": NOW + HOUR, "told": A, **fields})  # type: ignore[arg-type]


LOUD = Silence(NOW, told=B, more=3, more_since=EARLIER)  # its quiet is over at this very moment
QUIET = Silence(NOW + timedelta(seconds=1), told=B)


@pytest.mark.parametrize(
    ("incident", "silence", "wish", "silence_then", "telling"),
    [
        pytest.param(seen(), None, WISH, after(), Telling(A), id="the first of all"),
        pytest.param(seen(), None, None, None, None, id="nobody wants to know"),
        pytest.param(seen(trouble="warned"), None, WISH, None, None, id="nobody wants to know of this"),
        pytest.param(seen(by_hand=True, closed_at=NOW), None, WISH, None, None, id="a person took care of it"),
        pytest.param(seen(closed_at=NOW), None, WISH, after(told=None), Telling(A), id="over already: told once"),
        pytest.param(seen(), LOUD, WISH, after(), Telling(A, 3, EARLIER), id="after the quiet, with what was counted"),
        pytest.param(
            seen(), QUIET, WISH, Silence(QUIET.ends_at, B, A, 1, NOW), None, id="within the quiet: held and counted"
        ),
        pytest.param(
            seen(closed_at=NOW),
            QUIET,
            WISH,
            Silence(QUIET.ends_at, B, None, 1, NOW),
            None,
            id="opened and over within the quiet: counted alone",
        ),
        pytest.param(
            seen(),
            Silence(QUIET.ends_at, B, None, 4, EARLIER),
            WISH,
            Silence(QUIET.ends_at, B, A, 5, EARLIER),
            None,
            id="counted on",
        ),
        pytest.param(seen(), None, Wish({"failed"}, timedelta(0)), after(ends_at=NOW), Telling(A), id="no quiet"),
        pytest.param(
            seen(),
            Silence(NOW, told=B),
            Wish({"failed"}, timedelta(0)),
            after(ends_at=NOW),
            Telling(A),
            id="ever again",
        ),
    ],
)
def test_an_opening(
    incident: Seen, silence: Silence | None, wish: Wish | None, silence_then: Silence | None, telling: Telling | None
) -> None:
    assert judge_opening(incident, silence, wish, NOW) == (silence_then, telling)


HELD = Silence(NOW, told=None, held=A, more=4, more_since=EARLIER)


@pytest.mark.parametrize(
    ("silence", "held", "wish", "silence_then", "telling"),
    [
        pytest.param(HELD, seen(), WISH, after(), Telling(A, 3, EARLIER), id="still open: told, with the others"),
        pytest.param(
            Silence(NOW, held=A, more=1, more_since=NOW), seen(), WISH, after(), Telling(A), id="still open, and alone"
        ),
        pytest.param(HELD, seen(closed_at=NOW), WISH, Silence(NOW, None, None, 4, EARLIER), None, id="over by itself"),
        pytest.param(HELD, None, WISH, Silence(NOW, None, None, 4, EARLIER), None, id="deleted with its job"),
        pytest.param(
            HELD, seen(), None, Silence(NOW, None, None, 4, EARLIER), None, id="nobody wants to know any more"
        ),
        pytest.param(HELD, seen(), Wish({"late"}, HOUR), Silence(NOW, None, None, 4, EARLIER), None, id="nor of this"),
    ],
)
def test_the_end_of_the_quiet(
    silence: Silence, held: Seen | None, wish: Wish | None, silence_then: Silence, telling: Telling | None
) -> None:
    assert judge_end_of_quiet(silence, held, wish, NOW) == (silence_then, telling)


OVER = seen(closed_at=NOW)


@pytest.mark.parametrize(
    ("incident", "silence", "wish", "silence_then", "telling"),
    [
        pytest.param(OVER, after(), WISH, after(told=None), Telling(A), id="its opening was told"),
        pytest.param(OVER, None, WISH, None, None, id="it was not: nobody wanted to know then"),
        pytest.param(OVER, after(told=B), WISH, after(told=B), None, id="another one was"),
        pytest.param(
            OVER, after(told=B, held=A, more=2), WISH, after(told=B, more=2), None, id="it was held back, and stays so"
        ),
        pytest.param(OVER, after(), Wish({"failed"}, HOUR, recovered=False), after(told=None), None, id="not wanted"),
        pytest.param(OVER, after(), Wish({"late"}, HOUR), after(told=None), None, id="no more of this"),
        pytest.param(OVER, after(), None, after(told=None), None, id="no more at all"),
    ],
)
def test_a_closing(
    incident: Seen, silence: Silence | None, wish: Wish | None, silence_then: Silence | None, telling: Telling | None
) -> None:
    assert judge_closing(incident, silence, wish) == (silence_then, telling)
