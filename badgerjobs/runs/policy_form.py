"""How the engine handles what runs, as a form: what a person chooses, told to the serializer that holds every rule."""

from typing import Any

from django import forms

from badgerjobs.lib.amounts import LENGTHS_S, BadAmountError, in_words_of, seconds
from badgerjobs.runs.models import CatchUp, Overlap, Runnable
from badgerjobs.runs.policy_words import CATCH_UP, OVERLAP
from badgerjobs.runs.serializers import DEFAULTS

UNITS = [(name, name) for name in LENGTHS_S]
ZERO_IS_NONE = "Nothing is due at most 0 ago: give a number above 0, or leave it empty for no limit."


def number_field() -> forms.TextInput:
    """A short field for a number. No field of the browser's: that would send nothing in the place of what is none."""
    return forms.TextInput({"inputmode": "decimal", "size": "4", "autocomplete": "off"})


def unit_field(of: str) -> forms.ChoiceField:
    """In what a length is counted."""
    return forms.ChoiceField(choices=UNITS, widget=forms.Select({"aria-label": f"{of}, in"}), required=False)


class PolicyForm(forms.Form):
    """What overlaps, what was missed, what goes first. The fields take anything: the serializer judges."""

    overlap = forms.ChoiceField(
        label="When the run before is not over", choices=Overlap.choices, widget=forms.RadioSelect, required=False
    )
    catch_up = forms.ChoiceField(
        label="After an outage, run", choices=CatchUp.choices, widget=forms.RadioSelect, required=False
    )
    catch_up_within = forms.CharField(
        label="Due at most",
        widget=number_field(),
        help_text="Empty: however long ago. What is older is not run any more, and is skipped as missed.",
        required=False,
    )
    catch_up_within_unit = unit_field("Due at most")
    priority = forms.CharField(
        label="Priority",
        widget=number_field(),
        help_text="0 to 100, of what waits. 50 unless told otherwise.",
        required=False,
    )

    def policies_told(self) -> dict[str, Any]:
        """The fields of REST; nothing of what was not on the page."""
        typed = {name: self.cleaned_data.get(name, "").strip() for name in ("overlap", "catch_up", "priority")}
        told: dict[str, Any] = {name: text for name, text in typed.items() if name in self.data and text}
        if "priority" in self.data and not typed["priority"]:
            told["priority"] = DEFAULTS.priority
        if "catch_up_within" in self.data:
            told["catch_up_within"] = length_told(self, "catch_up_within", zero=ZERO_IS_NONE)
        return told

    def has_own_policies(self) -> bool:
        """Whether one of them, or its spread, is not as it is unless told otherwise, or something is wrong there."""
        usual = {**policies_shown(DEFAULTS), "spread": ""}
        values = {name: str(self[name].value() or "") for name in usual if not name.endswith("_unit")}
        own = any(value not in {"", str(usual[name])} for name, value in values.items())
        return own or any(name in self.errors for name in usual) or self["priority"].value() in {0, "0"}

    def overlaps(self) -> list[tuple[Any, str]]:
        """Each choice, and what it means."""
        return [(described(radio), OVERLAP[Overlap(radio.data["value"])]) for radio in self["overlap"]]

    def catch_ups(self) -> list[tuple[Any, str]]:
        """Each choice, and what it means."""
        return [(described(radio), CATCH_UP[CatchUp(radio.data["value"])]) for radio in self["catch_up"]]


def described(radio: Any) -> Any:
    """A choice whose meaning is read out after its name."""
    described = radio.data["attrs"].get("aria-describedby")
    radio.data["attrs"]["aria-describedby"] = " ".join(filter(None, [f"{radio.id_for_label}_means", described]))
    return radio


def policies_shown(runnable: Runnable) -> dict[str, Any]:
    """Stored policies as the form shows them."""
    return {
        "overlap": runnable.overlap,
        "catch_up": runnable.catch_up,
        **length_shown("catch_up_within", runnable.catch_up_within_s),
        "priority": runnable.priority,
    }


def length_shown(field: str, length_s: int | None) -> dict[str, str]:
    """A stored length as a number and a unit: `{"spread": "5", "spread_unit": "minutes"}`."""
    number, unit = in_words_of(length_s) if length_s else ("", "minutes")
    return {field: number, f"{field}_unit": unit}


def length_told(form: forms.Form, field: str, *, zero: str = "") -> str | None:
    """A number and a unit as ISO 8601, and None where there is none. What is no length is said beside the field.

    `zero` is what is said of none at all; without it, that is a length too.
    """
    number, unit = (form.cleaned_data.get(name, "").strip() for name in (field, f"{field}_unit"))
    if not number:
        return None
    try:
        length = seconds(number, unit or "minutes")
    except BadAmountError as error:
        form.add_error(field, str(error))
        return None
    if zero and not length:
        form.add_error(field, zero)
    return f"PT{length}S"
