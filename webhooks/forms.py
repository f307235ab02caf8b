"""A hook as a form. Every rule is the serializer's and the services'; the form only speaks to people."""

import re
from collections.abc import Iterable, Mapping
from copy import copy
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from rest_framework import serializers

from badgerjobs.lib.amounts import BadAmountError, seconds
from badgerjobs.runs.policy_form import length_shown, number_field, unit_field
from badgerjobs.runs.retry_form import RETRY_NAMES, RetryForm, shown_as
from badgerjobs.web.definitions.configurations import masked
from badgerjobs.web.definitions.inputs import flat, plain
from badgerjobs.web.definitions.rows import Rows, RowsField
from badgerjobs.web.serializer_forms import LENIENT, first_sentence
from badgerjobs.workspaces.models import Application
from webhooks import action_rows
from webhooks.action_rows import ACTION, ActionRow
from webhooks.looks import CHALLENGES, REPEATS, RESPONSES, TOKEN, schemes
from webhooks.models import Challenge, Hook, Repeats, Response, Verification
from webhooks.models.hook import BODY_BYTES, METHODS, MOST_BODY_BYTES, REPEATS_WINDOW_S, RESPONSE_TYPES
from webhooks.serializers import MOST_WINDOW_S, HookSerializer
from webhooks.services import settings_of
from webhooks.setting_inputs import SettingsForm, settings_shown
from webhooks.verification import scheme_of

# What the serializer says of bytes and seconds, in the units of the form.
NO_KILOBYTES = f"Give a number of kilobytes, like 1000: {MOST_BODY_BYTES // 1000:,} at most."
TOO_LONG = f"Give a length, of {MOST_WINDOW_S // 3600} hours at most."
# Whoever writes `1e999000` is not computed for.
_AMOUNT = re.compile(r"[0-9,.]{1,12}")
IN_UNITS = {"max_bytes": ("kilobytes", NO_KILOBYTES), "repeats_window_s": ("window", TOO_LONG)}


def chosen(label: str, choices: Iterable[tuple[Any, str]], *, is_long: bool = False, **more: Any) -> forms.ChoiceField:
    """One of a few, side by side; or one of many, in a list that opens. What is none, the serializer refuses."""
    widget = forms.Select if is_long else forms.RadioSelect
    return forms.ChoiceField(label=label, choices=list(choices), widget=widget, **LENIENT, **more)


