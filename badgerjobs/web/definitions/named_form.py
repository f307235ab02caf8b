"""What the forms of jobs, events, connections and sources share: a name and a tag, rows, and their buttons."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from badgerjobs.web.definitions import header_rows
from badgerjobs.web.definitions.header_rows import HeaderRow
from badgerjobs.web.definitions.rows import RowsField, number_of
from badgerjobs.web.serializer_forms import LENIENT, first_sentence

CHANGED_MEANWHILE = "Somebody else changed this while the form was open. Save again to have it your way."
NAME_IN_ADDRESSES = "The name stands in addresses too, unless you give a tag. Did you mean {}?"


class NamedForm(forms.Form):
    """What is in an application under a name and a tag. The fields take anything: the serializers judge.

    `no_name` is said where neither is given; `headers_field` is the field that is shown as rows, where there is one.
    """

    application: Any  # whose it is

    name = forms.CharField(widget=forms.TextInput({"class": "short", "autocomplete": "off"}), **LENIENT)
    tag = forms.CharField(
        widget=forms.TextInput({"class": "mono short", "autocomplete": "off"}),
        help_text="Its identity in addresses and in the API: unique, and never changed. The name, unless you give one.",
        **LENIENT,
    )
    no_name = ""
    headers_field = "headers"

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        # Field → number of its row → what is wrong with that.
        self.row_errors: dict[str, dict[int, str]] = {}
        self.focused = ""

    def named_told(self, stored: Any) -> dict[str, str]:
        """Name and tag as the serializer takes them. `stored` is what is being changed: it keeps its tag."""
        name, tag = (self.cleaned_data.get(field, "").strip() for field in ("name", "tag"))
        named = {"name": name or stored.tag} if stored else {"name": name, "tag": tag}
        return {field: text for field, text in named.items() if text}

    def of_tag(self, said: Any) -> tuple[str, Any]:
        """Where what is wrong with the tag belongs, and what to say there: without one, the name stands for it."""
        if self.cleaned_data.get("tag"):
            return "tag", said
        if not self.cleaned_data.get("name"):
            return "name", self.no_name
        near = re.sub(r"[^\w.:-]+", "-", self.cleaned_data["name"]).strip("-.")
        return "tag", NAME_IN_ADDRESSES.format(near) if near else said

    def refuse(self, field: str, said: Any) -> None:
        """Put a sentence beside a field, unless there is one already."""
        sentence = first_sentence(said)
        if field not in self.errors and sentence not in self.non_field_errors():
            self.add_error(field if field in self.fields else None, sentence)

    @property
    def pairs(self) -> header_rows.Pairs:
        """The rows of headers as they were typed, or as they begin; none where there is no such field."""
        field = self.headers_field
        return list(self[field].value() or []) if field in self.fields else []

    @property
    def header_errors(self) -> dict[int, str]:
        """What is wrong with which header, by its number."""
        return self.row_errors.get(self.headers_field, {})

    def header_rows(self) -> list[HeaderRow]:
        """The rows of headers, to show."""
        return header_rows.rows(self.pairs, self.header_errors)

    def blank_row(self) -> HeaderRow:
        """A row that scripts copy: they number it."""
        return HeaderRow(0, "", "")

    def in_order(self) -> Iterable[str]:
        """The fields in their order on the page."""
        return self.fields

    def wrong(self) -> list[tuple[str, str]]:
        """Id and label of each field that needs a change, in their order on the page."""
        found: list[tuple[str, str]] = []
        for name in self.in_order():
            if wrong := self.row_errors.get(name):
                what = self._what_of(name)
                found += [(f"{what}_name_{number}", f"{what.capitalize()} {number}") for number in wrong]
            elif name in self.errors:
                found.append((name, str(self[name].label)))
        return found

    def _what_of(self, name: str) -> str:
        """What one of its rows is called; empty for a field without rows."""
        field = self.fields.get(name)
        return field.kind.what if isinstance(field, RowsField) else ""

    def focus(self, name: str) -> None:
        """Let a field have the keyboard when the page is there: by its widget, or its first row by its id."""
        what = self._what_of(name)
        self.focused = f"{what}_name_1" if what else name
        if name in self.fields:
            self.fields[name].widget.attrs["autofocus"] = True


def typed(fields: Mapping[str, forms.Field], data: QueryDict) -> dict[str, Any]:
    """What was typed so far, as a beginning: shown again, and not judged yet."""
    return {name: field.widget.value_from_datadict(data, {}, name) for name, field in fields.items()}


def fill_in(data: QueryDict, do: str) -> bool:
    """Put what an error offered into its field, as its button says; whether it said so.

    `fill:endpoint=https://example.com`, `fill:header_name_2=X-Team`.
    """
    field, _, value = do.removeprefix("fill:").partition("=")
    name, _, number = field.rpartition("_")
    if not do.startswith("fill:"):
        return False
    if name == header_rows.NAME:
        names, row = data.getlist(name), number_of(number)
        if 0 < row <= len(names):
            names[row - 1] = value
        data.setlist(name, names)
    elif field in data:
        data[field] = value
    return True
