"""What forms and serializers say when a value is wrong: our sentences, and none of the frameworks'."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from django import forms
from django.core import validators
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework import serializers

from badgerjobs.web.sentences import OF_FORMS, OF_SERIALIZERS, OF_VALIDATORS

# How Django's and DRF's sentences begin.
THEIRS = (
    "Ensure ", "This field ", "Enter a ", "Select a ", "A valid ", "Must be a valid", "Not a ", "Expected ",
    "This value ", "Datetime has", "Date has", "Invalid ", "This list ", "This selection ", "String value",
    "Null characters",
)  # fmt: skip


class Everything(forms.Form):
    text = forms.CharField(max_length=5, min_length=2)
    number = forms.IntegerField(min_value=3, max_value=9)
    email = forms.EmailField()
    choice = forms.ChoiceField(choices=[("a", "A")])
    choices = forms.MultipleChoiceField(choices=[("a", "A")])
    day = forms.DateField()


GOOD = {"text": "abc", "number": "5", "email": "a@example.com", "choice": "a", "choices": ["a"], "day": "2026-11-21"}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("text", "", "Fill this in."),
        ("text", "abcdefgh", "Give at most 5 characters: this has 8."),
        ("text", "a", "Give at least 2 characters: this has 1."),
        ("text", "a\0b", "Leave the null character out."),
        ("number", "x", "Give a whole number."),
        ("number", "12", "Give at most 9: this is 12."),
        ("number", "1", "Give at least 3: this is 1."),
        ("email", "nobody", "Give an e-mail address like bob@example.com."),
        ("choice", "b", "“b” is none of these: choose one of them."),
        ("choices", ["b"], "“b” is none of these: choose among them."),
        ("day", "soon", "Give a day like 2026-11-21."),
    ],
)
def test_a_form_says_what_to_do(field: str, value: Any, said: str) -> None:
    form = Everything({**GOOD, field: value})
    assert form.errors == {field: [said]}


class Asked(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=2000, min_length=2)
    number = serializers.IntegerField(min_value=3, max_value=9000)
    real = serializers.FloatField(required=False, max_value=1.5)
    flag = serializers.BooleanField(required=False)
    moment = serializers.DateTimeField(required=False)
    choice = serializers.ChoiceField(["a"], required=False)
    names = serializers.ListField(child=serializers.CharField(), required=False, max_length=2, allow_empty=False)
    pairs = serializers.DictField(required=False)
    file = serializers.FileField(required=False, max_length=5)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("text", None, "Give a value: null is none."),
        ("text", "", "Give a string that is not empty."),
        ("text", [], "Give a string."),
        ("text", "100 %" * 500, "Give at most 2,000 characters: this has 2500."),
        ("text", "a", "Give at least 2 characters: this has 1."),
        ("number", "x", "Give a whole number."),
        ("number", 9001, "Give at most 9,000: this is 9001."),
        ("number", "1", "Give at least 3: this is 1."),
        ("real", 2.5, "Give at most 1.5: this is 2.5."),
        ("flag", "perhaps", "Give true or false."),
        ("moment", "soon", "Give a time like 2026-11-21T22:50:28Z."),
        ("choice", "{b}%s", "Take one of those that /api/v1/schema/ lists: “{b}%s” is not there."),
        ("names", {}, 'Give a list, like ["a", "b"].'),
        ("names", [], "Give at least one."),
        ("names", ["a", "b", "c"], "Give at most 2 of them: these are 3."),
        ("pairs", [], 'Give an object, like {"name": "value"}.'),
        ("file", "x", "Give a file, as a field of a form."),
        ("file", SimpleUploadedFile("rows.csv", b""), "Give a file that is not empty."),
        ("file", SimpleUploadedFile("rows.csv", b"a"), "Give the file a name of at most 5 characters: this has 8."),
    ],
)
def test_the_api_says_what_to_do(field: str, value: Any, said: str) -> None:
    asked = Asked(data={"text": "abc", "number": 5, field: value})
    assert not asked.is_valid()
    assert asked.errors == {field: [said]}


def test_the_api_says_what_is_missing() -> None:
    asked = Asked(data={"text": "abc"})
    assert not asked.is_valid()
    assert asked.errors == {"number": ["Give this field: it is needed."]}


def below(parent: Any) -> Iterator[Any]:
    for child in parent.__subclasses__():
        yield child
        yield from below(child)


def declared() -> Iterator[tuple[str, str, str]]:
    """Form and field, code and sentence, of everything that people and programs can fill in here."""
    for module in ("badgerjobs.urls", "allauth.account.forms", "allauth.mfa.webauthn.forms", "allauth.mfa.totp.forms"):
        import_module(module)
    for form in below(forms.BaseForm):
        yield from sentences(form, getattr(form, "base_fields", {}))
    for serializer in below(serializers.Serializer):
        yield from sentences(serializer, getattr(serializer, "_declared_fields", {}))


def sentences(owner: type, fields: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    if not owner.__module__.startswith(("badgerjobs", "jobs", "slurps", "tasks", "webhooks", "allauth")):
        return
    for name, field in fields.items():
        for code, said in getattr(field, "error_messages", {}).items():
            yield f"{owner.__name__}.{name}", code, str(said)
        validator: Any
        for validator in getattr(field, "validators", []):
            if type(validator) in OF_VALIDATORS:
                yield f"{owner.__name__}.{name}", validator.code, str(validator.message)


def test_no_form_and_no_serializer_speaks_as_its_framework_does() -> None:
    found = list(declared())
    assert len(found) > 200
    assert [each for each in found if each[2].startswith(THEIRS)] == []


@pytest.mark.parametrize(
    "field", [*OF_FORMS, *OF_SERIALIZERS], ids=lambda field: f"{field.__module__}.{field.__name__}"
)
def test_each_kind_of_field_says_what_its_table_says(field: type[Any]) -> None:
    table = {**OF_FORMS, **OF_SERIALIZERS}[field]
    assert {code: field.default_error_messages[code] for code in table} == dict(table)


def test_a_row_is_judged_in_the_same_words() -> None:
    with pytest.raises(forms.ValidationError, match=r"Give at most 3 characters: this has 4\."):
        validators.MaxLengthValidator(3)("abcd")


def test_a_field_with_words_of_its_own_keeps_them() -> None:
    assert forms.CharField(error_messages={"required": "Say whom."}).error_messages["required"] == "Say whom."
    assert serializers.DateTimeField().to_internal_value("2026-11-21T22:50:28Z") == datetime(
        2026, 11, 21, 22, 50, 28, tzinfo=UTC
    )