class HookForm(RetryForm, SettingsForm):
    """Whom it believes, what it takes and answers, and what it does. `hook` is the one being changed."""

    no_name = "Give the webhook a name, like shop-orders."

    verification = chosen("Verification", [(name, word) for name, word, _ in schemes()], is_long=True)
    challenge = chosen("Challenge", CHALLENGES.items(), is_long=True)
    verify_token = forms.CharField(
        label="Verify token",
        widget=forms.TextInput({"class": "mono", "autocomplete": "off"}),
        help_text="What hub.verify_token must be: you choose it, and give it to the provider. Shown as stars.",
        **LENIENT,
    )
    methods = forms.MultipleChoiceField(
        label="Methods", choices=[(one, one) for one in METHODS], widget=forms.CheckboxSelectMultiple, **LENIENT
    )
    kilobytes = forms.CharField(label="Body at most", widget=number_field(), **LENIENT)
    rate = forms.CharField(
        label="Calls at most",
        widget=number_field(),
        help_text="Empty: as many as the application may have. Whoever sends more is asked to wait.",
        **LENIENT,
    )
    repeats = chosen("The same again", REPEATS.items())
    repeats_header = forms.CharField(
        label="Header",
        widget=forms.TextInput({"class": "mono", "autocomplete": "off", "placeholder": "X-Event-Id"}),
        **LENIENT,
    )
    window = forms.CharField(label="Known for", widget=number_field(), **LENIENT)
    window_unit = unit_field("Known for")
    response = chosen("Answer", RESPONSES.items())
    response_status = forms.CharField(label="Status", widget=number_field(), **LENIENT)
    response_type = chosen("Content type", [(one, one) for one in RESPONSE_TYPES], is_long=True)
    response_body = forms.CharField(
        label="Body",
        strip=False,
        widget=forms.Textarea({"rows": "3", "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}),
        **LENIENT,
    )
    actions = RowsField(ACTION, label="Actions", required=False)

    def __init__(self, data: Any = None, *, application: Application, hook: Hook | None = None, **more: Any) -> None:
        self.hook, self.application = hook, application
        super().__init__(data, **{"auto_id": "%s", **more})

    def clean(self) -> dict[str, Any]:
        """Tell everything to the serializer, and the settings to the service: people want to know all at once."""
        self.numbers: list[int] = []
        self.typed_rows = self.cleaned_data.get("actions") or []
        told = self._told()
        if not self.is_of_task and not {"name", "tag"} & told.keys():
            self.refuse("name", self.no_name)
        context = {"application": self.application, "looks_anew": True}
        judged = HookSerializer(self.hook, data=told, partial=self.hook is not None, context=context)
        for name, said in flat({} if judged.is_valid() else judged.errors).items():
            self.refuse(name, said)
        self._judge_settings(told)
        self.row_errors = {name: dict(sorted(wrong.items())) for name, wrong in self.row_errors.items()}
        self.given = dict(judged.validated_data) if not self.errors else {}
        return self.cleaned_data

    def _told(self) -> dict[str, Any]:
        """As REST takes it: only what the choices ask for."""
        given = self.cleaned_data
        own = {} if self.is_of_task else {**self.named_told(self.hook), "actions": self._actions()}
        names = ("verification", "challenge", "repeats", "response")
        return {
            **own,
            **{name: given.get(name) or self.data.get(name, "") for name in names},
            "settings": self._settings(),
            "methods": given.get("methods", []),
            **self._limits(),
            **self._repeats(),
            **self._response(),
            **self.retries_told(wanted=True),
        }

    def _settings(self) -> dict[str, Any]:
        scheme, token = self.cleaned_data.get("verification", ""), self.cleaned_data.get("verify_token", "")
        found = self.settings_told(scheme) if scheme else {}
        return {**found, TOKEN: token} if token and self.cleaned_data.get("challenge") == Challenge.HUB else found

    def _limits(self) -> dict[str, Any]:
        rate, size = (self.cleaned_data.get(name, "").strip() for name in ("rate", "kilobytes"))
        found: dict[str, Any] = {"rate": rate or None}
        try:
            found["max_bytes"] = int(Decimal(size.replace(",", "") if _AMOUNT.fullmatch(size) else "") * 1000)
        except InvalidOperation:
            self.refuse("kilobytes", NO_KILOBYTES)
        return found

    def _repeats(self) -> dict[str, Any]:
        given = self.cleaned_data
        is_header = given.get("repeats") == Repeats.HEADER
        told: dict[str, Any] = {"repeats_header": given.get("repeats_header", "").strip() if is_header else ""}
        if given.get("repeats") in {"", Repeats.NONE}:
            return told
        try:
            told["repeats_window_s"] = seconds(given.get("window", "").strip(), given.get("window_unit") or "hours")
        except BadAmountError as error:
            self.refuse("window", str(error))
        return told

    def _response(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("response") != Response.FIXED:
            return {}
        told = {name: given.get(name, "").strip() for name in ("response_status", "response_type")}
        return {**told, "response_body": plain(given.get("response_body", ""))}

    def _actions(self) -> list[dict[str, Any]]:
        found = []
        wrong = {}
        for number, action in action_rows.actions_told(self.typed_rows):
            if action:
                self.numbers.append(number)
                found.append(action)
            else:
                wrong[number] = action_rows.NO_TYPE
        if wrong:
            self.row_errors["actions"] = wrong
            super().refuse("actions", action_rows.NO_TYPE)
        return found

    def _judge_settings(self, told: Mapping[str, Any]) -> None:
        """Stars go to no other verification, and what that needs is there."""
        if "verification" in self.errors or not told["verification"]:
            return
        hook = copy(self.hook) if self.hook else Hook(application=self.application)
        before, hook.verification = hook.verification, told["verification"]
        try:
            settings_of(hook, told["settings"], before if self.hook else "")
        except serializers.ValidationError as error:
            for name, said in flat(error.detail).items():
                self.refuse(name, said)

    def refuse(self, field: str, said: Any) -> None:
        """The same by the name that the serializer gives to a field."""
        sentence = first_sentence(said)
        name, _, deeper = field.partition(".")
        if name == "settings":
            inner, _, place = deeper.partition(".")
            scheme = self.cleaned_data.get("verification", "")
            name = TOKEN if inner == TOKEN else f"{scheme}_{inner}"
            sentence = f"{place}: {sentence}" if place and not place.isdigit() else sentence
        elif name == "actions" and deeper:
            self._refuse_action(deeper, said)
            return
        elif name == "tag":
            name, sentence = self.of_tag(sentence)
        super().refuse(*IN_UNITS.get(name, (name, sentence)))

    def _refuse_action(self, path: str, said: Any) -> None:
        """Beside its row: `2.job` is the field of the third that was told."""
        place, _, field = path.partition(".")
        number = self.numbers[int(place)] if place.isdigit() and int(place) < len(self.numbers) else 0
        first = said[0] if isinstance(said, list) and said else said
        sentence = first_sentence(said)
        if getattr(first, "code", "") in {"required", "blank"}:
            sentence = action_rows.needed(self.typed_rows[number - 1], field)
        self.row_errors.setdefault("actions", {}).setdefault(number, sentence)
        super().refuse("actions", sentence)

    @property
    def is_of_task(self) -> bool:
        """Whether its name, its transform and what it does are those of a task."""
        return bool(self.hook and self.hook.task_id)

    @property
    def schemes(self) -> list[tuple[str, str, str]]:
        return schemes()

    @property
    def action_rows(self) -> list[ActionRow]:
        rows = list(self["actions"].value() or [])
        return action_rows.shown(rows, self.row_errors.get("actions") or self._gone(rows))

    def _gone(self, rows: Rows) -> dict[int, str]:
        """Number of a row → that what it acts upon was deleted, of a hook that is opened."""
        return {} if self.is_bound or self.hook is None else action_rows.gone(rows, self.application)

    @property
    def blank_action(self) -> ActionRow:
        """A row that scripts copy."""
        return action_rows.blank()

    @property
    def action_kinds(self) -> list[tuple[str, str]]:
        return action_rows.kinds()

    def has_own_retries(self) -> bool:
        """Whether it is tried again in another way than what is new, or something is wrong there."""
        usual = shown_as(self.application.policy)
        values = {name: self[name].value() for name in usual}
        return any(name in self.errors or str(values[name] or "") != str(usual[name] or "") for name in usual)

    def in_order(self) -> Iterable[str]:
        """The fields in their order on the page."""
        settings = [row.field.name for row in self.setting_rows()]
        return ("name", "tag", "actions", "verification", *settings, "challenge", TOKEN, "response", "response_status",
                "response_type", "response_body", "repeats", "repeats_header", "window", "window_unit", "methods",
                "kilobytes", "rate", *RETRY_NAMES)  # fmt: skip


def initial_of(hook: Hook) -> dict[str, Any]:
    """A stored hook as the form shows it: secrets are stars."""
    settings = masked(hook.settings, scheme_of(hook.verification).secrets)
    names = (
        "name", "verification", "challenge", "methods", "rate", "repeats", "repeats_header", "response",
        "response_status", "response_type", "response_body",
    )  # fmt: skip
    return {
        **{name: getattr(hook, name) for name in names},
        **settings_shown(hook.verification, settings),
        TOKEN: settings.get(TOKEN, ""),
        "kilobytes": f"{Decimal(hook.max_bytes) / 1000:f}",
        **length_shown("window", hook.repeats_window_s),
        "actions": action_rows.as_rows(hook.actions),
        **shown_as(hook.runnable.policy),
    }


def initial_new(application: Application) -> dict[str, Any]:
    """What a new hook begins with."""
    return {
        **settings_shown("", {}),
        "verification": Verification.NONE,
        "challenge": Challenge.NONE,
        "methods": ["POST"],
        "kilobytes": f"{Decimal(BODY_BYTES) / 1000:f}",
        "repeats": Repeats.NONE,
        **length_shown("window", REPEATS_WINDOW_S),
        "response": Response.ID,
        "response_status": 200,
        "response_type": RESPONSE_TYPES[0],
        "actions": [],
        **shown_as(application.policy),
    }
