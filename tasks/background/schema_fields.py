"""The fields that a form asks for, from the JSON schema of an input; what is nested is typed as JSON."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from django import forms

from badgerjobs.lib.finite_numbers import finite
from badgerjobs.web.definitions import json_text
from badgerjobs.web.definitions.inputs import plain
from badgerjobs.web.serializer_forms import LENIENT

# What the field of the form is called: this, and the name of the property.
PREFIX = "input_"
# The whole input, where there is no schema to make fields from.
WHOLE = "input"
NOTHING = object()
# A text that may be longer has a field of several lines, and no more choices than these stand side by side.
ONE_LINE, SIDE_BY_SIDE = 300, 4
# No more than these are boxes to tick; more are typed.
MOST_BOXES = 20
# What is referred to is looked up so often, one behind the other.
MOST_STEPS = 10
NOT_GIVEN = "not given"
YES, NO = "true", "false"


class NotReadError(ValueError):
    """What was typed is nothing that the property can be. The message is for who typed it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A property of the input. `sort`: text, long, integer, number, boolean, choice, choices, words or json.

    `choices` are values of JSON: one is meant, or, of the plural, some. `words` are a list, typed with commas between;
    each is of the sort `each`. `default` is NOTHING where the schema has none.
    """

    name: str
    field: str
    sort: str
    label: str
    hint: str
    is_needed: bool
    default: Any = NOTHING
    choices: list[Any] = dataclass_field(default_factory=list)
    shape: Mapping[str, Any] = dataclass_field(default_factory=dict)
    each: str = "text"

    def shown(self, value: Any) -> Any:
        """A value as the form has it; that of NOTHING is empty."""
        if self.sort == "choices":
            return [_text(one) for one in value] if isinstance(value, list | tuple | set) else []
        if value is NOTHING:
            return ""
        if self.sort == "words":
            return _joined(value)
        if self.sort == "boolean":
            return {True: YES, False: NO}.get(value, "")
        if self.sort in {"choice", "json"}:
            return _text(value) if self.sort == "choice" else json_text.written(value)
        return "" if value is None else value

    def told(self, typed: str | list[str]) -> Any:
        """What was typed as JSON has it; NOTHING for what was left empty. Raises NotReadError."""
        if isinstance(typed, list):
            return self._told_of_boxes(typed)
        text = plain(typed)
        if not text.strip():
            return NOTHING
        return text if self.sort in {"text", "long"} else self._told_of_text(text)

    def _told_of_text(self, text: str) -> Any:
        if self.sort in {"boolean", "choice"}:
            return _chosen(text, [True, False] if self.sort == "boolean" else self.choices)
        if self.sort in {"integer", "number"}:
            return _number(text.strip(), is_whole=self.sort == "integer")
        if self.sort == "words" and text.strip()[0] not in "[{":
            return self._told_of_words(text)
        try:
            return json_text.read(text)
        except json_text.BadJSONError as error:
            raise NotReadError(str(error)) from None

    def _told_of_boxes(self, ticked: list[str]) -> Any:
        """None ticked is nothing given; but where some were ticked at first, somebody means none of them."""
        if not ticked and self.default in (NOTHING, None, []):
            return NOTHING
        return [_chosen(one, self.choices) for one in ticked]

    def _told_of_words(self, text: str) -> list[Any]:
        words = [word.strip() for word in text.split(",") if word.strip()]
        return words if self.each == "text" else [_number(word, is_whole=self.each == "integer") for word in words]

    def form_field(self) -> forms.Field:
        """The field of the form. It takes anything: what may stand there, the definition says."""
        given: dict[str, Any] = {"label": self.label, "help_text": self.hint, **LENIENT}
        if self.sort == "choices":
            return forms.MultipleChoiceField(choices=self._options(), widget=forms.CheckboxSelectMultiple(), **given)
        if self.sort in {"boolean", "choice"}:
            return forms.ChoiceField(choices=self._options(), widget=self._chooser(), **given)
        return forms.CharField(strip=False, widget=self._widget(), **given)

    def _options(self) -> list[tuple[str, str]]:
        if self.sort == "boolean":
            options = [(YES, "yes"), (NO, "no")]
        else:
            options = [(_text(one), one if isinstance(one, str) else _text(one)) for one in self.choices]
        # One that has a default begins with it, and one that is needed has to be chosen. Boxes may all be empty.
        needs_none = self.default is not NOTHING or self.sort == "choices"
        return options if needs_none else [("", NOT_GIVEN), *options]

    def _chooser(self) -> forms.Widget:
        return forms.RadioSelect() if len(self._options()) <= SIDE_BY_SIDE else forms.Select()

    def _widget(self) -> forms.Widget:
        attributes: dict[str, Any] = {"autocomplete": "off"}
        if self.sort in {"integer", "number"}:
            # No field of the browser's: that would send nothing in the place of what is none.
            return forms.TextInput({**attributes, "inputmode": "decimal", "class": "short"})
        if self.sort in {"text", "words"}:
            return forms.TextInput({**attributes, "class": "mono"})
        attributes |= {"rows": "4", "spellcheck": "false", "autocapitalize": "off"}
        return forms.Textarea(attributes | ({"data-editor": "json"} if self.sort == "json" else {}))


def asked_for(schema: Mapping[str, Any]) -> list[Asked]:
    """The properties of an object, in the order of the schema; none where it names none."""
    whole = _resolved(schema, schema)
    needed = whole.get("required", ())
    properties = whole.get("properties")
    if not isinstance(properties, Mapping):
        return []
    return [
        _asked(name, number, one, schema, is_needed=name in needed)
        for number, (name, one) in enumerate(properties.items(), 1)
    ]


def _asked(name: str, number: int, given: Any, schema: Mapping[str, Any], *, is_needed: bool) -> Asked:
    shape = _resolved(given if isinstance(given, Mapping) else {}, schema)
    sort, choices, each = _sort_of_list(shape, schema) or (*_sort_of(shape), "text")
    # An id holds no blanks: what has any is numbered.
    its_field = PREFIX + (name if re.fullmatch(r"[\w-]+", name) else str(number))
    label = str(shape.get("title") or name.replace("_", " ").capitalize())
    hint = " ".join(_hints(shape, sort, is_needed=is_needed))
    return Asked(name, its_field, sort, label, hint, is_needed, shape.get("default", NOTHING), choices, shape, each)


def _resolved(given: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a shape refers to, or may be beside null, with what is said beside that.

    The title of what is referred to is that of a class, and not of the property.
    """
    shape = dict(given)
    for _ in range(MOST_STEPS):
        beside = {name: value for name, value in shape.items() if name not in {"$ref", "allOf", "anyOf", "oneOf"}}
        options = shape.get("anyOf") or shape.get("oneOf") or []
        others = [one for one in options if isinstance(one, Mapping) and one.get("type") != "null"]
        if "$ref" in shape:
            referred = {name: value for name, value in _referred(str(shape["$ref"]), schema).items() if name != "title"}
            shape = {**referred, **beside}
        elif len(shape.get("allOf") or ()) == 1:
            shape = {**shape["allOf"][0], **beside}
        elif len(others) == 1:
            shape = {**others[0], **beside}
        else:
            break
    return shape


