"""What one may ask of the audit log. Each question stands in the address."""

from collections.abc import Iterable, Iterator
from datetime import datetime, time
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Q
from django.utils import timezone

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.panel.token_forms import end_of
from badgerjobs.workspaces.audit import ACTIONS
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.querysets import AuditQuerySet

# Ids begin in 1970, and go no further than the years that a date may have.
_DAY = {"min": "1970-01-01", "max": "9998-12-31"}


def actions() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """For each thing, all that can be done with it."""
    for thing, names in groupby(ACTIONS, key=lambda name: name.partition(".")[0]):
        yield thing, [(thing, f"anything: {thing}"), *((name, ACTIONS[name]) for name in names)]


class AuditFilters(forms.Form):
    """Who, what, where and when; all of it may be left out. `applications` are those of the workspace."""

    by = forms.CharField(required=False, max_length=300)
    action = forms.ChoiceField(required=False, choices=[("", "Anything done"), *actions()])
    application = forms.ChoiceField(required=False)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)

    def __init__(self, *args: Any, applications: Iterable[Application], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._applications = {application.slug: application for application in applications}
        field: Any = self.fields["application"]
        field.choices = [("", "Any application"), *((slug, found.name) for slug, found in self._applications.items())]
        field.error_messages["invalid_choice"] = "This workspace has no such application."
        self.fields["action"].error_messages["invalid_choice"] = "There is no such action."

    def clean(self) -> dict[str, Any]:
        """Raise ValidationError for a time that ends before it begins."""
        fields: dict[str, Any] = super().clean() or {}
        for name in ("since", "until"):
            day = fields.get(name)
            if day and not _DAY["min"] <= day.isoformat() <= _DAY["max"]:
                self.add_error(name, "Take a day from 1970 on.")
        since, until = fields.get("since"), fields.get("until")
        if since and until and until < since:
            self.add_error("until", f"Take {since.isoformat()} or a later day: the time begins then.")
        return fields

    @property
    def given(self) -> dict[str, str]:
        """What was asked for, as it stands in the address."""
        return {name: str(value) for name, value in self.cleaned_data.items() if value}

    @property
    def address(self) -> str:
        """The same, as the query of an address."""
        return urlencode(self.given)

    def within(self, log: AuditQuerySet) -> AuditQuerySet:
        """The log of the days asked for, as they are where the reader is."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since:
            start = datetime.combine(since, time(), tzinfo=timezone.get_current_timezone())
            log = log.filter(id__gte=uuid7_floor(max(start, datetime.fromtimestamp(0, start.tzinfo))))
        return log.filter(id__lt=uuid7_floor(end_of(until))) if until else log

    @property
    def wanted(self) -> Q:
        """Which entries of those days; an empty Q for all of them."""
        fields, wanted = self.cleaned_data, Q()
        if who := fields.get("by"):
            wanted &= Q(actor__icontains=who)
        if action := fields.get("action"):
            wanted &= Q(action=action) if "." in action else Q(action__startswith=f"{action}.")
        if slug := fields.get("application"):
            wanted &= Q(application=self._applications[slug])
        return wanted
