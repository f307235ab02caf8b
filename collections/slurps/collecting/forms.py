"""A collection as a form. Every rule is the serializer's; the form only speaks to people."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from badgerjobs.runs.policy_form import described
from badgerjobs.web.definitions.inputs import flat, plain
from badgerjobs.web.definitions.named_form import NamedForm
from badgerjobs.web.serializer_forms import LENIENT
from slurps.collecting.looks import COLUMNS, MEANS
from slurps.collecting.serializers import KEPT, MOST_VERSIONS, CollectionSerializer
from slurps.models import SLOTS, Collection, Mode
from slurps.modes import MODES

NO_NAME = "Give it a name, like product-prices."
NO_MODE = "Choose what a run's rows do to those that are there."
# What is told of a guard, and with which way of writing.
_ONLY = {"smaller_percent": "replace", "repeated_keys": "upsert"}


def _lines(label: str, hint: str) -> forms.CharField:
    widget = forms.Textarea({"rows": "2", "class": "mono short", "spellcheck": "false", "autocomplete": "off"})
    return forms.CharField(label=label, help_text=hint, widget=widget, strip=False, **LENIENT)


class CollectionForm(NamedForm):
    """A collection. `collection` is the one being changed, None for a new one."""

    mode = forms.ChoiceField(label="Mode", choices=Mode.choices, widget=forms.RadioSelect, **LENIENT)
    key = _lines("Key", "The columns by which a row is known again, like id: one on each line. Never changed.")
    keep = forms.CharField(label="Keeps", widget=forms.NumberInput({"min": "1", "max": str(MOST_VERSIONS)}), **LENIENT)
    indexed = _lines("Found quickly", f"Columns that readers filter or sort by: one on each line, up to {SLOTS}.")
    all_readers = forms.BooleanField(label="Readers", **LENIENT)
    readers = _lines("Tokens", "The labels of those that may read it, one on each line.")
    empty = forms.BooleanField(**LENIENT)
    smaller_percent = forms.CharField(
        label="Fewer rows by more than",
        help_text="Empty: however many are missing.",
        widget=forms.TextInput({"inputmode": "decimal", "size": "4", "autocomplete": "off"}),
        **LENIENT,
    )
    columns = forms.ChoiceField(
        label="When columns change", choices=[(name, said.capitalize()) for name, said in COLUMNS.items()], **LENIENT
    )
    repeated_keys = forms.BooleanField(**LENIENT)

    no_name = NO_NAME

    def __init__(self, data: Mapping[str, Any] | None = None, *, collection: Collection | None = None) -> None:
        super().__init__(data, auto_id="%s")
        self.collection = collection
        del self.fields["tag"]
        if collection:
            for name in ("name", "mode", "key"):
                del self.fields[name]
        else:
            self.fields["name"].widget.attrs |= {"class": "mono short", "placeholder": "product-prices"}
            self.fields["name"].help_text = "Under it rows are read: letters, digits, - and _; unique, never changed."
        self.initial = _begins(collection)

    def modes(self) -> list[tuple[Any, str]]:
        """Each choice, and what it means."""
        return [(described(radio), MEANS[radio.data["value"]]) for radio in self["mode"]]

    def clean(self) -> dict[str, Any]:
        """Tell everything to the serializer: people want to know all at once."""
        judged = CollectionSerializer(self.collection, data=self._told(), partial=self.collection is not None)
        for name, said in flat({} if judged.is_valid() else judged.errors).items():
            field, _, deeper = name.partition(".")
            self.refuse(deeper if field == "guards" and deeper else field, said)
        self.given = dict(judged.validated_data) if not self.errors else {}
        return self.cleaned_data

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = {} if self.collection else self._identity()
        mode = self.collection.mode if self.collection else told.get("mode", "")
        means = MODES.get(mode)
        if means and means.is_versioned:
            told["keep"] = self._typed("keep").strip() or 1
        told |= {"indexed": self._listed("indexed"), "guards": self._guards(means.write if means else "")}
        told["readers"] = None if self.cleaned_data.get("all_readers") else self._listed("readers")
        return told

    def _identity(self) -> dict[str, Any]:
        told: dict[str, Any] = {name: self._typed(name).strip() for name in ("name", "mode")}
        if not told["name"]:
            self.refuse("name", NO_NAME)
        if not told["mode"]:
            self.refuse("mode", NO_MODE)
        means = MODES.get(told["mode"])
        told["key"] = self._listed("key") if means and means.write != "append" else []
        return told

    def _guards(self, write: str) -> dict[str, Any]:
        """Those that go with the mode: the others are not to be seen."""
        guards: dict[str, Any] = {"columns": self._typed("columns") or "evolve"}
        guards |= {name: True for name in ("empty", "repeated_keys") if self.cleaned_data.get(name)}
        if percent := self._typed("smaller_percent").strip().removesuffix("%").strip():
            guards["smaller_percent"] = percent
        return {name: value for name, value in guards.items() if _ONLY.get(name, write) == write}

    def _listed(self, field: str) -> list[str]:
        return [line.strip() for line in re.split(r"\n", plain(self._typed(field))) if line.strip()]

    def _typed(self, field: str) -> str:
        """Empty where Django refused it already."""
        return str(self.cleaned_data.get(field, ""))


def _begins(collection: Collection | None) -> dict[str, Any]:
    if collection is None:
        return {"mode": Mode.NORMAL, "keep": KEPT, "all_readers": True, "columns": "evolve"}
    guards = collection.guards
    percent = guards.get("smaller_percent")
    return {
        "keep": collection.keep,
        "indexed": "\n".join(collection.indexed),
        "all_readers": collection.readers is None,
        "readers": "\n".join(collection.readers or []),
        "empty": bool(guards.get("empty")),
        "smaller_percent": "" if percent is None else f"{percent:g}",
        "columns": guards.get("columns", "evolve"),
        "repeated_keys": bool(guards.get("repeated_keys")),
    }
