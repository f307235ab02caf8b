"""The question before something is done with many rows of a list: a yes is one to so many, and to no others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from badgerjobs.web.pages import PageRequest, ask
from badgerjobs.web.typed import number_of, uuid_of

# So many are named before anybody says yes.
NAMED = 5

# From the id of an older row to that of a newer one, both included.
Span = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """The rows that are meant, and what is to be done with them, in words.

    `ids`, the newest first, are one more than the `most` that may be done at once where there are more of `those`.
    `named` says what some are called, `counted` how many they are. `act` does it to all of them, and says to how many;
    `none` is said where it did it to none. `keep`, of the way back, is what it says of one and of several.
    """

    ids: Sequence[UUID]
    most: int
    verb: str
    done: str
    text: str
    none: str
    named: Callable[[Sequence[UUID]], list[str]]
    counted: Callable[[int], str]
    act: Callable[..., int]
    those: str = "that match"
    keep: tuple[str, str] = ("Keep as it is", "Keep as they are")
    danger: bool = False

    @property
    def at_once(self) -> Sequence[UUID]:
        """Those that it is done to."""
        return self.ids[: self.most]


def span_of(request: PageRequest) -> Span | None:
    """Between which rows those are that somebody was asked about: what came after is none of them."""
    oldest, newest = (uuid_of(request.POST.get(name, "")) for name in ("oldest", "newest"))
    return (oldest, newest) if oldest and newest else None


def ticked(request: PageRequest, field: str, most: int) -> list[UUID]:
    """The rows that were ticked, so many at the most."""
    return [one for given in request.GET.getlist(field)[:most] if (one := uuid_of(given))]


def ask_about(request: PageRequest, many: Many, *, back: str, form: Any = None) -> HttpResponse:
    """The question, or what comes of the answer. `form` is what else has to be said before `act`, which is given it."""
    confirmed = number_of(request.POST.get("asked", ""), digits=8)
    if request.GET.get("all") and span_of(request) is None:  # a yes to nobody knows which
        confirmed = None
    # Who said yes said it to so many: when more match by now, they are told first.
    has_grown = confirmed is not None and len(many.at_once) > confirmed
    if confirmed is None or has_grown or (form and not form.is_valid()):
        return ask(request, back=back, form=form, **_question(many, confirmed if has_grown else None))
    count = many.act(many.at_once, **(form.cleaned_data if form else {}))
    messages.success(request, f"{many.done} {many.counted(count)}." if count else many.none)
    return redirect(back)


def _question(many: Many, confirmed: int | None) -> dict[str, Any]:
    """What `ask` is to show. `confirmed`: to how many somebody said yes before."""
    count, text = len(many.at_once), many.text
    if confirmed is not None:
        text = f"There are {count:,} by now, and not {confirmed:,}. {text}"
    if len(many.ids) > many.most:
        text = f"There are more than {many.most:,} {many.those}: these are the newest {count:,}. {text}"
    items = many.named(many.ids[:NAMED])
    if count > len(items):
        items.append(f"and {count - len(items):,} more")
    return {
        "title": f"{many.verb} {many.counted(count)}?",
        "text": text,
        "items": items,
        "confirm": f"{many.verb} {many.counted(count)}",
        "keep": many.keep[count > 1],
        "danger": many.danger,
        "hidden": {"asked": [str(count)], "oldest": [str(many.at_once[-1])], "newest": [str(many.ids[0])]},
    }
