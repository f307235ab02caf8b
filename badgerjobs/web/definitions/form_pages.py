"""Making and changing what has a type, in a form: the same for events, connections and sources."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from rest_framework import serializers

from badgerjobs.web.definitions.form import DefinitionForm
from badgerjobs.web.definitions.inputs import flat
from badgerjobs.web.definitions.named_form import CHANGED_MEANWHILE, fill_in
from badgerjobs.web.definitions.rows import add_or_remove
from badgerjobs.web.pages import PageRequest, actor_of, show
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application

TAKEN = "There is {} with the tag “{}” already: give this one another."


@dataclass(frozen=True, slots=True)
class FormPages:
    """What is made and changed there.

    `what` is one of them, `a_what` with its article; `urls` their namespace, in which they are named `new-WHAT`,
    `edit-WHAT`, `WHAT` and `WHATs`. `types` are there to choose from, `lines` says what each is for. `create` and
    `update` are the services, `clock` what they take for now; `beside` gives what else `template` shows.
    """

    what: str
    a_what: str
    urls: str
    types: Any
    form: type[DefinitionForm]
    create: Callable[..., Any]
    update: Callable[..., Any]
    clock: Callable[[], datetime]
    template: str
    lines: Mapping[str, str] = field(default_factory=dict)
    beside: Callable[[PageRequest, Application, DefinitionForm], Mapping[str, Any]] = lambda *_: {}

    def asked_type(self, request: PageRequest) -> str:
        """The type that the address names; empty where it names none."""
        asked = request.GET.get("type", "").upper()
        return asked if asked in self.types.values else ""

    def new(self, request: PageRequest, application: Application) -> HttpResponse:
        """Choose a type; with `?type=…`, fill in a new one of it."""
        type_name = self.asked_type(request)
        if type_name:
            return self._filled_in(request, application, type_name, None)
        context = {
            "types": [(name, label, self.lines.get(name, "")) for name, label in self.types.choices],
            "what": self.what,
            "list": reverse(f"{self.urls}:{self.what}s", args=[application.slug]),
        }
        return show(request, "definitions/types.html", context)

    def edit(self, request: PageRequest, application: Application, row: Any) -> HttpResponse:
        """Change this one."""
        return self._filled_in(request, application, row.type, row)

    def _filled_in(self, request: PageRequest, application: Application, type_name: str, row: Any) -> HttpResponse:
        """Show it; or save what was sent, unless a button asked for something else that the form does."""
        if request.method != "POST":
            form = self.form(application=application, type_name=type_name, row=row)
            if not row:
                form.focus("name")
            return self.page(request, form)
        do, data = request.POST.get("do", ""), request.POST.copy()
        if add_or_remove(data, do):
            begun = self.form(application=application, type_name=type_name, row=row, so_far=data)
            return self.page(request, begun, is_changed=True, added=added_row(do))
        is_filled = fill_in(data, do)
        form = self.form(data, application=application, type_name=type_name, row=row)
        if not is_filled and form.is_valid() and not _is_stale(form, data) and (saved := self._saved(request, form)):
            messages.success(request, f"{saved.name} is saved.")
            for said in getattr(saved, "warnings", ()):
                messages.warning(request, said)
            return redirect(f"{self.urls}:{self.what}", application.slug, saved.tag)
        if wrong := form.wrong():
            form.focus(wrong[0][0])
        return self.page(request, form, is_changed=True)

    def _saved(self, request: PageRequest, form: DefinitionForm) -> Any:
        """The row, made or changed. None when something stands against it that only the service sees."""
        fields = dict(form.given)
        tag = fields.pop("tag", None)
        by, now = actor_of(request), self.clock()
        try:
            if form.row:
                fields.pop("type", None)
                return self.update(**{self.what: form.row}, by=by, now=now, **fields)
            return self.create(application=form.application, tag=tag, by=by, now=now, **fields)
        except Conflict as error:
            taken = TAKEN.format(self.a_what, tag)
            place = "" if form.row else "tag" if form.cleaned_data["tag"] else "name"
            form.refuse(place, str(error.detail) if form.row else taken)
        except serializers.ValidationError as error:
            for name, said in flat(error.detail).items():
                form.refuse(name, said)
        return None

    def page(self, request: PageRequest, form: DefinitionForm, **more: Any) -> HttpResponse:
        """The form, with what belongs beside it."""
        row, application = form.row, form.application
        here = [application.slug, row.tag] if row else [application.slug]
        address = reverse(f"{self.urls}:{'edit' if row else 'new'}-{self.what}", args=here)
        rows = reverse(f"{self.urls}:{self.what}s", args=[application.slug])
        context = {
            "form": form,
            "row": row,
            "what": self.what,
            "label": str(self.types(form.type).label),
            "line": self.lines.get(form.type, ""),
            "seen": _seen(row) if row else "",
            "address": address if row else f"{address}?{urlencode({'type': form.type})}",
            "list": rows,
            "back": reverse(f"{self.urls}:{self.what}", args=here) if row else rows,
            **self.beside(request, application, form),
            **more,
        }
        return show(request, self.template, context)


def added_row(do: str) -> str:
    """Of which kind a button has added a row; empty for what adds none."""
    what, _, _ = do.partition(":")
    return what.removeprefix("add-") if what.startswith("add-") else ""


def _is_stale(form: DefinitionForm, data: Any) -> bool:
    """Whether somebody else changed it while the form was open; said once."""
    if not form.row or data.get("seen", "") == _seen(form.row):
        return False
    form.refuse("", CHANGED_MEANWHILE)
    return True


def _seen(row: Any) -> str:
    return str(row.updated_at.isoformat())
