"""A retry policy as a form: what a person chooses, told to the serializer that holds every rule."""

import re
from dataclasses import replace
from typing import Any

from django import forms

from badgerjobs.lib.backoff import LIST, REPEATER, Retries
from badgerjobs.lib.retry_fields import MOST_FOR_S, MOST_RETRIES, MOST_STEP_S, SHORTHAND

POLICIES = [
    ("incremental", "A step longer each time"),
    ("exponential", "Twice as long each time"),
    ("polynomial", "Retry⁴ steps"),
    (LIST, "As listed"),
    (SHORTHAND, "Retry⁴ seconds, 24 times"),
]


class RetryForm(forms.Form):
    """How a failed attempt is repeated. The fields take anything: the serializer judges what `retries_told` gives."""

    retry_policy = forms.ChoiceField(label="Waits", choices=POLICIES, required=False)
    retries = forms.CharField(
        label="Retries", widget=forms.NumberInput({"min": "0", "max": str(MOST_RETRIES)}), required=False
    )
    retry_step = forms.CharField(
        label="Step", widget=forms.NumberInput({"min": "1", "max": str(MOST_STEP_S)}), required=False
    )
    retry_delays = forms.CharField(
        label="Waits in seconds",
        widget=forms.TextInput({"class": "mono short", "placeholder": "10, 60, 600", "autocomplete": "off"}),
        help_text="One for each retry, with commas between.",
        required=False,
    )
    retry_for = forms.CharField(
        label="Within",
        widget=forms.NumberInput({"min": "1", "max": str(MOST_FOR_S)}),
        help_text="No attempt begins later than this after the first one began. Empty: there is no such end.",
        required=False,
    )

    def retries_told(self, *, wanted: bool) -> dict[str, Any]:
        """The fields of REST. Empty when no policy was chosen; without a number where none are `wanted`."""
        given = {name: self.cleaned_data.get(name, "").strip() for name in RETRY_NAMES}
        if not given["retry_policy"]:
            return {}
        told: dict[str, Any] = {"retry_policy": given["retry_policy"], "retry_for": given["retry_for"] or None}
        if told["retry_policy"] == SHORTHAND:
            return told
        if told["retry_policy"] == LIST:
            told["retry_delays"] = re.findall(r"[^\s,;]+", given["retry_delays"])
            return {**told, "retry_step": given["retry_step"]} if given["retry_step"].isdecimal() else told
        told["retry_step"] = given["retry_step"]
        return {**told, "retries": given["retries"]} if wanted else told


RETRY_NAMES = tuple(RetryForm.base_fields)


def shown_as(policy: Retries) -> dict[str, Any]:
    """A policy as the form shows it."""
    is_short = replace(policy, for_s=None) == REPEATER
    return {
        "retry_policy": SHORTHAND if is_short else policy.backoff,
        "retries": policy.retries,
        "retry_step": policy.step_s,
        "retry_delays": ", ".join(str(delay) for delay in policy.delays),
        "retry_for": policy.for_s,
    }
