"""Saving what a form says: nothing is overwritten unseen, and what only the service sees stands beside its field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rest_framework import serializers

from badgerjobs.web.definitions.inputs import flat
from badgerjobs.web.definitions.named_form import CHANGED_MEANWHILE, NamedForm
from badgerjobs.web.pages import PageRequest, actor_of
from badgerjobs.web.problems import Conflict

TAKEN = "There is {} with the tag “{}” already: give this one another."


def when_changed(row: Any) -> str:
    """What changes with each change of a row."""
    return str(row.updated_at.isoformat())


def seen_in(request: PageRequest, form: NamedForm, seen: str) -> str:
    """What a form bears: `seen` when it is opened, and no other when it comes back with something wrong in it."""
    return str(form.data.get("seen") or request.POST.get("seen") or seen)


def is_stale(form: NamedForm, seen: str) -> bool:
    """Whether somebody else changed what the form shows since it was opened. Said once: its data are a copy."""
    data: Any = form.data
    if data.get("seen", "") == seen:
        return False
    form.refuse("", CHANGED_MEANWHILE)
    data["seen"] = seen
    return True


@dataclass(frozen=True, slots=True)
class Saving:
    """How a form's row is saved.

    `a_what` is one of them with its article; `create` and `update` are the services, the second takes the row by the
    name `takes`; `clock` says what is now for them. A form bears what `seen` said of the row as long as it is open.
    """

    a_what: str
    takes: str
    create: Callable[..., Any]
    update: Callable[..., Any]
    clock: Callable[[], datetime]
    seen: Callable[[Any], str] = when_changed

    def seen_in(self, request: PageRequest, form: NamedForm, row: Any) -> str:
        """What the form bears."""
        return seen_in(request, form, self.seen(row) if row else "")

    def is_stale(self, form: NamedForm, row: Any) -> bool:
        """Whether somebody else changed the row while the form was open; said once."""
        return bool(row) and is_stale(form, self.seen(row))

    def saved(self, request: PageRequest, form: NamedForm, row: Any, given: Mapping[str, Any]) -> Any:
        """The row, made or changed. None when something stands against it that only the service sees."""
        fields = dict(given)
        tag = fields.pop("tag", None)
        by, now = actor_of(request), self.clock()
        try:
            if row:
                return self.update(**{self.takes: row}, by=by, now=now, **fields)
            return self.create(application=form.application, tag=tag, by=by, now=now, **fields)
        except Conflict as error:
            if row:
                form.refuse("", str(error.detail))
            else:
                form.refuse("tag" if form.cleaned_data["tag"] else "name", TAKEN.format(self.a_what, tag))
        except serializers.ValidationError as error:
            for name, sentence in flat(error.detail).items():
                form.refuse(name, sentence)
        return None
