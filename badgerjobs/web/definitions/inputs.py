"""A field of a configuration in a form: what it is made of, how it is shown, and how what was typed is told."""

from collections.abc import Mapping
from typing import Any

from django import forms
from rest_framework import serializers

from badgerjobs.web.definitions import json_text
from badgerjobs.web.definitions.looks import Look
from badgerjobs.web.definitions.rows import HEADER, ROW_KINDS, VARIABLE, RowKind, Rows, RowsField, filled

# Texts that may be longer stand in a field of several lines.
ONE_LINE = 4000
# More choices than these would not stand in one line.
SIDE_BY_SIDE = 5
SerializerField = serializers.Field[Any, Any, Any, Any]


def form_field(
    name: str, one: SerializerField, look: Look, *, is_secret: bool = False, is_joined: bool = False
) -> forms.Field:
    """The field of the form. It takes anything: what may stand there, the serializer says."""
    given: dict[str, Any] = {"label": look.label, "help_text": look.hint, "required": False}
    if kind := row_kind(name, one, look):
        return RowsField(kind, **given)
    if isinstance(one, serializers.BooleanField):
        return forms.BooleanField(**given)
    if isinstance(one, serializers.ChoiceField):
        choices = [
            (value, look.words.get(value, value if is_joined else str(said))) for value, said in one.choices.items()
        ]
        return forms.ChoiceField(choices=choices, widget=_chooser(look, len(choices), is_joined), **given)
    return forms.CharField(strip=False, widget=_widget(one, look, is_secret=is_secret), **given)


def _chooser(look: Look, choices: int, is_joined: bool) -> forms.Widget:
    """A few stand side by side; many, and those in front of another field, in a list that opens."""
    if is_joined:
        return forms.Select({"aria-label": look.label})
    return forms.Select() if choices > SIDE_BY_SIDE else forms.RadioSelect()


def _widget(one: SerializerField, look: Look, *, is_secret: bool) -> forms.Widget:
    attributes: dict[str, Any] = {"autocomplete": "off"}
    if look.placeholder:
        attributes["placeholder"] = look.placeholder
    if isinstance(one, serializers.IntegerField):
        bounds = {"min": one.min_value, "max": one.max_value}
        return forms.NumberInput({**attributes, **{name: str(to) for name, to in bounds.items() if to is not None}})
    if look.rows or is_json(one) or _is_long(one):
        attributes |= {"rows": str(look.rows or 4), "spellcheck": "false", "autocapitalize": "off"}
        if editor := look.editor or ("json" if is_json(one) else ""):
            attributes["data-editor"] = editor
        if editor == "json":  # what is no JSON of its own may be any other text, and its placeholders stand anywhere
            attributes |= (
                {"data-placeholders": "texts"} if is_json(one) else {"data-placeholders": "values", "data-guess": ""}
            )
        return forms.Textarea(attributes)
    if is_secret and look.label == "Password":
        return forms.PasswordInput({**attributes, "autocomplete": "new-password"}, render_value=True)
    return forms.TextInput({**attributes, "class": "mono"})


def is_json(one: SerializerField) -> bool:
    """Whether it is typed as JSON."""
    return isinstance(one, serializers.JSONField | serializers.DictField)


def row_kind(name: str, one: SerializerField, look: Look) -> RowKind | None:
    """Of which kind its rows are, as headers always have them; None for a field without rows."""
    if name == "headers" and isinstance(one, serializers.DictField):
        return HEADER
    return ROW_KINDS[look.in_rows] if look.in_rows else None


def _is_long(one: SerializerField) -> bool:
    return isinstance(one, serializers.CharField) and (one.max_length or 0) > ONE_LINE


def shown(one: SerializerField, value: Any, kind: RowKind | None = None) -> Any:
    """A value of a configuration as the form has it. `kind` is of its rows, where it has some."""
    if kind is VARIABLE:
        return [tuple(str(row.get(column, "")) for column in kind.columns) for row in value or ()]
    if kind:
        return list((value or {}).items())
    if isinstance(one, serializers.BooleanField):
        return bool(value)
    if is_json(one):
        return "" if value == {} else json_text.written(value)
    if isinstance(one, serializers.ListField):
        return "\n".join(map(str, value or ()))
    return "" if value is None else value


def begun(one: SerializerField) -> Any:
    """What stands there unless something else is given: the default, or the first of the choices; else None."""
    if one.default is not serializers.empty:
        return one.default() if callable(one.default) else one.default
    return next(iter(one.choices), None) if isinstance(one, serializers.ChoiceField) else None


def told(one: SerializerField, typed: Any, kind: RowKind | None = None) -> Any:
    """What was typed as the serializer takes it; `empty` for what was left empty. Raises BadJSONError."""
    if kind:
        return _of_rows(typed or [], kind)
    if isinstance(one, serializers.BooleanField):
        return bool(typed)
    text = plain(str(typed or ""))
    if not text.strip():
        return serializers.empty
    if is_json(one):
        return json_text.read(text)
    if isinstance(one, serializers.ListField):
        return [line.strip() for line in text.split("\n") if line.strip()]
    return text


def _of_rows(rows: Rows, kind: RowKind) -> Any:
    named = [values for _, values in filled(rows) if values[0]]
    if kind is VARIABLE:
        return [dict(zip(kind.columns, values, strict=True)) for values in named]
    return {values[0]: values[-1] for values in named}


def plain(text: str) -> str:
    """Browsers end every line with CR LF, whatever was typed or stored."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def flat(detail: Any, path: str = "") -> Mapping[str, Any]:
    """Field → what is wrong with it: `{"configuration": {"to": {"0": […]}}}` is `configuration.to` and its sentences.

    What is wrong deeper down is said with the name that it has there.
    """
    if not isinstance(detail, Mapping):
        return {path: detail}
    found: dict[str, Any] = {}
    for name, inner in detail.items():
        found |= flat(inner, f"{path}.{name}" if path else str(name))
    return found