def _referred(reference: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """`#/$defs/Address` in the schema; empty for what is not there."""
    found: Any = schema
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, Mapping) else {}
    return found if isinstance(found, Mapping) else {}


def _sort_of_list(shape: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[str, list[Any], str] | None:
    """The same of a list of plain values, and of which sort each is; None for all else, and for a list of lists."""
    types, items = shape.get("type"), shape.get("items")
    if "array" not in (types if isinstance(types, list) else [types]) or not isinstance(items, Mapping):
        return None
    each, choices = _sort_of(_resolved(items, schema))
    if each == "choice":
        return ("choices", choices, each) if len(choices) <= MOST_BOXES else ("json", [], each)
    return ("words", [], each) if each in {"text", "integer", "number"} else None


def _sort_of(shape: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """How a property is asked for, and its choices where it has some."""
    if "const" in shape:
        return "choice", [shape["const"]]
    if isinstance(shape.get("enum"), list) and shape["enum"]:
        return "choice", [one for one in shape["enum"] if one is not None]
    types = shape.get("type")
    named = [one for one in (types if isinstance(types, list) else [types]) if one != "null"]
    only = named[0] if len(named) == 1 else ""
    if only == "string":
        return ("long" if shape.get("maxLength", 0) > ONE_LINE else "text"), []
    return (only if only in {"boolean", "integer", "number"} else "json"), []


def _hints(shape: Mapping[str, Any], sort: str, *, is_needed: bool) -> Iterator[str]:
    """What stands below a field: what it is, what may stand in it, and whether it may be left empty."""
    if said := str(shape.get("description", "")).strip():
        yield said if said[-1] in ".!?…" else f"{said}."
    least, most = (_counted(shape.get(name)) for name in ("minimum", "maximum"))
    if least is not None and most is not None:
        yield f"{least} to {most}."
    elif least is not None or most is not None:
        yield f"{least} at least." if least is not None else f"{most} at most."
    if sort == "text" and shape.get("format") in _FORMATS:
        yield _FORMATS[shape["format"]]
    if sort == "words":
        yield "With commas between; or a list, as JSON."
    if sort == "json":
        yield {"array": "A list, as JSON.", "object": "An object, as JSON."}.get(str(shape.get("type")), "As JSON.")
    if is_needed:
        yield "Needed."


def _counted(bound: Any) -> Any:
    return f"{bound:,}" if isinstance(bound, int | float) else bound


_FORMATS = {
    "date": "Like 2026-11-21.",
    "date-time": "Like 2026-11-21T22:50:28Z.",
    "time": "Like 22:50:28.",
    "email": "An e-mail address.",
    "uri": "A URL.",
    "uuid": "A UUID.",
    "decimal": "A number.",
    "duration": "An ISO 8601 duration, like PT15M.",
}


def _text(value: Any) -> str:
    """A choice as the form has it. The default of a serializer may be what is text in JSON: a day, a decimal number."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _joined(value: Any) -> str:
    """A list as it is typed: with commas between, as far as its words have none, nor look like JSON."""
    words = value if isinstance(value, list | tuple) else [value]
    plain_ones = [one for one in words if isinstance(one, str) and one == one.strip() and one and "," not in one]
    numbers = [one for one in words if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) == len(words) or (len(plain_ones) == len(words) and not plain_ones[0].startswith(("[", "{"))):
        return ", ".join(str(one) for one in words)
    return json_text.written(value)


def _chosen(text: str, choices: list[Any]) -> Any:
    for one in choices:
        if _text(one) == text:
            return one
    raise NotReadError("Choose one of them.")


def _number(text: str, *, is_whole: bool) -> int | float:
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        return int(text)
    if is_whole:
        raise NotReadError("Give a whole number, like 10.")
    try:
        return finite(text.replace(",", "."))
    except ValueError:
        raise NotReadError("Give a number, like 2.5.") from None
