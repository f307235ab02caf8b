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

from badgerjobs.web.definitions.form import DefinitionForm
from badgerjobs.web.definitions.named_form import fill_in
from badgerjobs.web.definitions.rows import add_or_remove
from badgerjobs.web.definitions.saving import Saving
from badgerjobs.web.pages import PageRequest, show
from badgerjobs.workspaces.models import Application


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

    @property
    def saving(self) -> Saving:
        """How it is saved."""
        return Saving(self.a_what, self.what, self.create, self.update, self.clock)

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
        is_good = not is_filled and form.is_valid() and not self.saving.is_stale(form, row)
        if is_good and (saved := self.saving.saved(request, form, row, _changes(form) if row else form.given)):
            messages.success(request, f"{saved.name} is saved.")
            for said in getattr(saved, "warnings", ()):
                messages.warning(request, said)
            return redirect(f"{self.urls}:{self.what}", application.slug, saved.tag)
        if wrong := form.wrong():
            form.focus(wrong[0][0])
        return self.page(request, form, is_changed=True)

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
            "seen": self.saving.seen_in(request, form, row),
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


def _changes(form: DefinitionForm) -> dict[str, Any]:
    """What is given of one that is there: its type stays."""
    return {name: value for name, value in form.given.items() if name != "type"}
